/* What a signature's key is made of: shared by signature.c and signature_key.c only. */
#ifndef CRYPTO_SIGNATURE_KEY_H
#define CRYPTO_SIGNATURE_KEY_H

#include "crypto/signature.h"

#include <openssl/evp.h>

enum signature_hash { HASH_OWN, HASH_SHA256, HASH_SHA512, HASH_SM3 };

/* One row a algorithm. */
struct signature_scheme {
    const char *name;
    const char *key_types[2]; /* OpenSSL's names; none: a shared secret */
    enum signature_hash hash; /* HASH_OWN: the algorithm's business */
    enum digest digest;       /* for HMACs, and for bodies */
    bool is_rsa, is_pss, is_sm2;
    bool is_raw; /* r and s instead of DER */
};

struct signature_key {
    enum signature_algorithm algorithm;
    bool is_private;
    size_t size;       /* the most bytes that OpenSSL writes for one signature */
    EVP_PKEY *pkey;    /* or NULL */
    struct hmac *hmac; /* or NULL */
};

const struct signature_scheme *signature_scheme(enum signature_algorithm algorithm);
/* A key of the given OpenSSL key, which it owns from now on, also when it is refused. */
MUST_CHECK struct signature_key *signature_key_from_pkey(enum signature_algorithm algorithm, EVP_PKEY *pkey, bool is_private,
                                                         const char **reason);
/* Why the key, of the right type, cannot be used all the same; NULL if it can. A private key signs for trial. */
const char *signature_key_fault(const struct signature_key *key);

#endif
