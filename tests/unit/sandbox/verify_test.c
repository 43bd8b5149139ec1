/* Each scheme lets in who signed rightly, and nobody else. */
#include "verify.h"

#include <check.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/content_digest.h"
#include "crypto/department_signature.h"
#include "crypto/message_signature.h"
#include "http/request_internal.h"

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open();
}

static void shut_arena(void)
{
    arena_close(arena);
}

static struct request *request_of(const char *method, const char *path, const char *query, const char *body)
{
    struct request *request = arena_new(arena, struct request);
    request->arena = arena;
    request->method = str_of(method);
    request->path = str_of(path);
    request->query = str_of(query);
    request->body_bytes = str_of(body);
    request->fields = arena_array(arena, struct field, 16);
    return request;
}

static void add_field(struct request *request, const char *name, struct str value)
{
    request->fields[request->field_count++] = (struct field){str_of(name), value};
}

static struct str pem_of(EVP_PKEY *pkey, bool private)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;
    if (private)
        PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_PUBKEY(bio, pkey);
    long length = BIO_get_mem_data(bio, &at);
    struct str pem = str_copy(arena, (struct str){at, (size_t)length});
    BIO_free(bio);
    return pem;
}

/* A scheme, the gateway's half of its key and the sandbox's. */
struct side {
    const char *scheme;
    enum signature_algorithm algorithm;
    struct signature_key *ours;
    struct verifier *theirs;
};

static struct side side_of(const char *scheme, enum signature_algorithm algorithm, const char *department)
{
    struct side side = {scheme, algorithm, NULL, NULL};
    const char *reason;
    struct secret secret = {.key_id = STR("gateway"), .hmac_key = STR("0123456789abcdef0123456789abcdef")};
    const struct security security = {.kind = SECURITY_HTTP, .name = STR("s"), .scheme = str_of(scheme)};
    if (signature_algorithm_is_shared(algorithm)) {
        side.ours = signature_key_from_secret(algorithm, secret.hmac_key, &reason);
    } else {
        EVP_PKEY *pkey =
            algorithm == SIGNATURE_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
        side.ours = signature_key_from_pem(algorithm, pem_of(pkey, true), &reason);
        secret.private_key = pem_of(pkey, false); /* the public half is enough */
        EVP_PKEY_free(pkey);
    }
    ck_assert(side.ours != NULL);
    side.theirs = verifier_open(arena, &security, str_of(department), &secret, true);
    ck_assert_msg(!verifier_fault(side.theirs), "%s", verifier_fault(side.theirs));
    return side;
}

static bool lets_in(const struct side *side, struct request *request, const char **reason)
{
    struct str who;
    bool good = verifier_check(side->theirs, request, &who, reason);
    ck_assert(good || *reason != NULL);
    ck_assert(!good || str_is(who, "gateway"));
    return good;
}

/* ---- the plain signature ---- */

static const struct {
    const char *scheme;
    enum signature_algorithm algorithm;
} plain[] = {{"HMAC-SHA256", SIGNATURE_HMAC_SHA256}, {"HMAC-SM3", SIGNATURE_HMAC_SM3}, {"sm2", SIGNATURE_SM2_SM3_DER}};

static struct request *signed_plainly(const struct side *side, const char *query, const char *body, int64_t now)
{
    struct request *request = request_of("POST", "/v1/a", query, body);
    const struct department_request what = {request->method, request->path, request->query, request->body_bytes};
    struct department_signature signature;
    ck_assert(department_sign(arena, side->ours, STR("gateway"), &what, now, &signature));
    add_field(request, "x-department-key", signature.key_id);
    add_field(request, "x-department-timestamp", signature.timestamp);
    add_field(request, "x-department-nonce", signature.nonce);
    add_field(request, "x-department-signature", signature.signature);
    return request;
}

START_TEST(a_plain_signature_is_good_once_and_for_what_was_signed)
{
    struct side side = side_of(plain[_i].scheme, plain[_i].algorithm, "a");
    const char *reason;
    struct request *request = signed_plainly(&side, "x=1", "{}", clock_wall());
    ck_assert(lets_in(&side, request, &reason));
    ck_assert(!lets_in(&side, request, &reason));
    ck_assert(strstr(reason, "Nonce") != NULL);

    request = signed_plainly(&side, "x=1", "{}", clock_wall());
    request->query = STR("x=2");
    ck_assert(!lets_in(&side, request, &reason));
    request = signed_plainly(&side, "x=1", "{}", clock_wall());
    request->body_bytes = STR("{ }");
    ck_assert(!lets_in(&side, request, &reason));
    ck_assert(!lets_in(&side, signed_plainly(&side, "", "", clock_wall() - seconds(301)), &reason));
    request = signed_plainly(&side, "", "", clock_wall());
    request->fields[0].value = STR("somebody");
    ck_assert(!lets_in(&side, request, &reason));
    request = signed_plainly(&side, "", "", clock_wall());
    request->field_count--;
    ck_assert(!lets_in(&side, request, &reason));
    signature_key_free(side.ours);
}
END_TEST

