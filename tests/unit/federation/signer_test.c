/* Signers: each scheme signs what its verifier accepts; credentials come from a file that is checked. */
#include "crypto/department_signature.h"
#include "crypto/message_signature.h"
#include "federation/signer.h"
#include "suite.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct outgoing outgoing;

static void begin(void)
{
    outgoing = (struct outgoing){.method = STR("POST"),
                                 .scheme = STR("https"),
                                 .authority = STR("dept.example"),
                                 .path = STR("/v1/a%20b"),
                                 .query = STR("x=1"),
                                 .body = STR("{\"hello\": \"world\"}")};
    ck_assert(outgoing_add(&outgoing, STR("content-type"), STR("application/json")));
}

static struct str header(const char *name)
{
    for (unsigned i = 0; i < outgoing.header_count; i++)
        if (str_is(outgoing.headers[i].name, name))
            return outgoing.headers[i].value;
    return STR_NONE;
}

static struct str pem_of(EVP_PKEY *key, bool private)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert(private ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_PUBKEY(bio, key));
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    struct str pem = str_copy(arena, (struct str){at, (size_t)len});
    BIO_free(bio);
    return pem;
}

static void sign_by(const struct security *security, const struct secret *secret)
{
    const char *reason = NULL;
    struct signer *signer = signer_open(security, secret, NULL, &reason);
    ck_assert_msg(signer != NULL, "%s", reason);
    ck_assert_int_eq(signer_sign(signer, arena, &outgoing), SIGNING_DONE);
    ck_assert(!signer_refused(signer, &outgoing));
    arena_defer(arena, (void (*)(void *))signer_close, signer); /* the headers borrow from it */
}

static void verify_department(const struct signature_key *key)
{
    const struct department_request request = {
        .method = outgoing.method, .path = outgoing.path, .query = outgoing.query, .body = outgoing.body};
    const struct department_signature signature = {
        .key_id = header("x-department-key"),
        .timestamp = header("x-department-timestamp"),
        .nonce = header("x-department-nonce"),
        .signature = header("x-department-signature"),
    };
    const char *reason = NULL;
    ASSERT_STR(signature.key_id, "shimin");
    ck_assert_msg(department_verify(arena, key, &request, &signature, clock_wall(), &reason), "%s", reason);
}

START_TEST(the_plain_signatures_are_accepted_by_the_other_side)
{
    static const struct {
        const char *scheme;
        enum signature_algorithm algorithm;
    } cases[] = {{"HMAC-SHA256", SIGNATURE_HMAC_SHA256}, {"hmac-sm3", SIGNATURE_HMAC_SM3}};
    const struct secret secret = {.key_id = STR("shimin"), .hmac_key = STR("0123456789abcdef0123456789abcdef")};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        begin();
        const struct security security = {.kind = SECURITY_HTTP, .scheme = str_of(cases[i].scheme)};
        sign_by(&security, &secret);
        const char *reason;
        struct signature_key *key = signature_key_from_secret(cases[i].algorithm, secret.hmac_key, &reason);
        verify_department(key);
        signature_key_free(key);
    }
}
END_TEST

START_TEST(the_national_signature_is_accepted_by_the_other_side)
{
    begin();
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    ck_assert_ptr_nonnull(pair);
    const struct secret secret = {.key_id = STR("shimin"), .private_key = pem_of(pair, true)};
    sign_by(&(struct security){.kind = SECURITY_HTTP, .scheme = STR("SM2")}, &secret);
    const char *reason = NULL;
    struct signature_key *key = signature_key_from_pem(SIGNATURE_SM2_SM3_DER, pem_of(pair, false), &reason);
    ck_assert_msg(key != NULL, "%s", reason);
    verify_department(key);
    signature_key_free(key);
    EVP_PKEY_free(pair);
}
END_TEST

static const struct signature_key *known_key;

static const struct signature_key *find_key(void *user, struct str key_id)
{
    (void)user;
    return str_is(key_id, "shimin") ? known_key : NULL;
}

