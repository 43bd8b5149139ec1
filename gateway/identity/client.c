/* Clients prove who they are: secrets, signed assertions, certificates. */
#include "identity/client.h"

#include "crypto/digest.h"
#include "crypto/jose.h"
#include "identity/identity.h"
#include "identity_queries.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/pg.h>
#include <shimin/redis.h>

/* Clocks may differ by so much; an assertion lives no longer than five minutes, whatever it says. */
enum { SKEW_SECONDS = 30, ASSERTION_SECONDS = 300, JTI_MOST = 255 };

static const char *const methods[CLIENT_METHODS] = {
    [CLIENT_SECRET] = "client_secret",
    [CLIENT_KEY] = "private_key_jwt",
    [CLIENT_SELF_SIGNED] = "self_signed_tls_client_auth",
    [CLIENT_SUBJECT] = "tls_client_auth",
};

const char *client_method_name(enum client_method method)
{
    return methods[method];
}

bool client_method_named(struct str name, enum client_method *method)
{
    for (int i = 0; i < CLIENT_METHODS; i++)
        if (str_is(name, methods[i])) {
            *method = (enum client_method)i;
            return true;
        }
    return false;
}

unsigned client_scopes_read(struct str words)
{
    unsigned scopes = 0;
    enum scope scope;
    while (words.at)
        if (scope_named(str_cut(&words, ' '), &scope))
            scopes |= 1U << scope;
    return scopes;
}

struct str client_issuer(void)
{
    return str_of(identity_settings()->issuer);
}

/* A credential of the client that asks; NULL fields are those of other methods. */
struct kept {
    struct str id;
    enum client_method method;
    struct str secret_sha256, jwk, certificate, subject;
};

static bool is_same(struct str a, struct str b)
{
    return a.at && b.at && a.len == b.len && constant_time_equal(a.at, b.at, a.len);
}

static bool secret_fits(const struct client_proof *proof, const struct kept *kept)
{
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(proof->secret, digest);
    return is_same((struct str){(const char *)digest, sizeof digest}, kept->secret_sha256);
}

static bool key_fits(struct arena *arena, const struct jws *assertion, const struct kept *kept)
{
    struct json_error error;
    const struct json *jwk = json_parse(arena, kept->jwk, &json_limits_request, &error);
    return jwk && jws_verify(assertion, jwk);
}

/* Everything an assertion claims but its signature (RFC 7523 §3). */
static bool claims_fit(const struct jws *assertion, struct str client_id)
{
    const struct json *claims = assertion->payload;
    int64_t now = clock_wall() / seconds(1), expires = json_get_integer(claims, "exp", 0);
    struct str jti = json_get_string(claims, "jti", STR(""));
    struct str issuer = client_issuer();
    char endpoint[512];
    size_t room = sizeof endpoint - sizeof CLIENT_TOKEN_PATH;
    size_t length = issuer.len < room ? issuer.len : room;
    memcpy(endpoint, issuer.at, length);
    memcpy(&endpoint[length], CLIENT_TOKEN_PATH, sizeof CLIENT_TOKEN_PATH);
    return str_equal(json_get_string(claims, "iss", STR("")), client_id) &&
           str_equal(json_get_string(claims, "sub", STR("")), client_id) &&
           (jws_is_for(assertion, issuer) || jws_is_for(assertion, str_of(endpoint))) && expires > now &&
           expires <= now + ASSERTION_SECONDS + SKEW_SECONDS && json_get_integer(claims, "iat", now) <= now + SKEW_SECONDS &&
           json_get_integer(claims, "nbf", now) <= now + SKEW_SECONDS && jti.len > 0 && jti.len <= JTI_MOST;
}

/* An assertion is good once: its jti is remembered for as long as it could be shown again. */
static enum client_outcome use_up(struct arena *arena, const struct jws *assertion, struct str client_id)
{
    uint8_t digest[DIGEST_SIZE];
    struct str jti = json_get_string(assertion->payload, "jti", STR(""));
    digest_sha256(str_printf(arena, "%.*s\n%.*s", STR_ARG(client_id), STR_ARG(jti)), digest);
    struct str key = str_printf(arena, "client-jti:%.*s", STR_ARG(hex_encode(arena, digest, sizeof digest)));
    struct redis_reply reply;
    if (redis_command(arena, &reply, "SET %b 1 NX EX %d", STR_BYTES(key), ASSERTION_SECONDS + 2 * SKEW_SECONDS) != REDIS_OK)
        return CLIENT_UNAVAILABLE;
    return reply.type == REDIS_NIL ? CLIENT_REJECTED : CLIENT_DONE;
}

static bool fits(struct arena *arena, const struct client_proof *proof, const struct jws *assertion, const struct kept *kept)
{
    if (assertion)
        return kept->method == CLIENT_KEY && key_fits(arena, assertion, kept);
    if (proof->secret.at)
        return kept->method == CLIENT_SECRET && secret_fits(proof, kept);
    if (kept->method == CLIENT_SELF_SIGNED)
        return is_same(proof->certificate, kept->certificate);
    return kept->method == CLIENT_SUBJECT && proof->certificate_vouched && is_same(proof->certificate_subject, kept->subject);
}

static struct str optional(const struct pg_result *rows, size_t row, size_t column)
{
    return pg_is_null(rows, row, column) ? STR_NONE : pg_str(rows, row, column);
}

static bool read_kept(struct arena *arena, const struct pg_result *rows, size_t row, struct kept *kept)
{
    *kept = (struct kept){
        .id = pg_str(rows, row, 2),
        .secret_sha256 = pg_is_null(rows, row, 4) ? STR_NONE : pg_bin(arena, rows, row, 4),
        .jwk = optional(rows, row, 5),
        .certificate = optional(rows, row, 6),
        .subject = optional(rows, row, 7),
    };
    return client_method_named(pg_str(rows, row, 3), &kept->method);
}

enum client_outcome client_authenticate(struct arena *arena, const struct client_proof *proof, struct client *client)
{
    struct jws parsed = {0}, *assertion = proof->assertion.at ? &parsed : NULL;
    struct str id = proof->id;
    if (assertion && !jws_parse(arena, proof->assertion, assertion))
        return CLIENT_REJECTED;
    if (assertion && !id.at)
        id = json_get_string(assertion->payload, "sub", STR(""));
    if (!id.len || (assertion && !claims_fit(assertion, id)))
        return CLIENT_REJECTED;
    const struct pg_result *rows;
    if (pg_query(arena, &sql_find_client, PG_ARGS(pg_text(id)), &rows) != PG_OK)
        return CLIENT_UNAVAILABLE;
    for (size_t row = 0; row < pg_rows(rows); row++) {
        struct kept kept;
        if (!read_kept(arena, rows, row, &kept) || !fits(arena, proof, assertion, &kept))
            continue;
        *client = (struct client){
            .id = id,
            .department = pg_str(rows, row, 0),
            .scopes = client_scopes_read(pg_str(rows, row, 1)),
            .credential_id = kept.id,
            .method = kept.method,
        };
        return assertion ? use_up(arena, assertion, id) : CLIENT_DONE;
    }
    return CLIENT_REJECTED;
}