/* ---- HTTP message signatures ---- */

static struct request *signed_message(const struct side *side, const char *body, int64_t now)
{
    struct request *request = request_of("POST", "/v1/a", "", body);
    const char *reason;
    struct message_profile profile = {
        .label = STR("sig1"),
        .components = MESSAGE_COMPONENTS,
        .body_components = MESSAGE_BODY_COMPONENTS,
        .key = side->ours,
        .key_id = STR("gateway"),
        .with_algorithm = true,
        .with_nonce = true,
    };
    struct message_signer *signer = message_signer_new(&profile, &reason);
    add_field(request, "host", STR("127.0.0.1:9101"));
    add_field(request, "content-type", STR("application/json"));
    add_field(request, "content-digest", content_digest(arena, DIGEST_SHA256, request->body_bytes));
    struct message_field fields[3];
    for (size_t i = 0; i < 3; i++)
        fields[i] = (struct message_field){request->fields[i].name, request->fields[i].value};
    const struct message message = {request->method, STR("http"), STR("127.0.0.1:9101"), request->path, STR_NONE,
                                    fields,          3,           request->body_bytes};
    struct message_signature signature;
    ck_assert(message_sign(arena, signer, &message, now, &signature, &reason));
    add_field(request, "signature-input", signature.input);
    add_field(request, "signature", signature.signature);
    message_signer_free(signer);
    return request;
}

START_TEST(a_message_signature_is_good_once_and_covers_the_body)
{
    struct side side = side_of("Signature", SIGNATURE_ED25519, "b");
    const char *reason;
    struct request *request = signed_message(&side, "{\"a\":1}", clock_wall());
    ck_assert_msg(lets_in(&side, request, &reason), "%s", reason);
    ck_assert(!lets_in(&side, request, &reason));
    request = signed_message(&side, "{\"a\":1}", clock_wall());
    request->body_bytes = STR("{\"a\":2}");
    ck_assert(!lets_in(&side, request, &reason));
    request = signed_message(&side, "{\"a\":1}", clock_wall());
    request->path = STR("/v1/b");
    ck_assert(!lets_in(&side, request, &reason));
    ck_assert(!lets_in(&side, signed_message(&side, "{}", clock_wall() - seconds(400)), &reason));
    ck_assert(!lets_in(&side, request_of("GET", "/", "", ""), &reason));
    signature_key_free(side.ours);
}
END_TEST

/* ---- tokens ---- */

static struct verifier *token_verifier(const char *department)
{
    const struct security security = {
        .kind = SECURITY_OAUTH2, .name = STR("o"), .token_url = STR("https://elsewhere.example/oauth/token")};
    const struct secret secret = {.client_id = STR("gate way"), .client_secret = STR("a:b+c")};
    return verifier_open(arena, &security, str_of(department), &secret, true);
}

static const struct json *ask_for_token(const struct verifier *verifier, const char *credentials, const char *form,
                                        unsigned status)
{
    struct request *request = request_of("POST", "/oauth/token", "", form);
    struct json_error error;
    struct str encoded = base64_encode(arena, credentials, strlen(credentials));
    add_field(request, "authorization", str_printf(arena, "Basic %.*s", STR_ARG(encoded)));
    verifier_answer_token(verifier, request);
    ck_assert_uint_eq(request->reply.status, status);
    json_end_all(&request->reply.json);
    return json_parse(arena, text_str(&request->reply.text), &json_limits_answer, &error);
}

static bool token_is_good(const struct verifier *verifier, struct str token)
{
    struct request *request = request_of("GET", "/a", "", "");
    struct str who;
    const char *reason;
    add_field(request, "authorization", str_printf(arena, "Bearer %.*s", STR_ARG(token)));
    return verifier_check(verifier, request, &who, &reason);
}

#define GRANT "grant_type=client_credentials"

START_TEST(a_token_is_good_for_its_department_until_it_is_revoked)
{
    struct verifier *verifier = token_verifier("c");
    ck_assert(str_is(verifier_token_path(verifier), "/oauth/token"));
    struct str token = json_get_string(ask_for_token(verifier, "gate%20way:a%3Ab%2Bc", GRANT, 200), "access_token", STR_NONE);
    ck_assert(token.len >= 40);
    ck_assert(token_is_good(verifier, token));
    ck_assert(!token_is_good(token_verifier("d"), token));
    ck_assert(!token_is_good(verifier, STR("x")));
    tokens_revoke_all();
    ck_assert(!token_is_good(verifier, token));
}
END_TEST

START_TEST(only_the_client_gets_a_token_and_only_for_client_credentials)
{
    struct verifier *verifier = token_verifier("e");
    ask_for_token(verifier, "gate%20way:wrong", GRANT, 401);
    ask_for_token(verifier, "other:a%3Ab%2Bc", GRANT, 401);
    ask_for_token(verifier, "nothing", GRANT, 401);
    ask_for_token(verifier, "gate%20way:a%3Ab%2Bc", "grant_type=password", 400);
    ask_for_token(verifier, "gate%20way:a%3Ab%2Bc", "", 400);
}
END_TEST

