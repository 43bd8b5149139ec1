/* Encryption of personal fields, and the keyed index by which an encrypted field is found. */
#include "crypto/field.h"

#include "crypto/algorithms.h"
#include <shimin/arena.h>
#include <shimin/id.h>
#include <string.h>

enum { VERSION = 1, FIXED_HEADER = 3 };

struct parsed {
    const struct suite *suite;
    const struct keyring_key *key;
    struct str header; /* up to the IV */
    const uint8_t *iv;
    struct str sealed;
    const uint8_t *tag;
};

/* What is authenticated beside the ciphertext. Each part of free length is preceded by its length, so that no two places
 * give the same bytes. */
struct place {
    uint8_t lengths[2][2];
    struct str parts[5];
};

static void place_set(struct place *place, struct str context, struct str row, struct str header)
{
    const struct str *names[] = {&context, &row};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        crypto_must(names[i]->len <= UINT16_MAX, "bind a field to a context or row of more than 65535 bytes");
        place->lengths[i][0] = (uint8_t)(names[i]->len >> 8);
        place->lengths[i][1] = (uint8_t)names[i]->len;
        place->parts[2 * i] = (struct str){(const char *)place->lengths[i], 2};
        place->parts[2 * i + 1] = *names[i];
    }
    place->parts[4] = header;
}

static bool parse(const struct keyring *keyring, struct str encrypted, struct parsed *parsed)
{
    const uint8_t *at = (const uint8_t *)encrypted.at;

    if (encrypted.len < FIXED_HEADER || at[0] != VERSION)
        return false;
    size_t header = FIXED_HEADER + (size_t)at[2];
    parsed->suite = suite_of(at[1]);
    if (!parsed->suite || encrypted.len < header + parsed->suite->iv_size + SUITE_TAG_SIZE)
        return false;
    parsed->key = keyring_find(keyring, str_slice(encrypted, FIXED_HEADER, header));
    if (!parsed->key || parsed->key->suite != at[1])
        return false;
    size_t text = header + parsed->suite->iv_size, tag = encrypted.len - SUITE_TAG_SIZE;
    parsed->header = str_slice(encrypted, 0, header);
    parsed->iv = at + header;
    parsed->sealed = str_slice(encrypted, text, tag);
    parsed->tag = at + tag;
    return true;
}

struct str field_encrypt(struct arena *arena, const struct keyring *keyring, struct str context, struct str row,
                         struct str plaintext)
{
    const struct keyring_key *key = keyring_active(keyring);
    const struct suite *suite = suite_of(key->suite);
    size_t header = FIXED_HEADER + key->id.len;
    size_t len = header + suite->iv_size + plaintext.len + SUITE_TAG_SIZE;
    uint8_t *out = arena_alloc(arena, len);
    uint8_t *iv = out + header, *sealed = iv + suite->iv_size;
    struct place place;

    out[0] = VERSION;
    out[1] = (uint8_t)key->suite;
    out[2] = (uint8_t)key->id.len;
    memcpy(out + FIXED_HEADER, key->id.at, key->id.len);
    random_bytes(iv, suite->iv_size);
    place_set(&place, context, row, (struct str){(const char *)out, header});
    suite->seal(&key->key, iv, place.parts, COUNT_OF(place.parts), plaintext, sealed, sealed + plaintext.len);
    return (struct str){(const char *)out, len};
}

bool field_decrypt(struct arena *arena, const struct keyring *keyring, struct str context, struct str row, struct str encrypted,
                   struct str *plaintext)
{
    struct parsed parsed;
    struct place place;

    if (!parse(keyring, encrypted, &parsed))
        return false;
    uint8_t *out = arena_alloc(arena, parsed.sealed.len + 1);
    place_set(&place, context, row, parsed.header);
    if (!parsed.suite->open(&parsed.key->key, parsed.iv, place.parts, COUNT_OF(place.parts), parsed.sealed, parsed.tag, out))
        return false;
    *plaintext = (struct str){(const char *)out, parsed.sealed.len};
    return true;
}

bool field_is_current(const struct keyring *keyring, struct str encrypted)
{
    struct parsed parsed;

    return parse(keyring, encrypted, &parsed) && parsed.key == keyring_active(keyring);
}

void field_blind_index(const struct keyring *keyring, struct str context, struct str value, uint8_t out[DIGEST_SIZE])
{
    struct place place;
    struct str parts[3];

    place_set(&place, context, STR_NONE, value);
    memcpy(parts, place.parts, 2 * sizeof(*parts));
    parts[2] = value;
    hmac_sign(keyring_blind_index(keyring), parts, COUNT_OF(parts), out);
}
