/* Digests, HMACs and tokens against the published vectors. */
#include "crypto/digest.h"

#include "crypto/token.h"
#include "support.h"
#include <pthread.h>

#define ck_digest(digest, expected) ck_str_is(hex_encode(arena, digest, DIGEST_SIZE), expected)

static const struct {
    enum digest digest;
    const char *input, *output;
} digests[] = {
    /* FIPS 180-4 and its examples */
    {DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    /* GB/T 32905-2016, appendix A */
    {DIGEST_SM3, "abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
    {DIGEST_SM3, "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd",
     "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"},
};

static const struct {
    enum digest digest;
    const char *key, *input, *output;
} hmacs[] = {
    /* RFC 4231, cases 2, 6 (a key longer than a block) */
    {DIGEST_SHA256, "4a656665", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {DIGEST_SHA256,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaa",
     "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {DIGEST_SM3, "6b6579", "The quick brown fox jumps over the lazy dog",
     "bd4a34077888162b210645b8ebf74b9af357303789357a27c7fc457244ebd398"},
};

START_TEST(digests_give_the_published_values)
{
    uint8_t out[DIGEST_SIZE];

    digest_of(digests[_i].digest, str_of(digests[_i].input), out);
    ck_digest(out, digests[_i].output);
}
END_TEST

START_TEST(hmacs_give_the_published_values)
{
    struct str key = unhex(hmacs[_i].key), input = str_of(hmacs[_i].input);
    uint8_t once[DIGEST_SIZE], prepared[DIGEST_SIZE];

    if (hmacs[_i].digest == DIGEST_SM3)
        hmac_sm3(key, input, once);
    else
        hmac_sha256(key, input, once);
    ck_digest(once, hmacs[_i].output);
    struct hmac *hmac = hmac_new(hmacs[_i].digest, key);
    struct str parts[] = {str_slice(input, 0, 5), STR_NONE, str_slice(input, 5, input.len)};
    for (int again = 0; again < 3; again++) {
        hmac_sign(hmac, parts, COUNT_OF(parts), prepared);
        ck_digest(prepared, hmacs[_i].output);
    }
    hmac_free(hmac);
}
END_TEST

START_TEST(a_derived_key_is_the_first_block_of_hkdf_expand)
{
    /* RFC 5869, case 1: the pseudorandom key and info, of which the first 32 of 42 bytes are compared. */
    struct str key = unhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    static const char info[] = "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9";
    uint8_t out[DIGEST_SIZE];

    digest_derive(DIGEST_SHA256, (const uint8_t *)key.at, info, out);
    ck_digest(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}
END_TEST

START_TEST(comparison_sees_every_byte)
{
    uint8_t a[DIGEST_SIZE] = {0}, b[DIGEST_SIZE] = {0};

    ck_assert(constant_time_equal(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a); i++) {
        b[i] = 1;
        ck_assert(!constant_time_equal(a, b, sizeof(a)));
        b[i] = 0;
    }
}
END_TEST

START_TEST(digests_are_found_by_name)
{
    enum digest digest;

    ck_assert(digest_named(STR("sha-256"), &digest) && digest == DIGEST_SHA256);
    ck_assert(digest_named(STR("sm3"), &digest) && digest == DIGEST_SM3);
    ck_assert(!digest_named(STR("md5"), &digest));
    ck_assert_str_eq(digest_name(DIGEST_SM3), "sm3");
}
END_TEST

static void *digest_in_a_thread(void *argument)
{
    uint8_t out[DIGEST_SIZE], *equal = argument;

    *equal = 1;
    for (int i = 0; i < 1000; i++) {
        digest_of(digests[i % 4].digest, str_of(digests[i % 4].input), out);
        for (size_t k = 0; k < sizeof(out); k++) {
            unsigned byte = 0;
            sscanf(digests[i % 4].output + 2 * k, "%2x", &byte);
            *equal &= out[k] == byte;
        }
    }
    return NULL;
}

START_TEST(threads_have_contexts_of_their_own)
{
    pthread_t threads[4];
    uint8_t equal[4];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, digest_in_a_thread, &equal[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        ck_assert(equal[i]);
    }
}
END_TEST

START_TEST(a_token_is_long_new_and_kept_by_its_digest)
{
    struct str a = token_new(arena), b = token_new(arena), bytes;
    char key[TOKEN_KEY_LENGTH];

    ck_assert_uint_eq(a.len, TOKEN_LENGTH);
    ck_assert(!str_equal(a, b));
    ck_assert(base64url_decode(arena, a, &bytes) && bytes.len == 32);
    token_key(STR("abc"), key);
    ck_str_is(((struct str){key, sizeof(key)}), digests[1].output);
}
END_TEST

int main(void)
{
    TCase *tests = tests_open();

    tcase_add_loop_test(tests, digests_give_the_published_values, 0, COUNT_OF(digests));
    tcase_add_loop_test(tests, hmacs_give_the_published_values, 0, COUNT_OF(hmacs));
    tcase_add_test(tests, a_derived_key_is_the_first_block_of_hkdf_expand);
    tcase_add_test(tests, comparison_sees_every_byte);
    tcase_add_test(tests, digests_are_found_by_name);
    tcase_add_test(tests, threads_have_contexts_of_their_own);
    tcase_add_test(tests, a_token_is_long_new_and_kept_by_its_digest);
    return run(tests, "digest");
}