/* ---- API keys ---- */

static const struct {
    const char *place, *sent, *wrong;
} api_keys[] = {
    {"header", "k y/1", "k y/2"},
    {"query", "a=1&X-Key=k%20y%2F1", "a=1&x-key=k%20y%2F1"},
    {"cookie", "a=b; X-Key=k y/1", "a=b; X-Keys=k y/1"},
};

static bool key_is_good(const struct verifier *verifier, const char *place, const char *sent, const char **reason)
{
    bool in_query = strcmp(place, "query") == 0;
    struct request *request = request_of("GET", "/a", in_query ? sent : "", "");
    struct str who;
    if (!in_query)
        add_field(request, strcmp(place, "cookie") == 0 ? "cookie" : "x-key", str_of(sent));
    bool good = verifier_check(verifier, request, &who, reason);
    ck_assert(!good || str_is(who, "apiKey"));
    return good;
}

START_TEST(an_api_key_is_good_where_the_contract_wants_it_and_nowhere_else)
{
    struct json_error error;
    struct str text = str_printf(arena, "{\"type\":\"apiKey\",\"in\":\"%s\",\"name\":\"X-Key\"}", api_keys[_i].place);
    const struct security security = {
        .kind = SECURITY_API_KEY, .name = STR("k"), .source = json_parse(arena, text, &json_limits_document, &error)};
    const struct secret secret = {.api_key = STR("k y/1")};
    struct verifier *verifier = verifier_open(arena, &security, STR("i"), &secret, true);
    const char *reason;
    struct str who;
    ck_assert_ptr_null(verifier_fault(verifier));
    ck_assert(key_is_good(verifier, api_keys[_i].place, api_keys[_i].sent, &reason));
    ck_assert(!key_is_good(verifier, api_keys[_i].place, api_keys[_i].wrong, &reason));
    ck_assert(!verifier_check(verifier, request_of("GET", "/a", "", ""), &who, &reason));
    ck_assert_str_eq(reason, "the API key is missing");
    const char *elsewhere = api_keys[(_i + 1) % (int)COUNT_OF(api_keys)].place;
    ck_assert(!key_is_good(verifier, elsewhere, api_keys[(_i + 1) % (int)COUNT_OF(api_keys)].sent, &reason));
    verifier = verifier_open(arena, &security, STR("j"), NULL, true);
    ck_assert(strstr(verifier_fault(verifier), "api_key") != NULL);
}
END_TEST

/* ---- what is missing ---- */

START_TEST(without_credentials_everybody_is_refused_and_told_why)
{
    const struct security security = {.kind = SECURITY_HTTP, .name = STR("s"), .scheme = STR("HMAC-SHA256")};
    struct verifier *verifier = verifier_open(arena, &security, STR("f"), NULL, true);
    struct str who;
    const char *reason;
    ck_assert(verifier_fault(verifier) != NULL);
    ck_assert(!verifier_check(verifier, request_of("GET", "/", "", ""), &who, &reason));
    ck_assert(strstr(reason, "secrets file") != NULL);
}
END_TEST

START_TEST(without_a_secrets_file_everybody_is_let_in)
{
    const struct security security = {.kind = SECURITY_HTTP, .name = STR("s"), .scheme = STR("SM2")};
    struct str who;
    const char *reason;
    ck_assert(
        verifier_check(verifier_open(arena, &security, STR("g"), NULL, false), request_of("GET", "/", "", ""), &who, &reason));
}
END_TEST

START_TEST(mutual_tls_refuses_a_connection_without_tls)
{
    const struct security security = {.kind = SECURITY_MUTUAL_TLS, .name = STR("m")};
    struct str who;
    const char *reason;
    ck_assert(
        !verifier_check(verifier_open(arena, &security, STR("h"), NULL, true), request_of("GET", "/", "", ""), &who, &reason));
    ck_assert(strstr(reason, "TLS") != NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("verify");
    tcase_add_checked_fixture(tcase, open_arena, shut_arena);
    tcase_add_loop_test(tcase, a_plain_signature_is_good_once_and_for_what_was_signed, 0, (int)COUNT_OF(plain));
    tcase_add_test(tcase, a_message_signature_is_good_once_and_covers_the_body);
    tcase_add_test(tcase, a_token_is_good_for_its_department_until_it_is_revoked);
    tcase_add_test(tcase, only_the_client_gets_a_token_and_only_for_client_credentials);
    tcase_add_loop_test(tcase, an_api_key_is_good_where_the_contract_wants_it_and_nowhere_else, 0, (int)COUNT_OF(api_keys));
    tcase_add_test(tcase, without_credentials_everybody_is_refused_and_told_why);
    tcase_add_test(tcase, without_a_secrets_file_everybody_is_let_in);
    tcase_add_test(tcase, mutual_tls_refuses_a_connection_without_tls);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
