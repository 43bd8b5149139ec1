/* Digests and keyed digests of 32 bytes: SHA-256 (FIPS 180-4), SM3 (GB/T 32905), HMAC over either (RFC 2104).
 *
 * Nothing here waits or fails: running out of memory aborts. Outputs are written to memory of the caller. Safe from every
 * thread. */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <shimin/str.h>

#define DIGEST_SIZE 32

enum digest { DIGEST_SHA256, DIGEST_SM3 };

/* "sha-256" or "sm3": the names of Content-Digest (RFC 9530; "sm3" is local to us). */
const char *digest_name(enum digest digest);
MUST_CHECK bool digest_named(struct str name, enum digest *digest);

void digest_sha256(struct str input, uint8_t out[DIGEST_SIZE]);
void digest_sm3(struct str input, uint8_t out[DIGEST_SIZE]);
void digest_of(enum digest digest, struct str input, uint8_t out[DIGEST_SIZE]);

/* One-shot HMAC; the key may have any length. For a key that is used again and again, struct hmac is faster. */
void hmac_sha256(struct str key, struct str input, uint8_t out[DIGEST_SIZE]);
void hmac_sm3(struct str key, struct str input, uint8_t out[DIGEST_SIZE]);

/* An HMAC key with its padded blocks digested already: half the work of a short message. Read-only once made, so threads
 * may share it. */
struct hmac;
struct hmac *hmac_new(enum digest digest, struct str key);
/* Wipes and frees. NULL is ignored. */
void hmac_free(struct hmac *hmac);
/* HMAC of the parts one after the other. The parts are not delimited: that is the caller's business. */
void hmac_sign(const struct hmac *hmac, const struct str *parts, size_t count, uint8_t out[DIGEST_SIZE]);

/* A subkey: the first block of HKDF-Expand with the label as info (RFC 5869 §2.3). `key` must be 32 uniformly random bytes,
 * so the extract step is left out (§3.3). */
void digest_derive(enum digest digest, const uint8_t key[DIGEST_SIZE], const char *label, uint8_t out[DIGEST_SIZE]);

/* Equality in a time that depends on n only. */
MUST_CHECK bool constant_time_equal(const void *a, const void *b, size_t n);

#endif
