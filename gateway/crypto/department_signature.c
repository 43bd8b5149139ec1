/* The plain signature that many departments' interfaces use: four header fields, one string to sign. */
#include "crypto/department_signature.h"

#include <shimin/clock.h>
#include <shimin/id.h>

#define NONCE_SIZE 16
#define NONCE_MIN 16
#define NONCE_MAX 64

static struct str to_sign(struct arena *arena, const struct signature_key *key, const struct department_request *request,
                          struct str timestamp, struct str nonce)
{
    uint8_t digest[DIGEST_SIZE];
    struct text text = text_open(arena, 256 + request->path.len + request->query.len);

    digest_of(signature_algorithm_digest(signature_key_algorithm(key)), request->body, digest);
    text_add(&text, request->method);
    text_add_char(&text, '\n');
    text_add(&text, request->path);
    if (request->query.len > 0) {
        text_add_char(&text, '?');
        text_add(&text, request->query);
    }
    text_add_char(&text, '\n');
    text_add(&text, timestamp);
    text_add_char(&text, '\n');
    text_add(&text, nonce);
    text_add_char(&text, '\n');
    text_add(&text, hex_encode(arena, digest, sizeof(digest)));
    return text_str(&text);
}

static bool nonce_is_valid(struct str nonce)
{
    for (size_t i = 0; i < nonce.len; i++) {
        char c = nonce.at[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return nonce.len >= NONCE_MIN && nonce.len <= NONCE_MAX;
}

static const char *check_timestamp(struct str timestamp, int64_t now)
{
    int64_t then;

    if (timestamp.len > 12 || !str_to_i64(timestamp, &then))
        return "the timestamp is no number of seconds since 1970";
    if (then > now + DEPARTMENT_TOLERANCE)
        return "the timestamp lies in the future";
    return then < now - DEPARTMENT_TOLERANCE ? "the timestamp is too old" : NULL;
}

static const char *check_signature(struct arena *arena, const struct signature_key *key,
                                   const struct department_request *request, const struct department_signature *signature)
{
    struct str bytes;

    if (!base64_decode(arena, signature->signature, &bytes))
        return "the signature is no base64";
    /* Nothing before the digest may hold a line break, or two requests could have one text. */
    if (str_find(request->method, STR("\n")) >= 0 || str_find(request->path, STR("\n")) >= 0 ||
        str_find(request->query, STR("\n")) >= 0)
        return "the request's line has a line break in it";
    struct str text = to_sign(arena, key, request, signature->timestamp, signature->nonce);
    return signature_verify(key, text, bytes) ? NULL : "the signature does not fit the request";
}

bool department_sign(struct arena *arena, const struct signature_key *key, struct str key_id,
                     const struct department_request *request, int64_t now, struct department_signature *signature)
{
    uint8_t nonce[NONCE_SIZE];
    struct str bytes;

    random_bytes(nonce, sizeof(nonce));
    *signature = (struct department_signature){
        .key_id = key_id,
        .timestamp = str_printf(arena, "%lld", (long long)(now / seconds(1))),
        .nonce = base64url_encode(arena, nonce, sizeof(nonce)),
    };
    if (!signature_sign(arena, key, to_sign(arena, key, request, signature->timestamp, signature->nonce), &bytes))
        return false;
    signature->signature = base64_encode(arena, bytes.at, bytes.len);
    return true;
}

bool department_verify(struct arena *arena, const struct signature_key *key, const struct department_request *request,
                       const struct department_signature *signature, int64_t now, const char **reason)
{
    *reason = check_timestamp(signature->timestamp, now / seconds(1));
    if (!*reason && !nonce_is_valid(signature->nonce))
        *reason = "the nonce is not 16 to 64 of the characters A-Z a-z 0-9 - _";
    if (!*reason)
        *reason = check_signature(arena, key, request, signature);
    return !*reason;
}
