/* Structured fields: what parses, what it becomes, what is refused. The rows follow RFC 9651's own examples and rules. */
#include "crypto/structured_fields.h"

#include "support.h"

enum kind { ITEM, LIST, DICTIONARY };

/* The field parsed and serialised again; STR_NONE if it is refused. */
static struct str round_trip(enum kind kind, struct str text)
{
    struct text out = text_open(arena, 64);
    struct sf_members members;
    struct sf_item item;
    bool parsed;

    text_add_c(&out, "");
    switch (kind) {
    case ITEM:
        parsed = sf_parse_item(arena, text, &item);
        ck_assert(!parsed || sf_write_item(&out, &item));
        break;
    case LIST:
        parsed = sf_parse_list(arena, text, &members);
        ck_assert(!parsed || sf_write_list(&out, &members));
        break;
    default:
        parsed = sf_parse_dictionary(arena, text, &members);
        ck_assert(!parsed || sf_write_dictionary(&out, &members));
    }
    return parsed ? text_str(&out) : STR_NONE;
}

/* `canonical` NULL: the same as the text. */
static const struct {
    enum kind kind;
    const char *text, *canonical;
} good[] = {
    {ITEM, "42"},
    {ITEM, "-0", "0"},
    {ITEM, "00042", "42"},
    {ITEM, "-999999999999999"},
    {ITEM, "4.5"},
    {ITEM, "-4.500", "-4.5"},
    {ITEM, "123456789012.123"},
    {ITEM, "-0.001"},
    {ITEM, "1.0"},
    {ITEM, "  \"hello \\\"world\\\" \\\\\"  ", "\"hello \\\"world\\\" \\\\\""},
    {ITEM, "\"\""},
    {ITEM, "foo123/456"},
    {ITEM, "*a:b~!#$%&'*+-.^_`|"},
    {ITEM, ":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:"},
    {ITEM, "::"},
    {ITEM, "?1"},
    {ITEM, "?0;a;b=?0;c"},
    {ITEM, "@1659578233"},
    {ITEM, "@-1"},
    {ITEM, "%\"This is intended for display to %c3%bcsers.\""},
    {ITEM, "%\"%22%25%61\"", "%\"%22%25a\""},
    {ITEM, "a;  b=1;b=2", "a;b=2"},
    {LIST, ""},
    {LIST, "sugar, tea ,rum\t,\t\"x\"", "sugar, tea, rum, \"x\""},
    {LIST, "(\"foo\" \"bar\"), (  \"baz\"   ), ()", "(\"foo\" \"bar\"), (\"baz\"), ()"},
    {LIST, "(\"foo\"; a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1", "(\"foo\";a=1;b=2);lvl=5, (\"bar\" \"baz\");lvl=1"},
    {DICTIONARY, ""},
    {DICTIONARY, "en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:"},
    {DICTIONARY, "a=?0, b, c; foo=bar", "a=?0, b, c;foo=bar"},
    {DICTIONARY, "a=?1;x", "a;x"},
    {DICTIONARY, "a=1,b=2;x=1;y=2,a=3", "a=3, b=2;x=1;y=2"},
    {DICTIONARY, "rating=1.5, feelings=(joy sadness)"},
    {DICTIONARY, "sig1=(\"@method\" \"@target-uri\");created=1618884473;keyid=\"k\""},
};

START_TEST(a_good_field_reads_and_writes_canonically)
{
    const char *expected = good[_i].canonical ? good[_i].canonical : good[_i].text;

    ck_str_is(round_trip(good[_i].kind, str_of(good[_i].text)), expected);
    ck_str_is(round_trip(good[_i].kind, str_of(expected)), expected);
}
END_TEST

