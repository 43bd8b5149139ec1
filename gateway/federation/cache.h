/* Answers kept in Redis. Personal ones are encrypted; the key is a keyed digest of everything that was asked. */
#ifndef FEDERATION_CACHE_H
#define FEDERATION_CACHE_H

#include "crypto/keyring.h"
#include "federation/template.h"

#define CACHE_KEY_SIZE DIGEST_SIZE

struct cache_key {
    uint8_t bytes[CACHE_KEY_SIZE];
};

struct cached {
    struct str body; /* empty: the department had nothing */
    int64_t as_of;   /* wall microseconds */
};

/* By department, contract version, operation and the filled request. `keyring` may be NULL for what is not personal. */
struct cache_key cache_key_of(const struct keyring *keyring, struct str department, const struct filled *filled);
/* false when there is nothing, or Redis is away, or what it has does not decrypt. Waits. */
MUST_CHECK bool cache_get(struct arena *arena, const struct keyring *keyring, const struct cache_key *key, bool personal,
                          struct cached *cached);
/* Keeps it for `life` microseconds; in a fiber of its own, so it does not wait. Copies. */
void cache_put(const struct keyring *keyring, const struct cache_key *key, bool personal, const struct cached *cached,
               int64_t life);

#endif
