/* Login of staff at the city's identity provider. What it says of a person is the name of an account; roles are ours. */
#include "identity/oidc.h"
#include "identity/staff.h"

#include "crypto/digest.h"
#include "crypto/jose.h"
#include "crypto/token.h"
#include "identity_queries.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/redis.h>

#include <stdio.h>

enum { LOGIN_SECONDS = 600, SKEW_SECONDS = 30, SECRET_BYTES = 1024 };

/* A login under way, between its two requests: kept in Redis under the state's digest, taken out once. */
struct under_way {
    struct str verifier, nonce, binding; /* the binding as its digest */
};

static const struct oidc_settings *settings(void)
{
    return &identity_settings()->oidc;
}

bool staff_oidc_offered(void)
{
    return settings()->issuer != NULL;
}

static struct str digest_text(struct arena *arena, struct str text)
{
    char *key = arena_alloc(arena, TOKEN_KEY_LENGTH);
    token_key(text, key);
    return (struct str){key, TOKEN_KEY_LENGTH};
}

/* The provider's own description, which must be of the issuer that was configured (OpenID Connect Discovery §4.3). */
static const struct json *discover(struct arena *arena)
{
    struct str url = str_printf(arena, "%s/.well-known/openid-configuration", settings()->issuer);
    const struct json *document = oidc_fetch(arena, settings(), url, STR_NONE, STR_NONE);
    if (document && str_is(json_get_string(document, "issuer", STR("")), settings()->issuer))
        return document;
    if (document)
        log_warning("the identity provider says that it is another issuer than staff.oidc.issuer");
    return NULL;
}

static void add_parameter(struct text *url, const char *name, struct str value)
{
    text_printf(url, "%s%s=%.*s", str_find(text_str(url), STR("?")) < 0 ? "?" : "&", name,
                STR_ARG(str_percent_encode(url->arena, value)));
}

/* RFC 7636 §4.2. */
static struct str challenge_of(struct arena *arena, struct str verifier)
{
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(verifier, digest);
    return base64url_encode(arena, digest, sizeof digest);
}

enum staff_outcome staff_oidc_begin(struct arena *arena, struct str *url, struct str *binding)
{
    if (!staff_oidc_offered())
        return STAFF_ABSENT;
    const struct json *provider = discover(arena);
    if (!provider)
        return STAFF_UNAVAILABLE;
    struct str state = token_new(arena), verifier = token_new(arena), nonce = token_new(arena);
    *binding = token_new(arena);
    struct str kept =
        str_printf(arena, "%.*s %.*s %.*s", STR_ARG(verifier), STR_ARG(nonce), STR_ARG(digest_text(arena, *binding)));
    struct str key = str_printf(arena, "oidc:%.*s", STR_ARG(digest_text(arena, state)));
    struct redis_reply reply;
    if (redis_command(arena, &reply, "SET %b %b EX %d", STR_BYTES(key), STR_BYTES(kept), LOGIN_SECONDS) != REDIS_OK)
        return STAFF_UNAVAILABLE;
    struct text text = text_open(arena, 512);
    text_add(&text, json_get_string(provider, "authorization_endpoint", STR("")));
    add_parameter(&text, "response_type", STR("code"));
    add_parameter(&text, "client_id", str_of(settings()->client_id));
    add_parameter(&text, "redirect_uri", str_of(settings()->redirect_uri));
    add_parameter(&text, "scope", STR("openid profile"));
    add_parameter(&text, "state", state);
    add_parameter(&text, "nonce", nonce);
    add_parameter(&text, "code_challenge", challenge_of(arena, verifier));
    add_parameter(&text, "code_challenge_method", STR("S256"));
    if (settings()->acr)
        add_parameter(&text, "acr_values", str_of(settings()->acr));
    *url = text_str(&text);
    return STAFF_DONE;
}

/* Whoever has the state must be the browser that began: it has the binding as well. */
static enum staff_outcome take(struct arena *arena, const struct staff_oidc_answer *answer, struct under_way *login)
{
    struct str key = str_printf(arena, "oidc:%.*s", STR_ARG(digest_text(arena, answer->state)));
    struct redis_reply reply;
    if (redis_command(arena, &reply, "GETDEL %b", STR_BYTES(key)) != REDIS_OK)
        return STAFF_UNAVAILABLE;
    if (reply.type != REDIS_STRING)
        return STAFF_REJECTED;
    struct str rest = reply.string;
    login->verifier = str_cut(&rest, ' ');
    login->nonce = str_cut(&rest, ' ');
    login->binding = rest;
    struct str shown = digest_text(arena, answer->binding);
    bool same = rest.len == shown.len && constant_time_equal(rest.at, shown.at, shown.len);
    return same && (!answer->issuer.at || str_is(answer->issuer, settings()->issuer)) ? STAFF_DONE : STAFF_REJECTED;
}

/* client_secret_basic, or nothing when the provider knows us by PKCE alone. */
static struct str authorization(struct arena *arena)
{
    char secret[SECRET_BYTES];
    FILE *file = settings()->secret_file ? fopen(settings()->secret_file, "re") : NULL;
    if (!file)
        return STR_NONE;
    size_t length = fread(secret, 1, sizeof secret, file);
    fclose(file);
    struct str both = str_printf(arena, "%.*s:%.*s", STR_ARG(str_percent_encode(arena, str_of(settings()->client_id))),
                                 STR_ARG(str_percent_encode(arena, str_trim((struct str){secret, length}))));
    return str_printf(arena, "Basic %.*s", STR_ARG(base64_encode(arena, both.at, both.len)));
}

