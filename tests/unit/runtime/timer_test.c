/* Timers: order, moving, clearing, and what a timer may do when it fires. */
#include "inside.h"

enum { MANY = 10000 };

struct member {
    struct timer timer;
    bool cleared, fired;
};

static struct member members[MANY];
static int64_t last;
static unsigned fired;

static void in_order(struct timer *timer)
{
    struct member *member = CONTAINER_OF(timer, struct member, timer);
    ck_assert(!member->cleared && !member->fired);
    ck_assert_int_ge(timer->at, last);
    ck_assert_int_le(timer->at, clock_steady());
    last = timer->at;
    member->fired = true;
    fired++;
}

static int64_t someday(void)
{
    return deadline_in(random() % milliseconds(200));
}

/* Every third is moved, every fourth cleared, before the loop turns again. */
static void set_many(void)
{
    unsigned expected = 0;
    srandom(42);
    for (int i = 0; i < MANY; i++)
        timer_set(&members[i].timer, someday(), in_order);
    for (int i = 0; i < MANY; i += 3)
        timer_set(&members[i].timer, someday(), in_order);
    for (int i = 0; i < MANY; i += 4) {
        timer_clear(&members[i].timer);
        members[i].cleared = true;
    }
    for (int i = 0; i < MANY; i++)
        expected += !members[i].cleared;
    for (int64_t end = deadline_in(seconds(20)); fired < expected && clock_steady() < end;)
        fiber_sleep(milliseconds(5));
    ck_assert_uint_eq(fired, expected);
}

START_TEST(ten_thousand_timers_fire_in_order_not_early_and_never_when_cleared)
{
    inside(set_many);
}
END_TEST

static unsigned ticks;

static void tick(struct timer *timer)
{
    if (++ticks < 1000)
        timer_set(timer, 0, tick); /* long past */
}

static void set_into_the_past(void)
{
    struct timer timer = {0};
    timer_set(&timer, 0, tick);
    fiber_sleep(1000);
    ck_assert_uint_gt(ticks, 0);
    while (ticks < 1000)
        fiber_yield();
    ck_assert_uint_eq(timer.slot, 0);
    timer_clear(&timer); /* not set: no effect */
}

START_TEST(a_timer_that_sets_itself_into_the_past_does_not_starve_the_loop)
{
    inside(set_into_the_past);
}
END_TEST

static struct member pair[2];

static void clear_other(struct timer *timer)
{
    fired++;
    timer_clear(&pair[timer == &pair[0].timer].timer);
}

static void clear_from_within(void)
{
    int64_t at = deadline_in(1000);
    timer_set(&pair[0].timer, at, clear_other);
    timer_set(&pair[1].timer, at, clear_other);
    fiber_sleep(milliseconds(5));
    ck_assert_uint_eq(fired, 1);
}

START_TEST(a_timer_may_clear_another_that_is_due)
{
    inside(clear_from_within);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("timer");
    TCase *tests = tcase_create("timer");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, ten_thousand_timers_fire_in_order_not_early_and_never_when_cleared);
    tcase_add_test(tests, a_timer_that_sets_itself_into_the_past_does_not_starve_the_loop);
    tcase_add_test(tests, a_timer_may_clear_another_that_is_due);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
