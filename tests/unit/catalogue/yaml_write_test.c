/* The YAML that is exported: it reads back as what was written, is always the same, and looks like the catalogue's files. */
#include "catalogue/difference.h"
#include "catalogue/yaml_write.h"

#include <check.h>
#include <shimin/arena.h>

#include <stdlib.h>

static struct arena *arena;

static void set_up(void)
{
    arena = arena_open();
}

static void tear_down(void)
{
    arena_close(arena);
}

static const struct json *parsed(const char *text)
{
    struct json_error error;
    const struct json *value = json_parse(arena, str_of(text), &json_limits_document, &error);
    ck_assert_msg(value != NULL, "%s: %s", text, error.reason);
    return value;
}

static struct str written(const struct json *value)
{
    struct text text = text_open(arena, 256);
    yaml_write(&text, value);
    return text_str(&text);
}

static void expect_return(const struct json *value)
{
    struct json_error error;
    struct str text = written(value);
    const struct json *back = yaml_parse(arena, text, &json_limits_document, &error);
    ck_assert_msg(back && json_equal(value, back), "%.*s", STR_ARG(text));
}

START_TEST(whatever_is_written_reads_back_as_it_was)
{
    static const char *const texts[] = {"",          " ",           "off",
                                        "No",        "null",        "~",
                                        "1",         "-1",          "1.5",
                                        "0x1f",      "1e3",         "2020-01-01",
                                        "a: b",      "a:b",         "a:",
                                        ": a",       "a #b",        "#a",
                                        "- a",       "-",           "a, b",
                                        "[a]",       "{a}",         "a]",
                                        "&a",        "*a",          "!a",
                                        "|",         ">",           "%a",
                                        "@a",        "`a",          "'a'",
                                        "\\\"a\\\"", "a\\nb",       "a\\tb",
                                        "\\u0001",   "a ",          " a",
                                        "\\\\",      "/data/items", "?",
                                        "? a",       "公积金",      "市民: 你好",
                                        "a\\u2028b", "\\u0085",     "a\\ufeff",
                                        "\\u007f",   "\\u009f",     "\\ud83d\\ude00",
                                        "=",         "<<",          "true",
                                        "..."};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        /* as a value, as a name, within a line, and in a list */
        expect_return(parsed(str_printf(arena, "{\"a\":\"%s\",\"name\":{\"zh\":\"%s\",\"b %s\":[\"%s\",\"x\"]}}", texts[i],
                                        texts[i], texts[i], texts[i])
                                 .at));
        expect_return(parsed(
            str_printf(arena, "{\"services\":[{\"request\":{\"x%s\":\"%s\"}},\"%s\"]}", texts[i], texts[i], texts[i]).at));
    }
    expect_return(parsed("{\"a\":[],\"b\":{},\"c\":null,\"d\":true,\"e\":-5,\"f\":0.25,\"g\":[[1,2],[{\"h\":[]}]],"
                         "\"operation\":{\"request\":{}}}"));
}
END_TEST

START_TEST(the_order_of_members_does_not_show)
{
    struct str one =
        written(parsed("{\"services\":[{\"level\":\"L1\",\"slug\":\"a\",\"zz\":1,\"aa\":2}],\"department\":{\"slug\":\"b\"}}"));
    struct str two =
        written(parsed("{\"department\":{\"slug\":\"b\"},\"services\":[{\"aa\":2,\"zz\":1,\"slug\":\"a\",\"level\":\"L1\"}]}"));
    ck_assert(str_equal(one, two));
    ck_assert(str_is(one, "department:\n  slug: b\n\nservices:\n  - slug: a\n    level: L1\n    aa: 2\n    zz: 1\n"));
}
END_TEST

#define CATALOGUE(services)                                                                                                    \
    "{\"categories\":[],\"departments\":[{\"slug\":\"d\",\"contract\":{\"version\":\"1\",\"sha256\":\"x\"}}],\"services\":"    \
    "[" services "],\"areas\":[[\"5101\",\"a\",\"city\",null]]}"
#define ENTRY(slug, more) "{\"slug\":\"" slug "\",\"department\":\"d\"" more "}"

static const char *difference(const char *from, const char *to)
{
    return str_to_c(arena, json_text(arena, catalogue_difference(arena, parsed(from), parsed(to))));
}

START_TEST(a_difference_names_entry_and_field)
{
    ck_assert_str_eq(difference(CATALOGUE(ENTRY("a", "")), CATALOGUE(ENTRY("a", ""))), "[]");
    ck_assert_str_eq(
        difference(CATALOGUE(ENTRY("a", ",\"x\":{\"y/z\":1,\"same\":2}")),
                   CATALOGUE(ENTRY("a", ",\"x\":{\"same\":2,\"y/z\":3},\"w\":[4]"))),
        "[{\"kind\":\"service\",\"name\":\"a\",\"action\":\"change\",\"fields\":[{\"path\":\"/x/y~1z\",\"from\":1,\"to\":3},"
        "{\"path\":\"/w\",\"to\":[4]}]}]");
    ck_assert_str_eq(difference(CATALOGUE(ENTRY("a", "")), CATALOGUE("")),
                     "[{\"kind\":\"service\",\"name\":\"a\",\"action\":\"remove\",\"fields\":[]}]");
}
END_TEST

START_TEST(an_order_that_changes_is_a_difference_and_what_a_department_registered_is_none)
{
    ck_assert_str_eq(
        difference(CATALOGUE(ENTRY("a", "") "," ENTRY("b", "")), CATALOGUE(ENTRY("b", "") "," ENTRY("a", ""))),
        "[{\"kind\":\"service\",\"name\":\"b\",\"action\":\"change\",\"fields\":[{\"path\":\"/comes_after\",\"from\":\"a\"}]},"
        "{\"kind\":\"service\",\"name\":\"a\",\"action\":\"change\",\"fields\":[{\"path\":\"/comes_after\",\"to\":\"b\"}]}]");
    ck_assert_str_eq(difference(CATALOGUE(ENTRY("a", "") "," ENTRY("r", ",\"version\":3")), CATALOGUE(ENTRY("a", ""))), "[]");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("catalogue files written");
    TCase *cases = tcase_create("all");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, whatever_is_written_reads_back_as_it_was);
    tcase_add_test(cases, the_order_of_members_does_not_show);
    tcase_add_test(cases, a_difference_names_entry_and_field);
    tcase_add_test(cases, an_order_that_changes_is_a_difference_and_what_a_department_registered_is_none);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
