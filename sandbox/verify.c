/* The schemes, in a table; the counterpart of the federation's signer. */
#include "verify_internal.h"

#include <pthread.h>
#include <openssl/crypto.h>
#include <shimin/clock.h>

#include "crypto/department_signature.h"
#include "crypto/message_signature.h"
#include "http/server.h"
#include "inputs.h"

/* Nonces of the last ten minutes, or the last million calls, whichever is less. */
enum { NONCES = 1 << 20 };

struct scheme {
    enum security_kind kind;
    const char *name; /* of an http scheme, in any case */
    enum signature_algorithm algorithm;
    const char *(*open)(struct verifier *verifier, struct arena *arena,
                        const struct secret *secret); /* what is missing, or NULL */
    bool (*check)(const struct verifier *verifier, struct request *request, struct str *who, const char **reason);
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct remembered *nonces;

static void open_nonces(void)
{
    nonces = remembered_open(NONCES);
}

/* ---- none ---- */

static const char *open_nothing(struct verifier *verifier, struct arena *arena, const struct secret *secret)
{
    (void)verifier, (void)arena, (void)secret;
    return NULL;
}

static bool check_nothing(const struct verifier *verifier, struct request *request, struct str *who, const char **reason)
{
    (void)verifier, (void)request;
    *who = STR_NONE;
    *reason = NULL;
    return true;
}

/* ---- keys ---- */

static void free_key(void *key)
{
    signature_key_free(key);
}

/* Of a pair the public half is enough: what stands as private_key may be either. */
static const char *open_key(struct verifier *verifier, struct arena *arena, const struct secret *secret)
{
    const char *reason = NULL;
    enum signature_algorithm algorithm = verifier->scheme->algorithm;
    bool shared = signature_algorithm_is_shared(algorithm);
    if (!secret || !secret->key_id.len || !(shared ? secret->hmac_key.len : secret->private_key.len))
        return shared ? "the sandbox's secrets file has no `key_id` and `hmac_key` for this department"
                      : "the sandbox's secrets file has no `key_id` and `private_key` for this department";
    verifier->key = shared ? signature_key_from_secret(algorithm, secret->hmac_key, &reason)
                           : signature_key_from_pem(algorithm, secret->private_key, &reason);
    if (!verifier->key)
        return reason;
    arena_defer(arena, free_key, verifier->key);
    return NULL;
}

/* ---- the departments' plain signature ---- */

static bool check_department(const struct verifier *verifier, struct request *request, struct str *who, const char **reason)
{
    const struct department_request signed_request = {
        .method = request->method, .path = request->path, .query = request->query, .body = request->body_bytes};
    const struct department_signature signature = {
        .key_id = request_field(request, STR("x-department-key")),
        .timestamp = request_field(request, STR("x-department-timestamp")),
        .nonce = request_field(request, STR("x-department-nonce")),
        .signature = request_field(request, STR("x-department-signature")),
    };
    if (!signature.key_id.at || !signature.timestamp.at || !signature.nonce.at || !signature.signature.at) {
        *reason = "X-Department-Key, -Timestamp, -Nonce and -Signature are needed";
        return false;
    }
    if (!str_equal(signature.key_id, verifier->key_id)) {
        *reason = "X-Department-Key names no key of this department";
        return false;
    }
    if (!department_verify(request->arena, verifier->key, &signed_request, &signature, clock_wall(), reason))
        return false;
    *who = verifier->key_id;
    *reason = "X-Department-Nonce was used before";
    return remembered_add(nonces, verifier->key_id, signature.nonce, clock_wall() + seconds(2 * DEPARTMENT_TOLERANCE));
}

/* ---- HTTP message signatures ---- */

static const struct signature_key *find_key(void *user, struct str key_id)
{
    const struct verifier *verifier = user;
    return str_equal(key_id, verifier->key_id) ? verifier->key : NULL;
}

static bool nonce_is_new(void *user, struct str key_id, struct str nonce, int64_t until)
{
    (void)user;
    return remembered_add(nonces, key_id, nonce, until);
}

static bool check_message(const struct verifier *verifier, struct request *request, struct str *who, const char **reason)
{
    struct message_field *fields = arena_array(request->arena, struct message_field, request->field_count);
    for (size_t i = 0; i < request->field_count; i++)
        fields[i] = (struct message_field){request->fields[i].name, request->fields[i].value};
    const struct message message = {
        .method = request->method,
        .scheme = request->listener && request->listener->tls ? STR("https") : STR("http"),
        .authority = request_field(request, STR("host")),
        .path = request->path,
        .query = request->query.len ? request->query : STR_NONE,
        .fields = fields,
        .field_count = request->field_count,
        .body = request->body_bytes,
    };
    const struct message_policy policy = {
        .tolerance = MESSAGE_TOLERANCE,
        .components = MESSAGE_COMPONENTS,
        .body_components = MESSAGE_BODY_COMPONENTS,
        .nonce_required = true,
        .find_key = find_key,
        .nonce_is_new = nonce_is_new,
        .user = (void *)(uintptr_t)verifier, /* read only */
    };
    struct message_verdict verdict;
    if (!message_verify(request->arena, &message, &policy, clock_wall(), &verdict, reason))
        return false;
    *who = verifier->key_id;
    return true;
}

/* ---- OAuth 2.0 client credentials ---- */

/* The token endpoint stands on the department's own port, whatever host tokenUrl names. */
static struct str path_of(struct str url)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    if (scheme < 0)
        return url;
    struct str rest = str_slice(url, (size_t)scheme + 3, url.len);
    ptrdiff_t slash = str_find(rest, STR("/"));
    return slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len);
}

