/* Trees and the writer: finding, comparing, making, writing. */
#include "../suite.h"

#include <shimin/json.h>

#include <math.h>

static const struct json *parse(const char *text)
{
    struct json_error error;
    const struct json *root = json_parse(arena, str_of(text), &json_limits_document, &error);
    ck_assert_msg(root != NULL, "%s", text);
    return root;
}

START_TEST(a_whole_number_is_got_as_an_integer_however_it_is_written)
{
    const struct json *root = parse("{\"a\":5.0,\"b\":0.5e1,\"c\":5.5,\"d\":1e300,\"e\":-2.00}");
    ck_assert_int_eq(json_get_integer(root, "a", 0), 5);
    ck_assert_int_eq(json_get_integer(root, "b", 0), 5);
    ck_assert_int_eq(json_get_integer(root, "c", 7), 7);
    ck_assert_int_eq(json_get_integer(root, "d", 7), 7);
    ck_assert_int_eq(json_get_integer(root, "e", 7), -2);
}
END_TEST

START_TEST(members_are_got_with_fallbacks)
{
    const struct json *root = parse("{\"s\":\"市\",\"i\":7,\"b\":true,\"d\":1.5}");
    ASSERT_STR(json_get_string(root, "s", STR("-")), "市");
    ASSERT_STR(json_get_string(root, "i", STR("-")), "-");
    ck_assert_int_eq(json_get_integer(root, "i", 0), 7);
    ck_assert_int_eq(json_get_integer(root, "d", 3), 3);
    ck_assert(json_get_boolean(root, "b", false) && json_get_boolean(root, "none", true));
    ck_assert_ptr_null(json_get(NULL, "x"));
    ck_assert_ptr_null(json_get(json_get(root, "s"), "x"));
    ck_assert_double_eq(json_as_double(json_get(root, "d")), 1.5);
    ck_assert_double_eq(json_as_double(NULL), 0);
}
END_TEST

START_TEST(pointers_find_what_rfc_6901_says)
{
    const struct json *root =
        parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"m~n\":8,\"~1\":9,\"o\":{\"p\":[{\"q\":5}]}}");
    ck_assert_ptr_eq(json_at(root, STR("")), root);
    ASSERT_STR(json_at(root, STR("/foo/0"))->string, "bar");
    ck_assert_int_eq(json_at(root, STR("/"))->integer, 0);
    ck_assert_int_eq(json_at(root, STR("/a~1b"))->integer, 1);
    ck_assert_int_eq(json_at(root, STR("/c%d"))->integer, 2);
    ck_assert_int_eq(json_at(root, STR("/m~0n"))->integer, 8);
    ck_assert_int_eq(json_at(root, STR("/~01"))->integer, 9);
    ck_assert_int_eq(json_at(root, STR("/o/p/0/q"))->integer, 5);
    static const char *const absent[] = {"foo",  "/foo/2", "/foo/-",   "/foo/01", "/foo/-1",   "/foo/",
                                         "/m~n", "/m~2n",  "/foo/0/x", "/nope",   "/o/p/0/q/", "/foo/99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(absent); i++)
        ck_assert_msg(!json_at(root, str_of(absent[i])), "%s", absent[i]);
}
END_TEST

START_TEST(equality_is_that_of_json_schema)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"1", "1.0", true},
        {"1", "\"1\"", false},
        {"0", "-0", true},
        {"9007199254740993", "9007199254740992.0", false},
        {"9223372036854775807", "9223372036854775808", false},
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}", true},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"[1,2]", "[2,1]", false},
        {"null", "false", false},
        {"true", "true", true},
        {"\"\\u5e02\"", "\"市\"", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ck_assert_msg(json_equal(parse(cases[i].a), parse(cases[i].b)) == cases[i].equal, "%s %s", cases[i].a, cases[i].b);
        ck_assert(json_equal(parse(cases[i].b), parse(cases[i].a)) == cases[i].equal);
    }
    struct json *up = json_make_object(arena), *down = json_make_object(arena);
    for (int i = 0; i < 200; i++) {
        json_set(arena, up, str_printf(arena, "%d", i), json_make_integer(arena, i));
        json_set(arena, down, str_printf(arena, "%d", 199 - i), json_make_integer(arena, 199 - i));
    }
    ck_assert(json_equal(up, down));
    json_set(arena, down, STR("5"), json_make_integer(arena, 6));
    ck_assert(!json_equal(up, down));
}
END_TEST

