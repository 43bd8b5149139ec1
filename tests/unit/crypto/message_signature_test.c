/* HTTP message signatures: the vectors of RFC 9421, round trips of every algorithm, and each way to be refused. */
#include "crypto/message_signature.h"

#include "crypto/content_digest.h"
#include "fields.h"
#include "support.h"
#include <shimin/clock.h>

/* RFC 9421 B.2: the request of all the vectors. */
#define CREATED 1618884473
#define BODY STR("{\"hello\": \"world\"}")
#define SHA512 "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"

static struct message_field fields[8] = {
    FIELD("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    FIELD("Content-Type", "application/json"),
    FIELD("Content-Digest", SHA512),
    FIELD("Content-Length", "18"),
};

static struct message request(void)
{
    return (struct message){
        .method = STR("POST"),
        .scheme = STR("https"),
        .authority = STR("EXAMPLE.com:443"),
        .path = STR("/foo"),
        .query = STR("param=Value&Pet=dog"),
        .fields = fields,
        .field_count = 4,
        .body = BODY,
    };
}

/* The request with the two fields that a signature adds. */
static struct message signed_request(struct message message, struct str input, struct str signature)
{
    struct message_field *all = arena_array(arena, struct message_field, message.field_count + 2);

    memcpy(all, message.fields, message.field_count * sizeof(*all));
    all[message.field_count++] = (struct message_field){STR("Signature-Input"), input};
    all[message.field_count++] = (struct message_field){STR("Signature"), signature};
    message.fields = all;
    return message;
}

static const struct signature_key *the_key;
static struct str last_nonce;

static const struct signature_key *find_key(void *user, struct str key_id)
{
    (void)user;
    return str_starts(key_id, STR("test-")) ? the_key : NULL;
}

static bool nonce_is_new(void *user, struct str key_id, struct str nonce, int64_t until)
{
    (void)user;
    ck_assert(key_id.len > 0 && until > 0);
    if (str_equal(nonce, last_nonce))
        return false;
    last_nonce = nonce;
    return true;
}

static struct message_policy policy_of(void)
{
    return (struct message_policy){
        .tolerance = MESSAGE_TOLERANCE,
        .components = STR("(\"@method\")"),
        .find_key = find_key,
        .nonce_is_new = nonce_is_new,
    };
}

static const char *verify(const struct message *message, const struct message_policy *policy, int64_t now)
{
    struct message_verdict verdict;
    const char *reason = NULL;
    bool good = message_verify(arena, message, policy, seconds(now), &verdict, &reason);

    ck_assert_int_eq(good, reason == NULL);
    ck_assert(!good || verdict.key == the_key);
    return reason ? reason : "good";
}

static struct signature_key *must_key(struct signature_key *key, const char *reason)
{
    ck_assert_msg(key != NULL, "%s", reason);
    return key;
}

static struct signature_key *vector_key(enum signature_algorithm algorithm)
{
    const char *reason = NULL;

    if (algorithm == SIGNATURE_HMAC_SHA256) /* B.1.5 */
        return must_key(
            signature_key_from_secret(
                algorithm, unbase64("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="),
                &reason),
            reason);
    if (algorithm == SIGNATURE_ED25519) { /* B.1.4 */
        struct str d = unbase64url("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU");
        EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (const uint8_t *)d.at, d.len);
        return must_key(signature_key_from_pem(algorithm, pem_of(pkey, true, true), &reason), reason);
    }
    /* B.1.2 */
    return must_key(signature_key_from_pem(algorithm,
                                           STR("-----BEGIN PUBLIC KEY-----\n"
                                               "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2\n"
                                               "+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+\n"
                                               "oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq\n"
                                               "gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W\n"
                                               "Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4\n"
                                               "aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI\n"
                                               "2wIDAQAB\n"
                                               "-----END PUBLIC KEY-----\n"),
                                           &reason),
                    reason);
}

static const struct {
    enum signature_algorithm algorithm;
    const char *label, *components, *key_id, *signature;
    bool is_deterministic;
} vectors[] = {
    /* B.2.3 */
    {SIGNATURE_RSA_PSS_SHA512, "sig-b23",
     "(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \"content-digest\" \"content-length\")",
     "test-key-rsa-pss",
     "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC5"
     "9DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldml"
     "u9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA=="},
    /* B.2.5 */
    {SIGNATURE_HMAC_SHA256, "sig-b25", "(\"date\" \"@authority\" \"content-type\")", "test-shared-secret",
     "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=", true},
    /* B.2.6 */
    {SIGNATURE_ED25519, "sig-b26", "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")",
     "test-key-ed25519", "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==", true},
};

