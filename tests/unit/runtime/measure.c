/* Measures what the README of the runtime states: the cost of a switch, a yield, a spawn, a wake, an offload, and the memory
 * of fibers that sleep. Not a test: it asserts nothing and prints. */
#include <shimin/fiber.h>
#include <shimin/worker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/stack.h"

enum { BATCH = 1000, ROUNDS = 2000, SLEEPERS = 10000 };

static void report(const char *what, double value, const char *unit)
{
    printf("%-62s %8.1f %s\n", what, value, unit);
}

static void report_time(const char *what, int64_t since, double times)
{
    report(what, (double)(clock_steady() - since) * 1000 / times, "ns");
}

static struct context here, there;

static void switch_back(void)
{
    for (;;)
        context_switch(&there, &here);
}

static void measure_switch(void)
{
    static char stack[256 * 1024];
    context_adopt(&here);
    context_create(&there);
    context_enter(&here, &there, stack, sizeof stack, switch_back);
    int64_t start = clock_steady();
    for (int i = 0; i < ROUNDS * BATCH; i++)
        context_switch(&here, &there);
    report_time("one switch", start, 2.0 * ROUNDS * BATCH);
}

static void yield_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++)
        fiber_yield();
}

static void measure_yield(unsigned fibers)
{
    char what[64];
    struct fiber_group group = {0};
    for (unsigned i = 0; i < fibers; i++)
        fiber_spawn(&group, yield_often, NULL);
    int64_t start = clock_steady();
    fiber_join(&group, DEADLINE_NEVER);
    snprintf(what, sizeof what, "one yield of %u fibers, with its share of the loop's turns", fibers);
    report_time(what, start, (double)fibers * ROUNDS);
}

static void nothing(void *argument)
{
    (void)argument;
}

static void measure_spawn(unsigned fibers)
{
    char what[64];
    int64_t start = clock_steady();
    for (int i = 0; i < ROUNDS; i++) {
        struct fiber_group group = {0};
        for (unsigned k = 0; k < fibers; k++)
            fiber_spawn(&group, nothing, NULL);
        fiber_join(&group, DEADLINE_NEVER);
    }
    snprintf(what, sizeof what, "one fiber spawned and joined, %u at once", fibers);
    report_time(what, start, (double)ROUNDS * fibers);
}

static void wake(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        fiber_wake(argument);
        fiber_yield();
    }
}

static void measure_wait(void)
{
    fiber_start(wake, fiber_self(), DEADLINE_NEVER);
    int64_t start = clock_steady();
    for (int i = 0; i < ROUNDS; i++)
        fiber_wait(start + seconds(60));
    report_time("one wait with a deadline, woken in the next turn", start, ROUNDS);
}

static void measure_offload(void)
{
    int64_t start = clock_steady();
    for (int i = 0; i < ROUNDS; i++)
        if (!offload(nothing, NULL))
            abort();
    report_time("one offload of nothing and back", start, ROUNDS);
}

static double resident(void)
{
    unsigned long total, pages;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm || fscanf(statm, "%lu %lu", &total, &pages) != 2)
        abort();
    fclose(statm);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static __attribute__((noinline)) void use_stack(size_t n)
{
    char frame[20 * 1024];
    memset(frame, 1, n);
    __asm__ volatile("" : : "r"(frame) : "memory"); /* or the compiler leaves the memset out */
}

static void sleep_shallow(void *argument)
{
    (void)argument;
    fiber_sleep(seconds(1));
}

static void sleep_after_use(void *argument)
{
    use_stack(20 * 1024);
    sleep_shallow(argument);
}

static void measure_memory(const char *what, void (*function)(void *argument))
{
    struct fiber_group group = {0};
    double before = resident();
    for (int i = 0; i < SLEEPERS; i++)
        fiber_spawn(&group, function, NULL);
    fiber_yield();
    report(what, (resident() - before) / SLEEPERS, "KiB");
    fiber_join(&group, DEADLINE_NEVER);
    report("    and kept by the pool for each when all have ended", (resident() - before) / SLEEPERS, "KiB");
}

static bool run(void *argument)
{
    (void)argument;
    measure_memory("memory of a fiber that sleeps", sleep_shallow);
    measure_memory("memory of a fiber that sleeps after it has used 20 KiB of stack", sleep_after_use);
    measure_yield(1);
    measure_yield(100);
    measure_yield(BATCH);
    measure_spawn(1);
    measure_spawn(10);
    measure_spawn(BATCH);
    measure_wait();
    measure_offload();
    return true;
}

int main(void)
{
    measure_switch();
    if (!workers_start(1, run, NULL))
        return EXIT_FAILURE;
    workers_stop(NULL, NULL, DEADLINE_NEVER);
    return EXIT_SUCCESS;
}
