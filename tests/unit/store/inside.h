/* Runs a test's body in a fiber of a worker, and waits without sleeping blindly. */
#ifndef SHIMIN_TEST_STORE_INSIDE_H
#define SHIMIN_TEST_STORE_INSIDE_H

#include "servers.h"

#include <check.h>
#include <shimin/arena.h>
#include <shimin/fiber.h>
#include <shimin/worker.h>
#include <stdlib.h>

struct inside {
    void (*body)(void);
};

static bool inside_run(void *argument)
{
    ((struct inside *)argument)->body();
    return true;
}

/* Each worker runs the body; returns when all have and the workers have stopped. */
static inline void inside(unsigned workers, void (*body)(void))
{
    struct inside call = {body};
    ck_assert(workers_start(workers, inside_run, &call));
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}

/* Polls in a fiber until the condition holds; fails the test after twenty seconds. */
#define WAIT_UNTIL(condition)                                                                                                  \
    do {                                                                                                                       \
        int64_t wait_end = deadline_in(seconds(20));                                                                           \
        while (!(condition)) {                                                                                                 \
            ck_assert_msg(clock_steady() < wait_end, "waited for: %s", #condition);                                            \
            (void)fiber_sleep(milliseconds(2));                                                                                \
        }                                                                                                                      \
    } while (0)

static inline int run_all(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