START_TEST(the_rfcs_signatures_verify)
{
    struct signature_key *key = vector_key(vectors[_i].algorithm);
    struct message message = signed_request(request(),
                                            str_printf(arena, "%s=%s;created=%d;keyid=\"%s\"", vectors[_i].label,
                                                       vectors[_i].components, CREATED, vectors[_i].key_id),
                                            str_printf(arena, "%s=:%s:", vectors[_i].label, vectors[_i].signature));
    struct message_policy policy = policy_of();

    the_key = key;
    policy.components = str_of(vectors[_i].components);
    /* Only B.2.3 covers the digest of the body; without the body the others are complete. */
    if (str_find(policy.components, STR("content-digest")) < 0) {
        ck_assert_str_eq(verify(&message, &policy, CREATED), "the signature does not cover the content's digest");
        message.body = STR_NONE;
    }
    ck_assert_str_eq(verify(&message, &policy, CREATED), "good");
    message.fields = arena_copy(arena, message.fields, message.field_count * sizeof(*message.fields));
    ((struct message_field *)message.fields)[0].value = STR("Tue, 20 Apr 2021 02:07:56 GMT");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the signature does not fit the request");
    signature_key_free(key);
}
END_TEST

START_TEST(the_rfcs_signatures_are_made_again)
{
    struct signature_key *key = vector_key(vectors[_i].algorithm);
    struct message message = request();
    struct message_profile profile = {
        .label = str_of(vectors[_i].label),
        .components = str_of(vectors[_i].components),
        .key = key,
        .key_id = str_of(vectors[_i].key_id),
    };
    struct message_signature made;
    const char *reason;
    struct message_signer *signer = message_signer_new(&profile, &reason);

    if (!vectors[_i].is_deterministic) {
        ck_assert_str_eq(reason, "the key cannot sign: is it a public one?");
        signature_key_free(key);
        return;
    }
    ck_assert(message_sign(arena, signer, &message, seconds(CREATED), &made, &reason));
    ck_assert(str_equal(made.signature, str_printf(arena, "%s=:%s:", vectors[_i].label, vectors[_i].signature)));
    ck_assert(str_equal(made.input, str_printf(arena, "%s=%s;created=%d;keyid=\"%s\"", vectors[_i].label,
                                               vectors[_i].components, CREATED, vectors[_i].key_id)));
    message_signer_free(signer);
    signature_key_free(key);
}
END_TEST

/* Our own profile, signed with a fresh key of the algorithm. */
static struct message signed_with(enum signature_algorithm algorithm, struct message_profile profile,
                                  struct signature_key **key)
{
    static const char *const types[] = {
        [SIGNATURE_ED25519] = "ED25519", [SIGNATURE_SM2_SM3] = "SM2", [SIGNATURE_SM2_SM3_DER] = "SM2"};
    struct message message = request();
    struct message_signature made;
    const char *reason = NULL;

    if (signature_algorithm_is_shared(algorithm))
        *key = signature_key_from_secret(algorithm, STR("a shared secret of 32 bytes long"), &reason);
    else {
        bool rsa =
            algorithm == SIGNATURE_RSA_PSS_SHA512 || algorithm == SIGNATURE_RSA_PSS_SHA256 || algorithm == SIGNATURE_RSA_SHA256;
        EVP_PKEY *pkey = algorithm == SIGNATURE_ECDSA_P256_SHA256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                         : rsa                                    ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                                                                  : EVP_PKEY_Q_keygen(NULL, NULL, types[algorithm]);
        *key = signature_key_from_pem(algorithm, pem_of(pkey, true, true), &reason);
    }
    ck_assert_msg(*key != NULL, "%s", reason);
    fields[2].value = content_digest(arena, signature_algorithm_digest(algorithm), BODY);
    profile.label = STR("sig1");
    profile.components = MESSAGE_COMPONENTS;
    profile.body_components = MESSAGE_BODY_COMPONENTS;
    profile.key = *key;
    profile.key_id = STR("test-key");
    struct message_signer *signer = message_signer_new(&profile, &reason);
    ck_assert_msg(signer != NULL, "%s", reason);
    ck_assert_msg(message_sign(arena, signer, &message, seconds(CREATED), &made, &reason), "%s", reason);
    message_signer_free(signer);
    the_key = *key;
    last_nonce = STR_NONE;
    return signed_request(message, made.input, made.signature);
}

static struct message_policy strict_policy(void)
{
    struct message_policy policy = policy_of();