static const struct {
    enum kind kind;
    const char *text;
} bad[] = {
    {ITEM, ""},
    {ITEM, " "},
    {ITEM, "1 2"},
    {ITEM, "\t1"},
    {ITEM, "1\t"},
    {ITEM, "-"},
    {ITEM, "--1"},
    {ITEM, "1."},
    {ITEM, "1.2345"},
    {ITEM, "1234567890123.0"},
    {ITEM, ".5"},
    {ITEM, "1e3"},
    {ITEM, "\"a"},
    {ITEM, "\"\\a\""},
    {ITEM, "\"\\"},
    {ITEM, "\"\x7f\""},
    {ITEM, "\"\n\""},
    {ITEM, "\"\xc3\xbc\""},
    {ITEM, "'a'"},
    {ITEM, ":a:"},
    {ITEM, ":aGk"},
    {ITEM, ":a-_/:"},
    {ITEM, ":YQ:"},
    {ITEM, "?"},
    {ITEM, "?2"},
    {ITEM, "@"},
    {ITEM, "@1.0"},
    {ITEM, "%\"%C3%BC\""},
    {ITEM, "%\"%c3\""},
    {ITEM, "%\"%c"},
    {ITEM, "%\"%"},
    {ITEM, "%a"},
    {ITEM, "1;"},
    {ITEM, "1;A=1"},
    {ITEM, "1;a="},
    {ITEM, "1;a=;b"},
    {ITEM, "1 ;a"},
    {ITEM, "(1)"},
    {ITEM, "1,2"},
    {ITEM, "1234567890123456"},
    {LIST, "1,"},
    {LIST, ",1"},
    {LIST, "1,,2"},
    {LIST, "1 2"},
    {LIST, "(1"},
    {LIST, "(1 2"},
    {LIST, "(1\t2)"},
    {LIST, "(1,2)"},
    {LIST, "(\"a\"\"b\")"},
    {LIST, "((1))"},
    {LIST, "1)"},
    {LIST, "(1);"},
    {DICTIONARY, "A=1"},
    {DICTIONARY, "a="},
    {DICTIONARY, "a=1,"},
    {DICTIONARY, "=1"},
    {DICTIONARY, "a=1 b"},
    {DICTIONARY, "a =1"},
    {DICTIONARY, "a= 1"},
    {DICTIONARY, "-a=1"},
    {DICTIONARY, "1=1"},
    {DICTIONARY, "a;b=\""},
};

START_TEST(a_bad_field_is_refused)
{
    struct str text = str_of(bad[_i].text);

    ck_assert_msg(!round_trip(bad[_i].kind, text).at, "%s", bad[_i].text);
}
END_TEST

START_TEST(values_have_their_types)
{
    struct sf_item item;

    ck_assert(sf_parse_item(arena, STR("-1.5;s=\"a\\\"b\";t=tok;x=:AAE=:;d=@7;u=%\"%e5%b8%82\";b"), &item));
    ck_assert(item.value.type == SF_DECIMAL && item.value.integer == -1500);
    ck_assert_uint_eq(item.parameter_count, 6);
    ck_str_is(sf_parameter(&item, "s")->text, "a\"b");
    ck_assert_int_eq(sf_parameter(&item, "t")->type, SF_TOKEN);
    ck_assert(str_equal(sf_parameter(&item, "x")->text, ((struct str){"\0\1", 2})));
    ck_assert(sf_parameter(&item, "d")->type == SF_DATE && sf_parameter(&item, "d")->integer == 7);
    ck_str_is(sf_parameter(&item, "u")->text, "市");
    ck_assert(sf_parameter(&item, "b")->type == SF_BOOLEAN && sf_parameter(&item, "b")->boolean);
    ck_assert_ptr_null(sf_parameter(&item, "z"));
}
END_TEST

START_TEST(a_dictionary_is_looked_up_by_key)
{
    struct sf_members dictionary;

    ck_assert(sf_parse_dictionary(arena, STR("a=1, b=(x y);q"), &dictionary));
    ck_assert_int_eq((int)sf_get(&dictionary, "a")->item.value.integer, 1);
    ck_assert_uint_eq(sf_get(&dictionary, "b")->item_count, 2);
    ck_assert_ptr_nonnull(sf_parameter(&sf_get(&dictionary, "b")->item, "q"));
    ck_assert_ptr_null(sf_get(&dictionary, "c"));
}
END_TEST

