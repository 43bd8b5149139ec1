/* Shares of memory. */
#include "http/share.h"

#include <stdlib.h>

struct share {
    size_t used, most;
    unsigned references; /* the owner, and what is taken */
};

struct taken {
    struct share *share;
    size_t n;
};

struct share *share_open(size_t most)
{
    struct share *share = memory_alloc(sizeof *share);
    *share = (struct share){.most = most, .references = 1};
    return share;
}

static void let_go(struct share *share)
{
    if (--share->references == 0)
        free(share);
}

void share_close(struct share *share)
{
    if (share)
        let_go(share);
}

void share_set(struct share *share, size_t most)
{
    share->most = most;
}

static void give_back(void *argument)
{
    struct taken *taken = argument;
    taken->share->used -= taken->n;
    let_go(taken->share);
}

void share_count(struct share *share, struct arena *arena, size_t n)
{
    struct taken *taken = arena_new(arena, struct taken);
    *taken = (struct taken){share, n};
    share->used += n;
    share->references++;
    arena_defer(arena, give_back, taken);
}

bool share_take(struct share *share, struct arena *arena, size_t n)
{
    if (share->used >= share->most || n > share->most - share->used)
        return false;
    share_count(share, arena, n);
    return true;
}

size_t share_used(const struct share *share)
{
    return share->used;
}
