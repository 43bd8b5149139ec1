/* The cap on calls to one department in one worker, with a short first-come queue. A hung department holds its own slots
 * and nobody else's. */
#ifndef FEDERATION_BULKHEAD_H
#define FEDERATION_BULKHEAD_H

#include <shimin/fiber.h>

struct bulkhead_waiter;

struct bulkhead {
    unsigned cap;
    unsigned queue_most; /* fibers that may wait */
    int64_t wait_most;   /* microseconds that one may wait */
    unsigned busy;
    unsigned queued;
    uint32_t era; /* slots taken in an earlier era were written off */
    struct bulkhead_waiter *first, *last;
};

enum bulkhead_entry { BULKHEAD_IN, BULKHEAD_FULL, BULKHEAD_DEADLINE, BULKHEAD_CANCELLED };

/* Takes a slot, waiting a little for one. *era is to be given back with the slot. */
enum bulkhead_entry bulkhead_enter(struct bulkhead *bulkhead, uint32_t *era) MUST_CHECK;
/* Takes a slot beyond the cap: for a breaker's probe, which must not queue behind the calls that hang. Does not wait. */
uint32_t bulkhead_enter_probe(struct bulkhead *bulkhead);
void bulkhead_leave(struct bulkhead *bulkhead, uint32_t era);
/* The department is back: slots still held by calls that hang since before are no longer counted. */
void bulkhead_write_off(struct bulkhead *bulkhead);
/* Another cap; those who wait get in when it grew. */
void bulkhead_set_cap(struct bulkhead *bulkhead, unsigned cap);

#endif
