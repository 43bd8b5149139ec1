/* Redis: commands from many fibers, scripts, loss and return, and the tracking of keys. */
#include "inside.h"

#include "store/redis_pool.h"
#include "store/redis_tracking.h"
#include "store/redis_url.h"

#include <pthread.h>
#include <shimin/log.h>
#include <shimin/redis.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server server;

static void create_server(void)
{
    log_set_level(LOG_ERROR);
    redis_create(&server);
}

static void destroy_server(void)
{
    server_destroy(&server);
}

static void open_pool(void)
{
    ck_assert(redis_open(&(struct redis_settings){.url = server.url}));
}

enum { FIBERS = 300 };
static atomic_uint right; /* of all workers */

static void set_and_get(void *argument)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    int number = (int)(intptr_t)argument;
    struct redis_reply reply;
    struct str value = str_printf(arena, "值 %d", number);
    ck_assert_int_eq(redis_command(arena, &reply, "SET key:%d %b EX 60", number, STR_BYTES(value)), REDIS_OK);
    ck_assert(reply.type == REDIS_STRING && str_is(reply.string, "OK"));
    ck_assert_int_eq(redis_command(arena, &reply, "GET key:%d", number), REDIS_OK);
    right += reply.type == REDIS_STRING && str_equal(reply.string, value);
}

static void ask_from_many_fibers(void)
{
    open_pool();
    struct fiber_group group = {0};
    for (intptr_t i = 0; i < FIBERS; i++)
        fiber_spawn(&group, set_and_get, (void *)i);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(right, FIBERS);
    redis_close();
}

START_TEST(each_of_hundreds_of_fibers_gets_its_own_reply)
{
    inside(1, ask_from_many_fibers);
}
END_TEST

static void ask_once(void)
{
    open_pool();
    set_and_get((void *)(intptr_t)worker_index());
    redis_close();
}

START_TEST(workers_share_nothing)
{
    inside(2, ask_once);
}
END_TEST

static struct redis_script add = {
    .source = "redis.call('INCRBY', KEYS[1], ARGV[1]) return {KEYS[1], redis.call('INCRBY', KEYS[1], ARGV[2]), false}",
    .keys = 1,
};

static void take_every_type(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_reply reply;
    open_pool();
    ck_assert_int_eq(redis_command(arena, &reply, "GET nothing"), REDIS_OK);
    ck_assert_int_eq(reply.type, REDIS_NIL);
    ck_assert_int_eq(redis_command(arena, &reply, "INCRBY n %lld", 9007199254740993LL), REDIS_OK);
    ck_assert(reply.type == REDIS_INTEGER && reply.integer == 9007199254740993LL);
    ck_assert_int_eq(redis_command(arena, &reply, "LPUSH n x"), REDIS_REFUSED);
    ck_assert_int_eq(redis_command(arena, &reply, "SET bytes %b", "a\0b\r\n", (size_t)5), REDIS_OK);
    ck_assert_int_eq(redis_command(arena, &reply, "MGET bytes nothing"), REDIS_OK);
    ck_assert(reply.type == REDIS_ARRAY && reply.count == 2 && reply.items[1].type == REDIS_NIL);
    ck_assert(str_equal(reply.items[0].string, (struct str){"a\0b\r\n", 5}));
    struct str arguments[] = {STR("sum"), STR("2"), STR("3")};
    for (int i = 1; i <= 2; i++) {
        ck_assert_int_eq(redis_eval(arena, &reply, &add, arguments, 3), REDIS_OK);
        ck_assert(reply.type == REDIS_ARRAY && reply.count == 3 && str_is(reply.items[0].string, "sum"));
        ck_assert_int_eq(reply.items[1].integer, 5 * i);
    }
    ck_assert_int_eq(redis_command(arena, &reply, "SCRIPT FLUSH"), REDIS_OK);
    ck_assert_int_eq(redis_eval(arena, &reply, &add, arguments, 3), REDIS_OK);
    ck_assert_int_eq(reply.items[1].integer, 15);
    redis_close();
}

START_TEST(replies_of_every_type_and_scripts_that_the_server_forgot)
{
    inside(1, take_every_type);
}
END_TEST

