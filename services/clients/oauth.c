/* OAuth's endpoints: tokens for clients (RFC 6749 §4.4), their end (RFC 7009), and what this server can do (RFC 8414). */
#include "handlers.h"

#include <shimin/id.h>

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static void reply_error(struct request *request, unsigned status, const char *error, const char *description)
{
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field_c(out, "error", error);
    json_field_c(out, "error_description", description);
}

/* 401, with the scheme that the client tried (RFC 6749 §5.2). */
static void reply_rejected(struct request *request)
{
    reply_error(request, 401, "invalid_client", "The client is unknown, or its proof does not hold");
    bool basic = request_header(request, "authorization").len > 0;
    reply_header(request, "www-authenticate", basic ? STR("Basic realm=\"oauth\"") : STR("Bearer"));
}

static void reply_away(struct request *request)
{
    reply_error(request, 503, "temporarily_unavailable", "The store is unavailable; try again soon");
    reply_header(request, "retry-after", STR("2"));
}

/* "Basic" with both parts in form encoding (RFC 6749 §2.3.1). */
static bool read_basic(struct arena *arena, struct str field, struct client_proof *proof)
{
    struct str pair;
    if (!str_equal_nocase(str_slice(field, 0, 6), STR("basic ")) ||
        !base64_decode(arena, str_trim(str_slice(field, 6, field.len)), &pair))
        return false;
    struct str id = str_cut(&pair, ':');
    return pair.at && str_percent_decode(arena, id, true, &proof->id) && str_percent_decode(arena, pair, true, &proof->secret);
}

/* What proves the client: exactly one of Basic, a secret in the body, an assertion, the connection's certificate. false after
 * replying. */
static bool read_proof(struct request *request, const struct form *form, struct client_proof *proof)
{
    struct arena *arena = request_arena(request);
    struct str basic = request_header(request, "authorization"), secret = form_get(form, "client_secret");
    struct str assertion = form_get(form, "client_assertion");
    struct request_certificate certificate = {0};
    *proof = (struct client_proof){.id = form_get(form, "client_id")};
    if (request_certificate(request, &certificate)) {
        proof->certificate = certificate.digest;
        proof->certificate_subject = certificate.subject;
        proof->certificate_vouched = certificate.vouched;
    }
    if ((basic.len > 0) + (secret.at != NULL) + (assertion.at != NULL) > 1) {
        reply_error(request, 400, "invalid_request", "More than one way of proving the client");
        return false;
    }
    proof->assertion = assertion;
    proof->secret = secret;
    struct str named = proof->id;
    bool readable = assertion.at ? str_is(form_get(form, "client_assertion_type"), ASSERTION_TYPE)
                    : basic.len  ? read_basic(arena, basic, proof) && (!named.at || str_equal(named, proof->id))
                                 : proof->id.at && (secret.at || proof->certificate.at);
    if (!readable)
        reply_rejected(request);
    return readable;
}

/* The client, proved; false after replying. */
static bool find_client(struct request *request, const struct form *form, struct client *client, struct client_proof *proof)
{
    if (!read_proof(request, form, proof))
        return false;
    enum client_outcome outcome = client_authenticate(request_arena(request), proof, client);
    if (outcome == CLIENT_REJECTED)
        reply_rejected(request);
    else if (outcome == CLIENT_UNAVAILABLE)
        reply_away(request);
    else
        clients_audit(request, client->id, str_of(client_method_name(client->method)));
    return outcome == CLIENT_DONE;
}

/* All that the client may when it asks for none; false when it asks for one that it may not. */
static bool read_scopes(struct str words, const struct client *client, unsigned *scopes)
{
    enum scope scope;
    *scopes = words.at ? 0 : client->scopes;
    while (words.at) {
        struct str word = str_cut(&words, ' ');
        if (word.len && (!scope_named(word, &scope) || !(client->scopes & (1U << scope))))
            return false;
        if (word.len)
            *scopes |= 1U << scope;
    }
    return *scopes != 0;
}

