/* Signatures: published vectors, round trips of every algorithm, and what must not verify. */
#include "crypto/signature.h"

#include "support.h"
#include <openssl/rsa.h>

/* Made once, as generating RSA takes its time. */
static EVP_PKEY *pkeys[SIGNATURE_SM2_SM3_DER + 1];

static struct signature_key *key_of(enum signature_algorithm algorithm, bool is_private)
{
    const char *reason = NULL;
    struct signature_key *key;

    if (signature_algorithm_is_shared(algorithm))
        key = signature_key_from_secret(algorithm, STR("a shared secret of 32 bytes long"), &reason);
    else
        key = signature_key_from_pem(algorithm, pem_of(pkeys[algorithm], is_private, false), &reason);
    ck_assert_msg(key != NULL, "%s", reason);
    return key;
}

START_TEST(what_is_signed_verifies_and_nothing_else_does)
{
    enum signature_algorithm algorithm = (enum signature_algorithm)_i;
    struct signature_key *signer = key_of(algorithm, true), *verifier = key_of(algorithm, false);
    struct str signature;

    ck_assert_int_eq(signature_key_algorithm(signer), algorithm);
    for (int again = 0; again < 20; again++) { /* r and s are short now and then */
        struct str input = str_printf(arena, "input %d", again);
        ck_assert(signature_sign(arena, signer, input, &signature));
        ck_assert(signature_verify(verifier, input, signature));
        ck_assert(signature_verify(signer, input, signature));
        ck_assert(!signature_verify(verifier, STR("another input"), signature));
    }
    char *bytes = arena_copy(arena, signature.at, signature.len);
    for (size_t i = 0; i < signature.len; i++) {
        bytes[i] = (char)(bytes[i] ^ 1);
        ck_assert(!signature_verify(verifier, STR("input 19"), (struct str){bytes, signature.len}));
        bytes[i] = (char)(bytes[i] ^ 1);
    }
    ck_assert(!signature_verify(verifier, STR("input 19"), STR("")));
    ck_assert(!signature_verify(verifier, STR("input 19"), str_slice(signature, 0, signature.len - 1)));
    ck_assert(signature_sign(arena, signer, STR_NONE, &signature) && signature_verify(verifier, STR_NONE, signature));
    signature_key_free(signer);
    signature_key_free(verifier);
}
END_TEST

START_TEST(a_public_key_does_not_sign)
{
    struct signature_key *key = key_of((enum signature_algorithm)_i, false);
    struct str signature;

    ck_assert_int_eq(signature_sign(arena, key, STR("input"), &signature),
                     signature_algorithm_is_shared((enum signature_algorithm)_i));
    signature_key_free(key);
}
END_TEST

START_TEST(a_key_of_another_type_is_refused)
{
    static const char *const never[] = {"", "no PEM", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"};
    enum signature_algorithm algorithm = (enum signature_algorithm)_i;
    const char *reason;

    for (size_t i = 0; i < COUNT_OF(pkeys); i++) {
        if (!pkeys[i] || EVP_PKEY_get0_type_name(pkeys[i]) == NULL)
            continue;
        struct signature_key *key = signature_key_from_pem(algorithm, pem_of(pkeys[i], false, false), &reason);
        bool same = pkeys[algorithm] && EVP_PKEY_is_a(pkeys[i], EVP_PKEY_get0_type_name(pkeys[algorithm]));
        ck_assert_int_eq(key != NULL, same);
        ck_assert(key || reason);
        signature_key_free(key);
    }
    for (size_t i = 0; i < COUNT_OF(never); i++)
        ck_assert_ptr_null(signature_key_from_pem(algorithm, str_of(never[i]), &reason));
}
END_TEST

START_TEST(weak_keys_are_refused)
{
    const char *reason;
    struct str small = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), false, true);
    struct str curve = pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), false, true);

    ck_assert_ptr_null(signature_key_from_pem(SIGNATURE_RSA_PSS_SHA512, small, &reason));
    ck_assert_str_eq(reason, "an RSA key must have at least 2048 bits");
    ck_assert_ptr_null(signature_key_from_pem(SIGNATURE_ECDSA_P256_SHA256, curve, &reason));
    ck_assert_str_eq(reason, "the key is not on the curve P-256");
    ck_assert_ptr_null(signature_key_from_secret(SIGNATURE_HMAC_SHA256, STR("fifteen bytes.."), &reason));
    ck_assert_ptr_null(signature_key_from_secret(SIGNATURE_ED25519, STR("a shared secret of 32 bytes long"), &reason));
}
END_TEST

