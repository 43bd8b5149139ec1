/* One-time passwords: the RFC's vectors, the window, and how a secret goes into an app. */
#include "crypto/totp.h"

#include "../suite.h"

#include <shimin/clock.h>

/* RFC 6238, appendix B (SHA-1), in seconds since 1970. */
static const struct {
    int64_t time;
    uint32_t code;
} vectors[] = {
    {59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
    {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130},
};

static const struct str secret = {"12345678901234567890", 20};

START_TEST(the_rfcs_codes_come_out)
{
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        int64_t step = totp_step(seconds(vectors[i].time));
        ck_assert_int_eq(step, vectors[i].time / 30);
        ck_assert_uint_eq(totp_code(secret, step, 8), vectors[i].code);
        ck_assert_uint_eq(totp_code(secret, step, 6), vectors[i].code % 1000000);
    }
}
END_TEST

START_TEST(codes_of_one_step_before_and_after_are_found)
{
    int64_t now = seconds(1111111109), step = totp_step(now);
    for (int64_t off = -3; off <= 3; off++) {
        struct str code = str_printf(arena, "%06u", totp_code(secret, step + off, 6));
        ck_assert_int_eq(totp_find(secret, now, code), off >= -1 && off <= 1 ? step + off : -1);
    }
}
END_TEST

START_TEST(what_is_not_six_digits_is_not_found)
{
    int64_t now = seconds(1111111109);
    ck_assert_int_eq(totp_find(secret, now, STR("081804")), totp_step(now));
    static const char *const wrong[] = {"",
                                        "81804",
                                        "0081804",
                                        "081804 ",
                                        "08180a",
                                        "\xd9\xa0"
                                        "1804"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_int_eq(totp_find(secret, now, str_of(wrong[i])), -1);
    ck_assert_int_eq(totp_find(secret, now, STR_NONE), -1);
}
END_TEST

/* RFC 4648 §10 without the padding. */
START_TEST(base32_is_that_of_the_rfc)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "MY"},
                                           {"fo", "MZXQ"},
                                           {"foo", "MZXW6"},
                                           {"foob", "MZXW6YQ"},
                                           {"fooba", "MZXW6YTB"},
                                           {"foobar", "MZXW6YTBOI"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        ck_assert(str_is(base32_encode(arena, str_of(pairs[i][0])), pairs[i][1]));
}
END_TEST

START_TEST(names_are_encoded_in_the_uri)
{
    struct str uri = totp_uri(arena, STR("Shimin 市"), STR("a&b"), secret);
    ck_assert(str_is(uri,
                     "otpauth://totp/Shimin%20%E5%B8%82:a%26b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shimin%20%E5%B8%82"
                     "&algorithm=SHA1&digits=6&period=30"));
}
END_TEST

RUN_TESTS("totp", the_rfcs_codes_come_out, codes_of_one_step_before_and_after_are_found, what_is_not_six_digits_is_not_found,
          base32_is_that_of_the_rfc, names_are_encoded_in_the_uri)
