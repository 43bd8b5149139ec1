/* Fibers: code that reads top to bottom and waits without holding its worker.
 *
 * A fiber belongs to one worker for life, so what it shares with other fibers of the worker needs no lock; between two waits
 * it is never interrupted. Every waiting call in the public headers says "waits": it suspends the calling fiber until the
 * answer, the deadline, or cancellation. */
#ifndef SHIMIN_FIBER_H
#define SHIMIN_FIBER_H

#include <shimin/clock.h>

struct fiber;

/* How a wait ended. */
enum wait {
    WAIT_DONE,
    WAIT_DEADLINE,  /* the fiber's deadline passed */
    WAIT_CANCELLED, /* the client left, or the group was cancelled; never while shielded */
};

/* The running fiber; NULL on a worker's own stack and outside workers. */
struct fiber *fiber_self(void);

/* Starts function(argument) in a new fiber of the calling worker, with its own deadline; it first runs when the caller
 * next waits or returns to the loop. Nobody joins it. */
void fiber_start(void (*function)(void *argument), void *argument, int64_t deadline);

/* Several waits at once:
 *
 *     struct fiber_group group = {0};
 *     for (…) fiber_spawn(&group, fetch, &jobs[i]);
 *     fiber_join(&group, deadline_in(seconds(2)));      // the late ones are cancelled, then waited for
 *
 * A group lives on the spawning fiber's stack; the spawner must join before it returns (asserted). Spawned fibers inherit
 * the deadline and the shield of the spawner; cancelling the spawner cancels them. */
struct fiber_group {
    struct fiber *first;
    struct fiber *owner;
    unsigned running;
    struct fiber_group *outer; /* the owner's group opened before this one */
};
void fiber_spawn(struct fiber_group *group, void (*function)(void *argument), void *argument);
/* Waits until all have returned. At `deadline` (or the fiber's own, if earlier) the rest are cancelled, and their return is
 * still waited for; those that inherited a shield see their deadline pass instead, since that counts in a shield too.
 * WAIT_DONE when none was cancelled. The group is empty then, and can be used again. */
enum wait fiber_join(struct fiber_group *group, int64_t deadline);

/* Waits; WAIT_DONE after that time. */
enum wait fiber_sleep(int64_t microseconds);
/* Lets the worker's other work go first. Waits. */
void fiber_yield(void);

/* Lets the other fibers of this turn come as far, then goes on within the turn. Between the steps of what many requests do: a
 * step's code and the kernel's are then in the processor's caches for all of them but the first. Nothing happens when no other
 * is ready. Not a place where a fiber is cancelled. */
void fiber_gather(void);

int64_t fiber_deadline(void);
/* Never later than it already is. */
void fiber_set_deadline(int64_t deadline);
/* Between shield and unshield cancellation is remembered but not delivered: a write that has been accepted goes on though
 * its client left. Nests. The deadline still counts. */
void fiber_shield(void);
void fiber_unshield(void);
/* Whether the next wait would end with WAIT_CANCELLED: never in a shield. */
bool fiber_cancelled(void);

/* Runs function(argument) on an offload thread, for work that burns the processor or blocks. Waits until it returns; it is
 * not interrupted by deadline or cancellation (its argument lives on our stack), so keep it short. false, without running
 * it, when the queue is full. */
MUST_CHECK bool offload(void (*function)(void *argument), void *argument);
/* The same on a thread of lower priority, one for the program: for what takes long and gives way to everything else. */
MUST_CHECK bool offload_aside(void (*function)(void *argument), void *argument);

/* ---- for the floors that make waiting calls out of callbacks ---- */

/* Suspends until fiber_wake, the earlier of deadline and the fiber's own, or cancellation; returns at once if the deadline
 * has passed or the fiber is cancelled. The caller must make sure that a callback which comes after WAIT_DEADLINE or
 * WAIT_CANCELLED does not touch the dead frame or wake the fiber.
 *
 * A wake that came before the fiber waited (the answer was there at once) is kept for one fiber_wait, which returns
 * WAIT_DONE at once, also past the deadline or when cancelled. So a wake is never lost, but one may be left over from a call
 * that did not come to wait: always wait for a condition of your own,
 *
 *     enum wait outcome = WAIT_DONE;
 *     while (!call.done && outcome == WAIT_DONE)
 *         outcome = fiber_wait(deadline);
 *     if (!call.done)
 *         …detach the call: its callback must find nobody…
 *
 * errno and OpenSSL's error queue are the thread's: read them before you wait. */
enum wait fiber_wait(int64_t deadline);
/* Makes a suspended fiber runnable with WAIT_DONE; it runs on its worker's next turn (this one, if woken by a callback of
 * the loop or a timer). Same worker only. No effect on a fiber that is runnable already; kept for its next wait if it is the
 * running one. */
void fiber_wake(struct fiber *fiber);
/* Cancels: ends a wait of an unshielded fiber with WAIT_CANCELLED, and every later one. Same worker only. */
void fiber_cancel(struct fiber *fiber);

#endif
