/* The bulkhead: slots are handed from the leaver to the one who waits longest, so nobody overtakes the queue. */
#include "federation/bulkhead.h"

struct bulkhead_waiter {
    struct bulkhead_waiter *next, *previous;
    struct fiber *fiber;
    bool granted;
    uint32_t era; /* of the slot that was granted */
};

static void enqueue(struct bulkhead *bulkhead, struct bulkhead_waiter *waiter)
{
    waiter->previous = bulkhead->last;
    if (bulkhead->last)
        bulkhead->last->next = waiter;
    else
        bulkhead->first = waiter;
    bulkhead->last = waiter;
    bulkhead->queued++;
}

static void dequeue(struct bulkhead *bulkhead, struct bulkhead_waiter *waiter)
{
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        bulkhead->first = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        bulkhead->last = waiter->previous;
    bulkhead->queued--;
}

static void grant(struct bulkhead *bulkhead)
{
    while (bulkhead->first && bulkhead->busy < bulkhead->cap) {
        struct bulkhead_waiter *waiter = bulkhead->first;
        dequeue(bulkhead, waiter);
        waiter->granted = true;
        waiter->era = bulkhead->era;
        bulkhead->busy++;
        fiber_wake(waiter->fiber);
    }
}

enum bulkhead_entry bulkhead_enter(struct bulkhead *bulkhead, uint32_t *era)
{
    *era = bulkhead->era;
    if (bulkhead->busy < bulkhead->cap && !bulkhead->first) {
        bulkhead->busy++;
        return BULKHEAD_IN;
    }
    if (bulkhead->queued >= bulkhead->queue_most)
        return BULKHEAD_FULL;
    struct bulkhead_waiter waiter = {.fiber = fiber_self()};
    enqueue(bulkhead, &waiter);
    enum wait wait = fiber_wait(deadline_in(bulkhead->wait_most));
    *era = waiter.era;
    if (!waiter.granted)
        dequeue(bulkhead, &waiter);
    if (wait == WAIT_CANCELLED) {
        if (waiter.granted)
            bulkhead_leave(bulkhead, *era);
        return BULKHEAD_CANCELLED;
    }
    if (waiter.granted)
        return BULKHEAD_IN;
    return clock_steady() >= fiber_deadline() ? BULKHEAD_DEADLINE : BULKHEAD_FULL;
}

uint32_t bulkhead_enter_probe(struct bulkhead *bulkhead)
{
    bulkhead->busy++;
    return bulkhead->era;
}

void bulkhead_leave(struct bulkhead *bulkhead, uint32_t era)
{
    if (era != bulkhead->era)
        return;
    bulkhead->busy--;
    grant(bulkhead);
}

void bulkhead_write_off(struct bulkhead *bulkhead)
{
    bulkhead->era++;
    bulkhead->busy = 0;
    grant(bulkhead);
}

void bulkhead_set_cap(struct bulkhead *bulkhead, unsigned cap)
{
    bulkhead->cap = cap;
    grant(bulkhead);
}
