/* Limits with a Redis of their own: never exceeded, exact where small, shared by workers, alone without Redis. */
#include "inside.h"

#include "edge/limit.h"
#include "store/redis_pool.h"

#include <shimin/log.h>
#include <shimin/redis.h>
#include <stdatomic.h>
#include <stdio.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#define LEAK_IGNORED(call) (__lsan_disable(), (void)(call), __lsan_enable())
#else
#define LEAK_IGNORED(call) (void)(call)
#endif

enum { FIBERS = 200, HOUR = 3600 };

static struct server server;
static atomic_uint opened;
static struct limits limits;
static struct arena *settings_arena;

static void set_up(void)
{
    log_set_level(LOG_ERROR);
    redis_create(&server);
    settings_arena = arena_open();
}

static void tear_down(void)
{
    arena_close(settings_arena);
    server_destroy(&server);
}

static const struct limit_policy *policy_of(int64_t quota, int64_t window)
{
    struct json_error error;
    struct text faults = text_open(settings_arena, 64);
    struct str text =
        str_printf(settings_arena, "{test: {by: citizen, requests: %lld, window: %lld}}", (long long)quota, (long long)window);
    const struct json *map = yaml_parse(settings_arena, text, &json_limits_document, &error);
    ck_assert_msg(limits_read(settings_arena, map, &limits, &faults), "%s", faults.at);
    return limits_named(&limits, STR("test"));
}

static const struct limit_policy *policy;
static atomic_uint allowed, refused;

static void open_redis(void)
{
    ck_assert(redis_open(&(struct redis_settings){.url = server.url}));
    /* a worker's table of leases lives as long as the process, so it is no leak when the thread ends */
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    LEAK_IGNORED(limit_spend(arena, policy, STR("first")));
    opened++;
}

static struct limit_state spend(const char *subject)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct limit_state state = limit_spend(arena, policy, str_of(subject));
    if (state.allowed)
        allowed++;
    else
        refused++;
    return state;
}

static void spend_many(void *argument)
{
    for (intptr_t left = (intptr_t)argument; left; left--)
        (void)spend("a");
}

/* Far more than the quota, in every worker at once. */
static void spend_in_fibers(void)
{
    struct fiber_group group = {0};
    open_redis();
    for (int i = 0; i < FIBERS; i++)
        fiber_spawn(&group, spend_many, (void *)(intptr_t)20);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    redis_close();
}

START_TEST(two_workers_with_hundreds_of_fibers_never_exceed_a_quota_and_meet_it)
{
    policy = policy_of(1000, 86400);
    inside(2, spend_in_fibers);
    ck_assert_uint_eq(allowed + refused, 2 * FIBERS * 20);
    ck_assert_uint_le(allowed, 1000);
    /* what may be left is one part in each worker; here all who ask go on until they are refused */
    ck_assert_uint_ge(allowed, 900);
}
END_TEST

START_TEST(a_small_quota_is_exact)
{
    policy = policy_of(5, 86400);
    inside(2, spend_in_fibers);
    ck_assert_uint_eq(allowed, 5);
}
END_TEST

/* As many at once as there are streams on a connection, which is to say in one worker. */
static void spend_once_each(void *argument)
{
    (void)argument;
    (void)spend("a");
}

