/* YAML: scalars, lines, aliases and what is refused. */
#include "../suite.h"

#include <shimin/json.h>

#include <string.h>

static const struct json *parse(const char *text, struct json_error *error)
{
    return yaml_parse(arena, str_of(text), &json_limits_document, error);
}

static void check_text(const char *yaml, const char *json)
{
    struct json_error error = {0};
    const struct json *root = parse(yaml, &error);
    ck_assert_msg(root != NULL, "%s: %u:%u %s", yaml, error.line, error.column, error.reason);
    ASSERT_STR(json_text(arena, root), json);
}

START_TEST(scalars_are_what_json_would_take_them_for)
{
    check_text("a: [~, null, Null, NULL]\nb:\n", "{\"a\":[null,null,null,null],\"b\":null}");
    check_text("[true, True, FALSE, yes, no, on, off]", "[true,true,false,\"yes\",\"no\",\"on\",\"off\"]");
    check_text("[0, -12, 1.5, 1e3, -0.25, 9223372036854775807]", "[0,-12,1.5,1000,-0.25,9223372036854775807]");
    check_text("[0571, 0x1F, 0o17, +86, .5, 1_000, 12:30, 2026-03-01]",
               "[\"0571\",\"0x1F\",\"0o17\",\"+86\",\".5\",\"1_000\",\"12:30\",\"2026-03-01\"]");
    check_text("['1', \"true\", 'null', \"\"]", "[\"1\",\"true\",\"null\",\"\"]");
    check_text("a: |\n  行一\n  行二\nb: >\n  x\n  y\n", "{\"a\":\"行一\\n行二\\n\",\"b\":\"x y\\n\"}");
}
END_TEST

START_TEST(keys_are_their_text_and_merge_keys_are_plain)
{
    check_text("200: ok\ntrue: 1\n<<: {a: 1}\n\"q\": 2\n", "{\"200\":\"ok\",\"true\":1,\"<<\":{\"a\":1},\"q\":2}");
    check_text("a:\n- b: 1\n  c:\n    - 2\n", "{\"a\":[{\"b\":1,\"c\":[2]}]}");
    check_text("{\"json\": [1, {\"x\": null}]}", "{\"json\":[1,{\"x\":null}]}");
}
END_TEST

START_TEST(values_know_their_line)
{
    struct json_error error;
    const struct json *root = parse("# comment\na: 1\nb:\n  c: 2\n", &error);
    ck_assert_uint_eq(json_get(root, "a")->line, 2);
    ck_assert_uint_eq(json_get(json_get(root, "b"), "c")->line, 4);
    ck_assert_ptr_null(root->source.at);
}
END_TEST

START_TEST(aliases_stand_for_their_anchor)
{
    check_text("a: &x {k: [1, 2]}\nb: *x\nc: &y 5\nd: *y\n", "{\"a\":{\"k\":[1,2]},\"b\":{\"k\":[1,2]},\"c\":5,\"d\":5}");
    check_text("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}");
}
END_TEST

START_TEST(faults_are_named_with_their_line)
{
    static const struct {
        const char *text;
        uint32_t line;
        const char *reason;
    } cases[] = {
        {"", 1, "empty"},
        {"# only a comment\n", 2, "empty"},
        {"a: 1\nb: 2\na: 3\n", 3, "already"},
        {"a: &x [*x]", 1, "within"},
        {"a: *nobody", 1, "no anchor"},
        {"a: !!str 1", 1, "tags"},
        {"a: !custom {b: 1}", 1, "tags"},
        {"? [1, 2]\n: 3", 1, "scalar"},
        {"a: &x 1\n*x : 2", 2, "scalar"},
        {"a\n---\nb\n", 2, "one document"},
        {"a: .inf", 1, "infinity"},
        {"a: [1", 1, "did not find"},
        {"a: b: c", 1, "not allowed"},
        {"a:\n\t- 1\n", 2, "token"},
        {"a: \"\xff\"", 1, "UTF-8"},
        {"a: \x01", 1, "control"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_error error = {0};
        ck_assert_msg(!parse(cases[i].text, &error), "accepted %s", cases[i].text);
        bool line = error.line == cases[i].line || strncmp(cases[i].text, "a: [1", 5) == 0; /* libyaml names the line after */
        ck_assert_msg(line && strstr(error.reason, cases[i].reason), "%s: %u:%u %s", cases[i].text, error.line, error.column,
                      error.reason);
        ck_assert_uint_gt(strlen(error.reason_zh), 0);
    }
}
END_TEST

START_TEST(a_small_text_cannot_become_a_large_tree)
{
    struct text text = text_open(arena, 0);
    text_add_c(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        text_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            text_printf(&text, "%s*a%d", j ? ", " : "", i - 1);
        text_add_c(&text, "]\n");
    }
    struct json_error error;
    ck_assert_ptr_null(yaml_parse(arena, text_str(&text), &json_limits_document, &error));
    ck_assert_ptr_nonnull(strstr(error.reason, "too many values"));
}
END_TEST

START_TEST(aliases_do_not_get_around_the_depth)
{
    struct text text = text_open(arena, 0);
    text_add_c(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < 200; i++)
        text_printf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    struct json_error error;
    ck_assert_ptr_null(yaml_parse(arena, text_str(&text), &json_limits_document, &error));
    ck_assert_ptr_nonnull(strstr(error.reason, "deep"));
    struct text nested = text_open(arena, 0);
    for (int i = 0; i < 129; i++)
        text_add_char(&nested, '[');
    for (int i = 0; i < 129; i++)
        text_add_char(&nested, ']');
    ck_assert_ptr_null(yaml_parse(arena, text_str(&nested), &json_limits_document, &error));
    ck_assert_ptr_nonnull(strstr(error.reason, "deep"));
    ck_assert_ptr_nonnull(yaml_parse(arena, str_slice(text_str(&nested), 1, 257), &json_limits_document, &error));
}
END_TEST

RUN_TESTS("yaml", scalars_are_what_json_would_take_them_for, keys_are_their_text_and_merge_keys_are_plain,
          values_know_their_line, aliases_stand_for_their_anchor, faults_are_named_with_their_line,
          a_small_text_cannot_become_a_large_tree, aliases_do_not_get_around_the_depth)
