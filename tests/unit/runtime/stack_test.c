/* Stacks: the guard below them, and the memory they take. */
#include "inside.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/stack.h"

static int descend(int depth)
{
    volatile char frame[512];
    memset((char *)frame, depth, sizeof frame);
    return depth > 1000000 ? frame[0] : descend(depth + 1) + frame[depth % 512];
}

static void overflow(void)
{
    ck_assert_int_eq(descend(0), 0);
}

static bool overflow_open(void *argument)
{
    (void)argument;
    overflow();
    return true;
}

START_TEST(a_fiber_that_overflows_its_stack_dies_at_the_guard)
{
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        if (freopen("/dev/null", "w", stderr) && workers_start(1, overflow_open, NULL))
            workers_stop(NULL, NULL, deadline_in(seconds(20)));
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (SANITIZED) /* which catch the signal and report */
        ck_assert(WIFEXITED(status) ? WEXITSTATUS(status) != 0 : WIFSIGNALED(status));
    else
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
END_TEST

static void use_much(void)
{
    volatile char frame[STACK_SIZE - 8 * 1024];
    memset((char *)frame, 1, sizeof frame);
    fiber_sleep(1000);
    ck_assert_int_eq(frame[100], 1);
}

START_TEST(nearly_all_of_a_stack_can_be_used)
{
    inside(use_much);
}
END_TEST

#if !SANITIZED
static __attribute__((noinline)) void dirty(size_t n)
{
    char frame[STACK_SIZE - 16 * 1024];
    memset(frame + sizeof frame - n, 1, n);
    __asm__ volatile("" : : "r"(frame) : "memory"); /* or the compiler leaves the memset out */
}

static void wait_deep(void *argument)
{
    dirty(40 * 1024);
    (void)argument;
    fiber_sleep(milliseconds(50));
}

static void wait_shallow(void *argument)
{
    (void)argument;
    fiber_sleep(milliseconds(50));
}

static unsigned long cost_of(void (*function)(void *argument), unsigned count)
{
    struct fiber_group group = {0};
    unsigned long before = resident_kibibytes();
    for (unsigned i = 0; i < count; i++)
        fiber_spawn(&group, function, NULL);
    fiber_yield();
    unsigned long after = resident_kibibytes();
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_DONE);
    return after > before ? after - before : 0;
}

static void trim(void)
{
    unsigned long shallow = cost_of(wait_shallow, 1000) / 1000;
    unsigned long deep = cost_of(wait_deep, 1000) / 1000;
    ck_assert_uint_lt(shallow, 12);
    ck_assert_uint_gt(deep, 30);
    /* All are free now, and have given back what lay deep, but for the warm ones. */
    unsigned long pooled = resident_kibibytes();
    unsigned long again = cost_of(wait_shallow, 1000);
    ck_assert_uint_lt(pooled, 1000 * 16 + STACKS_WARM * 64 + 16 * 1024);
    ck_assert_uint_lt(again, 1000 + 512);
}

START_TEST(a_stack_that_was_used_deep_gives_its_memory_back)
{
    inside(trim);
}
END_TEST

static void wait_many(void)
{
    cost_of(wait_shallow, 3 * STACKS_COLD);
    fiber_yield();
    ck_assert_uint_lt(resident_kibibytes(), STACKS_COLD * 8 + 32 * 1024);
}

START_TEST(stacks_beyond_the_pools_bound_are_unmapped)
{
    inside(wait_many);
}
END_TEST

static unsigned waiting;

static void wait_a_second(void *argument)
{
    waiting++;
    (void)argument;
    fiber_sleep(seconds(1));
}

static void fill(void)
{
    while (worker_has_room())
        fiber_start(wait_a_second, NULL, DEADLINE_NEVER);
    fiber_yield();
    ck_assert_uint_eq(waiting + 1, STACKS_MOST);
    wait_shallow(NULL); /* the worker goes on */
    fiber_sleep(seconds(2));
    ck_assert(worker_has_room());
}

START_TEST(a_worker_says_when_it_is_full_long_before_it_cannot_start_a_fiber)
{
    inside(fill);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("stack");
    TCase *tests = tcase_create("stack");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_fiber_that_overflows_its_stack_dies_at_the_guard);
    tcase_add_test(tests, nearly_all_of_a_stack_can_be_used);
#if !SANITIZED
    tcase_add_test(tests, a_stack_that_was_used_deep_gives_its_memory_back);
    tcase_add_test(tests, stacks_beyond_the_pools_bound_are_unmapped);
    tcase_add_test(tests, a_worker_says_when_it_is_full_long_before_it_cannot_start_a_fiber);
#endif
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
