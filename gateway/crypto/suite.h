/* The one switch `intl` | `gm`: which digest, MAC and cipher protect what the platform stores.
 *
 * intl is SHA-256, HMAC-SHA-256 and AES-256-GCM; gm is SM3, HMAC-SM3 and SM4-CTR with HMAC-SM3 (encrypt, then MAC), because
 * OpenSSL 3.0 has no SM4-GCM. GB/T 39786 level 3 asks for the second. Nothing here waits. */
#ifndef CRYPTO_SUITE_H
#define CRYPTO_SUITE_H

#include "crypto/digest.h"

/* The numbers are stored in every encrypted field: never reuse one. */
enum crypto_suite { SUITE_INTL = 1, SUITE_GM = 2 };

#define SUITE_KEY_SIZE 32
#define SUITE_IV_MAX 16
#define SUITE_TAG_SIZE 16

/* What a 32-byte key becomes for its suite, made once when the key is loaded. */
struct suite_key {
    uint8_t cipher[SUITE_KEY_SIZE]; /* intl: the key itself; gm: the first 16 bytes of a derived key */
    struct hmac *mac;               /* gm only; NULL otherwise */
};

struct suite {
    const char *name;
    enum digest digest;
    const char *cipher; /* for documents and logs */
    size_t iv_size;     /* random; 96 bits for GCM (SP 800-38D §8.2.2), 128 for CTR */
    /* Encrypts text.len bytes to out, authenticates them and the parts of `header`, and writes SUITE_TAG_SIZE bytes of tag. */
    void (*seal)(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count, struct str text,
                 uint8_t *out, uint8_t *tag);
    /* The inverse. false, with nothing of use in out, when the tag does not fit. */
    bool (*open)(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count, struct str sealed,
                 const uint8_t *tag, uint8_t *out);
};

/* The table's row, or NULL for a number that is none. */
const struct suite *suite_of(unsigned number);
MUST_CHECK bool suite_named(struct str name, enum crypto_suite *suite);

/* Prepares *key from 32 random bytes; suite_key_wipe undoes it. */
void suite_key_set(struct suite_key *key, enum crypto_suite suite, const uint8_t secret[SUITE_KEY_SIZE]);
void suite_key_wipe(struct suite_key *key);

#endif
