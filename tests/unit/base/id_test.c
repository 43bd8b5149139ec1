/* Random bytes, identifiers, encodings, Chinese numbers, masks. */
#include "../suite.h"

#include <shimin/clock.h>
#include <shimin/id.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(identifiers_are_uuids_of_version_7_and_sort_by_time)
{
    struct str before = STR("");
    for (int i = 0; i < 5000; i++) {
        struct str id = id_new(arena);
        ck_assert(id_is_uuid(id));
        ck_assert(id.at[14] == '7' && strchr("89ab", id.at[19]));
        ck_assert_int_gt(str_compare(id, before), 0);
        before = id;
    }
    unsigned long long milliseconds = strtoull(str_printf(arena, "%.8s%.4s", before.at, before.at + 9).at, NULL, 16);
    ck_assert_int_lt(llabs(clock_wall() / 1000 - (long long)milliseconds), 1000);
    ck_assert(!id_is_uuid(STR("0190163d-8694-739b-aea5-966c26f8ad9")));
    ck_assert(!id_is_uuid(STR("0190163d-8694-739b-aea5-966c26f8ad9g")));
    ck_assert(!id_is_uuid(STR("0190163d08694-739b-aea5-966c26f8ad91")));
    ck_assert(id_is_uuid(STR("0190163D-8694-739B-AEA5-966C26F8AD91")));
}
END_TEST

START_TEST(a_child_process_draws_other_random_bytes_than_its_parent)
{
    unsigned char first[16], parent[16], child[16];
    int ends[2];
    random_bytes(first, sizeof(first));
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        random_bytes(child, sizeof(child));
        _exit(write(ends[1], child, sizeof(child)) == sizeof(child) ? 0 : 1);
    }
    random_bytes(parent, sizeof(parent));
    ck_assert_int_eq(read(ends[0], child, sizeof(child)), sizeof(child));
    waitpid(pid, NULL, 0);
    ck_assert_int_ne(memcmp(parent, child, sizeof(child)), 0);
    ck_assert_int_ne(memcmp(parent, first, sizeof(first)), 0);
    static unsigned char large[3000];
    random_bytes(large, sizeof(large));
    size_t zeroes = 0;
    for (size_t i = 0; i < sizeof(large); i++)
        zeroes += large[i] == 0;
    ck_assert_uint_lt(zeroes, 60);
}
END_TEST

