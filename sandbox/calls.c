/* A ring of calls. */
#include "calls.h"

#include <pthread.h>

enum { CALLS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct call ring[CALLS];
static size_t next, count;

void calls_keep(const struct call *call)
{
    pthread_mutex_lock(&lock);
    ring[next] = *call;
    next = (next + 1) % CALLS;
    count += count < CALLS;
    pthread_mutex_unlock(&lock);
}

size_t calls_list(struct arena *arena, const struct player *player, size_t limit, struct call **list)
{
    *list = arena_array(arena, struct call, limit);
    size_t found = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 1; i <= count && found < limit; i++) {
        const struct call *call = &ring[(next + CALLS - i) % CALLS];
        if (!player || call->player == player)
            (*list)[found++] = *call;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void calls_clear(void)
{
    pthread_mutex_lock(&lock);
    next = count = 0;
    pthread_mutex_unlock(&lock);
}
