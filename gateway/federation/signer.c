/* The schemes by which departments want their requests signed. */
#include "federation/signer.h"
#include "crypto/content_digest.h"
#include "crypto/department_signature.h"
#include "crypto/message_signature.h"
#include "federation/token.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <stdlib.h>

#define MESSAGE_TAG "city-dept"
#define MESSAGE_EXPIRES 300 /* seconds */

struct scheme {
    enum security_kind kind;
    const char *name; /* of an http scheme, in any case; NULL: any */
    enum signature_algorithm algorithm;
    bool needs_certificate;
    bool (*open)(struct signer *signer, const struct security *security, const struct secret *secret, const char **reason);
    enum signing (*sign)(struct signer *signer, struct arena *arena, struct outgoing *outgoing);
};

struct signer {
    const struct scheme *scheme;
    struct signature_key *key;
    struct message_signer *message;
    struct token *token;
    struct token_fetch fetch;
    struct arena *arena;
    struct str key_id;
    struct field fixed; /* the header that proves who we are */
    struct str query;   /* or the parameter */
};

bool outgoing_add(struct outgoing *outgoing, struct str name, struct str value)
{
    if (outgoing->header_count == OUTGOING_HEADERS_MAX)
        return false;
    outgoing->headers[outgoing->header_count++] = (struct field){.name = name, .value = value};
    return true;
}

/* ---- none, and mutual TLS, whose proof is the connection ---- */

static bool open_nothing(struct signer *signer, const struct security *security, const struct secret *secret,
                         const char **reason)
{
    (void)signer, (void)security, (void)secret, (void)reason;
    return true;
}

static bool open_certificate(struct signer *signer, const struct security *security, const struct secret *secret,
                             const char **reason)
{
    (void)signer, (void)security;
    if (secret && secret->certificate.at && secret->private_key.at)
        return true;
    *reason = "mutual TLS needs `certificate` and `private_key`";
    return false;
}

static enum signing sign_nothing(struct signer *signer, struct arena *arena, struct outgoing *outgoing)
{
    (void)signer, (void)arena, (void)outgoing;
    return SIGNING_DONE;
}

/* ---- keys ---- */

static bool open_key(struct signer *signer, const struct secret *secret, const char **reason)
{
    bool shared = signature_algorithm_is_shared(signer->scheme->algorithm);
    if (!secret || !secret->key_id.len || !(shared ? secret->hmac_key.len : secret->private_key.len)) {
        *reason = shared ? "needs `key_id` and `hmac_key`" : "needs `key_id` and `private_key`";
        return false;
    }
    signer->key_id = str_copy(signer->arena, secret->key_id);
    signer->key = shared ? signature_key_from_secret(signer->scheme->algorithm, secret->hmac_key, reason)
                         : signature_key_from_pem(signer->scheme->algorithm, secret->private_key, reason);
    return signer->key != NULL;
}

/* ---- the departments' plain signature ---- */

static bool open_department(struct signer *signer, const struct security *security, const struct secret *secret,
                            const char **reason)
{
    (void)security;
    return open_key(signer, secret, reason);
}

static enum signing sign_department(struct signer *signer, struct arena *arena, struct outgoing *outgoing)
{
    const struct department_request request = {
        .method = outgoing->method, .path = outgoing->path, .query = outgoing->query, .body = outgoing->body};
    struct department_signature signature;
    bool good = department_sign(arena, signer->key, signer->key_id, &request, clock_wall(), &signature) &&
                outgoing_add(outgoing, STR("x-department-key"), signature.key_id) &&
                outgoing_add(outgoing, STR("x-department-timestamp"), signature.timestamp) &&
                outgoing_add(outgoing, STR("x-department-nonce"), signature.nonce) &&
                outgoing_add(outgoing, STR("x-department-signature"), signature.signature);
    return good ? SIGNING_DONE : SIGNING_REFUSED;
}

/* ---- HTTP message signatures ---- */

static bool open_message(struct signer *signer, const struct security *security, const struct secret *secret,
                         const char **reason)
{
    (void)security;
    if (!open_key(signer, secret, reason))
        return false;
    const struct message_profile profile = {
        .label = STR("sig1"),
        .components = MESSAGE_COMPONENTS,
        .body_components = MESSAGE_BODY_COMPONENTS,
        .key = signer->key,
        .key_id = signer->key_id,
        .tag = STR(MESSAGE_TAG),
        .expires_in = MESSAGE_EXPIRES,
        .with_algorithm = true,
        .with_nonce = true,
    };
    signer->message = message_signer_new(&profile, reason);
    return signer->message != NULL;
}

