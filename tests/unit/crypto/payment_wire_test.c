/* What payment providers sign: texts, sorted parameters, sealed resources, amounts; with vectors of openssl's command. */
#include <shimin/payment_wire.h>

#include "../suite.h"

#include <shimin/id.h>

/* openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048, and a certificate of it: for these tests alone. */
#include "payment_vectors.h"

static struct payment_key *private_key, *certificate;

static void open_keys(void)
{
    const char *reason;
    open_arena();
    private_key = payment_key_read(STR(VECTOR_KEY), &reason);
    certificate = payment_key_read(STR(VECTOR_CERTIFICATE), &reason);
    ck_assert_ptr_nonnull(private_key);
    ck_assert_ptr_nonnull(certificate);
}

static void shut_keys(void)
{
    payment_key_free(private_key);
    payment_key_free(certificate);
    shut_arena();
}

START_TEST(a_certificate_says_its_serial_in_hex_and_in_decimal)
{
    ASSERT_STR(payment_key_serial(certificate), VECTOR_SERIAL);
    ASSERT_STR(payment_key_number(certificate), VECTOR_NUMBER);
    ASSERT_STR(payment_key_serial(private_key), "");
    ck_assert(payment_key_signs(private_key) && !payment_key_signs(certificate));
}
END_TEST

START_TEST(a_wechat_request_is_signed_line_by_line_the_empty_body_too)
{
    struct str text = wechat_request_text(arena, STR("GET"), STR("/v3/certificates"), STR("1554208460"),
                                          STR("593BEC0C930BF1AFEB40B4A08C8FB242"), STR(""));
    ASSERT_STR(text, "GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n");
    ASSERT_STR(payment_sign(arena, private_key, text), VECTOR_WECHAT_SIGNATURE); /* openssl dgst -sha256 -sign */
    ck_assert(payment_verify(certificate, text, STR(VECTOR_WECHAT_SIGNATURE)));
    ck_assert(!payment_verify(certificate, str_slice(text, 0, text.len - 1), STR(VECTOR_WECHAT_SIGNATURE)));
    ck_assert(!payment_verify(certificate, text, STR("WECHATPAY/SIGNTEST/AAAA")));
}
END_TEST

START_TEST(a_sealed_resource_opens_with_its_key_nonce_and_associated_data_only)
{
    struct str key = STR("0123456789abcdef0123456789abcdef"), nonce = STR("0123456789ab"), plain;
    struct str sealed = wechat_seal(arena, key, nonce, STR("transaction"), STR("{\"a\":1}"));
    ASSERT_STR(sealed, VECTOR_SEALED); /* as Node.js seals it */
    ck_assert(wechat_open(arena, key, nonce, STR("transaction"), sealed, &plain));
    ASSERT_STR(plain, "{\"a\":1}");
    ck_assert(!wechat_open(arena, key, nonce, STR("refund"), sealed, &plain));
    ck_assert(!wechat_open(arena, key, STR("0123456789ac"), STR("transaction"), sealed, &plain));
    ck_assert(!wechat_open(arena, key, STR("short"), STR("transaction"), sealed, &plain));
    ck_assert(!wechat_open(arena, key, nonce, STR("transaction"), STR("AAAA"), &plain));
}
END_TEST

START_TEST(parameters_are_sorted_by_their_bytes_and_joined_as_they_are)
{
    struct payment_form form = {.count = 0};
    payment_form_add(&form, "version", STR("1.0"));
    payment_form_add(&form, "app_id", STR("2 & 3"));
    payment_form_add(&form, "Z", STR("水"));
    payment_form_add(&form, "app", STR("x"));
    payment_form_add(&form, "empty", STR(""));
    payment_form_add(&form, "sign", STR("s"));
    ASSERT_STR(payment_form_text(arena, &form, "sign", NULL), "Z=水&app=x&app_id=2 & 3&version=1.0");
    ASSERT_STR(payment_form_write(arena, &form), "version=1.0&app_id=2%20%26%203&Z=%E6%B0%B4&app=x&sign=s");
}
END_TEST

START_TEST(a_form_with_a_name_twice_or_a_broken_escape_is_no_form)
{
    struct payment_form form;
    ck_assert(payment_form_read(arena, STR("a=1&b=%E6%B0%B4+x&c="), &form));
    ASSERT_STR(payment_form_get(&form, "b"), "水 x");
    ck_assert(!payment_form_read(arena, STR("a=1&a=2"), &form));
    ck_assert(!payment_form_read(arena, STR("a=%2"), &form));
}
END_TEST