START_TEST(lists_are_bounded)
{
    struct text members = text_open(arena, 8192), items = text_open(arena, 8192), parameters = text_open(arena, 8192);
    struct sf_members list;

    for (int i = 0; i < 1024; i++)
        text_printf(&members, "%sk%d", i ? "," : "", i);
    for (int i = 0; i < 256; i++) {
        text_add_c(&items, i ? " 1" : "(1");
        text_printf(&parameters, "%sp%d", i ? ";" : "x;", i);
    }
    ck_assert(sf_parse_list(arena, text_str(&members), &list) && list.count == SF_MEMBERS_MAX);
    ck_assert(sf_parse_dictionary(arena, text_str(&members), &list) && list.count == SF_MEMBERS_MAX);
    ck_assert_ptr_nonnull(sf_get(&list, "k1023"));
    ck_assert(sf_parse_list(arena, text_str(&parameters), &list));
    text_add_c(&members, ",k1024");
    ck_assert(!sf_parse_list(arena, text_str(&members), &list) && !sf_parse_dictionary(arena, text_str(&members), &list));
    text_add_c(&parameters, ";p256");
    ck_assert(!sf_parse_list(arena, text_str(&parameters), &list));
    ck_assert(!sf_parse_list(arena, str_printf(arena, "%.*s 1)", STR_ARG(text_str(&items))), &list));
    ck_assert(sf_parse_list(arena, str_printf(arena, "%.*s)", STR_ARG(text_str(&items))), &list));
    ck_assert_uint_eq(list.members[0].item_count, SF_ITEMS_MAX);
}
END_TEST

static const struct sf_value unwritable[] = {
    {.type = SF_INTEGER, .integer = SF_INTEGER_MAX + 1},
    {.type = SF_INTEGER, .integer = INT64_MIN},
    {.type = SF_DECIMAL, .integer = 1000000000000000},
    {.type = SF_DATE, .integer = INT64_MAX},
    {.type = SF_STRING, .text = {"\n", 1}},
    {.type = SF_STRING, .text = {"\xc3\xbc", 2}},
    {.type = SF_STRING, .text = {"\0", 1}},
    {.type = SF_TOKEN, .text = {"", 0}},
    {.type = SF_TOKEN, .text = {"1a", 2}},
    {.type = SF_TOKEN, .text = {"a b", 3}},
    {.type = SF_TOKEN, .text = {"a\0", 2}},
    {.type = SF_DISPLAY_STRING, .text = {"\xff", 1}},
};

START_TEST(what_no_field_can_carry_is_not_written)
{
    struct text out = text_open(arena, 64);

    ck_assert(!sf_write_value(&out, &unwritable[_i]));
}
END_TEST

START_TEST(a_wrong_key_is_not_written)
{
    struct text out = text_open(arena, 64);
    static const char *const keys[] = {"", "A", "1", "a b", "a=", "\xc3\xbc"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct sf_member member = {.key = str_of(keys[i]), .item.value = sf_integer(1)};
        struct sf_members dictionary = {&member, 1};
        ck_assert(!sf_write_dictionary(&out, &dictionary));
    }
}
END_TEST

int main(void)
{
    TCase *tests = tests_open();

    tcase_add_loop_test(tests, a_good_field_reads_and_writes_canonically, 0, COUNT_OF(good));
    tcase_add_loop_test(tests, a_bad_field_is_refused, 0, COUNT_OF(bad));
    tcase_add_test(tests, values_have_their_types);
    tcase_add_test(tests, a_dictionary_is_looked_up_by_key);
    tcase_add_test(tests, lists_are_bounded);
    tcase_add_loop_test(tests, what_no_field_can_carry_is_not_written, 0, COUNT_OF(unwritable));
    tcase_add_test(tests, a_wrong_key_is_not_written);
    return run(tests, "structured fields");
}