static enum signing sign_message(struct signer *signer, struct arena *arena, struct outgoing *outgoing)
{
    if (outgoing->body.len &&
        !outgoing_add(outgoing, STR("content-digest"), content_digest(arena, DIGEST_SHA256, outgoing->body)))
        return SIGNING_REFUSED;
    struct message_field fields[OUTGOING_HEADERS_MAX];
    for (unsigned i = 0; i < outgoing->header_count; i++)
        fields[i] = (struct message_field){.name = outgoing->headers[i].name, .value = outgoing->headers[i].value};
    const struct message message = {
        .method = outgoing->method,
        .scheme = outgoing->scheme,
        .authority = outgoing->authority,
        .path = outgoing->path,
        .query = outgoing->query,
        .fields = fields,
        .field_count = outgoing->header_count,
        .body = outgoing->body,
    };
    struct message_signature signature;
    const char *reason;
    bool good = message_sign(arena, signer->message, &message, clock_wall(), &signature, &reason) &&
                outgoing_add(outgoing, STR("signature-input"), signature.input) &&
                outgoing_add(outgoing, STR("signature"), signature.signature);
    return good ? SIGNING_DONE : SIGNING_REFUSED;
}

/* ---- OAuth 2.0 client credentials ---- */

static bool open_token(struct signer *signer, const struct security *security, const struct secret *secret, const char **reason)
{
    if (!secret || !secret->client_id.len || !secret->client_secret.len || !security->token_url.len) {
        *reason = "needs `client_id` and `client_secret`, and a tokenUrl in the contract";
        return false;
    }
    signer->token = token_open(security, secret, &signer->fetch);
    return true;
}

static enum signing sign_token(struct signer *signer, struct arena *arena, struct outgoing *outgoing)
{
    struct str token;
    enum signing signing = token_get(signer->token, arena, &token);
    if (signing != SIGNING_DONE)
        return signing;
    return outgoing_add(outgoing, STR("authorization"), str_printf(arena, "Bearer %.*s", STR_ARG(token))) ? SIGNING_DONE
                                                                                                          : SIGNING_REFUSED;
}

/* ---- a secret that is sent as it is ---- */

static bool is_sendable(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
            return false;
    return text.len > 0;
}

static bool open_fixed(struct signer *signer, struct str name, struct str value, const char **reason)
{
    if (!is_sendable(name) || !is_sendable(value)) {
        *reason = "holds characters that no header may";
        return false;
    }
    char *lower = str_to_c(signer->arena, name);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    signer->fixed = (struct field){.name = str_of(lower), .value = str_copy(signer->arena, value)};
    return true;
}

static bool open_api_key(struct signer *signer, const struct security *security, const struct secret *secret,
                         const char **reason)
{
    struct str place = json_get_string(security->source, "in", STR("")),
               name = json_get_string(security->source, "name", STR(""));
    if (!secret || !secret->api_key.len || !name.len) {
        *reason = "needs `api_key`, and a name in the contract";
        return false;
    }
    if (str_is(place, "query")) {
        signer->query = str_printf(signer->arena, "%.*s=%.*s", STR_ARG(str_percent_encode(signer->arena, name)),
                                   STR_ARG(str_percent_encode(signer->arena, secret->api_key)));
        return true;
    }
    if (str_is(place, "cookie"))
        return open_fixed(signer, STR("cookie"),
                          str_printf(signer->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(secret->api_key)), reason);
    return open_fixed(signer, name, secret->api_key, reason);
}

static bool open_basic(struct signer *signer, const struct security *security, const struct secret *secret, const char **reason)
{
    (void)security;
    if (!secret || !secret->username.len || !secret->password.len) {
        *reason = "needs `username` and `password`";
        return false;
    }
    struct str both = str_printf(signer->arena, "%.*s:%.*s", STR_ARG(secret->username), STR_ARG(secret->password));
    struct str encoded = base64_encode(signer->arena, both.at, both.len);
    return open_fixed(signer, STR("authorization"), str_printf(signer->arena, "Basic %.*s", STR_ARG(encoded)), reason);
}

