/* Signed JSON Web Tokens in compact form. */
#include "crypto/jwk.h"

#include <shimin/arena.h>
#include <shimin/id.h>

/* A part of a token, as a JSON object. */
static const struct json *read_part(struct arena *arena, struct str part)
{
    static const struct json_limits limits = {.depth = 8, .bytes = JWS_BYTES_MOST, .nodes = 1000};
    struct json_error error;
    struct str text;
    if (!base64url_decode(arena, part, &text))
        return NULL;
    const struct json *value = json_parse(arena, text, &limits, &error);
    return value && value->type == JSON_OBJECT ? value : NULL;
}

bool jws_parse(struct arena *arena, struct str token, struct jws *jws)
{
    if (!token.len || token.len > JWS_BYTES_MOST)
        return false;
    struct str rest = token, header = str_cut(&rest, '.'), payload = rest.at ? str_cut(&rest, '.') : STR_NONE;
    *jws = (struct jws){.key_id = STR_NONE};
    if (!rest.at || !base64url_decode(arena, rest, &jws->signature) || !jws->signature.len ||
        !(jws->header = read_part(arena, header)) || !(jws->payload = read_part(arena, payload)))
        return false;
    jws->input = str_slice(token, 0, header.len + 1 + payload.len);
    const struct json *key_id = json_get(jws->header, "kid");
    if (key_id && key_id->type == JSON_STRING)
        jws->key_id = key_id->string;
    return !json_get(jws->header, "crit") && !json_get(jws->header, "b64") &&
           jose_algorithm_named(json_get_string(jws->header, "alg", STR("")), &jws->algorithm);
}

bool jws_verify(const struct jws *jws, const struct json *jwk)
{
    const struct json *key_id = json_get(jwk, "kid");
    const char *reason;
    if (jws->key_id.at && key_id && (key_id->type != JSON_STRING || !str_equal(key_id->string, jws->key_id)))
        return false;
    struct signature_key *key = jwk_key(jwk, jws->algorithm, &reason);
    bool good = key && signature_verify(key, jws->input, jws->signature);
    signature_key_free(key);
    return good;
}

bool jws_verify_set(const struct jws *jws, const struct json *set)
{
    const struct json *keys = json_get(set, "keys");
    for (uint32_t i = 0; keys && keys->type == JSON_ARRAY && i < keys->count; i++)
        if (jws_verify(jws, &keys->items[i]))
            return true;
    return false;
}

bool jws_is_for(const struct jws *jws, struct str audience)
{
    const struct json *aud = json_get(jws->payload, "aud");
    if (!aud)
        return false;
    if (aud->type == JSON_STRING)
        return str_equal(aud->string, audience);
    for (uint32_t i = 0; aud->type == JSON_ARRAY && i < aud->count; i++)
        if (aud->items[i].type == JSON_STRING && str_equal(aud->items[i].string, audience))
            return true;
    return false;
}
