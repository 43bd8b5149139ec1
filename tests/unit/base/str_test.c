/* Strings and texts. */
#include "../suite.h"

#include <math.h>
#include <string.h>

START_TEST(spans_compare_by_bytes_and_length)
{
    ck_assert(str_equal(STR("市民"), STR("市民")));
    ck_assert(!str_equal(STR("a"), STR("ab")));
    ck_assert(str_equal(STR_NONE, STR("")));
    ck_assert(str_equal_nocase(STR("Content-TYPE"), STR("content-type")));
    ck_assert(!str_equal_nocase(STR("a["), STR("a{")));
    ck_assert_int_lt(str_compare(STR("a"), STR("ab")), 0);
    ck_assert_int_gt(str_compare(STR("b"), STR("ab")), 0);
    ck_assert_int_eq(str_compare(STR_NONE, STR("")), 0);
}
END_TEST

START_TEST(a_span_is_searched_sliced_trimmed_and_cut)
{
    ck_assert(str_starts(STR("/v1/x"), STR("/v1")) && !str_starts(STR("/"), STR("/v1")));
    ck_assert(str_ends(STR("a.json"), STR(".json")) && !str_ends(STR("n"), STR("json")));
    ck_assert_int_eq(str_find(STR("服务事项"), STR("事")), 6);
    ck_assert_int_eq(str_find(STR("abc"), STR("cd")), -1);
    ck_assert_int_eq(str_find(STR_NONE, STR("")), 0);
    ASSERT_STR(str_slice(STR("abcdef"), 2, 4), "cd");
    ASSERT_STR(str_slice(STR("abc"), 9, 99), "");
    ASSERT_STR(str_trim(STR(" \t\r\nx y\n ")), "x y");
    ASSERT_STR(str_trim(STR("  ")), "");
}
END_TEST

START_TEST(cutting_yields_every_part_and_then_none)
{
    struct str rest = STR("a,,b,");
    char joined[16] = "";
    while (rest.at) {
        struct str part = str_cut(&rest, ',');
        strncat(joined, part.at, part.len);
        strcat(joined, "|");
    }
    ck_assert_str_eq(joined, "a||b||");
}
END_TEST

START_TEST(integers_are_read_whole_or_refused)
{
    static const struct {
        const char *text;
        bool valid;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-7", true, -7},
        {"9223372036854775807", true, INT64_MAX},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {"1 ", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"1.0", false, 0},
        {"0x1", false, 0},
        {"--1", false, 0},
        {"1a", false, 0},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 99;
        ck_assert_msg(str_to_i64(str_of(cases[i].text), &value) == cases[i].valid, "%s", cases[i].text);
        ck_assert_int_eq(value, cases[i].valid ? cases[i].value : 99);
    }
}
END_TEST

START_TEST(doubles_are_read_exactly_as_strtod_reads_them)
{
    static const char *const valid[] = {"0",
                                        "1.5",
                                        "-0.1",
                                        "104.065735",
                                        "1e22",
                                        "1e23",
                                        "2.2e-308",
                                        "5e-324",
                                        "1e-400",
                                        "123456789012345678901234567890",
                                        "0.1000000000000000055511151231257827021181583404541015625",
                                        "1.7976931348623157e308",
                                        "9007199254740993",
                                        "0.000000000000000000000000000001"};
    static const char *const invalid[] = {"", "-", ".5", "1.", "1e", "1e+", "inf", "nan", "0x1p3", " 1", "1 ", "1e400", "+1"};
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        double value;
        ck_assert_msg(str_to_double(str_of(valid[i]), &value), "%s", valid[i]);
        ck_assert_double_eq(value, strtod(valid[i], NULL));
    }
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        double value;
        ck_assert_msg(!str_to_double(str_of(invalid[i]), &value), "%s", invalid[i]);
    }
}
END_TEST