START_TEST(the_message_signature_is_accepted_by_the_other_side)
{
    begin();
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    const struct secret secret = {.key_id = STR("shimin"), .private_key = pem_of(pair, true)};
    sign_by(&(struct security){.kind = SECURITY_HTTP, .scheme = STR("Signature")}, &secret);
    const char *reason = NULL;
    struct signature_key *key = signature_key_from_pem(SIGNATURE_ED25519, pem_of(pair, false), &reason);
    known_key = key;
    struct message_field fields[OUTGOING_HEADERS_MAX];
    for (unsigned i = 0; i < outgoing.header_count; i++)
        fields[i] = (struct message_field){outgoing.headers[i].name, outgoing.headers[i].value};
    struct message message = {.method = outgoing.method,
                              .scheme = outgoing.scheme,
                              .authority = outgoing.authority,
                              .path = outgoing.path,
                              .query = outgoing.query,
                              .fields = fields,
                              .field_count = outgoing.header_count,
                              .body = outgoing.body};
    const struct message_policy policy = {.tolerance = MESSAGE_TOLERANCE,
                                          .components = MESSAGE_COMPONENTS,
                                          .body_components = MESSAGE_BODY_COMPONENTS,
                                          .nonce_required = true,
                                          .find_key = find_key};
    struct message_verdict verdict;
    ck_assert_msg(message_verify(arena, &message, &policy, clock_wall(), &verdict, &reason), "%s", reason);
    ASSERT_STR(header("content-digest"), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
    message.body = STR("{\"hello\": \"World\"}");
    ck_assert(!message_verify(arena, &message, &policy, clock_wall(), &verdict, &reason));
    signature_key_free(key);
    EVP_PKEY_free(pair);
}
END_TEST

START_TEST(missing_credentials_are_told_before_a_call)
{
    const char *reason = NULL;
    const struct secret half = {.key_id = STR("shimin"), .certificate = STR("/x")};
    const struct security all[] = {{.kind = SECURITY_HTTP, .scheme = STR("HMAC-SHA256")},
                                   {.kind = SECURITY_HTTP, .scheme = STR("SM2")},
                                   {.kind = SECURITY_HTTP, .scheme = STR("Signature")},
                                   {.kind = SECURITY_OAUTH2, .token_url = STR("/oauth/token")},
                                   {.kind = SECURITY_MUTUAL_TLS}};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        ck_assert(signer_knows(&all[i]));
        ck_assert_ptr_null(signer_open(&all[i], &half, NULL, &reason));
        ck_assert_ptr_nonnull(reason);
        ck_assert_ptr_null(signer_open(&all[i], NULL, NULL, &reason));
    }
    ck_assert(!signer_knows(&(struct security){.kind = SECURITY_OPENID}));
    ck_assert(!signer_knows(&(struct security){.kind = SECURITY_HTTP, .scheme = STR("digest")}));
}
END_TEST

START_TEST(what_is_sent_as_it_is_goes_where_the_contract_says)
{
    struct json_error error;
    const struct secret secret = {
        .api_key = STR("k y/1"), .username = STR("Aladdin"), .password = STR("open sesame"), .token = STR("t.o.k")};
    const struct json *in_header =
        json_parse(arena, STR("{\"in\":\"header\",\"name\":\"X-Api-Key\"}"), &json_limits_document, &error);
    const struct json *in_query = json_parse(arena, STR("{\"in\":\"query\",\"name\":\"key\"}"), &json_limits_document, &error);
    const struct {
        struct security security;
        const char *name, *value;
    } rows[] = {
        {{.kind = SECURITY_HTTP, .scheme = STR("Basic")},
         "authorization",
         "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 §2 */
        {{.kind = SECURITY_HTTP, .scheme = STR("bearer")}, "authorization", "Bearer t.o.k"},
        {{.kind = SECURITY_API_KEY, .source = in_header}, "x-api-key", "k y/1"},
    };
    const char *reason;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct signer *signer = signer_open(&rows[i].security, &secret, NULL, &reason);
        begin();
        ck_assert_int_eq(signer_sign(signer, arena, &outgoing), SIGNING_DONE);
        ASSERT_STR(header(rows[i].name), rows[i].value);
        signer_close(signer);
    }
    struct signer *signer =
        signer_open(&(struct security){.kind = SECURITY_API_KEY, .source = in_query}, &secret, NULL, &reason);
    begin();
    outgoing.query = STR("a=1");
    ck_assert_int_eq(signer_sign(signer, arena, &outgoing), SIGNING_DONE);
    ASSERT_STR(outgoing.query, "a=1&key=k%20y%2F1");
    signer_close(signer);
    const struct secret broken = {.token = STR("a\nb")};
    ck_assert_ptr_null(signer_open(&rows[1].security, &broken, NULL, &reason));
}
END_TEST

static unsigned fetches;
static const char *token_answer;

static enum signing fetch(void *context, struct arena *in, struct str path, struct str authorization, struct str form,
                          struct str *answer)
{
    (void)context, (void)in;
    fetches++;
    ASSERT_STR(path, "/oauth/token");
    ASSERT_STR(authorization, "Basic Y2l0eSUzQWFwcDpwJTJGdw==");
    ASSERT_STR(form, "grant_type=client_credentials&scope=read%20write");
    *answer = str_of(token_answer);
    return SIGNING_DONE;
}