START_TEST(encodings_give_the_vectors_of_rfc_4648)
{
    static const struct {
        const char *plain, *base64, *base64url;
    } vectors[] = {{"", "", ""},
                   {"f", "Zg==", "Zg"},
                   {"fo", "Zm8=", "Zm8"},
                   {"foo", "Zm9v", "Zm9v"},
                   {"foob", "Zm9vYg==", "Zm9vYg"},
                   {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                   {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                   {"\xfb\xff\xfe", "+//+", "-__-"}};
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        size_t n = strlen(vectors[i].plain);
        struct str out;
        ASSERT_STR(base64_encode(arena, vectors[i].plain, n), vectors[i].base64);
        ASSERT_STR(base64url_encode(arena, vectors[i].plain, n), vectors[i].base64url);
        ck_assert(base64_decode(arena, str_of(vectors[i].base64), &out));
        ASSERT_STR(out, vectors[i].plain);
        ck_assert(base64url_decode(arena, str_of(vectors[i].base64url), &out));
        ASSERT_STR(out, vectors[i].plain);
    }
    ASSERT_STR(hex_encode(arena, "\x00\xAB\xff", 3), "00abff");
    unsigned char bytes[3];
    ck_assert(hex_decode(STR("00aBFf"), bytes, 3) && memcmp(bytes, "\x00\xAB\xff", 3) == 0);
    ck_assert(!hex_decode(STR("00abf"), bytes, 3) && !hex_decode(STR("00abfg"), bytes, 3));
    ck_assert(!hex_decode(STR("00ab"), bytes, 3) && !hex_decode(STR("00abff00"), bytes, 3));
}
END_TEST

START_TEST(decoding_is_strict)
{
    static const char *const base64[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "=", "Zm9v\n", "Zm-v", " Zg=="};
    static const char *const base64url[] = {"Zg==", "Zh", "Zm9", "Z", "Zm+v", "Zm/v", "Zm9v "};
    struct str out;
    for (size_t i = 0; i < COUNT_OF(base64); i++)
        ck_assert_msg(!base64_decode(arena, str_of(base64[i]), &out), "%s", base64[i]);
    for (size_t i = 0; i < COUNT_OF(base64url); i++)
        ck_assert_msg(!base64url_decode(arena, str_of(base64url[i]), &out), "%s", base64url[i]);
}
END_TEST

/* The first two are the examples of GB 11643 itself. */
START_TEST(citizen_numbers_have_a_check_digit_and_a_date_that_was)
{
    static const char *const valid[] = {"11010519491231002X", "440524188001010014", "34052419800101001X",
                                        "513101198201130014", "370101190102039973", "11010519491231002x"};
    static const char *const invalid[] = {"",
                                          "110105194912310021",
                                          "11010519491231002",
                                          "11010519491231002XX",
                                          "1101051949123100 X",
                                          "X10105194912310022",
                                          "110105491231002",
                                          "110105194913310028", /* month 13 */
                                          "110105299912310021"};
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        ck_assert_msg(cn_id_is_valid(str_of(valid[i])), "%s", valid[i]);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        ck_assert_msg(!cn_id_is_valid(str_of(invalid[i])), "%s", invalid[i]);
}
END_TEST

/* Appends the right check character to 17 digits. */
static struct str with_check(const char *digits)
{
    for (const char *check = "0123456789X"; *check; check++) {
        struct str number = str_printf(arena, "%s%c", digits, *check);
        int sum = 0, weight = 1;
        for (size_t i = 18; i-- > 0; weight = weight * 2 % 11) /* ISO 7064 MOD 11-2: the weighted sum is 1 modulo 11 */
            sum += (number.at[i] == 'X' ? 10 : number.at[i] - '0') * weight;
        if (sum % 11 == 1)
            return number;
    }
    return STR_NONE;
}

START_TEST(a_right_check_digit_does_not_excuse_a_date_that_never_was_or_is_to_come)
{
    ck_assert(cn_id_is_valid(with_check("51010419900229001")) == false);
    ck_assert(cn_id_is_valid(with_check("51010419920229001")));
    ck_assert(!cn_id_is_valid(with_check("51010419901301001")));
    struct civil tomorrow = time_civil(clock_wall() + seconds(86400)), today = time_civil(clock_wall());
    const char *next = str_printf(arena, "510104%04d%02d%02d001", tomorrow.year, tomorrow.month, tomorrow.day).at;
    ck_assert(!cn_id_is_valid(with_check(next)));
    ck_assert(cn_id_is_valid(with_check(str_printf(arena, "510104%04d%02d%02d001", today.year, today.month, today.day).at)));
}
END_TEST

START_TEST(social_credit_codes_have_a_check_character)
{
    static const char *const valid[] = {"91110000600037341L", "91350100M000100Y43"};
    static const char *const invalid[] = {"91350100M000100Y4Z", "91350100M000100Y4",  "91350100m000100Y43",
                                          "9135010OM000100Y43", "91110000600037341I", "",
                                          "91110000600037342L", "911A0000600037341L"};
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        ck_assert_msg(cn_uscc_is_valid(str_of(valid[i])), "%s", valid[i]);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        ck_assert_msg(!cn_uscc_is_valid(str_of(invalid[i])), "%s", invalid[i]);
    ck_assert(!cn_uscc_is_valid(STR("91110000600037341\0")));
}
END_TEST

START_TEST(mobile_numbers_become_e164)
{
    struct str e164;
    ck_assert(cn_mobile_normalise(arena, STR("13800138000"), &e164));
    ASSERT_STR(e164, "+8613800138000");
    ck_assert(cn_mobile_normalise(arena, STR("+8619912345678"), &e164));
    ASSERT_STR(e164, "+8619912345678");
    static const char *const invalid[] = {
        "",   "12345678901", "1380013800", "138001380000", "23800138000", "+85213800138000", "138-0013-8000", "8613800138000",
        "+86"};
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        ck_assert_msg(!cn_mobile_normalise(arena, str_of(invalid[i]), &e164), "%s", invalid[i]);
}
END_TEST

START_TEST(division_codes_have_a_province_and_a_length)
{
    static const char *const valid[] = {"51", "5101", "510104", "510104021", "510104021001", "441900003000", "810000"};
    static const char *const invalid[] = {"", "5", "510", "51010", "99", "001000", "51010a", "5101040210", "5101040210011"};
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        ck_assert_msg(cn_area_is_valid(str_of(valid[i])), "%s", valid[i]);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        ck_assert_msg(!cn_area_is_valid(str_of(invalid[i])), "%s", invalid[i]);
}
END_TEST

START_TEST(masks_show_what_they_may_and_hide_short_values_whole)
{
    static const struct {
        const char *rule, *value, *masked;
    } cases[] = {
        {"id_number", "51010419491231002X", "510104********002X"},
        {"id_number", "E12345678", "*********"},
        {"phone_number", "13800138000", "138****8000"},
        {"phone_number", "+8613800138000", "+86138****8000"},
        {"phone_number", "12345", "*****"},
        {"name", "张三", "张*"},
        {"name", "欧阳修文", "欧*"},
        {"name", "张", "*"},
        {"bank_card", "6222021234561234", "**** 1234"},
        {"bank_card", "1234", "****"},
        {"plate", "川A12345", "川A***45"},
        {"plate", "川AD12345", "川A****45"},
        {"plate", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum mask_rule rule;
        ck_assert(mask_rule_named(str_of(cases[i].rule), &rule));
        ASSERT_STR(mask_apply(arena, rule, str_of(cases[i].value)), cases[i].masked);
    }
    enum mask_rule rule;
    ck_assert(!mask_rule_named(STR("none"), &rule) && !mask_rule_named(STR(""), &rule));
    ASSERT_STR(mask_apply(arena, MASK_NONE, STR("市民")), "市民");
}
END_TEST

RUN_TESTS("id", identifiers_are_uuids_of_version_7_and_sort_by_time, a_child_process_draws_other_random_bytes_than_its_parent,
          encodings_give_the_vectors_of_rfc_4648, decoding_is_strict, citizen_numbers_have_a_check_digit_and_a_date_that_was,
          a_right_check_digit_does_not_excuse_a_date_that_never_was_or_is_to_come, social_credit_codes_have_a_check_character,
          mobile_numbers_become_e164, division_codes_have_a_province_and_a_length,
          masks_show_what_they_may_and_hide_short_values_whole)