static const char *open_token(struct verifier *verifier, struct arena *arena, const struct secret *secret)
{
    (void)verifier, (void)arena;
    return secret && secret->client_id.len && secret->client_secret.len
               ? NULL
               : "the sandbox's secrets file has no `client_id` and `client_secret` for this department";
}

/* ---- API keys ---- */

static const char *open_api_key(struct verifier *verifier, struct arena *arena, const struct secret *secret)
{
    if (!secret || !secret->api_key.len)
        return "the sandbox's secrets file has no `api_key` for this department";
    if (!verifier->api_key_name.len)
        return "the contract's apiKey scheme has no name";
    verifier->api_key = str_copy(arena, secret->api_key);
    return NULL;
}

static struct str sent_in_query(struct request *request, struct str wanted)
{
    struct str name, value;
    for (struct str rest = request->query; rest.at && rest.len;) {
        struct str raw = str_cut(&rest, '&'), raw_name = str_cut(&raw, '=');
        if (str_percent_decode(request->arena, raw_name, true, &name) && str_equal(name, wanted) && raw.at &&
            str_percent_decode(request->arena, raw, true, &value))
            return value;
    }
    return STR_NONE;
}

static bool check_api_key(const struct verifier *verifier, struct request *request, struct str *who, const char **reason)
{
    struct str place = verifier->api_key_place, name = verifier->api_key_name;
    struct str sent = str_is(place, "query")    ? sent_in_query(request, name)
                      : str_is(place, "cookie") ? inputs_cookie(request, name)
                                                : inputs_header(request, name);
    *who = verifier->key_id.len ? verifier->key_id : STR("apiKey"); /* never the key: calls are shown */
    *reason = sent.at ? "the API key is not this department's" : "the API key is missing";
    return sent.at && sent.len == verifier->api_key.len && CRYPTO_memcmp(sent.at, verifier->api_key.at, sent.len) == 0;
}

/* ---- mutual TLS ---- */

static bool check_certificate(const struct verifier *verifier, struct request *request, struct str *who, const char **reason)
{
    (void)verifier;
    return http_client_certificate(request, who, reason);
}

/* ---- the table ---- */

static const char *open_unknown(struct verifier *verifier, struct arena *arena, const struct secret *secret)
{
    (void)verifier, (void)arena, (void)secret;
    return "the sandbox does not know this security scheme";
}

static const struct scheme schemes[] = {
    {.kind = SECURITY_NONE, .open = open_nothing, .check = check_nothing},
    {SECURITY_HTTP, "HMAC-SHA256", SIGNATURE_HMAC_SHA256, open_key, check_department},
    {SECURITY_HTTP, "HMAC-SM3", SIGNATURE_HMAC_SM3, open_key, check_department},
    {SECURITY_HTTP, "SM2", SIGNATURE_SM2_SM3_DER, open_key, check_department},
    {SECURITY_HTTP, "Signature", SIGNATURE_ED25519, open_key, check_message},
    {.kind = SECURITY_API_KEY, .open = open_api_key, .check = check_api_key},
    {.kind = SECURITY_OAUTH2, .open = open_token, .check = token_check},
    {.kind = SECURITY_MUTUAL_TLS, .open = open_nothing, .check = check_certificate},
};
static const struct scheme unknown = {.open = open_unknown, .check = check_nothing};

static const struct scheme *scheme_of(const struct security *security)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (schemes[i].kind == security->kind &&
            (!schemes[i].name || str_equal_nocase(security->scheme, str_of(schemes[i].name))))
            return &schemes[i];
    return &unknown;
}

struct verifier *verifier_open(struct arena *arena, const struct security *security, struct str department,
                               const struct secret *secret, bool secrets_given)
{
    struct verifier *verifier = arena_new(arena, struct verifier);
    pthread_once(&once, open_nonces);
    verifier->scheme = secrets_given || security->kind == SECURITY_OAUTH2 ? scheme_of(security) : &schemes[0];
    verifier->department = department;
    verifier->token_path = security->kind == SECURITY_OAUTH2 ? path_of(security->token_url) : STR_NONE;
    if (security->kind == SECURITY_API_KEY) {
        verifier->api_key_place = json_get_string(security->source, "in", STR("header"));
        verifier->api_key_name = json_get_string(security->source, "name", STR(""));
    }
    if (secret) {
        verifier->key_id = str_copy(arena, secret->key_id);
        verifier->client_id = str_copy(arena, secret->client_id);
        verifier->client_secret = str_copy(arena, secret->client_secret);
    }
    if (!secrets_given && security->kind == SECURITY_OAUTH2)
        verifier->client_id = STR_NONE; /* any client gets a token */
    else
        verifier->fault = verifier->scheme->open(verifier, arena, secret);
    return verifier;
}

const char *verifier_fault(const struct verifier *verifier)
{
    return verifier->fault;
}

struct str verifier_token_path(const struct verifier *verifier)
{
    return verifier->token_path;
}

bool verifier_check(const struct verifier *verifier, struct request *request, struct str *who, const char **reason)
{
    *who = STR_NONE;
    *reason = verifier->fault;
    return !verifier->fault && verifier->scheme->check(verifier, request, who, reason);
}