START_TEST(a_token_is_fetched_once_and_again_when_it_is_refused)
{
    const struct security security = {.kind = SECURITY_OAUTH2, .token_url = STR("https://elsewhere.example/oauth/token")};
    const struct secret secret = {.client_id = STR("city:app"), .client_secret = STR("p/w"), .scope = STR("read write")};
    const struct token_fetch by = {.fetch = fetch};
    const char *reason;
    struct signer *signer = signer_open(&security, &secret, &by, &reason);
    token_answer = "{\"access_token\":\"abc.def\",\"token_type\":\"bearer\",\"expires_in\":3600}";
    for (int i = 0; i < 3; i++) {
        begin();
        ck_assert_int_eq(signer_sign(signer, arena, &outgoing), SIGNING_DONE);
        ASSERT_STR(header("authorization"), "Bearer abc.def");
    }
    ck_assert_uint_eq(fetches, 1);
    ck_assert(!signer_refused(signer, &outgoing)); /* fetched this moment: another would be refused as well */
    signer_close(signer);
}
END_TEST

START_TEST(an_answer_that_is_no_token_is_not_sent_on)
{
    const struct security security = {.kind = SECURITY_OAUTH2, .token_url = STR("/oauth/token")};
    const struct secret secret = {.client_id = STR("city:app"), .client_secret = STR("p/w"), .scope = STR("read write")};
    const char *const answers[] = {"", "{}", "{\"access_token\":\"a b\"}", "{\"access_token\":\"a\\r\\nx: y\"}",
                                   "{\"access_token\":\"a\",\"token_type\":\"mac\"}"};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        const char *reason;
        struct signer *signer = signer_open(&security, &secret, &(struct token_fetch){.fetch = fetch}, &reason);
        token_answer = answers[i];
        begin();
        ck_assert_int_eq(signer_sign(signer, arena, &outgoing), SIGNING_REFUSED);
        signer_close(signer);
    }
}
END_TEST

static const struct secrets *load(const char *text, mode_t mode, struct text *faults)
{
    char path[] = "/tmp/shimin-secrets-XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert(write(descriptor, text, strlen(text)) == (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(descriptor, mode), 0);
    close(descriptor);
    *faults = text_open(arena, 64);
    const struct secrets *secrets = secrets_load(path, faults);
    unlink(path);
    return secrets;
}

START_TEST(secrets_are_read_only_from_a_private_file)
{
    struct text faults;
    const char *text = "departments:\n  fund: {key_id: shimin, hmac_key: MDEyMzQ1Njc4OWFiY2RlZg==}\n  health: {client_id: a, "
                       "client_secret: b, scope: read}\n";
    ck_assert_ptr_null(load(text, 0640, &faults));
    ASSERT_HAS(text_str(&faults), "0600");
    const struct secrets *secrets = load(text, 0600, &faults);
    ck_assert_msg(secrets != NULL, "%.*s", STR_ARG(text_str(&faults)));
    ASSERT_STR(secrets_find(secrets, STR("fund"))->hmac_key, "0123456789abcdef");
    ASSERT_STR(secrets_find(secrets, STR("health"))->client_secret, "b");
    ck_assert_ptr_null(secrets_find(secrets, STR("nobody")));
    ck_assert_ptr_null(secrets_find(NULL, STR("nobody")));
    secrets_free(secrets);
}
END_TEST

START_TEST(a_faulty_secrets_file_is_refused_whole_and_not_quoted)
{
    struct text faults;
    ck_assert_ptr_null(load("departments:\n  fund:\n    hmac_key: topsecret!\n    colour: red\n  x: 1\n", 0600, &faults));
    ASSERT_HAS(text_str(&faults), ":3: must be base64");
    ASSERT_HAS(text_str(&faults), ":4: unknown member");
    ASSERT_HAS(text_str(&faults), ":5: must hold");
    ck_assert_int_lt(str_find(text_str(&faults), STR("topsecret")), 0);
    ck_assert_ptr_null(load("a: b", 0600, &faults));
    ck_assert_ptr_null(secrets_load("/nonexistent/secrets.yaml", &faults));
}
END_TEST

RUN_FLOOR_TESTS("federation signer", the_plain_signatures_are_accepted_by_the_other_side,
                the_national_signature_is_accepted_by_the_other_side, the_message_signature_is_accepted_by_the_other_side,
                missing_credentials_are_told_before_a_call, what_is_sent_as_it_is_goes_where_the_contract_says,
                a_token_is_fetched_once_and_again_when_it_is_refused, an_answer_that_is_no_token_is_not_sent_on,
                secrets_are_read_only_from_a_private_file, a_faulty_secrets_file_is_refused_whole_and_not_quoted)
