/* Fibers: order, waits and the ways they end, groups, cancellation and shields. */
#include "inside.h"

#include <signal.h>
#include <string.h>

static char trace[256];

static void note(const char *what)
{
    strcat(trace, what);
}

static void note_argument(void *argument)
{
    note(argument);
}

/* ---- order ---- */

static void start_three(void)
{
    fiber_start(note_argument, (char[]){"a"}, DEADLINE_NEVER);
    fiber_start(note_argument, (char[]){"b"}, DEADLINE_NEVER);
    fiber_start(note_argument, (char[]){"c"}, DEADLINE_NEVER);
    note("0");
    fiber_yield();
    note("1");
}

START_TEST(fibers_run_in_the_order_they_became_ready_and_not_before_the_starter_waits)
{
    inside(start_three);
    ck_assert_str_eq(trace, "0abc1");
}
END_TEST

static void note_in_three_steps(void *argument)
{
    for (char *step = argument; *step; step++) {
        note((char[]){*step, 0});
        fiber_gather();
    }
}

static void gather_three(void)
{
    struct fiber_group group = {0};
    for (int i = 0; i < 3; i++)
        fiber_spawn(&group, note_in_three_steps, (char[]){"abc"});
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_DONE);
}

START_TEST(fibers_that_gather_take_each_step_one_after_another)
{
    inside(gather_three);
    ck_assert_str_eq(trace, "aaabbbccc");
}
END_TEST

static void gather_beside_one_that_becomes_ready(void)
{
    struct fiber_group group = {0};
    fiber_spawn(&group, note_in_three_steps, (char[]){"abc"});
    fiber_yield(); /* the other runs first, and gathers */
    note("0");
    fiber_start(note_argument, (char[]){"n"}, DEADLINE_NEVER);
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_DONE);
}

START_TEST(a_fiber_that_gathers_goes_on_within_its_turn_before_those_of_the_next)
{
    inside(gather_beside_one_that_becomes_ready);
    ck_assert_str_eq(trace, "a0bcn");
}
END_TEST

static void gather_alone(void)
{
    fiber_start(note_argument, (char[]){"b"}, DEADLINE_NEVER);
    note("a");
    fiber_gather(); /* b is of the next turn */
    note("a");
    fiber_yield();
}

START_TEST(a_fiber_alone_in_its_turn_does_not_wait_to_gather)
{
    inside(gather_alone);
    ck_assert_str_eq(trace, "aab");
}
END_TEST

static void know_yourself(void)
{
    ck_assert_ptr_nonnull(fiber_self());
    ck_assert_ptr_nonnull(worker_self());
    ck_assert_uint_eq(worker_index(), 0);
    ck_assert_int_eq(fiber_deadline(), DEADLINE_NEVER);
}

START_TEST(a_fiber_knows_itself_and_its_worker_and_others_know_none)
{
    ck_assert_ptr_null(fiber_self());
    ck_assert_ptr_null(worker_self());
    inside(know_yourself);
}
END_TEST

/* ---- waits ---- */

static void wake_argument(void *argument)
{
    fiber_wake(argument);
}

static void wait_for_another(void)
{
    fiber_start(wake_argument, fiber_self(), DEADLINE_NEVER);
    ck_assert_int_eq(fiber_wait(deadline_in(seconds(5))), WAIT_DONE);
}

START_TEST(a_wake_ends_a_wait)
{
    inside(wait_for_another);
}
END_TEST

static void wake_before_wait(void)
{
    fiber_wake(fiber_self());
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_DONE);
    /* Kept for one wait only, however often it came. */
    fiber_wake(fiber_self());
    fiber_wake(fiber_self());
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_DONE);
    ck_assert_int_eq(fiber_wait(deadline_in(1000)), WAIT_DEADLINE);
}

START_TEST(a_wake_that_comes_before_the_wait_is_not_lost)
{
    inside(wake_before_wait);
}
END_TEST

static void wake_twice(void)
{
    fiber_start(wake_argument, fiber_self(), DEADLINE_NEVER);
    fiber_start(wake_argument, fiber_self(), DEADLINE_NEVER);
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_DONE);
    ck_assert_int_eq(fiber_wait(deadline_in(1000)), WAIT_DEADLINE);
}

START_TEST(waking_a_fiber_that_is_ready_already_has_no_effect)
{
    inside(wake_twice);
}
END_TEST