    policy.components = MESSAGE_COMPONENTS;
    policy.body_components = MESSAGE_BODY_COMPONENTS;
    policy.nonce_required = true;
    policy.tag = STR("shimin");
    return policy;
}

static const struct message_profile full_profile = {
    .tag = {"shimin", 6}, .expires_in = 60, .with_algorithm = true, .with_nonce = true};

START_TEST(what_we_sign_we_verify_once)
{
    struct signature_key *key;
    struct message message = signed_with((enum signature_algorithm)_i, full_profile, &key), changed = message;
    struct message_policy policy = strict_policy();

    changed.method = STR("PUT");
    ck_assert_str_eq(verify(&changed, &policy, CREATED), "the signature does not fit the request");
    changed = message;
    changed.query = STR("param=Value&Pet=cat");
    ck_assert_str_eq(verify(&changed, &policy, CREATED), "the signature does not fit the request");
    changed = message;
    changed.body = STR("{\"hello\": \"World\"}");
    ck_assert_str_eq(verify(&changed, &policy, CREATED), "Content-Digest is not the content's digest");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "good");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the signature's nonce was used before");
    signature_key_free(key);
}
END_TEST

START_TEST(times_are_kept)
{
    struct signature_key *key;
    struct message message = signed_with(SIGNATURE_HMAC_SM3, full_profile, &key);
    struct message_policy policy = strict_policy();

    policy.nonce_is_new = NULL;
    ck_assert_str_eq(verify(&message, &policy, CREATED - 300), "good");
    ck_assert_str_eq(verify(&message, &policy, CREATED - 301), "the signature was created in the future");
    ck_assert_str_eq(verify(&message, &policy, CREATED + 59), "good");
    ck_assert_str_eq(verify(&message, &policy, CREATED + 60), "the signature has expired");
    ck_assert_str_eq(verify(&message, &policy, CREATED + 301), "the signature is too old");
    signature_key_free(key);
}
END_TEST

START_TEST(what_the_policy_asks_for_must_be_there)
{
    struct signature_key *key;
    struct message message = signed_with(SIGNATURE_HMAC_SHA256, (struct message_profile){.with_nonce = false}, &key);
    struct message_policy policy = policy_of();

    ck_assert_str_eq(verify(&message, &policy, CREATED), "good");
    policy.nonce_required = true;
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the signature has no nonce");
    policy = policy_of();
    policy.tag = STR("shimin");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the request has no signature of the wanted label or tag");
    policy.label = STR("sig1");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the signature has another tag");
    policy = policy_of();
    policy.label = STR("sig2");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the request has no signature of the wanted label or tag");
    policy = policy_of();
    policy.components = STR("(\"@authority\")");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the signature does not cover all that is required");
    policy = policy_of();
    policy.body_components = STR("(\"content-length\")");
    ck_assert_str_eq(verify(&message, &policy, CREATED), "the signature does not cover all that is required");
    signature_key_free(key);
}
END_TEST

static const struct {
    const char *input, *signature, *reason;
} refused[] = {
    {NULL, "s=:AAAA:", "the request has no signature"},
    {"s=()", NULL, "the request has no signature"},
    {"s=(", "s=:AAAA:", "Signature-Input or Signature is no dictionary"},
    {"s=();created=1;keyid=\"test-\"", "t=:AAAA:", "Signature holds no bytes for the label in Signature-Input"},
    {"s=();created=1;keyid=\"test-\"", "s=\"AAAA\"", "Signature holds no bytes for the label in Signature-Input"},
    {"s;created=1;keyid=\"test-\"", "s=:AAAA:", "Signature-Input holds no list of components"},
    {"s=();created=\"1\";keyid=\"test-\"", "s=:AAAA:", "a signature parameter is of a wrong type"},
    {"s=();created=1;keyid=test", "s=:AAAA:", "a signature parameter is of a wrong type"},
    {"s=();created=1;keyid=5;nonce=6;tag=7", "s=:AAAA:", "a signature parameter is of a wrong type"},
    {"s=();keyid=\"test-\"", "s=:AAAA:", "the signature does not say when it was created"},
    {"s=();created=1618884473", "s=:AAAA:", "the signature does not name its key"},
    {"s=();created=1618884473;keyid=\"test-\"", "s=:AAAA:", "the signature does not cover all that is required"},
    {"s=(\"@method\";req);created=1618884473;keyid=\"test-\"", "s=:AAAA:", "the signature does not cover all that is required"},
    {"s=(\"@method\");created=1618884473;keyid=\"other\"", "s=:AAAA:", "the signature's key is not known"},
    {"s=(\"@method\");created=1618884473;keyid=\"test-\";alg=\"ed25519\"",
     "s=:AAAA:", "the signature's algorithm is not its key's"},
    {"s=(\"@method\");created=1618884473;keyid=\"test-\";alg=\"hmac-sha256\"",
     "s=:AAAA:", "the signature does not fit the request"},
    {"s=(\"@method\" \"x-a\");created=1618884473;keyid=\"test-\"", "s=:AAAA:", "a covered field is not in the request"},
};