START_TEST(a_key_restricted_to_other_parameters_is_refused)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pkey = NULL;
    const char *reason;

    ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_keygen_md(ctx, EVP_sha256()), 1);
    ck_assert_int_eq(EVP_PKEY_keygen(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);
    for (int is_private = 1; is_private >= 0; is_private--) {
        ck_assert_ptr_null(signature_key_from_pem(SIGNATURE_RSA_PSS_SHA512, pem_of(pkey, is_private, !is_private), &reason));
        ck_assert_str_eq(reason, "the key does not allow the algorithm");
    }
}
END_TEST

/* GB/T 32918.5-2017, A.2, with the identity 1234567812345678. */
START_TEST(sm2_accepts_the_published_signature)
{
    struct str point =
        unhex("0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020CCEA490CE26775A52DC6EA718CC1AA600A"
              "ED05FBF35E084A6632F6072DA9AD13");
    struct str raw =
        unhex("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3B1B6AA29DF212FD8763182BC0D421CA1BB903"
              "8FD1F7F42D4840B69C485BBC1AA");
    struct str der =
        unhex("3046022100F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3022100B1B6AA29DF212FD876318"
              "2BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA");
    struct str pem = pem_of_point("SM2", "SM2", point);
    const char *reason;
    struct signature_key *as_raw = signature_key_from_pem(SIGNATURE_SM2_SM3, pem, &reason);
    struct signature_key *as_der = signature_key_from_pem(SIGNATURE_SM2_SM3_DER, pem, &reason);

    ck_assert(signature_verify(as_raw, STR("message digest"), raw));
    ck_assert(signature_verify(as_der, STR("message digest"), der));
    ck_assert(!signature_verify(as_raw, STR("message digest"), der));
    ck_assert(!signature_verify(as_der, STR("message digest"), raw));
    ck_assert(!signature_verify(as_raw, STR("message digesu"), raw));
    signature_key_free(as_raw);
    signature_key_free(as_der);
}
END_TEST

START_TEST(algorithms_are_found_by_name)
{
    enum signature_algorithm algorithm;

    for (size_t i = 0; i < COUNT_OF(pkeys); i++) {
        const char *name = signature_algorithm_name((enum signature_algorithm)i);
        ck_assert(signature_algorithm_named(str_of(name), &algorithm) && algorithm == i);
    }
    ck_assert(!signature_algorithm_named(STR("none"), &algorithm));
    ck_assert_int_eq(signature_algorithm_digest(SIGNATURE_SM2_SM3), DIGEST_SM3);
    ck_assert_int_eq(signature_algorithm_digest(SIGNATURE_ED25519), DIGEST_SHA256);
}
END_TEST

int main(void)
{
    TCase *tests = tests_open();

    pkeys[SIGNATURE_ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    pkeys[SIGNATURE_ECDSA_P256_SHA256] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    pkeys[SIGNATURE_RSA_PSS_SHA512] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    /* one RSA key, which each entry that is freed holds */
    pkeys[SIGNATURE_RSA_PSS_SHA256] = pkeys[SIGNATURE_RSA_SHA256] = pkeys[SIGNATURE_RSA_PSS_SHA512];
    EVP_PKEY_up_ref(pkeys[SIGNATURE_RSA_PSS_SHA256]);
    EVP_PKEY_up_ref(pkeys[SIGNATURE_RSA_SHA256]);
    pkeys[SIGNATURE_SM2_SM3] = pkeys[SIGNATURE_SM2_SM3_DER] = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    tcase_add_loop_test(tests, what_is_signed_verifies_and_nothing_else_does, 0, COUNT_OF(pkeys));
    tcase_add_loop_test(tests, a_public_key_does_not_sign, 0, COUNT_OF(pkeys));
    tcase_add_loop_test(tests, a_key_of_another_type_is_refused, 0, COUNT_OF(pkeys));
    tcase_add_test(tests, weak_keys_are_refused);
    tcase_add_test(tests, a_key_restricted_to_other_parameters_is_refused);
    tcase_add_test(tests, sm2_accepts_the_published_signature);
    tcase_add_test(tests, algorithms_are_found_by_name);
    int result = run(tests, "signature");
    for (size_t i = 0; i < SIGNATURE_SM2_SM3_DER; i++)
        EVP_PKEY_free(pkeys[i]);
    return result;
}
