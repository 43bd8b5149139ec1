/* The JSON parser: what it accepts, what it refuses and where it says the fault is. */
#include "../suite.h"

#include <shimin/json.h>

#include <math.h>
#include <string.h>

/* A copy without anything behind it, so that a sanitizer sees a read past the end. */
static struct str exact(struct str s)
{
    char *copy = malloc(s.len ? s.len : 1);
    memcpy(copy, s.at, s.len);
    arena_defer(arena, free, copy);
    return (struct str){copy, s.len};
}

static const struct json *parse(struct str text, struct json_error *error)
{
    return json_parse(arena, exact(text), &json_limits_request, error);
}

START_TEST(values_have_type_line_and_source)
{
    struct json_error error;
    const struct json *root =
        parse(STR(" {\"名\": [true, null, -12,\n 1.50, \"a\\u5e02\\n\", {}],\n\n\"x\" : false } "), &error);
    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(root->type, JSON_OBJECT);
    ck_assert_uint_eq(root->count, 2);
    const struct json *list = json_get(root, "名");
    ck_assert_uint_eq(list->count, 6);
    ck_assert(list->items[0].type == JSON_BOOLEAN && list->items[0].boolean);
    ck_assert_int_eq(list->items[1].type, JSON_NULL);
    ck_assert_int_eq(list->items[2].integer, -12);
    ck_assert_double_eq(list->items[3].number, 1.5);
    ASSERT_STR(list->items[3].source, "1.50");
    ck_assert_uint_eq(list->items[3].line, 2);
    ASSERT_STR(list->items[4].string, "a市\n");
    ASSERT_STR(list->items[4].source, "\"a\\u5e02\\n\"");
    ASSERT_STR(list->items[5].source, "{}");
    ck_assert_uint_eq(json_get(root, "x")->line, 4);
    ck_assert(str_starts(root->source, STR("{\"名\"")) && str_ends(root->source, STR("false }")));
}
END_TEST

START_TEST(numbers_are_integers_only_when_they_are_written_so_and_fit)
{
    static const struct {
        const char *text;
        enum json_type type;
        double value;
    } cases[] = {{"0", JSON_INTEGER, 0},
                 {"-9223372036854775808", JSON_INTEGER, -0x1p63},
                 {"9223372036854775808", JSON_NUMBER, 0x1p63},
                 {"-9223372036854775809", JSON_NUMBER, -0x1p63},
                 {"1.0", JSON_NUMBER, 1},
                 {"1e2", JSON_NUMBER, 100},
                 {"-0", JSON_NUMBER, 0},
                 {"1E-400", JSON_NUMBER, 0},
                 {"100000000000000000000000000000000", JSON_NUMBER, 1e32}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_error error;
        const struct json *value = parse(str_of(cases[i].text), &error);
        ck_assert_msg(value && value->type == cases[i].type, "%s", cases[i].text);
        ck_assert_double_eq(json_as_double(value), cases[i].value);
    }
    struct json_error error;
    ck_assert(signbit(parse(STR("-0"), &error)->number));
    ck_assert_int_eq(parse(STR("9223372036854775807"), &error)->integer, INT64_MAX);
}
END_TEST

START_TEST(faults_are_named_with_line_and_column)
{
    static const struct {
        struct str text;
        uint32_t line, column;
        const char *reason; /* a part of it */
    } cases[] = {
        {STR(""), 1, 1, "empty"},
        {STR(" \n "), 2, 2, "empty"},
        {STR("{\"a\":1,\n \"a\":2}"), 2, 6, "already"},
        {STR("{\"a\":1,}"), 1, 8, "member name"},
        {STR("[1,]"), 1, 4, "value was expected"},
        {STR("[,1]"), 1, 2, "value was expected"},
        {STR("[1 2]"), 1, 4, "comma"},
        {STR("{\"a\" 1}"), 1, 6, "colon"},
        {STR("{\"a\":1 \"b\"}"), 1, 8, "comma"},
        {STR("{a:1}"), 1, 2, "member name"},
        {STR("[1}"), 1, 3, "comma"},
        {STR("{]"), 1, 2, "member name"},
        {STR("[1"), 1, 3, "too early"},
        {STR("\"abc"), 1, 5, "too early"},
        {STR("\"abc\\"), 1, 6, "too early"},
        {STR("{\"a\""), 1, 5, "too early"},
        {STR("1 2"), 1, 3, "follows"},
        {STR("[]]"), 1, 3, "follows"},
        {STR("tru"), 1, 1, "value was expected"},
        {STR("NaN"), 1, 1, "value was expected"},
        {STR("'a'"), 1, 1, "value was expected"},
        {STR("01"), 1, 2, "malformed"},
        {STR("-"), 1, 2, "malformed"},
        {STR("1."), 1, 3, "malformed"},
        {STR("1.e1"), 1, 3, "malformed"},
        {STR("1e"), 1, 3, "malformed"},
        {STR("[1,1e400]"), 1, 4, "range"},
        {STR("+1"), 1, 1, "value was expected"},
        {STR("\"\t\""), 1, 2, "control"},
        {STR("\"a\\nb\0\""), 1, 6, "control"},
        {STR("\"\\x\""), 1, 3, "escape"},
        {STR("\"\\u12G4\""), 1, 6, "escape"},
        {STR("\"\\u12"), 1, 4, "escape"},
        {STR("\"\\ud800\""), 1, 8, "surrogate"},
        {STR("\"\\udc00\""), 1, 8, "surrogate"},
        {STR("\"\\ud800\\u0041\""), 1, 14, "surrogate"},
        {STR("[\n\"\xff\"]"), 2, 2, "UTF-8"},
        {STR("\"\xed\xa0\x80\""), 1, 2, "UTF-8"},
        {STR("\xef\xbb\xbf{}"), 1, 1, "value was expected"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_error error = {0};
        ck_assert_msg(!parse(cases[i].text, &error), "accepted %.*s", STR_ARG(cases[i].text));
        ck_assert_msg(error.line == cases[i].line && error.column == cases[i].column && strstr(error.reason, cases[i].reason),
                      "%.*s: %u:%u %s", STR_ARG(cases[i].text), error.line, error.column, error.reason);
        ck_assert_uint_gt(strlen(error.reason_zh), 0);
    }
}
END_TEST

START_TEST(escapes_are_decoded_and_pairs_joined)
{
    struct json_error error;
    ASSERT_STR(parse(STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), &error)->string, "\"\\/\b\f\n\r\t");
    ASSERT_STR(parse(STR("\"\\u0041\\u00e9\\u5E02\\uD83D\\ude00\""), &error)->string, "Aé市😀");
    const struct json *nul = parse(STR("\"a\\u0000b\""), &error);
    ck_assert_uint_eq(nul->string.len, 3);
}
END_TEST

