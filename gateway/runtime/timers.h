/* The timers of one worker. */
#ifndef SHIMIN_RUNTIME_TIMERS_H
#define SHIMIN_RUNTIME_TIMERS_H

#include <shimin/worker.h>

struct timer_place {
    int64_t at; /* a copy, so that sifting stays within the array */
    struct timer *timer;
};

/* A binary heap, earliest first; every timer knows its place. */
struct timers {
    struct timer_place *heap;
    uint32_t used, size;
};

void timers_set(struct timers *timers, struct timer *timer, int64_t at, void (*function)(struct timer *timer));
void timers_clear(struct timers *timers, struct timer *timer);
/* The earliest, or DEADLINE_NEVER. */
int64_t timers_next(const struct timers *timers);
/* Calls what is due at `now`, earliest first. A timer is unset when it is called, and may set itself again; one that sets
 * itself into the past is called on the next run, so that it cannot starve the loop. */
void timers_run(struct timers *timers, int64_t now);
void timers_dispose(struct timers *timers);

#endif