static void burst_then_look(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct fiber_group group = {0};
    struct redis_reply keys, count;
    open_redis();
    for (int i = 0; i < 20; i++)
        fiber_spawn(&group, spend_once_each, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(allowed, 20);
    ck_assert_int_eq(redis_command(arena, &keys, "KEYS l:*:a:*"), REDIS_OK);
    ck_assert_uint_eq(keys.count, 1);
    ck_assert_int_eq(redis_command(arena, &count, "GET %b", STR_BYTES(keys.items[0].string)), REDIS_OK);
    int64_t taken;
    ck_assert(str_to_i64(count.string, &taken));
    ck_assert_int_le(taken, 60 + 20);
    ck_assert_int_eq(redis_command(arena, &count, "TTL %b", STR_BYTES(keys.items[0].string)), REDIS_OK);
    ck_assert_int_gt(count.integer, 0);
    redis_close();
}

START_TEST(many_at_once_take_one_part_and_not_all_of_the_quota)
{
    policy = policy_of(600, 86400);
    inside(1, burst_then_look);
}
END_TEST

static void spend_by_two(void)
{
    open_redis();
    for (int i = 0; i < 10; i++) {
        (void)spend("a");
        (void)spend("b");
    }
    ck_assert_uint_eq(allowed, 6);
    redis_close();
}

START_TEST(each_subject_has_a_quota_of_its_own)
{
    policy = policy_of(3, 86400);
    inside(1, spend_by_two);
}
END_TEST

static void cross_a_window(void)
{
    open_redis();
    /* at the beginning of a window, so that what follows lies in it */
    int64_t window = clock_wall() / seconds(2);
    WAIT_UNTIL(clock_wall() / seconds(2) != window);
    ck_assert(spend("a").allowed && spend("a").allowed);
    struct limit_state state = spend("a");
    ck_assert(!state.allowed);
    ck_assert_int_eq(state.remaining, 0);
    ck_assert(state.resets_in >= 1 && state.resets_in <= 2);
    WAIT_UNTIL(spend("a").allowed);
    redis_close();
}

START_TEST(the_next_window_begins_anew)
{
    policy = policy_of(2, 2);
    inside(1, cross_a_window);
}
END_TEST

static void spend_without_redis(void)
{
    open_redis();
    if (worker_index() == 0) {
        WAIT_UNTIL(opened == 2);
        server_kill(&server);
        WAIT_UNTIL(!redis_is_up());
        for (int i = 0; i < 100; i++)
            (void)spend("a");
        ck_assert_uint_eq(allowed, 10); /* half of it: there are two workers */
        redis_start(&server);
        WAIT_UNTIL(redis_is_up());
        WAIT_UNTIL(spend("a").allowed); /* by the count of Redis again */
        ck_assert_uint_le(allowed, 11);
    }
    redis_close();
}

START_TEST(without_redis_a_worker_grants_its_share_once_and_asks_again_when_it_is_back)
{
    policy = policy_of(20, 86400);
    inside(2, spend_without_redis);
}
END_TEST

START_TEST(policies_that_make_no_sense_are_refused_by_name)
{
    static const char *const broken[] = {
        "{x: {by: nobody, requests: 1, window: 1}}",    "{x: {by: citizen, requests: 0, window: 1}}",
        "{x: {by: citizen, requests: 1, window: 0}}",   "{x: {by: citizen, requests: 1, window: 86401}}",
        "{x: {by: citizen, requests: -5, window: 60}}", "{x: 5}",
        "{x: {by: [citizen], requests: 1, window: 1}}",
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct json_error error;
        struct text faults = text_open(settings_arena, 64);
        const struct json *map = yaml_parse(settings_arena, str_of(broken[i]), &json_limits_document, &error);
        ck_assert_msg(!limits_read(settings_arena, map, &limits, &faults), "%s", broken[i]);
        ck_assert_int_ge(str_find(text_str(&faults), STR("limits.x:")), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge limit");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, two_workers_with_hundreds_of_fibers_never_exceed_a_quota_and_meet_it);
    tcase_add_test(all, a_small_quota_is_exact);
    tcase_add_test(all, many_at_once_take_one_part_and_not_all_of_the_quota);
    tcase_add_test(all, each_subject_has_a_quota_of_its_own);
    tcase_add_test(all, the_next_window_begins_anew);
    tcase_add_test(all, without_redis_a_worker_grants_its_share_once_and_asks_again_when_it_is_back);
    tcase_add_test(all, policies_that_make_no_sense_are_refused_by_name);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
