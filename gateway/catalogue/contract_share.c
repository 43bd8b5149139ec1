/* Departments' contracts, compiled once for all snapshots that use the same bytes. */
#include "catalogue/definitions.h"
#include "contract/contract.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct shared_contract {
    struct shared_contract *next;
    const struct contract *contract;
    unsigned references;
    char sha256[64];
};

/* Compiled seldom, beside the request path: one lock is enough. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shared_contract *all;

static void release(void *argument)
{
    struct shared_contract *shared = argument;
    pthread_mutex_lock(&lock);
    bool last = --shared->references == 0;
    if (last) {
        struct shared_contract **link = &all;
        while (*link != shared)
            link = &(*link)->next;
        *link = shared->next;
    }
    pthread_mutex_unlock(&lock);
    if (last) {
        contract_free(shared->contract);
        free(shared);
    }
}

/* The entry with one more reference, or NULL. */
static struct shared_contract *find(struct str sha256)
{
    struct shared_contract *shared = all;
    while (shared && !str_equal((struct str){shared->sha256, sizeof shared->sha256}, sha256))
        shared = shared->next;
    if (shared)
        shared->references++;
    return shared;
}

static struct shared_contract *compile(struct arena *arena, struct str name, struct str sha256, struct str bytes,
                                       struct text *faults)
{
    struct contract_faults found = {0};
    const struct contract *contract = contract_load(name, bytes, arena, &found);
    for (size_t i = 0; i < found.count; i++)
        text_printf(faults, "contracts/%.*s:%u: %.*s: %.*s\n", STR_ARG(name), found.list[i].line,
                    STR_ARG(found.list[i].pointer), STR_ARG(found.list[i].reason));
    if (!contract)
        return NULL;
    struct shared_contract *shared = memory_alloc(sizeof *shared);
    shared->contract = contract;
    shared->references = 1;
    memcpy(shared->sha256, sha256.at, sizeof shared->sha256);
    return shared;
}

const struct contract *contract_share(struct arena *arena, struct str name, struct str sha256,
                                      struct str (*contract_bytes)(struct arena *arena, struct str sha256), struct text *faults)
{
    if (sha256.len != sizeof all->sha256) {
        text_printf(faults, "contracts/%.*s: no digest of its bytes\n", STR_ARG(name));
        return NULL;
    }
    pthread_mutex_lock(&lock);
    struct shared_contract *shared = find(sha256);
    pthread_mutex_unlock(&lock);
    if (!shared) {
        struct str bytes = contract_bytes(arena, sha256);
        if (!bytes.at) {
            text_printf(faults, "contracts/%.*s: its bytes (%.*s) are missing\n", STR_ARG(name), STR_ARG(sha256));
            return NULL;
        }
        shared = compile(arena, name, sha256, bytes, faults);
        if (!shared)
            return NULL;
        pthread_mutex_lock(&lock);
        shared->next = all;
        all = shared;
        pthread_mutex_unlock(&lock);
    }
    arena_defer(arena, release, shared);
    return shared->contract;
}