static void leave_early(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_reply reply;
    open_pool();
    fiber_set_deadline(deadline_in(milliseconds(30)));
    ck_assert_int_eq(redis_command(arena, &reply, "BLPOP nothing 0.1"), REDIS_DEADLINE);
    ck_assert_int_eq(redis_command(arena, &reply, "PING"), REDIS_DEADLINE);
    redis_close();
}

START_TEST(a_command_waits_no_longer_than_its_fiber)
{
    inside(1, leave_early);
}
END_TEST

/* ---- loss ---- */

static atomic_bool is_back;
static _Atomic int64_t back_at;

static void *kill_and_start(void *argument)
{
    (void)argument;
    server_kill(&server);
    usleep(300000);
    redis_start(&server);
    back_at = clock_steady();
    is_back = true;
    return NULL;
}

static unsigned answered, unavailable, other;
static bool stop;

static void ask_on_and_on(void *argument)
{
    (void)argument;
    while (!stop) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        struct redis_reply reply;
        enum redis_status status = redis_command(arena, &reply, "PING");
        answered += status == REDIS_OK;
        unavailable += status == REDIS_UNAVAILABLE;
        other += status != REDIS_OK && status != REDIS_UNAVAILABLE;
        if (status != REDIS_OK)
            (void)fiber_sleep(milliseconds(5));
    }
}

static void lose_under_load(void)
{
    open_pool();
    struct fiber_group group = {0};
    for (int i = 0; i < 50; i++)
        fiber_spawn(&group, ask_on_and_on, NULL);
    WAIT_UNTIL(answered > 1000);
    pthread_t thread;
    pthread_create(&thread, NULL, kill_and_start, NULL);
    WAIT_UNTIL(unavailable > 0 && !redis_is_up());
    WAIT_UNTIL(is_back);
    unsigned before = answered;
    WAIT_UNTIL(answered > before + 1000);
    ck_assert_int_lt(clock_steady() - back_at, seconds(20));
    stop = true;
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(other, 0);
    redis_close();
}

START_TEST(service_is_back_after_a_crash_under_load)
{
    inside(1, lose_under_load);
}
END_TEST

static void open_wrongly(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_reply reply;
    ck_assert(!redis_open(&(struct redis_settings){.url = "unix:/nowhere/socket"}));
    ck_assert(!redis_open(&(struct redis_settings){.url = "http://localhost"}));
    ck_assert(redis_open(&(struct redis_settings){.url = "unix:/nowhere/socket", .may_be_absent = true}));
    ck_assert_int_eq(redis_command(arena, &reply, "PING"), REDIS_UNAVAILABLE);
    redis_close();
}

START_TEST(without_a_server_opening_fails_unless_it_may_be_absent)
{
    inside(1, open_wrongly);
}
END_TEST

/* ---- tracking ---- */

static unsigned invalidated_sessions, invalidated_limits, losses;
static char last_key[64];

static void on_session(struct str key, void *argument)
{
    (void)argument;
    invalidated_sessions++;
    snprintf(last_key, sizeof last_key, "%.*s", STR_ARG(key));
}

static void on_limit(struct str key, void *argument)
{
    (void)key;
    (void)argument;
    invalidated_limits++;
}

static void on_loss(void *argument)
{
    (void)argument;
    losses++;
}

static void set(struct arena *arena, const char *key)
{
    struct redis_reply reply;
    ck_assert_int_eq(redis_command(arena, &reply, "SET %s 1", key), REDIS_OK);
}

static void track(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_reply reply;
    open_pool();
    redis_track("session:", on_session, on_loss, NULL);
    redis_track("limit:", on_limit, on_loss, NULL);
    WAIT_UNTIL(redis_tracking_is_on());
    uint64_t count = redis_tracking_count();
    set(arena, "session:1");
    WAIT_UNTIL(invalidated_sessions == 1);
    ck_assert_str_eq(last_key, "session:1");
    ck_assert_uint_gt(redis_tracking_count(), count);
    set(arena, "else:1");
    set(arena, "limit:1");
    WAIT_UNTIL(invalidated_limits == 1);
    ck_assert_uint_eq(invalidated_sessions, 1);
    ck_assert_int_eq(redis_command(arena, &reply, "DEL session:1"), REDIS_OK);
    WAIT_UNTIL(invalidated_sessions == 2);
    unsigned before = losses;
    ck_assert_int_eq(redis_command(arena, &reply, "FLUSHALL"), REDIS_OK);
    WAIT_UNTIL(losses == before + 2);
    ck_assert(redis_tracking_is_on());
    redis_close();
    ck_assert(!redis_tracking_is_on());
}

