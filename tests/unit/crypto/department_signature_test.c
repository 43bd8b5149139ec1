/* The departments' plain signature: the README's example, round trips, and each way to be refused. */
#include "crypto/department_signature.h"

#include "support.h"
#include <shimin/clock.h>

#define NOW 1772326800
#define SECRET STR("0123456789abcdef0123456789abcdef")

static struct department_request request(void)
{
    return (struct department_request){
        .method = STR("POST"), .path = STR("/v1/permits"), .query = STR("area=510104"), .body = STR("{\"name\":\"market\"}")};
}

static struct signature_key *shared_key(enum signature_algorithm algorithm)
{
    const char *reason;
    struct signature_key *key = signature_key_from_secret(algorithm, SECRET, &reason);

    ck_assert_ptr_nonnull(key);
    return key;
}

static const char *verify(const struct signature_key *key, const struct department_request *message,
                          const struct department_signature *signature, int64_t now)
{
    const char *reason = NULL;
    bool good = department_verify(arena, key, message, signature, seconds(now), &reason);

    ck_assert_int_eq(good, reason == NULL);
    return reason ? reason : "good";
}

/* The README's example, computed with Python's hmac and hashlib. */
START_TEST(the_documented_example_verifies)
{
    struct signature_key *key = shared_key(SIGNATURE_HMAC_SHA256);
    struct department_request message = request();
    struct department_signature signature = {STR("dept-07"), STR("1772326800"), STR("MDEyMzQ1Njc4OWFiY2RlZg"),
                                             STR("cE3CRL+1lTTTaZOQggJZFu4YMqG8Xm+wBLh3WTUy5Cs=")};

    ck_assert_str_eq(verify(key, &message, &signature, NOW), "good");
    signature_key_free(key);
}
END_TEST

static struct signature_key *key_for(enum signature_algorithm algorithm, bool is_private)
{
    static EVP_PKEY *sm2;
    const char *reason = NULL;

    if (signature_algorithm_is_shared(algorithm))
        return shared_key(algorithm);
    if (!sm2)
        sm2 = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    struct signature_key *key = signature_key_from_pem(algorithm, pem_of(sm2, is_private, !is_private), &reason);
    if (!is_private)
        sm2 = NULL;
    ck_assert_msg(key != NULL, "%s", reason);
    return key;
}

START_TEST(what_one_side_signs_the_other_verifies)
{
    enum signature_algorithm algorithm = (enum signature_algorithm)_i;
    struct signature_key *signer = key_for(algorithm, true), *verifier = key_for(algorithm, false);
    struct department_request message = request();
    struct department_signature signature, again;

    ck_assert(department_sign(arena, signer, STR("dept-07"), &message, seconds(NOW), &signature));
    ck_assert(department_sign(arena, signer, STR("dept-07"), &message, seconds(NOW), &again));
    ck_str_is(signature.timestamp, "1772326800");
    ck_str_is(signature.key_id, "dept-07");
    ck_assert(!str_equal(signature.nonce, again.nonce));
    ck_assert_str_eq(verify(verifier, &message, &signature, NOW), "good");
    struct str *parts[] = {&message.method, &message.path, &message.query, &message.body, &signature.nonce};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct str kept = *parts[i];
        char *other = arena_copy(arena, kept.at, kept.len);
        other[kept.len - 1] = other[kept.len - 1] == 'A' ? 'B' : 'A';
        *parts[i] = (struct str){other, kept.len};
        ck_assert_str_eq(verify(verifier, &message, &signature, NOW), "the signature does not fit the request");
        *parts[i] = kept;
    }
    message.query = STR_NONE;
    message.body = STR_NONE;
    ck_assert(department_sign(arena, signer, STR("dept-07"), &message, seconds(NOW), &signature));
    ck_assert_str_eq(verify(verifier, &message, &signature, NOW), "good");
    signature_key_free(signer);
    signature_key_free(verifier);
}
END_TEST

START_TEST(timestamps_are_kept)
{
    struct signature_key *key = shared_key(SIGNATURE_HMAC_SM3);
    struct department_request message = request();
    struct department_signature signature;

    ck_assert(department_sign(arena, key, STR("dept-07"), &message, seconds(NOW), &signature));
    ck_assert_str_eq(verify(key, &message, &signature, NOW + 300), "good");
    ck_assert_str_eq(verify(key, &message, &signature, NOW - 300), "good");
    ck_assert_str_eq(verify(key, &message, &signature, NOW + 301), "the timestamp is too old");
    ck_assert_str_eq(verify(key, &message, &signature, NOW - 301), "the timestamp lies in the future");
    signature_key_free(key);
}
END_TEST

START_TEST(malformed_headers_are_refused)
{
    struct signature_key *key = shared_key(SIGNATURE_HMAC_SM3);
    struct department_request message = request();
    struct department_signature good, wrong;

    ck_assert(department_sign(arena, key, STR("dept-07"), &message, seconds(NOW), &good));
    static const char *const timestamps[] = {"", "now", "1772326800.5", " 1772326800", "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(timestamps); i++) {
        wrong = good;
        wrong.timestamp = str_of(timestamps[i]);
        ck_assert_str_eq(verify(key, &message, &wrong, NOW), "the timestamp is no number of seconds since 1970");
    }
    static const char *const nonces[] = {"", "short", "has a space in its midst", "line\nbreak-in-its-midst",
                                         "0123456789012345678901234567890123456789012345678901234567890123456789"};
    for (size_t i = 0; i < COUNT_OF(nonces); i++) {
        wrong = good;
        wrong.nonce = str_of(nonces[i]);
        ck_assert_str_eq(verify(key, &message, &wrong, NOW), "the nonce is not 16 to 64 of the characters A-Z a-z 0-9 - _");
    }
    wrong = good;
    wrong.signature = STR("*");
    ck_assert_str_eq(verify(key, &message, &wrong, NOW), "the signature is no base64");
    wrong.signature = STR("");
    ck_assert_str_eq(verify(key, &message, &wrong, NOW), "the signature does not fit the request");
    message.path = STR("/v1/permits\n1772326800");
    ck_assert_str_eq(verify(key, &message, &good, NOW), "the request's line has a line break in it");
    signature_key_free(key);
}
END_TEST

int main(void)
{
    TCase *tests = tests_open();

    tcase_add_test(tests, the_documented_example_verifies);
    tcase_add_loop_test(tests, what_one_side_signs_the_other_verifies, SIGNATURE_HMAC_SHA256, SIGNATURE_SM2_SM3_DER + 1);
    tcase_add_test(tests, timestamps_are_kept);
    tcase_add_test(tests, malformed_headers_are_refused);
    return run(tests, "department signature");
}
