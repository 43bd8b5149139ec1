/* The statements that the build makes of a queries.sql. */
#include "inside.h"

#include "example_queries.h"
#include "store/statements.h"

#include <string.h>

START_TEST(a_statement_carries_its_text_its_name_and_its_highest_parameter)
{
    ck_assert_str_eq(sql_find_pair.name, "example.find_pair");
    ck_assert_uint_eq(sql_find_pair.parameters, 2);
    ck_assert_str_eq(sql_find_pair.sql,
                     "SELECT a, b -- $8;\nFROM pair\nWHERE a = $2 AND b = $1 AND c <> '$9; ''\"\\' AND d = $1\n");
    ck_assert_uint_eq(sql_make_function.parameters, 0);
    ck_assert_ptr_nonnull(strstr(sql_make_function.sql, "PERFORM 1;\nEND\n$body$"));
}
END_TEST

START_TEST(the_linker_gathers_every_statement)
{
    const struct pg_statement *const *all;
    ck_assert_uint_eq(statements_all(&all), 2);
    ck_assert(all[0] == &sql_find_pair || all[1] == &sql_find_pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("statements");
    TCase *tests = tcase_create("queries");
    tcase_add_test(tests, a_statement_carries_its_text_its_name_and_its_highest_parameter);
    tcase_add_test(tests, the_linker_gathers_every_statement);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
