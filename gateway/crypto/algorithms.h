/* OpenSSL's algorithms, fetched once a process, and the calling thread's contexts for them.
 *
 * Internal to gateway/crypto. Fetching by name takes longer than a digest of a token (EVP_Q_digest: 263 ns, a reused
 * context: 69 ns), and so does making a context; hence both are kept. Nothing here waits, and a context never outlives the
 * call that uses it: a fiber switch between taking and using one would hand it to somebody else. */
#ifndef CRYPTO_ALGORITHMS_H
#define CRYPTO_ALGORITHMS_H

#include <openssl/evp.h>
#include <shimin/attributes.h>
#include <stdbool.h>

struct crypto_algorithms {
    EVP_MD *sha256, *sha512, *sm3;
    EVP_CIPHER *aes_256_gcm, *sm4_ctr;
};

struct crypto_contexts {
    EVP_MD_CTX *sha256, *sm3;
    EVP_MD_CTX *signature;
    EVP_CIPHER_CTX *aes_256_gcm, *sm4_ctr;
};

/* The table; aborts when OpenSSL lacks one of them, which is a broken installation. */
const struct crypto_algorithms *crypto_algorithms(void);
/* The calling thread's contexts, freed when the thread ends. */
const struct crypto_contexts *crypto_contexts(void);
/* Aborts unless ok: for calls of OpenSSL that fail only for want of memory. */
void crypto_must(bool ok, const char *what);

#endif