START_TEST(a_change_of_a_tracked_key_is_told_within_50_milliseconds)
{
    inside(1, track);
}
END_TEST

/* CLIENT KILL ends one of the two connections at a time. */
static void lose_each(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_reply reply;
    open_pool();
    redis_track("session:", on_session, on_loss, NULL);
    WAIT_UNTIL(redis_tracking_is_on());
    ck_assert_int_eq(redis_command(arena, &reply, "CLIENT KILL TYPE pubsub"), REDIS_OK);
    WAIT_UNTIL(losses == 1);
    ck_assert(!redis_tracking_is_on());
    WAIT_UNTIL(redis_tracking_is_on());
    set(arena, "session:2");
    WAIT_UNTIL(invalidated_sessions == 1);
    ck_assert_int_eq(redis_command(arena, &reply, "CLIENT KILL TYPE normal SKIPME no"), REDIS_OK);
    WAIT_UNTIL(losses == 2);
    WAIT_UNTIL(redis_tracking_is_on());
    set(arena, "session:3");
    WAIT_UNTIL(invalidated_sessions == 2);
    pthread_t thread;
    pthread_create(&thread, NULL, kill_and_start, NULL);
    WAIT_UNTIL(losses > 2);
    WAIT_UNTIL(is_back);
    WAIT_UNTIL(redis_tracking_is_on());
    pthread_join(thread, NULL);
    set(arena, "session:4");
    WAIT_UNTIL(invalidated_sessions == 3);
    redis_close();
}

START_TEST(tracking_comes_back_after_either_connection_is_lost)
{
    inside(1, lose_each);
}
END_TEST

/* ---- URLs ---- */

START_TEST(urls_are_taken_apart)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_url url;
    ck_assert(redis_url_parse(arena, STR("redis://:p%40ss@redis.city:7000/3"), &url));
    ck_assert_str_eq(url.host, "redis.city");
    ck_assert(url.port == 7000 && url.database == 3 && str_is(url.password, "p@ss") && !url.user.at);
    ck_assert(redis_url_parse(arena, STR("redis://app:x@[::1]"), &url));
    ck_assert(!strcmp(url.host, "::1") && url.port == 6379 && str_is(url.user, "app"));
    ck_assert(redis_url_parse(arena, STR("redis://127.0.0.1/"), &url) && url.database == 0);
    ck_assert(redis_url_parse(arena, STR("unix:/run/redis?db=2&password=x"), &url));
    ck_assert(!url.host && !strcmp(url.path, "/run/redis") && url.database == 2 && str_is(url.password, "x"));
    static const char *const broken[] = {
        "", "redis://", "redis://h:0x1", "redis://h:99999", "redis://h/x", "redis://[::1", "unix:", "h:1", "unix:/x?nothing=1"};
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        ck_assert_msg(!redis_url_parse(arena, str_of(broken[i]), &url), "%s", broken[i]);
    ck_assert(!redis_url_parse(arena, STR("redis://a\0b"), &url) && !redis_url_parse(arena, STR("unix:/a\0b"), &url));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("Redis");
    TCase *tests = tcase_create("redis");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, create_server, destroy_server);
    tcase_add_test(tests, each_of_hundreds_of_fibers_gets_its_own_reply);
    tcase_add_test(tests, workers_share_nothing);
    tcase_add_test(tests, replies_of_every_type_and_scripts_that_the_server_forgot);
    tcase_add_test(tests, a_command_waits_no_longer_than_its_fiber);
    tcase_add_test(tests, service_is_back_after_a_crash_under_load);
    tcase_add_test(tests, without_a_server_opening_fails_unless_it_may_be_absent);
    tcase_add_test(tests, a_change_of_a_tracked_key_is_told_within_50_milliseconds);
    tcase_add_test(tests, tracking_comes_back_after_either_connection_is_lost);
    suite_add_tcase(suite, tests);
    TCase *urls = tcase_create("urls");
    tcase_add_test(urls, urls_are_taken_apart);
    suite_add_tcase(suite, urls);
    return run_all(suite);
}