static bool open_bearer(struct signer *signer, const struct security *security, const struct secret *secret,
                        const char **reason)
{
    (void)security;
    if (!secret || !secret->token.len) {
        *reason = "needs `token`";
        return false;
    }
    return open_fixed(signer, STR("authorization"), str_printf(signer->arena, "Bearer %.*s", STR_ARG(secret->token)), reason);
}

static enum signing sign_fixed(struct signer *signer, struct arena *arena, struct outgoing *outgoing)
{
    if (signer->query.len) {
        outgoing->query = outgoing->query.len ? str_printf(arena, "%.*s&%.*s", STR_ARG(outgoing->query), STR_ARG(signer->query))
                                              : signer->query;
        return SIGNING_DONE;
    }
    return outgoing_add(outgoing, signer->fixed.name, signer->fixed.value) ? SIGNING_DONE : SIGNING_REFUSED;
}

/* ---- the table ---- */

static const struct scheme schemes[] = {
    {.kind = SECURITY_NONE, .open = open_nothing, .sign = sign_nothing},
    {.kind = SECURITY_HTTP,
     .name = "HMAC-SHA256",
     .algorithm = SIGNATURE_HMAC_SHA256,
     .open = open_department,
     .sign = sign_department},
    {.kind = SECURITY_HTTP,
     .name = "HMAC-SM3",
     .algorithm = SIGNATURE_HMAC_SM3,
     .open = open_department,
     .sign = sign_department},
    {.kind = SECURITY_HTTP,
     .name = "SM2",
     .algorithm = SIGNATURE_SM2_SM3_DER,
     .open = open_department,
     .sign = sign_department},
    {.kind = SECURITY_HTTP, .name = "Signature", .algorithm = SIGNATURE_ED25519, .open = open_message, .sign = sign_message},
    {.kind = SECURITY_HTTP, .name = "basic", .open = open_basic, .sign = sign_fixed},
    {.kind = SECURITY_HTTP, .name = "bearer", .open = open_bearer, .sign = sign_fixed},
    {.kind = SECURITY_API_KEY, .open = open_api_key, .sign = sign_fixed},
    {.kind = SECURITY_OAUTH2, .open = open_token, .sign = sign_token},
    {.kind = SECURITY_MUTUAL_TLS, .needs_certificate = true, .open = open_certificate, .sign = sign_nothing},
};

static const struct scheme *scheme_of(const struct security *security)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (schemes[i].kind == security->kind &&
            (!schemes[i].name || str_equal_nocase(security->scheme, str_of(schemes[i].name))))
            return &schemes[i];
    return NULL;
}

bool signer_knows(const struct security *security)
{
    return scheme_of(security) != NULL;
}

bool signer_needs_certificate(const struct security *security)
{
    const struct scheme *scheme = scheme_of(security);
    return scheme && scheme->needs_certificate;
}

struct signer *signer_open(const struct security *security, const struct secret *secret, const struct token_fetch *fetch,
                           const char **reason)
{
    struct signer *signer = memory_alloc(sizeof *signer);
    signer->arena = arena_open();
    signer->scheme = scheme_of(security);
    if (fetch)
        signer->fetch = *fetch;
    *reason = "unknown scheme";
    if (signer->scheme && signer->scheme->open(signer, security, secret, reason))
        return signer;
    signer_close(signer);
    return NULL;
}

void signer_close(struct signer *signer)
{
    if (!signer)
        return;
    token_close(signer->token);
    message_signer_free(signer->message);
    signature_key_free(signer->key);
    arena_close(signer->arena);
    free(signer);
}

enum signing signer_sign(struct signer *signer, struct arena *arena, struct outgoing *outgoing)
{
    return signer->scheme->sign(signer, arena, outgoing);
}

bool signer_refused(struct signer *signer, const struct outgoing *outgoing)
{
    struct str authorization = STR_NONE;
    for (unsigned i = 0; i < outgoing->header_count; i++)
        if (str_is(outgoing->headers[i].name, "authorization"))
            authorization = outgoing->headers[i].value;
    if (!signer->token || authorization.len < 7)
        return false;
    return token_drop(signer->token, str_slice(authorization, 7, authorization.len));
}
