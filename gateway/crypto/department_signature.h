/* The plain signature that many departments' interfaces use: four header fields, one string to sign. The README describes it
 * for whoever implements the other side.
 *
 * Nothing here waits. */
#ifndef CRYPTO_DEPARTMENT_SIGNATURE_H
#define CRYPTO_DEPARTMENT_SIGNATURE_H

#include "crypto/signature.h"

#define DEPARTMENT_KEY_HEADER "X-Department-Key"
#define DEPARTMENT_TIMESTAMP_HEADER "X-Department-Timestamp"
#define DEPARTMENT_NONCE_HEADER "X-Department-Nonce"
#define DEPARTMENT_SIGNATURE_HEADER "X-Department-Signature"
#define DEPARTMENT_TOLERANCE 300 /* seconds between the timestamp and the verifier's clock */

struct department_request {
    struct str method; /* as on the wire: "POST" */
    struct str path;   /* as on the wire, still percent-encoded */
    struct str query;  /* without '?'; STR_NONE or empty if there is none */
    struct str body;
};

/* The fields' values. */
struct department_signature {
    struct str key_id;
    struct str timestamp; /* seconds since 1970, decimal */
    struct str nonce;     /* 16 to 64 of A-Z a-z 0-9 - _ */
    struct str signature; /* base64 */
};

/* Signs at the time `now` (microseconds since 1970) with a random nonce. The values live in the arena, key_id is the
 * caller's. false when the key is a public one. */
MUST_CHECK bool department_sign(struct arena *arena, const struct signature_key *key, struct str key_id,
                                const struct department_request *request, int64_t now, struct department_signature *signature);
/* Verifies signature, timestamp and form of the nonce; whether the nonce is new is for the caller to ask next, with key_id
 * and nonce, remembering it for twice DEPARTMENT_TOLERANCE. The caller has looked the key up by signature->key_id. false with a
 * static English text in *reason. */
MUST_CHECK bool department_verify(struct arena *arena, const struct signature_key *key,
                                  const struct department_request *request, const struct department_signature *signature,
                                  int64_t now, const char **reason);

#endif
