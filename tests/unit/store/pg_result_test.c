/* Results: rows of any kind become cells that lie in them. */
#include "store/pg_result.h"

#include <check.h>
#include <stdlib.h>

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open();
}

static void close_arena(void)
{
    arena_close(arena);
}

/* Two rows of one statement: (1, NULL) and (abc, \xff). */
static const char rows[] = "D\0\0\0\x0f\0\2\0\0\0\1"
                           "1"
                           "\xff\xff\xff\xff"
                           "D\0\0\0\x15\0\2\0\0\0\3"
                           "abc"
                           "\0\0\0\4"
                           "\\xff";

START_TEST(cells_are_found_in_their_rows)
{
    const struct pg_result *result = pg_result_make(arena, STR(rows), 2, STR("SELECT 2"));
    ck_assert(pg_rows(result) == 2 && pg_affected(result) == 2 && result->columns == 2);
    ck_assert(pg_int(result, 0, 0) == 1 && pg_is_null(result, 0, 1) && str_is(pg_str(result, 1, 0), "abc"));
    ck_assert(str_is(pg_bin(arena, result, 1, 1), "\xff"));
}
END_TEST

START_TEST(a_row_that_ends_early_has_no_more_cells_than_fit_in_it)
{
    const struct pg_result *result = pg_result_make(arena, STR("D\0\0\0\x0a\xff\xff\0\0\0\0"), 1, STR("SELECT 1"));
    ck_assert(pg_rows(result) == 1 && result->columns == 1);
    ck_assert(!pg_is_null(result, 0, 0) && pg_str(result, 0, 0).len == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("results");
    TCase *tests = tcase_create("rows");
    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_test(tests, cells_are_found_in_their_rows);
    tcase_add_test(tests, a_row_that_ends_early_has_no_more_cells_than_fit_in_it);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