START_TEST(utf8_is_valid_only_as_rfc_3629_says)
{
    static const char *const valid[] = {
        "", "abc", "é", "市民云", "😀", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "0123456789012345市"};
    static const char *const invalid[] = {"\x80",
                                          "\xC0\x80",
                                          "\xC1\xBF",
                                          "\xE0\x9F\xBF",
                                          "\xED\xA0\x80",
                                          "\xF0\x8F\xBF\xBF",
                                          "\xF4\x90\x80\x80",
                                          "\xF5\x80\x80\x80",
                                          "\xE5\xB8",
                                          "\xC3",
                                          "12345678\xFF",
                                          "\xE5(\xB8"};
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        ck_assert_msg(str_is_utf8(str_of(valid[i])), "%s", valid[i]);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        ck_assert_msg(!str_is_utf8(str_of(invalid[i])), "invalid %zu", i);
    ck_assert(str_is_utf8(STR_NONE));
    ck_assert_uint_eq(str_code_points(STR("a市é😀")), 4);
}
END_TEST

START_TEST(folding_knows_case_and_full_width)
{
    ASSERT_STR(str_fold(arena, STR("Gjj ＧＪＪ　１２３！～ 公积金。")), "gjj gjj 123!~ 公积金。");
    ASSERT_STR(str_fold(arena, STR("\xEF\xBD\x9F\xEF\xBC\x80、\xEF")),
               "\xEF\xBD\x9F\xEF\xBC\x80、\xEF"); /* neighbours; a cut end */
    ASSERT_STR(str_fold(arena, STR("")), "");
}
END_TEST

START_TEST(percent_coding_round_trips_and_refuses_broken_escapes)
{
    struct str out;
    ASSERT_STR(str_percent_encode(arena, STR("a b/市~")), "a%20b%2F%E5%B8%82~");
    ck_assert(str_percent_decode(arena, STR("a%20b%2f%E5%B8%82+"), false, &out));
    ASSERT_STR(out, "a b/市+");
    ck_assert(str_percent_decode(arena, STR("a+b"), true, &out));
    ASSERT_STR(out, "a b");
    ck_assert(!str_percent_decode(arena, STR("%"), false, &out));
    ck_assert(!str_percent_decode(arena, STR("%2"), false, &out));
    ck_assert(!str_percent_decode(arena, STR("%zz"), false, &out));
}
END_TEST

START_TEST(a_text_grows_and_stays_terminated)
{
    struct text text = text_open(arena, 0);
    ASSERT_STR(text_str(&text), "");
    for (int i = 0; i < 2000; i++) {
        text_add_i64(&text, i);
        text_add_char(&text, ' ');
        ck_assert_uint_eq(strlen(text.at), text.len);
    }
    text_printf(&text, "%0500d", 7);
    ck_assert_uint_eq(strlen(text.at), text.len);
    struct text limits = text_open(arena, 4);
    text_add_i64(&limits, INT64_MIN);
    ASSERT_STR(text_str(&limits), "-9223372036854775808");
    ASSERT_STR(str_printf(arena, "%s-%d", "市民", 5), "市民-5");
    for (int n = 250; n < 262; n++)
        ck_assert_uint_eq(strlen(str_printf(arena, "%0*d", n, 7).at), (size_t)n);
    ck_assert_str_eq(str_to_c(arena, STR_NONE), "");
    ck_assert_ptr_null(str_copy(arena, STR_NONE).at);
}
END_TEST

RUN_TESTS("str", spans_compare_by_bytes_and_length, a_span_is_searched_sliced_trimmed_and_cut,
          cutting_yields_every_part_and_then_none, integers_are_read_whole_or_refused,
          doubles_are_read_exactly_as_strtod_reads_them, utf8_is_valid_only_as_rfc_3629_says, folding_knows_case_and_full_width,
          percent_coding_round_trips_and_refuses_broken_escapes, a_text_grows_and_stays_terminated)