static void wait_past_deadlines(void)
{
    int64_t before = clock_steady();
    ck_assert_int_eq(fiber_wait(before + milliseconds(5)), WAIT_DEADLINE);
    ck_assert_int_ge(clock_steady() - before, milliseconds(5));
    ck_assert_int_eq(fiber_wait(before), WAIT_DEADLINE); /* passed already */

    fiber_set_deadline(deadline_in(milliseconds(5)));
    int64_t own = fiber_deadline();
    fiber_set_deadline(deadline_in(seconds(50))); /* never later */
    ck_assert_int_eq(fiber_deadline(), own);
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_DEADLINE);
    ck_assert_int_lt(clock_steady() - before, seconds(20));
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_DEADLINE); /* for ever after */
}

START_TEST(a_wait_ends_at_the_earlier_of_its_deadline_and_the_fibers_own)
{
    inside(wait_past_deadlines);
}
END_TEST

static void sleep_a_while(void)
{
    int64_t before = clock_steady();
    fiber_start(wake_argument, fiber_self(), DEADLINE_NEVER); /* a stray wake */
    ck_assert_int_eq(fiber_sleep(milliseconds(10)), WAIT_DONE);
    ck_assert_int_ge(clock_steady() - before, milliseconds(10));
    fiber_set_deadline(deadline_in(milliseconds(5)));
    ck_assert_int_eq(fiber_sleep(INT64_MAX), WAIT_DEADLINE);
}

START_TEST(a_sleep_lasts_its_time_whatever_wakes_come_unless_the_deadline_is_earlier)
{
    inside(sleep_a_while);
}
END_TEST

/* ---- groups ---- */

struct item {
    int64_t time;
    enum wait outcome;
    bool returned;
    int64_t deadline;
};

static void sleep_item(void *argument)
{
    struct item *item = argument;
    item->deadline = fiber_deadline();
    item->outcome = fiber_sleep(item->time);
    item->returned = true;
}

static void join_in_time(void)
{
    struct item items[10];
    struct fiber_group group = {0};
    fiber_set_deadline(deadline_in(seconds(7)));
    for (int i = 0; i < 10; i++) {
        items[i] = (struct item){.time = milliseconds(10 - i)};
        fiber_spawn(&group, sleep_item, &items[i]);
    }
    int64_t before = clock_steady();
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_int_lt(clock_steady() - before, seconds(4));
    for (int i = 0; i < 10; i++) {
        ck_assert(items[i].returned);
        ck_assert_int_eq(items[i].outcome, WAIT_DONE);
        ck_assert_int_eq(items[i].deadline, fiber_deadline());
    }
    ck_assert_int_eq(fiber_join(&group, 0), WAIT_DONE); /* nothing left to join */
}

START_TEST(a_join_returns_when_all_have_returned_and_they_inherit_the_deadline)
{
    inside(join_in_time);
}
END_TEST

static void join_late(void)
{
    struct item items[] = {{.time = 1000}, {.time = seconds(50)}, {.time = 2000}};
    struct fiber_group group = {0};
    for (int i = 0; i < 3; i++)
        fiber_spawn(&group, sleep_item, &items[i]);
    int64_t before = clock_steady();
    ck_assert_int_eq(fiber_join(&group, deadline_in(milliseconds(30))), WAIT_DEADLINE);
    ck_assert_int_ge(clock_steady() - before, milliseconds(30));
    ck_assert(items[0].returned && items[1].returned && items[2].returned);
    ck_assert_int_eq(items[0].outcome, WAIT_DONE);
    ck_assert_int_eq(items[1].outcome, WAIT_CANCELLED);
    ck_assert_int_eq(items[2].outcome, WAIT_DONE);
}

START_TEST(a_join_cancels_the_late_ones_and_waits_for_their_return)
{
    inside(join_late);
}
END_TEST

static void join_late_in_shield(void)
{
    struct item item = {.time = seconds(50)};
    struct fiber_group group = {0};
    fiber_shield();
    fiber_spawn(&group, sleep_item, &item);
    ck_assert_int_eq(fiber_join(&group, deadline_in(milliseconds(10))), WAIT_DEADLINE);
    ck_assert_int_eq(item.outcome, WAIT_DEADLINE);
    fiber_unshield();
}

START_TEST(the_deadline_of_a_join_counts_in_a_shield)
{
    inside(join_late_in_shield);
}
END_TEST

static void be_late_in_the_middle(void *argument)
{
    struct item *item = argument;
    ck_assert_int_eq(fiber_sleep(1000), WAIT_DONE);
    ck_assert_int_eq(fiber_sleep(1000), WAIT_DONE);
    fiber_set_deadline(deadline_in(milliseconds(5)));
    item->outcome = fiber_sleep(seconds(50));
    ck_assert_int_eq(fiber_sleep(1000), item->outcome);
    item->returned = true;
}

