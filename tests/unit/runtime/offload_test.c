/* Offload: work for other threads, and the bound of their queue. */
#include "inside.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_uint sum;

struct work {
    pthread_t thread;
    unsigned value, result;
};

static void square(void *argument)
{
    struct work *work = argument;
    work->thread = pthread_self();
    work->result = work->value * work->value;
}

static void offload_one(void)
{
    struct work work = {.value = 12};
    ck_assert(offload(square, &work));
    ck_assert_uint_eq(work.result, 144);
    ck_assert(!pthread_equal(work.thread, pthread_self()));
}

START_TEST(offloaded_work_runs_on_another_thread_and_its_result_is_seen)
{
    inside(offload_one);
}
END_TEST

static void add_squares(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 20; i++) {
        struct work work = {.value = i};
        ck_assert(offload(square, &work));
        sum += work.result;
    }
}

static void offload_many(void)
{
    struct fiber_group group = {0};
    for (int i = 0; i < 100; i++)
        fiber_spawn(&group, add_squares, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(sum, 100 * 2470);
}

START_TEST(many_fibers_offload_at_once)
{
    inside(offload_many);
}
END_TEST

static atomic_bool gate;
static unsigned refused, taken;

static void await_gate(void *argument)
{
    (void)argument;
    while (!gate)
        usleep(100);
}

static void offload_gate(void *argument)
{
    (void)argument;
    if (offload(await_gate, NULL))
        taken++;
    else
        refused++;
}

static void flood(void)
{
    struct fiber_group group = {0};
    for (int i = 0; i < 300; i++)
        fiber_spawn(&group, offload_gate, NULL);
    fiber_yield();
    ck_assert_uint_ge(refused, 300 - 256 - 2);
    gate = true;
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(refused + taken, 300);
    ck_assert_uint_ge(taken, 256);
}

START_TEST(work_beyond_the_queues_bound_is_refused_at_once)
{
    inside(flood);
}
END_TEST

static void open_gate_later(void *argument)
{
    fiber_cancel(argument);
    fiber_sleep(milliseconds(10));
    gate = true;
}

static void offload_past_the_end(void)
{
    fiber_set_deadline(deadline_in(1000));
    fiber_start(open_gate_later, fiber_self(), DEADLINE_NEVER);
    ck_assert(offload(await_gate, NULL));
    ck_assert(gate);
}

START_TEST(neither_deadline_nor_cancellation_interrupts_offloaded_work)
{
    inside(offload_past_the_end);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("offload");
    TCase *tests = tcase_create("offload");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, offloaded_work_runs_on_another_thread_and_its_result_is_seen);
    tcase_add_test(tests, many_fibers_offload_at_once);
    tcase_add_test(tests, work_beyond_the_queues_bound_is_refused_at_once);
    tcase_add_test(tests, neither_deadline_nor_cancellation_interrupts_offloaded_work);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
