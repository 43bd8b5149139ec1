/* The breaker and the retry budget, with a clock of the test's own. */
#include "federation/breaker.h"
#include "federation/budget.h"
#include "suite.h"

static struct breaker breaker;
static int64_t now;
static unsigned changes;

static void changed(struct breaker *which, enum breaker_state before)
{
    ck_assert(which == &breaker && before != which->state);
    changes++;
}

static void begin(void)
{
    now = 1000000000;
    changes = 0;
    breaker_open(&breaker, &breaker_defaults, 42);
    breaker.changed = changed;
}

static bool call(enum breaker_outcome outcome)
{
    struct breaker_ticket ticket = breaker_admit(&breaker, now);
    breaker_report(&breaker, ticket, outcome, now);
    return ticket.admitted;
}

static void fail_until_open(void)
{
    for (int i = 0; i < 20; i++)
        ck_assert(call(BREAKER_FAILURE));
    ck_assert_int_eq(breaker.state, BREAKER_OPEN);
}

START_TEST(it_opens_at_the_ratio_and_not_before_enough_calls)
{
    begin();
    for (int i = 0; i < 19; i++)
        ck_assert(call(BREAKER_FAILURE));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
    ck_assert(call(BREAKER_FAILURE));
    ck_assert_int_eq(breaker.state, BREAKER_OPEN);
    ck_assert(!call(BREAKER_SUCCESS));
    ck_assert_uint_eq(changes, 1);
}
END_TEST

START_TEST(failures_below_the_ratio_do_not_open_it)
{
    begin();
    for (int i = 0; i < 1000; i++)
        ck_assert(call(i % 5 < 2 ? BREAKER_FAILURE : BREAKER_SUCCESS));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

START_TEST(failures_of_more_than_ten_seconds_ago_are_forgotten)
{
    begin();
    for (int i = 0; i < 15; i++)
        ck_assert(call(BREAKER_FAILURE));
    now += 11000000;
    for (int i = 0; i < 15; i++)
        ck_assert(call(BREAKER_FAILURE));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

START_TEST(those_who_left_count_for_nothing)
{
    begin();
    for (int i = 0; i < 100; i++)
        ck_assert(call(BREAKER_UNKNOWN));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

START_TEST(a_department_that_returned_is_served_within_two_seconds)
{
    begin();
    fail_until_open();
    for (int outage = 0; outage < 300; outage++) { /* five minutes of a probe a second */
        now += 1000000;
        ck_assert(call(BREAKER_FAILURE));
        ck_assert(!call(BREAKER_FAILURE));
    }
    int64_t back = now;
    while (breaker.state != BREAKER_CLOSED) {
        now += 10000;
        (void)call(BREAKER_SUCCESS);
        ck_assert_int_lt(now - back, 2000000);
    }
    ck_assert(call(BREAKER_SUCCESS));
}
END_TEST

START_TEST(a_probe_that_hangs_does_not_hold_up_the_next)
{
    begin();
    fail_until_open();
    now += 1000000;
    struct breaker_ticket hanging[10];
    unsigned admitted = 0;
    for (int i = 0; i < 10; i++)
        admitted += (hanging[i] = breaker_admit(&breaker, now)).admitted;
    ck_assert_uint_eq(admitted, 3);
    now += 1000000;
    ck_assert(call(BREAKER_SUCCESS));
    now += 1000000;
    ck_assert(call(BREAKER_SUCCESS));
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
    for (int i = 0; i < 10; i++) /* their late failure says nothing of the present */
        breaker_report(&breaker, hanging[i], BREAKER_FAILURE, now);
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

START_TEST(a_failed_probe_opens_it_again_for_a_second)
{
    begin();
    fail_until_open();
    now += 1000000;
    ck_assert(call(BREAKER_FAILURE));
    ck_assert_int_eq(breaker.state, BREAKER_OPEN);
    now += 600000;
    ck_assert(!call(BREAKER_SUCCESS));
    now += 400001;
    ck_assert(call(BREAKER_SUCCESS));
}
END_TEST

START_TEST(retries_stay_below_a_tenth_of_the_calls)
{
    struct budget budget;
    budget_open(&budget);
    unsigned retries = 0;
    for (int i = 0; i < 10000; i++) {
        budget_earn(&budget);
        retries += budget_spend(&budget);
    }
    ck_assert_uint_le(retries, 1003);
    ck_assert_uint_ge(retries, 1000);
}
END_TEST

START_TEST(a_long_quiet_time_does_not_save_up_a_storm_of_retries)
{
    struct budget budget;
    budget_open(&budget);
    for (int i = 0; i < 100000; i++)
        budget_earn(&budget);
    unsigned retries = 0;
    while (budget_spend(&budget))
        retries++;
    ck_assert_uint_le(retries, 20);
}
END_TEST

RUN_FLOOR_TESTS("federation breaker", it_opens_at_the_ratio_and_not_before_enough_calls,
                failures_below_the_ratio_do_not_open_it, failures_of_more_than_ten_seconds_ago_are_forgotten,
                those_who_left_count_for_nothing, a_department_that_returned_is_served_within_two_seconds,
                a_probe_that_hangs_does_not_hold_up_the_next, a_failed_probe_opens_it_again_for_a_second,
                retries_stay_below_a_tenth_of_the_calls, a_long_quiet_time_does_not_save_up_a_storm_of_retries)
