/* What every test of this floor needs: an arena a test, documents from text, and running the tests. */
#ifndef SHIMIN_TESTS_CONTRACT_SUITE_H
#define SHIMIN_TESTS_CONTRACT_SUITE_H

#include "contract/contract.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open();
}

static void shut_arena(void)
{
    arena_close(arena);
}

#define ASSERT_STR(actual, wanted)                                                                                             \
    do {                                                                                                                       \
        struct str actual_ = (actual);                                                                                         \
        ck_assert_msg(str_equal(actual_, str_of(wanted)), "got \"%.*s\", wanted \"%s\"", STR_ARG(actual_), (wanted));          \
    } while (0)

/* JSON with ' for ", so that it can be read in C. */
static inline const struct json *json_of(const char *text)
{
    char *copy = str_to_c(arena, str_of(text));
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    struct json_error error = {0};
    const struct json *value = json_parse(arena, str_of(copy), &json_limits_document, &error);
    ck_assert_msg(value != NULL, "%s: %s (column %u)", text, error.reason, error.column);
    return value;
}

/* A contract from YAML that must load. */
static inline const struct contract *contract_of(const char *name, const char *yaml)
{
    struct contract_faults faults;
    const struct contract *contract = contract_load(str_of(name), str_of(yaml), arena, &faults);
    if (!contract)
        ck_abort_msg("line %u %.*s: %.*s", faults.list[0].line, STR_ARG(faults.list[0].pointer),
                     STR_ARG(faults.list[0].reason));
    arena_defer(arena, (void (*)(void *))contract_free, (void *)contract);
    return contract;
}

static int run_tests(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, open_arena, shut_arena);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define RUN_TESTS(name, ...)                                                                                                   \
    int main(void)                                                                                                             \
    {                                                                                                                          \
        const TTest *const tests[] = {__VA_ARGS__};                                                                            \
        return run_tests(name, tests, sizeof(tests) / sizeof(tests[0]));                                                       \
    }

#endif