static void end_in_the_middle(void)
{
    struct item item = {0};
    struct fiber_group group = {0};
    fiber_spawn(&group, be_late_in_the_middle, &item);
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_DONE);
    ck_assert(item.returned);
    ck_assert_int_eq(item.outcome, WAIT_DEADLINE);
}

START_TEST(a_deadline_in_the_middle_ends_this_wait_and_every_later_one)
{
    inside(end_in_the_middle);
}
END_TEST

static void spawn_two_levels(void *argument)
{
    struct fiber_group group = {0};
    fiber_spawn(&group, sleep_item, argument);
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_CANCELLED);
}

static void cancel_tree(void)
{
    struct item item = {.time = seconds(50)};
    struct fiber_group group = {0};
    fiber_spawn(&group, spawn_two_levels, &item);
    ck_assert_int_eq(fiber_join(&group, deadline_in(milliseconds(10))), WAIT_DEADLINE);
    ck_assert(item.returned);
    ck_assert_int_eq(item.outcome, WAIT_CANCELLED);
}

START_TEST(cancelling_a_spawner_cancels_what_it_has_spawned)
{
    inside(cancel_tree);
}
END_TEST

static void join_two_groups_crosswise(void)
{
    struct item items[2] = {{.time = 3000}, {.time = 1000}};
    struct fiber_group first = {0}, second = {0};
    fiber_spawn(&first, sleep_item, &items[0]);
    fiber_spawn(&second, sleep_item, &items[1]);
    ck_assert_int_eq(fiber_join(&first, DEADLINE_NEVER), WAIT_DONE);
    ck_assert_int_eq(fiber_join(&second, DEADLINE_NEVER), WAIT_DONE);
    /* The end of a group does not disturb an owner that waits for something else. */
    fiber_spawn(&first, sleep_item, &items[1]);
    ck_assert_int_eq(fiber_wait(deadline_in(milliseconds(20))), WAIT_DEADLINE);
    ck_assert_int_eq(fiber_join(&first, DEADLINE_NEVER), WAIT_DONE);
}

START_TEST(groups_may_be_joined_in_any_order)
{
    inside(join_two_groups_crosswise);
}
END_TEST

/* ---- cancellation ---- */

static void cancel_argument(void *argument)
{
    fiber_cancel(argument);
}

static void wait_cancelled(void *argument)
{
    (void)argument;
    fiber_start(cancel_argument, fiber_self(), DEADLINE_NEVER);
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_CANCELLED);
    ck_assert(fiber_cancelled());
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_CANCELLED);
    ck_assert_int_eq(fiber_sleep(seconds(50)), WAIT_CANCELLED);
    fiber_wake(fiber_self());
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_DONE); /* the answer that is there is not thrown away */
    struct item item = {.time = seconds(50)};
    struct fiber_group group = {0};
    fiber_spawn(&group, sleep_item, &item);
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_CANCELLED);
    ck_assert_int_eq(item.outcome, WAIT_CANCELLED);
    note("x");
}

static void run_cancelled(void)
{
    fiber_start(wait_cancelled, NULL, DEADLINE_NEVER);
    for (int i = 0; i < 10; i++)
        fiber_yield();
}

START_TEST(cancellation_ends_this_wait_and_every_later_one)
{
    inside(run_cancelled);
    ck_assert_str_eq(trace, "x");
}
END_TEST

static void wait_in_shield(void *argument)
{
    struct item item = {.time = milliseconds(5)};
    struct item earlier = {.time = seconds(50)};
    struct fiber_group group = {0};
    (void)argument;
    fiber_spawn(&group, sleep_item, &earlier); /* before the shield: cancelled when it ends */
    fiber_start(cancel_argument, fiber_self(), DEADLINE_NEVER);
    fiber_shield();
    fiber_shield();
    fiber_spawn(&group, sleep_item, &item);
    ck_assert_int_eq(fiber_sleep(milliseconds(1)), WAIT_DONE);
    fiber_unshield();
    ck_assert_int_eq(fiber_sleep(milliseconds(1)), WAIT_DONE);
    ck_assert(!fiber_cancelled());
    fiber_unshield();
    ck_assert(fiber_cancelled());
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_CANCELLED);
    ck_assert_int_eq(item.outcome, WAIT_DONE);
    ck_assert_int_eq(earlier.outcome, WAIT_CANCELLED);
    note("x");
}

static void run_shielded(void)
{
    fiber_start(wait_in_shield, NULL, DEADLINE_NEVER);
    fiber_sleep(milliseconds(30));
}

START_TEST(a_shield_keeps_cancellation_until_it_ends_and_is_inherited)
{
    inside(run_shielded);
    ck_assert_str_eq(trace, "x");
}
END_TEST

