/* JOSE, as far as somebody else's signatures must be checked: JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037) and signed JSON
 * Web Tokens in compact form (RFC 7515 §7.1, RFC 7519) under RS256, PS256, ES256 and EdDSA with Ed25519.
 *
 * What a token says of its own key (jwk, jku, x5c, x5u) is never used, `none` and the HMACs are not known, and a token with
 * critical extensions is refused (RFC 8725). Nothing here waits for anything but the processor. */
#ifndef CRYPTO_JOSE_H
#define CRYPTO_JOSE_H

#include "crypto/signature.h"

#include <shimin/json.h>

enum { JWS_BYTES_MOST = 16384 };

/* "RS256", "PS256", "ES256", "EdDSA". */
MUST_CHECK bool jose_algorithm_named(struct str name, enum signature_algorithm *algorithm);

/* NULL when the JWK is a public key that can verify, else why not (a static text): a private or secret key, one too small, of
 * an unknown kind, meant for encryption, or whose `alg` it does not fit. */
const char *jwk_fault(const struct json *jwk);
/* RFC 7638: base64url of the SHA-256 of the required members. The JWK must have no fault. */
struct str jwk_thumbprint(struct arena *arena, const struct json *jwk);

/* A token as it came; nothing in it is to be believed before jws_verify. */
struct jws {
    const struct json *header, *payload; /* objects */
    enum signature_algorithm algorithm;
    struct str key_id; /* at == NULL: it names none */
    struct str input, signature;
};

/* false when it is no compact JWS with a JSON object as payload, or its algorithm is not one of those above. */
MUST_CHECK bool jws_parse(struct arena *arena, struct str token, struct jws *jws);
/* Whether this key made the signature. A key whose `kid` is not the token's, or whose `alg` is another, did not. */
MUST_CHECK bool jws_verify(const struct jws *jws, const struct json *jwk);
/* Whether one of the keys of a JWK Set did. */
MUST_CHECK bool jws_verify_set(const struct jws *jws, const struct json *set);

/* Whether the payload's `aud` is this value or a list with it (RFC 7519 §4.1.3). */
MUST_CHECK bool jws_is_for(const struct jws *jws, struct str audience);

#endif
