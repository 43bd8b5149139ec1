/* Rows of four digests: a full row loses the entry that ends soonest. */
#include "remembered.h"

#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"

enum { WAYS = 4 };

struct entry {
    uint64_t digest[2];
    int64_t until; /* 0: empty */
};

struct remembered {
    pthread_mutex_t lock;
    size_t rows;
    struct entry *entries;
};

struct remembered *remembered_open(size_t room)
{
    struct remembered *set = memory_alloc(sizeof *set);
    pthread_mutex_init(&set->lock, NULL);
    set->rows = room / WAYS;
    set->entries = memory_alloc(room * sizeof *set->entries);
    return set;
}

void remembered_free(struct remembered *set)
{
    pthread_mutex_destroy(&set->lock);
    free(set->entries);
    free(set);
}

static struct entry entry_of(struct str space, struct str text)
{
    uint8_t digest[DIGEST_SIZE];
    struct entry entry = {.until = 0};
    hmac_sha256(space, text, digest);
    memcpy(entry.digest, digest, sizeof entry.digest);
    return entry;
}

static struct entry *row_of(struct remembered *set, const struct entry *entry)
{
    return &set->entries[entry->digest[0] % set->rows * WAYS];
}

bool remembered_add(struct remembered *set, struct str space, struct str text, int64_t until)
{
    struct entry entry = entry_of(space, text);
    struct entry *row = row_of(set, &entry), *victim = row;
    int64_t now = clock_wall();
    bool is_new = true;
    entry.until = until;
    pthread_mutex_lock(&set->lock);
    for (int i = 0; i < WAYS; i++) {
        is_new &= row[i].until <= now || memcmp(row[i].digest, entry.digest, sizeof entry.digest) != 0;
        if (row[i].until < victim->until)
            victim = &row[i];
    }
    if (is_new)
        *victim = entry;
    pthread_mutex_unlock(&set->lock);
    return is_new;
}

bool remembered_has(struct remembered *set, struct str space, struct str text, int64_t now)
{
    struct entry entry = entry_of(space, text);
    const struct entry *row = row_of(set, &entry);
    bool found = false;
    pthread_mutex_lock(&set->lock);
    for (int i = 0; i < WAYS; i++)
        found |= row[i].until > now && memcmp(row[i].digest, entry.digest, sizeof entry.digest) == 0;
    pthread_mutex_unlock(&set->lock);
    return found;
}

void remembered_clear(struct remembered *set)
{
    pthread_mutex_lock(&set->lock);
    memset(set->entries, 0, set->rows * WAYS * sizeof *set->entries);
    pthread_mutex_unlock(&set->lock);
}