START_TEST(a_malformed_signature_is_refused)
{
    const char *reason;
    struct signature_key *key =
        signature_key_from_secret(SIGNATURE_HMAC_SHA256, STR("a shared secret of 32 bytes long"), &reason);
    struct message message = request();
    struct message_policy policy = policy_of();

    the_key = key;
    message = signed_request(message, str_of(refused[_i].input), str_of(refused[_i].signature));
    struct message_field *last = (struct message_field *)&message.fields[message.field_count - 2];
    if (!refused[_i].input)
        last[0].name = STR("x-none");
    if (!refused[_i].signature)
        last[1].name = STR("x-none");
    ck_assert_str_eq(verify(&message, &policy, CREATED), refused[_i].reason);
    signature_key_free(key);
}
END_TEST

START_TEST(a_wrong_profile_is_refused)
{
    const char *reason;
    struct signature_key *key =
        signature_key_from_secret(SIGNATURE_HMAC_SHA256, STR("a shared secret of 32 bytes long"), &reason);
    const struct message_profile good = {
        .label = STR("sig1"), .components = MESSAGE_COMPONENTS, .key = key, .key_id = STR("k")};
    struct message_profile wrong[] = {good, good, good, good};

    wrong[0].label = STR("Sig 1");
    wrong[1].components = STR("\"@method\"");
    wrong[2].body_components = STR("(\"a\");x");
    wrong[3].key_id = STR("键");
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!message_signer_new(&wrong[i], &reason) && reason, "%zu", i);
    signature_key_free(key);
}
END_TEST

START_TEST(content_digests_match_their_body)
{
    /* RFC 9530 B.1's body has other bytes; this is RFC 9421's, whose SHA-256 every implementation quotes. */
    struct str both = str_printf(arena, "%.*s, %.*s, md5=:AAAA:", STR_ARG(content_digest(arena, DIGEST_SHA256, BODY)),
                                 STR_ARG(content_digest(arena, DIGEST_SM3, BODY)));

    ck_str_is(content_digest(arena, DIGEST_SHA256, BODY), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
    ck_assert_int_eq(content_digest_check(arena, both, BODY), CONTENT_DIGEST_MATCHES);
    ck_assert_int_eq(content_digest_check(arena, STR(SHA512), BODY), CONTENT_DIGEST_MATCHES);
    ck_assert_int_eq(content_digest_check(arena, both, STR("x")), CONTENT_DIGEST_DIFFERS);
    ck_assert_int_eq(content_digest_check(arena, STR("sm3=:AAAA:"), BODY), CONTENT_DIGEST_DIFFERS);
    ck_assert_int_eq(content_digest_check(arena, STR("md5=:AAAA:"), BODY), CONTENT_DIGEST_UNKNOWN);
    ck_assert_int_eq(content_digest_check(arena, STR(""), BODY), CONTENT_DIGEST_MALFORMED);
    ck_assert_int_eq(content_digest_check(arena, STR("sha-256=X48E"), BODY), CONTENT_DIGEST_MALFORMED);
    ck_assert_int_eq(content_digest_check(arena, STR("sha-256=(:AAAA:)"), BODY), CONTENT_DIGEST_MALFORMED);
}
END_TEST

int main(void)
{
    TCase *tests = tests_open();

    tcase_add_loop_test(tests, the_rfcs_signatures_verify, 0, COUNT_OF(vectors));
    tcase_add_loop_test(tests, the_rfcs_signatures_are_made_again, 0, COUNT_OF(vectors));
    tcase_add_loop_test(tests, what_we_sign_we_verify_once, 0, SIGNATURE_SM2_SM3_DER + 1);
    tcase_add_test(tests, times_are_kept);
    tcase_add_test(tests, what_the_policy_asks_for_must_be_there);
    tcase_add_loop_test(tests, a_malformed_signature_is_refused, 0, COUNT_OF(refused));
    tcase_add_test(tests, a_wrong_profile_is_refused);
    tcase_add_test(tests, content_digests_match_their_body);
    return run(tests, "message signature");
}