static void reply_token(struct request *request, struct str token, unsigned scopes)
{
    struct text words = text_open(request_arena(request), 64);
    for (int scope = 0; scope < SCOPES; scope++)
        if (scopes & (1U << scope))
            text_printf(&words, "%s%s", words.len ? " " : "", scope_name((enum scope)scope));
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "access_token", token);
    json_field_c(out, "token_type", "Bearer");
    json_field_i64(out, "expires_in", CLIENT_TOKEN_SECONDS);
    json_field(out, "scope", text_str(&words));
}

void issue_token(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct form *form = form_read(arena, request_raw_body(request));
    struct client client;
    struct client_proof proof;
    if (!form || !form_get(form, "grant_type").at) {
        reply_error(request, 400, "invalid_request", "The body must be a form with grant_type, each parameter once");
        return;
    }
    if (!str_is(form_get(form, "grant_type"), "client_credentials")) {
        reply_error(request, 400, "unsupported_grant_type", "The grant is client_credentials");
        return;
    }
    unsigned scopes;
    struct str token;
    if (!find_client(request, form, &client, &proof))
        return;
    if (!read_scopes(form_get(form, "scope"), &client, &scopes)) {
        reply_error(request, 400, "invalid_scope", "The client does not have such a scope");
        return;
    }
    bool bound = client.method == CLIENT_SELF_SIGNED || client.method == CLIENT_SUBJECT;
    if (client_token_open(arena, &client, scopes, bound ? proof.certificate : STR_NONE, &token) == CLIENT_DONE)
        reply_token(request, token, scopes);
    else
        reply_away(request);
}

void revoke_token(struct request *request)
{
    const struct form *form = form_read(request_arena(request), request_raw_body(request));
    struct client client;
    struct client_proof proof;
    if (!form || !form_get(form, "token").at) {
        reply_error(request, 400, "invalid_request", "The body must be a form with token, each parameter once");
        return;
    }
    if (!find_client(request, form, &client, &proof))
        return;
    if (client_token_revoke(request_arena(request), &client, form_get(form, "token")) == CLIENT_DONE)
        reply_empty(request, 200);
    else
        reply_away(request);
}

static void put_list(struct json_out *out, const char *name, const char *const *values, size_t count)
{
    json_key(out, name);
    json_array(out);
    for (size_t i = 0; i < count; i++)
        json_put_c(out, values[i]);
    json_end(out);
}

void read_authorization_server(struct request *request)
{
    static const char *const methods[] = {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth",
                                          "client_secret_basic", "client_secret_post"};
    static const char *const algorithms[] = {"RS256", "PS256", "ES256", "EdDSA"};
    static const char *const grants[] = {"client_credentials"};
    struct arena *arena = request_arena(request);
    struct str issuer = client_issuer();
    const char *scopes[SCOPES];
    for (int i = 0; i < SCOPES; i++)
        scopes[i] = scope_name((enum scope)i);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "issuer", issuer);
    json_field(out, "token_endpoint", str_printf(arena, "%.*s/oauth/token", STR_ARG(issuer)));
    json_field(out, "revocation_endpoint", str_printf(arena, "%.*s/oauth/revoke", STR_ARG(issuer)));
    put_list(out, "scopes_supported", scopes, SCOPES);
    put_list(out, "response_types_supported", NULL, 0);
    put_list(out, "grant_types_supported", grants, COUNT_OF(grants));
    put_list(out, "token_endpoint_auth_methods_supported", methods, COUNT_OF(methods));
    put_list(out, "token_endpoint_auth_signing_alg_values_supported", algorithms, COUNT_OF(algorithms));
    put_list(out, "revocation_endpoint_auth_methods_supported", methods, COUNT_OF(methods));
    put_list(out, "revocation_endpoint_auth_signing_alg_values_supported", algorithms, COUNT_OF(algorithms));
    json_field_bool(out, "tls_client_certificate_bound_access_tokens", true);
    reply_cache(request, "public, max-age=300");
}
