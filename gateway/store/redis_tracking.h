/* Client-side caching: Redis says which keys of a prefix have changed, so that what a worker keeps of them can be dropped. */
#ifndef SHIMIN_REDIS_TRACKING_H
#define SHIMIN_REDIS_TRACKING_H

#include <shimin/str.h>

/* Watches the keys that begin with `prefix` (static), on the calling worker, after redis_open, until redis_close. All of these
 * run on the worker's loop, not in a fiber: invalidated() for each key that was written, deleted or has expired; lost() as soon
 * as invalidations may have been missed, also when all keys went at once (FLUSHALL): drop everything. At most 8 prefixes.
 *
 * Keep a value only if redis_tracking_is_on(), and only if redis_tracking_count() is the same before the read was asked for and
 * after it was answered: the invalidation comes on another connection than the value, so it may overtake it. */
void redis_track(const char *prefix, void (*invalidated)(struct str key, void *argument), void (*lost)(void *argument),
                 void *argument);
bool redis_tracking_is_on(void);
/* Grows with every invalidation and every loss. */
uint64_t redis_tracking_count(void);

/* ---- inside the floor ---- */
void redis_tracking_main_is_up(void);
void redis_tracking_main_is_lost(void);
void redis_tracking_close(void);

#endif
