/* Encryption of personal fields, and the keyed index by which an encrypted field is found.
 *
 * An encrypted field describes itself:
 *
 *     version (1 byte: 1) | suite (1: 1 intl, 2 gm) | length of key id (1) | key id | IV (12 or 16) | ciphertext | tag (16)
 *
 * and is bound to its place: the context ("citizen.id_number") and the row are authenticated with the header, so that a
 * value copied to another column or another row does not decrypt. With a key id of two characters it is 33 bytes longer than
 * the plaintext (gm: 37). Nothing here waits.
 *
 * Authenticated before the ciphertext: length of context (2 bytes, big-endian) | context | length of row (2) | row | the header
 * up to the IV. intl is AES-256-GCM with that as additional data. gm encrypts with SM4-CTR (the IV is the first counter block)
 * and tags with the first 16 bytes of HMAC-SM3 over that, the IV and the ciphertext; its two keys are HKDF-Expand with HMAC-SM3
 * of the key for "shimin field encryption" (16 bytes used) and "shimin field authentication". */
#ifndef CRYPTO_FIELD_H
#define CRYPTO_FIELD_H

#include "crypto/keyring.h"

/* Encrypts with the active key. `context` is "table.column"; `row` is the row's id as text, up to 65535 bytes each. The
 * result lives in the arena; equal plaintexts give different results. */
struct str field_encrypt(struct arena *arena, const struct keyring *keyring, struct str context, struct str row,
                         struct str plaintext);
/* false on any change to the bytes, another context or row, an unknown version, or a key that the keyring lacks. */
MUST_CHECK bool field_decrypt(struct arena *arena, const struct keyring *keyring, struct str context, struct str row,
                              struct str encrypted, struct str *plaintext);
/* Whether the active key made it: what a rotation job leaves alone. false for bytes that are no encrypted field. */
bool field_is_current(const struct keyring *keyring, struct str encrypted);
/* HMAC of context and value under the blind index key: equal values of one context have equal indexes, those of different
 * contexts do not. Normalise first (an identity number in upper case, a phone number as E.164): the index is of bytes. */
void field_blind_index(const struct keyring *keyring, struct str context, struct str value, uint8_t out[DIGEST_SIZE]);

#endif
