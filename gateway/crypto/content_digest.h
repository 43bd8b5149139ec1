/* Content-Digest (RFC 9530): the digest of a message's content, as a field. */
#ifndef CRYPTO_CONTENT_DIGEST_H
#define CRYPTO_CONTENT_DIGEST_H

#include "crypto/digest.h"

enum content_digest_result {
    CONTENT_DIGEST_MATCHES,
    CONTENT_DIGEST_DIFFERS,   /* a digest that we know is not the body's */
    CONTENT_DIGEST_UNKNOWN,   /* no algorithm that we know: says nothing about the body */
    CONTENT_DIGEST_MALFORMED, /* no dictionary of byte sequences */
};

/* The field's value: "sha-256=:…:" or, between parties that agreed on it, "sm3=:…:". Does not wait. */
struct str content_digest(struct arena *arena, enum digest digest, struct str body);
/* Compares every digest in the field's value that we know (sha-256, sm3, sha-512) with the body's. Does not wait. */
MUST_CHECK enum content_digest_result content_digest_check(struct arena *arena, struct str field, struct str body);

#endif
