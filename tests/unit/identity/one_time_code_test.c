/* One-time codes with a Redis of their own: caps, tries, single use. */
#include "suite.h"

#include <shimin/one_time_code.h>

#define PHONE "+8613800138000"

static enum code_outcome send(int64_t *wait)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    *wait = 0;
    return code_send(arena, STR(PHONE), wait);
}

static enum code_outcome check(const char *code)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    return code_check(arena, STR(PHONE), str_of(code));
}

/* As if so much time had passed. */
static void forget(const char *prefix)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_reply keys, reply;
    ck_assert_int_eq(redis_command(arena, &keys, "KEYS %s*", prefix), REDIS_OK);
    for (size_t i = 0; i < keys.count; i++)
        ck_assert_int_eq(redis_command(arena, &reply, "DEL %b", STR_BYTES(keys.items[i].string)), REDIS_OK);
}

static const char *wrong(void)
{
    return strcmp(last_code, "000000") == 0 ? "000001" : "000000";
}

static void use_once(void)
{
    int64_t wait;
    open_floor();
    ck_assert_int_eq(check("123456"), CODE_REJECTED); /* none was sent: the same answer as for a wrong one */
    ck_assert_int_eq(send(&wait), CODE_DONE);
    ck_assert_uint_eq(strlen(last_code), 6);
    ck_assert_int_eq(check(wrong()), CODE_REJECTED);
    ck_assert_int_eq(check(last_code), CODE_DONE);
    ck_assert_int_eq(check(last_code), CODE_REJECTED);
    close_floor();
}

START_TEST(a_code_is_accepted_once)
{
    inside(1, use_once);
}
END_TEST

static void try_often(void)
{
    int64_t wait;
    open_floor();
    ck_assert_int_eq(send(&wait), CODE_DONE);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(check(wrong()), CODE_REJECTED);
    ck_assert_int_eq(check(last_code), CODE_REJECTED);
    close_floor();
}

START_TEST(the_fifth_wrong_try_voids_the_code)
{
    inside(1, try_often);
}
END_TEST

static void send_often(void)
{
    int64_t wait;
    open_floor();
    ck_assert_int_eq(send(&wait), CODE_DONE);
    ck_assert_int_eq(send(&wait), CODE_WAIT);
    ck_assert(wait > 0 && wait <= CODE_RESEND_SECONDS);
    for (int i = 1; i < 5; i++) {
        forget("code-wait:");
        ck_assert_int_eq(send(&wait), CODE_DONE);
    }
    forget("code-wait:");
    ck_assert_int_eq(send(&wait), CODE_WAIT);
    ck_assert(wait > CODE_RESEND_SECONDS && wait <= 3600);
    forget("code-hour:");
    for (int i = 0; i < 5; i++) {
        forget("code-wait:");
        ck_assert_int_eq(send(&wait), CODE_DONE);
    }
    forget("code-wait:");
    forget("code-hour:");
    ck_assert_int_eq(send(&wait), CODE_WAIT);
    ck_assert(wait > 3600 && wait <= 86400);
    ck_assert_uint_eq(messages, 10);
    close_floor();
}

START_TEST(a_phone_gets_one_code_a_minute_five_an_hour_ten_a_day)
{
    inside(1, send_often);
}
END_TEST

static unsigned accepted, rejected;

static void check_at_once(void *argument)
{
    (void)argument;
    enum code_outcome outcome = check(last_code);
    accepted += outcome == CODE_DONE;
    rejected += outcome == CODE_REJECTED;
}

static void use_at_once(void)
{
    int64_t wait;
    struct fiber_group group = {0};
    open_floor();
    ck_assert_int_eq(send(&wait), CODE_DONE);
    for (int i = 0; i < 50; i++)
        fiber_spawn(&group, check_at_once, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(accepted, 1);
    ck_assert_uint_eq(rejected, 49);
    close_floor();
}

START_TEST(of_fifty_right_answers_at_once_one_wins)
{
    inside(1, use_at_once);
}
END_TEST

static void fail_to_send(void)
{
    int64_t wait;
    open_floor();
    provider_fails = true;
    ck_assert_int_eq(send(&wait), CODE_UNDELIVERED);
    provider_fails = false;
    ck_assert_int_eq(send(&wait), CODE_DONE);
    close_floor();
}

START_TEST(a_code_that_was_not_sent_keeps_nobody_waiting)
{
    inside(1, fail_to_send);
}
END_TEST

static void look_into_redis(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_reply keys, record;
    int64_t wait;
    open_floor();
    ck_assert_int_eq(send(&wait), CODE_DONE);
    ck_assert_int_eq(redis_command(arena, &keys, "KEYS *"), REDIS_OK);
    for (size_t i = 0; i < keys.count; i++) {
        ck_assert_int_lt(str_find(keys.items[i].string, STR("13800138000")), 0);
        if (!str_starts(keys.items[i].string, STR("code:")))
            continue;
        ck_assert_int_eq(redis_command(arena, &record, "HGET %b mac", STR_BYTES(keys.items[i].string)), REDIS_OK);
        ck_assert_uint_eq(record.string.len, 64);
    }
    close_floor();
}

START_TEST(redis_knows_neither_phone_nor_code)
{
    inside(1, look_into_redis);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity one-time code");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up_redis, tear_down_redis);
    tcase_add_test(all, a_code_is_accepted_once);
    tcase_add_test(all, the_fifth_wrong_try_voids_the_code);
    tcase_add_test(all, a_phone_gets_one_code_a_minute_five_an_hour_ten_a_day);
    tcase_add_test(all, of_fifty_right_answers_at_once_one_wins);
    tcase_add_test(all, a_code_that_was_not_sent_keeps_nobody_waiting);
    tcase_add_test(all, redis_knows_neither_phone_nor_code);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