static void wait_late_in_shield(void)
{
    fiber_shield();
    fiber_set_deadline(deadline_in(milliseconds(3)));
    ck_assert_int_eq(fiber_wait(DEADLINE_NEVER), WAIT_DEADLINE);
    fiber_unshield();
}

START_TEST(a_deadline_counts_in_a_shield)
{
    inside(wait_late_in_shield);
}
END_TEST

/* ---- mistakes ---- */

static void forget_to_join(void)
{
    struct fiber_group group = {0};
    fiber_spawn(&group, note_argument, trace);
}

START_TEST(a_fiber_that_returns_without_joining_aborts)
{
    inside(forget_to_join);
}
END_TEST

static void forget_to_unshield(void)
{
    fiber_shield();
}

START_TEST(a_fiber_that_returns_in_its_shield_aborts)
{
    inside(forget_to_unshield);
}
END_TEST

static void unshield_too_often(void *argument)
{
    (void)argument;
    fiber_unshield();
}

static void break_inherited_shield(void)
{
    struct fiber_group group = {0};
    fiber_shield();
    fiber_spawn(&group, unshield_too_often, NULL);
    fiber_join(&group, DEADLINE_NEVER);
}

START_TEST(a_fiber_cannot_take_off_the_shield_it_inherited)
{
    inside(break_inherited_shield);
}
END_TEST

/* ---- many ---- */

static unsigned ended;

static void end_soon(void *argument)
{
    char some[2000];
    memset(some, 1, sizeof some);
    __asm__ volatile("" : : "r"(some) : "memory"); /* or the compiler leaves the memset out */
    (void)argument;
    fiber_yield();
    ended++;
}

static void start_many(void)
{
    unsigned long before = 0;
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 100; i++)
            fiber_start(end_soon, NULL, DEADLINE_NEVER);
        fiber_yield();
        fiber_yield();
        fiber_yield();
        if (round == 100)
            before = resident_kibibytes();
    }
    ck_assert_uint_eq(ended, 100000);
    if (!SANITIZED)
        ck_assert_uint_le(resident_kibibytes(), before + 256);
}

START_TEST(a_hundred_thousand_fibers_start_and_end_without_growth)
{
    inside(start_many);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fiber");
    TCase *tests = tcase_create("fiber");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, fibers_run_in_the_order_they_became_ready_and_not_before_the_starter_waits);
    tcase_add_test(tests, fibers_that_gather_take_each_step_one_after_another);
    tcase_add_test(tests, a_fiber_that_gathers_goes_on_within_its_turn_before_those_of_the_next);
    tcase_add_test(tests, a_fiber_alone_in_its_turn_does_not_wait_to_gather);
    tcase_add_test(tests, a_fiber_knows_itself_and_its_worker_and_others_know_none);
    tcase_add_test(tests, a_wake_ends_a_wait);
    tcase_add_test(tests, a_wake_that_comes_before_the_wait_is_not_lost);
    tcase_add_test(tests, waking_a_fiber_that_is_ready_already_has_no_effect);
    tcase_add_test(tests, a_wait_ends_at_the_earlier_of_its_deadline_and_the_fibers_own);
    tcase_add_test(tests, a_sleep_lasts_its_time_whatever_wakes_come_unless_the_deadline_is_earlier);
    tcase_add_test(tests, a_join_returns_when_all_have_returned_and_they_inherit_the_deadline);
    tcase_add_test(tests, a_join_cancels_the_late_ones_and_waits_for_their_return);
    tcase_add_test(tests, the_deadline_of_a_join_counts_in_a_shield);
    tcase_add_test(tests, a_deadline_in_the_middle_ends_this_wait_and_every_later_one);
    tcase_add_test(tests, cancelling_a_spawner_cancels_what_it_has_spawned);
    tcase_add_test(tests, groups_may_be_joined_in_any_order);
    tcase_add_test(tests, cancellation_ends_this_wait_and_every_later_one);
    tcase_add_test(tests, a_shield_keeps_cancellation_until_it_ends_and_is_inherited);
    tcase_add_test(tests, a_deadline_counts_in_a_shield);
    tcase_add_test_raise_signal(tests, a_fiber_that_returns_without_joining_aborts, SIGABRT);
    tcase_add_test_raise_signal(tests, a_fiber_that_returns_in_its_shield_aborts, SIGABRT);
    tcase_add_test_raise_signal(tests, a_fiber_cannot_take_off_the_shield_it_inherited, SIGABRT);
    tcase_add_test(tests, a_hundred_thousand_fibers_start_and_end_without_growth);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