START_TEST(long_strings_are_scanned_to_the_right_byte)
{
    for (size_t n = 0; n < 70; n++) {
        for (size_t at = 0; at < n; at++) {
            char text[128];
            memset(text, 'x', sizeof(text));
            text[0] = text[n + 1] = '"';
            text[at + 1] = '\x1f';
            struct json_error error;
            ck_assert_ptr_null(parse((struct str){text, n + 2}, &error));
            ck_assert_uint_eq(error.column, at + 2);
            text[at + 1] = '\x7f';
            ck_assert_uint_eq(parse((struct str){text, n + 2}, &error)->string.len, n);
        }
    }
}
END_TEST

static const struct json *parse_nested(size_t depth, const struct json_limits *limits, struct json_error *error)
{
    struct text text = text_open(arena, depth * 2);
    for (size_t i = 0; i < depth; i++)
        text_add_char(&text, '[');
    for (size_t i = 0; i < depth; i++)
        text_add_char(&text, ']');
    return json_parse(arena, text_str(&text), limits, error);
}

START_TEST(depth_length_and_number_of_values_are_bounded)
{
    struct json_error error;
    ck_assert_ptr_nonnull(parse_nested(32, &json_limits_request, &error));
    ck_assert_ptr_null(parse_nested(33, &json_limits_request, &error));
    ck_assert_ptr_nonnull(strstr(error.reason, "deep"));
    ck_assert_ptr_nonnull(parse_nested(128, &json_limits_document, &error));
    ck_assert_ptr_null(parse_nested(129, &json_limits_document, &error));
    ck_assert_ptr_null(parse_nested(1000000, &json_limits_document, &error));
    struct json_limits few = {.depth = 2, .bytes = 10, .nodes = 3};
    ck_assert_ptr_nonnull(json_parse(arena, STR("[1,2]"), &few, &error));
    ck_assert_ptr_null(json_parse(arena, STR("[1,2,3]"), &few, &error));
    ck_assert_ptr_null(json_parse(arena, STR("[1        ]"), &few, &error));
}
END_TEST

START_TEST(a_duplicate_is_found_in_large_objects_and_behind_escapes)
{
    struct json_error error;
    ck_assert_ptr_null(parse(STR("{\"a\":1,\"\\u0061\":2}"), &error));
    for (int count = 2; count < 2000; count = count * 3 + 1) {
        for (int repeated = 0; repeated <= 1; repeated++) {
            struct text text = text_open(arena, 0);
            text_add_char(&text, '{');
            for (int i = 0; i < count; i++)
                text_printf(&text, "\"member%d\":%d,", i, i);
            text_printf(&text, "\"member%d\":0}", repeated ? count / 2 : count);
            const struct json *root = json_parse(arena, text_str(&text), &json_limits_request, &error);
            ck_assert(repeated ? !root : root && (int)root->count == count + 1);
        }
    }
}
END_TEST

START_TEST(large_trees_keep_their_order)
{
    struct text text = text_open(arena, 0);
    text_add_char(&text, '[');
    for (int i = 0; i < 5000; i++)
        text_printf(&text, "%s{\"i\":%d,\"l\":[%d,%d]}", i ? "," : "", i, i, -i);
    text_add_char(&text, ']');
    struct json_error error;
    const struct json *root = json_parse(arena, text_str(&text), &json_limits_request, &error);
    ck_assert_uint_eq(root->count, 5000);
    for (int i = 0; i < 5000; i++) {
        ck_assert_int_eq(json_get_integer(&root->items[i], "i", -1), i);
        ck_assert_int_eq(json_get(&root->items[i], "l")->items[1].integer, -i);
    }
}
END_TEST

RUN_TESTS("json", values_have_type_line_and_source, numbers_are_integers_only_when_they_are_written_so_and_fit,
          faults_are_named_with_line_and_column, escapes_are_decoded_and_pairs_joined,
          long_strings_are_scanned_to_the_right_byte, depth_length_and_number_of_values_are_bounded,
          a_duplicate_is_found_in_large_objects_and_behind_escapes, large_trees_keep_their_order)
