/* Shares of memory. */
#include "http/share.h"

#include <stdlib.h>

struct share {
    size_t used, most;
    unsigned references; /* the owner, and each hold */
};

struct hold {
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
    struct hold *hold = argument;
    hold->share->used -= hold->n;
    let_go(hold->share);
}

struct hold *share_hold(struct share *share, struct arena *arena)
{
    struct hold *hold = arena_new(arena, struct hold);
    hold->share = share;
    share->references++;
    arena_defer(arena, give_back, hold);
    return hold;
}

void hold_count(struct hold *hold, size_t n)
{
    hold->n += n;
    hold->share->used += n;
}

bool hold_take(struct hold *hold, size_t n)
{
    const struct share *share = hold->share;
    if (share->used >= share->most || n > share->most - share->used)
        return false;
    hold_count(hold, n);
    return true;
}

size_t share_used(const struct share *share)
{
    return share->used;
}