START_TEST(alipay_and_unionpay_verify_what_they_signed_and_nothing_else)
{
    struct payment_form form = {.count = 0}, other = {.count = 0};
    payment_form_add(&form, "a", STR("1"));
    payment_form_add(&form, "sign_type", STR("RSA2"));
    alipay_form_sign(arena, &form, private_key);
    ck_assert(alipay_form_verify(arena, &form, certificate));
    form.fields[0].value = STR("2");
    ck_assert(!alipay_form_verify(arena, &form, certificate));
    payment_form_add(&other, "txnType", STR("01"));
    payment_form_add(&other, "merId", STR("777290058110048"));
    unionpay_form_sign(arena, &other, private_key);
    ASSERT_STR(payment_form_get(&other, "signature"), VECTOR_UNIONPAY_SIGNATURE); /* over the hex of sha256 */
    ck_assert(unionpay_form_verify(arena, &other, certificate));
    other.fields[0].value = STR("04");
    ck_assert(!unionpay_form_verify(arena, &other, certificate));
}
END_TEST

START_TEST(unionpays_answers_are_not_escaped_and_braces_hold_ampersands)
{
    struct payment_form form;
    ck_assert(unionpay_answer_read(STR("respCode=00&cardNo={a=1&b=2}&signature=ab+/=="), &form));
    ASSERT_STR(payment_form_get(&form, "cardNo"), "{a=1&b=2}");
    ASSERT_STR(payment_form_get(&form, "signature"), "ab+/==");
    ck_assert(!unionpay_answer_read(STR("<html>maintenance</html>"), &form));
    ck_assert(!unionpay_answer_read(STR("a=1&a=2"), &form));
}
END_TEST

START_TEST(the_signed_object_of_an_answer_is_taken_byte_by_byte_from_the_outermost)
{
    struct str body = STR(" {\"x\":{\"r\":{\"no\":1}},\"r\" : {\"msg\":\"a } \\\" {\", \"n\":{}}, \"sign\":\"s\"}");
    ASSERT_STR(alipay_answer_text(body, STR("r")), "{\"msg\":\"a } \\\" {\", \"n\":{}}");
    ck_assert_ptr_null(alipay_answer_text(body, STR("absent")).at);
    ck_assert_ptr_null(alipay_answer_text(STR("{\"r\":{"), STR("r")).at);
    ck_assert_ptr_null(alipay_answer_text(STR("[]"), STR("r")).at);
}
END_TEST

START_TEST(yuan_and_fen_are_one_amount)
{
    static const struct {
        const char *yuan;
        int64_t fen;
    } good[] = {{"0.01", 1}, {"12.3", 1230}, {"12", 1200}, {"0.00", 0}, {"90000000000000.00", 9000000000000000}};
    static const char *const bad[] = {"",         ".5",  "1.", "1.234", "-1.00",
                                      "1,000.00", "1e3", " 1", "1.-5",  "99999999999999999999"};
    int64_t fen;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        ck_assert(payment_fen(str_of(good[i].yuan), false, &fen));
        ck_assert_int_eq(fen, good[i].fen);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ck_assert_msg(!payment_fen(str_of(bad[i]), false, &fen), "%s", bad[i]);
    ck_assert(payment_fen(STR("-0.05"), true, &fen) && fen == -5);
    ASSERT_STR(payment_yuan(arena, 5), "0.05");
    ASSERT_STR(payment_yuan(arena, -12345), "-123.45");
}
END_TEST

START_TEST(a_certificate_is_vouched_for_by_its_authority_and_its_name)
{
    const char *reason;
    struct payment_key *key = payment_key_vouched(STR(VECTOR_CERTIFICATE), STR(VECTOR_CERTIFICATE), STR("UnionPay"), &reason);
    ck_assert_ptr_nonnull(key);
    payment_key_free(key);
    ck_assert_ptr_null(payment_key_vouched(STR(VECTOR_CERTIFICATE), STR(VECTOR_CERTIFICATE), STR("Union"), &reason));
    ck_assert_ptr_null(payment_key_vouched(STR(VECTOR_CERTIFICATE), STR(VECTOR_STRANGER), STR("UnionPay"), &reason));
    ck_assert_ptr_null(payment_key_vouched(STR("none"), STR(VECTOR_CERTIFICATE), STR("UnionPay"), &reason));
}
END_TEST

RUN_TESTS_BETWEEN(open_keys, shut_keys, "payment wire", a_certificate_says_its_serial_in_hex_and_in_decimal,
                  a_wechat_request_is_signed_line_by_line_the_empty_body_too,
                  a_sealed_resource_opens_with_its_key_nonce_and_associated_data_only,
                  parameters_are_sorted_by_their_bytes_and_joined_as_they_are,
                  a_form_with_a_name_twice_or_a_broken_escape_is_no_form,
                  alipay_and_unionpay_verify_what_they_signed_and_nothing_else,
                  unionpays_answers_are_not_escaped_and_braces_hold_ampersands,
                  the_signed_object_of_an_answer_is_taken_byte_by_byte_from_the_outermost, yuan_and_fen_are_one_amount,
                  a_certificate_is_vouched_for_by_its_authority_and_its_name)
