/* Runs the body of a test in a fiber of a worker. */
#ifndef SHIMIN_TESTS_RUNTIME_INSIDE_H
#define SHIMIN_TESTS_RUNTIME_INSIDE_H

#include <check.h>
#include <shimin/fiber.h>
#include <shimin/worker.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/context.h"

#if defined(CONTEXT_ASAN) || defined(CONTEXT_TSAN)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static bool inside_run(void *argument)
{
    void (**body)(void) = argument;
    (*body)();
    return true;
}

/* Returns when body() has returned and the workers have stopped. */
__attribute__((unused)) static void inside(void (*body)(void))
{
    ck_assert(workers_start(1, inside_run, &body));
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}

__attribute__((unused)) static unsigned long resident_kibibytes(void)
{
    FILE *statm = fopen("/proc/self/statm", "re");
    unsigned long total, resident;
    ck_assert_int_eq(fscanf(statm, "%lu %lu", &total, &resident), 2);
    fclose(statm);
    return resident * ((unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

__attribute__((unused)) static int run_all(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
