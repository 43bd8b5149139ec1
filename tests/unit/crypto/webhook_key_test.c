/* Standard Webhooks: the published vector, and keys that sign what they should. */
#include "crypto/webhook_key.h"

#include "support.h"

START_TEST(the_published_vector_comes_out)
{
    struct str secret;
    ck_assert(base64_decode(arena, STR("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &secret));
    ck_str_is(
        webhook_sign(arena, WEBHOOK_V1, secret, STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330, STR("{\"test\": 2432232314}")),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}
END_TEST

/* RFC 8032 §7.1, test 1: the private key that has this public key. */
START_TEST(a_public_key_is_that_of_its_secret)
{
    char secret[32];
    ck_assert(hex_decode(STR("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), secret, sizeof secret));
    ck_str_is(webhook_key_text(arena, WEBHOOK_V1A, (struct str){secret, sizeof secret}),
              "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}
END_TEST

START_TEST(keys_differ_and_signatures_follow_every_part)
{
    struct str secret = webhook_key_new(arena), other = webhook_key_new(arena);
    ck_assert_uint_eq(secret.len, WEBHOOK_SECRET_SIZE);
    ck_assert(!str_equal(secret, other));
    for (int scheme = 0; scheme < WEBHOOK_SCHEMES; scheme++) {
        struct str signature = webhook_sign(arena, scheme, secret, STR("a"), 1, STR("b"));
        ck_assert(str_equal(signature, webhook_sign(arena, scheme, secret, STR("a"), 1, STR("b"))));
        ck_assert(!str_equal(signature, webhook_sign(arena, scheme, other, STR("a"), 1, STR("b"))));
        ck_assert(!str_equal(signature, webhook_sign(arena, scheme, secret, STR("c"), 1, STR("b"))));
        ck_assert(!str_equal(signature, webhook_sign(arena, scheme, secret, STR("a"), 2, STR("b"))));
        ck_assert(!str_equal(signature, webhook_sign(arena, scheme, secret, STR("a"), 1, STR("c"))));
    }
}
END_TEST

START_TEST(schemes_are_known_by_their_names)
{
    enum webhook_scheme scheme;
    ck_assert(webhook_scheme_named(STR("v1a"), &scheme));
    ck_assert_int_eq(scheme, WEBHOOK_V1A);
    ck_assert(!webhook_scheme_named(STR("v2"), &scheme));
    ck_assert_str_eq(webhook_scheme_name(WEBHOOK_V1), "v1");
}
END_TEST

int main(void)
{
    TCase *tests = tests_open();

    tcase_add_test(tests, the_published_vector_comes_out);
    tcase_add_test(tests, a_public_key_is_that_of_its_secret);
    tcase_add_test(tests, keys_differ_and_signatures_follow_every_part);
    tcase_add_test(tests, schemes_are_known_by_their_names);
    return run(tests, "webhook_key");
}
