/* The timers of one worker: a binary heap whose members know their place, so that clearing is as cheap as setting. */
#include "runtime/timers.h"

#include <shimin/arena.h>
#include <stdlib.h>

enum { FIRST_SIZE = 256 };

static void put(struct timers *timers, uint32_t i, struct timer_place place)
{
    timers->heap[i] = place;
    place.timer->slot = i + 1;
}

static void sift_up(struct timers *timers, uint32_t i, struct timer_place place)
{
    for (; i > 0; i = (i - 1) / 2) {
        struct timer_place parent = timers->heap[(i - 1) / 2];
        if (parent.at <= place.at)
            break;
        put(timers, i, parent);
    }
    put(timers, i, place);
}

static void sift_down(struct timers *timers, uint32_t i, struct timer_place place)
{
    for (uint32_t child = 2 * i + 1; child < timers->used; i = child, child = 2 * i + 1) {
        if (child + 1 < timers->used && timers->heap[child + 1].at < timers->heap[child].at)
            child++;
        if (place.at <= timers->heap[child].at)
            break;
        put(timers, i, timers->heap[child]);
    }
    put(timers, i, place);
}

/* Puts `place` where it belongs, starting from the free place i. */
static void settle(struct timers *timers, uint32_t i, struct timer_place place)
{
    if (i > 0 && place.at < timers->heap[(i - 1) / 2].at)
        sift_up(timers, i, place);
    else
        sift_down(timers, i, place);
}

void timers_set(struct timers *timers, struct timer *timer, int64_t at, void (*function)(struct timer *timer))
{
    timer->at = at;
    timer->function = function;
    struct timer_place place = {.at = at, .timer = timer};
    if (timer->slot) {
        settle(timers, timer->slot - 1, place);
        return;
    }
    if (timers->used == timers->size) {
        timers->size = timers->size ? timers->size * 2 : FIRST_SIZE;
        timers->heap = memory_grow(timers->heap, timers->size * sizeof *timers->heap);
    }
    sift_up(timers, timers->used++, place);
}

void timers_clear(struct timers *timers, struct timer *timer)
{
    if (!timer->slot)
        return;
    uint32_t i = timer->slot - 1;
    timer->slot = 0;
    struct timer_place last = timers->heap[--timers->used];
    if (last.timer != timer)
        settle(timers, i, last);
}

int64_t timers_next(const struct timers *timers)
{
    return timers->used ? timers->heap[0].at : DEADLINE_NEVER;
}

void timers_run(struct timers *timers, int64_t now)
{
    for (uint32_t most = timers->used; most > 0 && timers_next(timers) <= now; most--) {
        struct timer *timer = timers->heap[0].timer;
        timers_clear(timers, timer);
        timer->function(timer);
    }
}

void timers_dispose(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}
