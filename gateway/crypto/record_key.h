/* Keys that sign what is kept for years: the audit's checkpoints and exports. Ed25519 (intl) or SM2 with SM3 (gm).
 *
 * A key's id is the first 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo, so that a signature's key is found by what
 * it is. Signatures are 64 bytes. Files are read and written: for starts and commands. */
#ifndef CRYPTO_RECORD_KEY_H
#define CRYPTO_RECORD_KEY_H

#include "crypto/signature.h"
#include "crypto/suite.h"

struct record_key;

/* Writes a new private key to `path` (PKCS#8, mode 0600; never overwritten) and its public key to directory/<id>.pem, and says
 * its id. false, with a line in *faults. */
MUST_CHECK bool record_key_create(struct arena *arena, const char *path, const char *directory, enum crypto_suite suite,
                                  struct str *id, struct text *faults);
/* The private key of a file of mode 0600. Lives as long as the arena. NULL, with a line in *faults. */
MUST_CHECK struct record_key *record_key_load(struct arena *arena, const char *path, struct text *faults);
struct str record_key_id(const struct record_key *key);
MUST_CHECK bool record_key_sign(struct arena *arena, const struct record_key *key, struct str text, struct str *signature);

/* Public keys of all times. */
struct record_keys;
struct record_keys *record_keys_open(struct arena *arena);
/* Adds the public key of a PEM file, or of each *.pem of a directory. false, with a line in *faults for what is no such key. */
MUST_CHECK bool record_keys_add(struct record_keys *keys, const char *path, struct text *faults);
/* Adds the public half of a private key. */
void record_keys_add_own(struct record_keys *keys, const struct record_key *key);
size_t record_keys_count(const struct record_keys *keys);
enum record_verdict { RECORD_GOOD, RECORD_FORGED, RECORD_KEY_UNKNOWN };
enum record_verdict record_keys_verify(const struct record_keys *keys, struct str id, struct str text, struct str signature);

#endif
