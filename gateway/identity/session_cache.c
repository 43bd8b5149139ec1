/* A direct-mapped table of sessions by token key. Entries hold personal values in plain and are wiped when they go. */
#include "identity/session_cache.h"

#include "store/redis_tracking.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/log.h>

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 16 };

struct entry {
    char key[TOKEN_KEY_LENGTH];
    struct citizen citizen; /* its spans lie in bytes */
    int64_t good_until;     /* wall */
    size_t size;
    char bytes[];
};

static _Thread_local struct slot {
    struct entry *entry;
    uint32_t epoch; /* changes with each invalidation */
} * slots;

/* The token's key is uniformly random, so any of its digits make a good hash. */
static struct slot *slot_of(const char key[TOKEN_KEY_LENGTH])
{
    uint8_t head[4];
    static _Thread_local struct slot nowhere;
    if (!slots || !hex_decode((struct str){key, 2 * sizeof head}, head, sizeof head))
        return &nowhere;
    return &slots[((uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2]) % SLOTS];
}

static void drop(struct slot *slot)
{
    if (slot->entry) {
        OPENSSL_cleanse(slot->entry, slot->entry->size);
        free(slot->entry);
    }
    slot->entry = NULL;
    slot->epoch++;
}

static void invalidated(struct str key, void *argument)
{
    (void)argument;
    size_t prefix = sizeof SESSION_PREFIX - 1;
    if (key.len == prefix + TOKEN_KEY_LENGTH)
        drop(slot_of(key.at + prefix));
}

/* Invalidations may have been missed: nothing is known any more. */
static void lost(void *argument)
{
    (void)argument;
    for (size_t i = 0; slots && i < SLOTS; i++)
        drop(&slots[i]);
}

void session_cache_open(void)
{
    slots = memory_alloc(SLOTS * sizeof *slots);
    redis_track(SESSION_PREFIX, invalidated, lost, NULL);
}

void session_cache_close(void)
{
    lost(NULL);
    free(slots);
    slots = NULL;
}

uint32_t session_cache_epoch(const char key[TOKEN_KEY_LENGTH])
{
    return slot_of(key)->epoch;
}

static struct citizen copied(const struct citizen *citizen, struct str (*copy)(void *context, struct str s), void *context)
{
    struct citizen result = *citizen;
    result.id = copy(context, citizen->id);
    result.session_id = copy(context, citizen->session_id);
    result.phone_number = copy(context, citizen->phone_number);
    result.name = copy(context, citizen->name);
    result.id_number = copy(context, citizen->id_number);
    return result;
}

static struct str copy_to_arena(void *context, struct str s)
{
    return str_copy(context, s);
}

static struct str copy_to_bytes(void *context, struct str s)
{
    char **at = context;
    struct str result = {*at, s.len};
    if (s.len)
        memcpy(*at, s.at, s.len);
    *at += s.len;
    return result;
}

const struct citizen *session_cache_find(struct arena *arena, const char key[TOKEN_KEY_LENGTH])
{
    struct slot *slot = slot_of(key);
    struct entry *entry = slot->entry;
    if (!entry || memcmp(entry->key, key, TOKEN_KEY_LENGTH) != 0 || !redis_tracking_is_on())
        return NULL;
    if (clock_wall() >= entry->good_until) {
        drop(slot);
        return NULL;
    }
    struct citizen *citizen = arena_new(arena, struct citizen);
    *citizen = copied(&entry->citizen, copy_to_arena, arena);
    return citizen;
}

void session_cache_keep(const char key[TOKEN_KEY_LENGTH], uint32_t epoch, const struct citizen *citizen, int64_t good_until)
{
    struct slot *slot = slot_of(key);
    if (!slots || slot->epoch != epoch || !redis_tracking_is_on())
        return;
    drop(slot);
    size_t size = sizeof(struct entry) + citizen->id.len + citizen->session_id.len + citizen->phone_number.len +
                  citizen->name.len + citizen->id_number.len;
    struct entry *entry = memory_alloc(size);
    char *at = entry->bytes;
    memcpy(entry->key, key, TOKEN_KEY_LENGTH);
    entry->size = size;
    entry->citizen = copied(citizen, copy_to_bytes, &at);
    entry->good_until = good_until;
    slot->entry = entry;
}