/* The ID token that the code is worth, signed by the provider; NULL after logging why not. */
static const struct json *redeem(struct arena *arena, const struct json *provider, struct str code, struct str verifier,
                                 struct str *access_token)
{
    struct jws *token = arena_new(arena, struct jws);
    struct text form = text_open(arena, 512);
    text_printf(&form, "grant_type=authorization_code&code=%.*s&redirect_uri=%.*s&client_id=%.*s&code_verifier=%.*s",
                STR_ARG(str_percent_encode(arena, code)), STR_ARG(str_percent_encode(arena, str_of(settings()->redirect_uri))),
                STR_ARG(str_percent_encode(arena, str_of(settings()->client_id))), STR_ARG(verifier));
    const struct json *answer = oidc_fetch(arena, settings(), json_get_string(provider, "token_endpoint", STR("")),
                                           text_str(&form), authorization(arena));
    const struct json *keys =
        answer ? oidc_fetch(arena, settings(), json_get_string(provider, "jwks_uri", STR("")), STR_NONE, STR_NONE) : NULL;
    if (keys && jws_parse(arena, json_get_string(answer, "id_token", STR("")), token) && jws_verify_set(token, keys) &&
        jws_is_for(token, str_of(settings()->client_id))) {
        *access_token = json_get_string(answer, "access_token", STR_NONE);
        return token->payload;
    }
    if (keys)
        log_warning("the identity provider's ID token is not for us, or not signed by it");
    return NULL;
}

/* OpenID Connect Core §3.1.3.7. */
static bool claims_fit(const struct json *claims, struct str nonce)
{
    int64_t now = clock_wall() / seconds(1);
    const struct json *audience = json_get(claims, "aud"), *party = json_get(claims, "azp");
    bool many = audience && audience->type == JSON_ARRAY && audience->count > 1;
    bool ours = party ? str_is(json_get_string(claims, "azp", STR("")), settings()->client_id) : !many;
    return ours && str_is(json_get_string(claims, "iss", STR("")), settings()->issuer) &&
           json_get_integer(claims, "exp", 0) > now - SKEW_SECONDS &&
           json_get_integer(claims, "iat", INT64_MAX) <= now + SKEW_SECONDS && nonce.len &&
           str_equal(json_get_string(claims, "nonce", STR("")), nonce) &&
           (!settings()->acr || str_is(json_get_string(claims, "acr", STR("")), settings()->acr));
}

/* The claim of the ID token, or else of the provider's userinfo, which must be of the same subject (§5.3.2). */
static struct str name_of(struct arena *arena, const struct json *provider, const struct json *claims, struct str access_token)
{
    const struct json *endpoint = json_get(provider, "userinfo_endpoint");
    if (json_get(claims, settings()->claim) || !endpoint || endpoint->type != JSON_STRING || !access_token.at)
        return json_get_string(claims, settings()->claim, STR(""));
    const struct json *person =
        oidc_fetch(arena, settings(), endpoint->string, STR_NONE, str_printf(arena, "Bearer %.*s", STR_ARG(access_token)));
    struct str subject = json_get_string(claims, "sub", STR(""));
    bool same = subject.len && str_equal(json_get_string(person, "sub", STR("")), subject);
    return same ? json_get_string(person, settings()->claim, STR("")) : STR("");
}

static enum staff_outcome open_for(struct arena *arena, struct str name, const struct staff_login *login,
                                   struct staff_session_new *made)
{
    const struct pg_result *row;
    if (pg_query(arena, &sql_find_staff, PG_ARGS(pg_text(name)), &row) != PG_OK)
        return STAFF_UNAVAILABLE;
    if (!pg_rows(row) || !pg_bool(row, 0, 1))
        return STAFF_REJECTED;
    const struct staff_session_opening opening = {
        .staff_id = pg_str(row, 0, 0),
        .device = login->device,
        .address = login->address,
        .by = "oidc",
        .epoch = pg_int(row, 0, 5),
    };
    return staff_session_open(arena, &opening, made) ? STAFF_DONE : STAFF_UNAVAILABLE;
}

enum staff_outcome staff_oidc_finish(struct arena *arena, const struct staff_oidc_answer *answer,
                                     const struct staff_login *login, struct staff_session_new *made, struct str *name)
{
    struct under_way under_way;
    if (!staff_oidc_offered())
        return STAFF_ABSENT;
    enum staff_outcome outcome = take(arena, answer, &under_way);
    if (outcome != STAFF_DONE)
        return outcome;
    const struct json *provider = discover(arena);
    if (!provider)
        return STAFF_UNAVAILABLE;
    struct str access_token = STR_NONE;
    const struct json *claims = redeem(arena, provider, answer->code, under_way.verifier, &access_token);
    if (!claims || !claims_fit(claims, under_way.nonce))
        return STAFF_REJECTED;
    *name = name_of(arena, provider, claims, access_token);
    return open_for(arena, *name, login, made);
}