START_TEST(trees_are_made_changed_and_cloned)
{
    struct json *root = json_make_object(arena), *list = json_make_array(arena);
    for (int i = 0; i < 9; i++)
        json_append(arena, list, json_make_integer(arena, i));
    json_set(arena, root, STR("list"), list);
    json_set(arena, root, STR("name"), json_make_string(arena, STR("市\n")));
    json_set(arena, root, STR("name"), json_make_boolean(arena, true));
    json_set(arena, root, STR("part"), parse("{ \"raw\" : 1.50 }"));
    ASSERT_STR(json_text(arena, root), "{\"list\":[0,1,2,3,4,5,6,7,8],\"name\":true,\"part\":{ \"raw\" : 1.50 }}");
    struct json *clone = json_clone(arena, root);
    json_set(arena, clone, STR("part"), json_make_integer(arena, 1));
    json_set(arena, clone, STR("more"), json_make_integer(arena, 2));
    ASSERT_STR(json_text(arena, clone), "{\"list\":[0,1,2,3,4,5,6,7,8],\"name\":true,\"part\":1,\"more\":2}");
    ck_assert_uint_eq(root->count, 3);
    struct json *changed = json_clone(arena, parse("{\"a\":{\"b\":[1,2,3,4,5]}}"));
    json_set(arena, changed, STR("c"), json_make_array(arena));
    ASSERT_STR(json_text(arena, changed), "{\"a\":{\"b\":[1,2,3,4,5]},\"c\":[]}");
}
END_TEST

START_TEST(the_writer_places_commas_and_escapes)
{
    struct text text = text_open(arena, 0);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "s", STR("\"\\/\b\f\n\r\t\x01\x7f市😀"));
    json_field_i64(&out, "i", INT64_MIN);
    json_field_bool(&out, "b", false);
    json_field_c(&out, "n", NULL);
    json_field_raw(&out, "r", STR("[1]"));
    json_key_str(&out, STR("a\""));
    json_array(&out);
    json_array(&out);
    json_end(&out);
    json_object(&out);
    json_end(&out);
    json_put_null(&out);
    json_put_c(&out, "x");
    json_put_value(&out, parse("{\"k\" : 1}"));
    json_end_all(&out);
    ASSERT_STR(text_str(&text), "{\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f市😀\",\"i\":-9223372036854775808,\"b\":false,"
                                "\"n\":null,\"r\":[1],\"a\\\"\":[[],{},null,\"x\",{\"k\" : 1}]}");
}
END_TEST

static const char *written(double value)
{
    struct text text = text_open(arena, 0);
    struct json_out out = json_write(&text);
    json_put_double(&out, value);
    return text.at;
}

START_TEST(doubles_are_written_shortest_and_read_back_the_same)
{
    ck_assert_str_eq(written(0.1), "0.1");
    ck_assert_str_eq(written(-12.34), "-12.34");
    ck_assert_str_eq(written(104.065735), "104.065735");
    ck_assert_str_eq(written(100), "100");
    ck_assert_str_eq(written(-0.0), "-0");
    ck_assert_str_eq(written(5e-324), "5e-324");
    ck_assert_str_eq(written(1.0 / 3), "0.3333333333333333");
    ck_assert_str_eq(written(NAN), "null");
    ck_assert_str_eq(written(-INFINITY), "null");
    unsigned long long state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        union {
            unsigned long long bits;
            double value;
        } random = {.bits = state};
        double value = i % 2 ? random.value : (double)(long long)(state >> 30) / 1e5;
        if (isfinite(value)) {
            ck_assert_double_eq(strtod(written(value), NULL), value);
            ck_assert_double_eq(json_as_double(parse(written(value))), value);
        }
    }
}
END_TEST

START_TEST(deep_trees_can_be_written_within_others)
{
    struct json *root = json_make_integer(arena, 1);
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        struct json *outer = json_make_array(arena);
        json_append(arena, outer, root);
        root = outer;
    }
    struct text text = text_open(arena, 0);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_key(&out, "deep");
    json_put_value(&out, root);
    json_end(&out);
    ck_assert_uint_eq(text.len, 2 * JSON_DEPTH_MAX + 10);
}
END_TEST

START_TEST(what_needs_an_escape_is_found_anywhere_in_strings_of_any_length)
{
    for (size_t length = 1; length < 40; length++)
        for (size_t at = 0; at < length; at++) {
            struct text text = text_open(arena, 0);
            struct json_out out = json_write(&text);
            char string[40];
            memset(string, 'x', length);
            string[at] = '"';
            json_put(&out, (struct str){string, length});
            ck_assert_uint_eq(text.len, length + 3);
            ASSERT_STR(parse(text.at)->string, str_to_c(arena, (struct str){string, length}));
        }
}
END_TEST

RUN_TESTS("json_tree", members_are_got_with_fallbacks, a_whole_number_is_got_as_an_integer_however_it_is_written,
          pointers_find_what_rfc_6901_says, equality_is_that_of_json_schema, trees_are_made_changed_and_cloned,
          the_writer_places_commas_and_escapes, what_needs_an_escape_is_found_anywhere_in_strings_of_any_length,
          doubles_are_written_shortest_and_read_back_the_same, deep_trees_can_be_written_within_others)
