/* What tests with Check share: an arena a test, comparing spans, and running the tests of a file. */
#ifndef SHIMIN_TESTS_SUITE_H
#define SHIMIN_TESTS_SUITE_H

#include <shimin/arena.h>
#include <shimin/str.h>

#include <check.h>
#include <stdlib.h>

static struct arena *arena;

static inline void open_arena(void)
{
    arena = arena_open();
}

static inline void shut_arena(void)
{
    arena_close(arena);
}

#define ASSERT_STR(actual, wanted)                                                                                             \
    do {                                                                                                                       \
        struct str actual_ = (actual);                                                                                         \
        ck_assert_msg(str_equal(actual_, str_of(wanted)), "got \"%.*s\", wanted \"%s\"", STR_ARG(actual_), (wanted));          \
    } while (0)

/* Runs them each in a process of its own, between open() and shut(); the status for main() to return. */
static inline int run_tests(const char *name, void (*open)(void), void (*shut)(void), const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, open, shut);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define RUN_TESTS_BETWEEN(open, shut, name, ...)                                                                               \
    int main(void)                                                                                                             \
    {                                                                                                                          \
        const TTest *const tests[] = {__VA_ARGS__};                                                                            \
        return run_tests(name, open, shut, tests, sizeof(tests) / sizeof(tests[0]));                                           \
    }

#define RUN_TESTS(name, ...) RUN_TESTS_BETWEEN(open_arena, shut_arena, name, __VA_ARGS__)

#endif
