/* Access tokens: the token endpoint of departments with OAuth 2.0 client credentials (RFC 6749), and what it gave out. */
#include <pthread.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <stdatomic.h>

#include "crypto/digest.h"
#include "verify_internal.h"

enum { TOKENS = 1 << 14, TOKEN_BYTES = 32, LIFE_DEFAULT = 3600 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct remembered *tokens;
static atomic_llong life = LIFE_DEFAULT;

static void open_tokens(void)
{
    tokens = remembered_open(TOKENS);
}

void tokens_set_life(int64_t given)
{
    atomic_store(&life, given);
}

int64_t tokens_life(void)
{
    return atomic_load(&life);
}

void tokens_revoke_all(void)
{
    pthread_once(&once, open_tokens);
    remembered_clear(tokens);
}

bool token_check(const struct verifier *verifier, struct request *request, struct str *who, const char **reason)
{
    struct str value = request_field(request, STR("authorization"));
    struct str scheme = str_cut(&value, ' ');
    pthread_once(&once, open_tokens);
    if (!value.at || !str_equal_nocase(scheme, STR("bearer"))) {
        *reason = "Authorization: Bearer with an access token is needed";
        return false;
    }
    *who = verifier->client_id;
    *reason = "the access token is unknown to this department, revoked or expired";
    return remembered_has(tokens, verifier->department, str_trim(value), clock_wall());
}

/* ---- the endpoint ---- */

static void refuse(struct request *request, unsigned status, const char *error, const char *why)
{
    if (status == 401)
        reply_header(request, "www-authenticate", STR("Basic realm=\"department\""));
    reply_header(request, "x-sandbox-reason", str_of(why));
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field_c(out, "error", error);
    json_field_c(out, "error_description", why);
}

static struct str form_value(struct request *request, const char *name)
{
    struct str rest = request->body_bytes, decoded;
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&');
        if (str_is(str_cut(&value, '='), name) && value.at && str_percent_decode(request->arena, value, true, &decoded))
            return decoded;
    }
    return STR_NONE;
}

/* client_secret_basic, or client_secret_post (RFC 6749 §2.3.1). */
static void read_client(struct request *request, struct str *id, struct str *secret)
{
    struct str value = request_field(request, STR("authorization")), both;
    *id = form_value(request, "client_id");
    *secret = form_value(request, "client_secret");
    if (!str_equal_nocase(str_cut(&value, ' '), STR("basic")) || !value.at ||
        !base64_decode(request->arena, str_trim(value), &both))
        return;
    struct str name = str_cut(&both, ':');
    if (!both.at || !str_percent_decode(request->arena, name, true, id) ||
        !str_percent_decode(request->arena, both, true, secret))
        *id = *secret = STR_NONE;
}

static bool is_client(const struct verifier *verifier, struct str id, struct str secret)
{
    if (!verifier->client_id.len)
        return id.len > 0;
    return str_equal(id, verifier->client_id) && secret.len == verifier->client_secret.len &&
           constant_time_equal(secret.at, verifier->client_secret.at, secret.len);
}

void verifier_answer_token(const struct verifier *verifier, struct request *request)
{
    struct str id, secret, grant = form_value(request, "grant_type");
    uint8_t bytes[TOKEN_BYTES];
    pthread_once(&once, open_tokens);
    if (!str_is(request->method, "POST")) {
        reply_header(request, "allow", STR("POST"));
        refuse(request, 405, "invalid_request", "tokens are asked for with POST");
        return;
    }
    read_client(request, &id, &secret);
    if (verifier->fault || !is_client(verifier, id, secret)) {
        refuse(request, 401, "invalid_client",
               verifier->fault ? verifier->fault : "client_id and client_secret are not those of the secrets file");
        return;
    }
    if (!str_is(grant, "client_credentials")) {
        refuse(request, 400, grant.at ? "unsupported_grant_type" : "invalid_request", "grant_type must be client_credentials");
        return;
    }
    random_bytes(bytes, sizeof bytes);
    struct str token = base64url_encode(request->arena, bytes, sizeof bytes), scope = form_value(request, "scope");
    int64_t lasts = tokens_life();
    if (!remembered_add(tokens, verifier->department, token, clock_wall() + seconds(lasts))) {
        refuse(request, 500, "server_error", "the same token came up twice");
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "access_token", token);
    json_field_c(out, "token_type", "Bearer");
    json_field_i64(out, "expires_in", lasts);
    if (scope.len)
        json_field(out, "scope", scope);
}
