/* The keys that protect stored fields, from one file:
 *
 *     active: k2                       # encrypts; every key decrypts
 *     keys:
 *       - {id: k1, suite: intl, key: "base64 of 32 bytes"}
 *       - {id: k2, suite: gm, key: "…"}
 *     blind_index: {id: b1, suite: intl, key: "…"}
 *
 * The blind index names its own suite, because changing it means rebuilding every index, while `active` may change at any
 * start. A keyring is read-only once loaded and may be shared by threads. */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

#include "crypto/suite.h"

#define KEYRING_ID_MAX 32 /* A-Z a-z 0-9 . _ - */

struct keyring;

struct keyring_key {
    struct str id;
    enum crypto_suite suite;
    struct suite_key key;
};

/* Reads the file. NULL when it is missing, can be read by group or others, or has any fault; each fault is a line
 * "path:line: what is wrong\n" added to *faults. No fault quotes a key. Reads a file: for start-up, not for a worker's loop.
 * The caller owns the keyring. */
MUST_CHECK struct keyring *keyring_load(const char *path, struct text *faults);
/* Wipes every key and frees. NULL is ignored. */
void keyring_free(struct keyring *keyring);
/* Writes a new file with one random key "k1", active, and a random blind index key "b1", with mode 0600. false, with a line
 * in *faults, when the file exists already (it is never overwritten) or cannot be written. Waits for the disk. */
MUST_CHECK bool keyring_create(const char *path, enum crypto_suite suite, struct text *faults);

/* The key of that id, or NULL. */
const struct keyring_key *keyring_find(const struct keyring *keyring, struct str id);
const struct keyring_key *keyring_active(const struct keyring *keyring);
const struct hmac *keyring_blind_index(const struct keyring *keyring);
/* To be stored where indexes of several generations live beside each other. */
struct str keyring_blind_index_id(const struct keyring *keyring);

#endif
