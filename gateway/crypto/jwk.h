/* A JWK as a signature's key: shared by jwk.c and jws.c only. */
#ifndef CRYPTO_JWK_H
#define CRYPTO_JWK_H

#include "crypto/jose.h"

/* NULL with *reason a static text; the caller owns the key. */
MUST_CHECK struct signature_key *jwk_key(const struct json *jwk, enum signature_algorithm algorithm, const char **reason);

#endif
