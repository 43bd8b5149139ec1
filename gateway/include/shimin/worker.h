/* Workers: threads with an event loop each, and timers and messages on them. */
#ifndef SHIMIN_WORKER_H
#define SHIMIN_WORKER_H

#include <shimin/clock.h>

struct worker;
typedef struct st_h2o_evloop_t h2o_evloop_t_;

/* The worker of the calling thread, or NULL. */
struct worker *worker_self(void);
unsigned worker_index(void); /* 0 … worker_count() - 1, of the calling thread */
unsigned worker_count(void); /* threads that serve */
struct worker *worker_at(unsigned index);
/* The worker's libh2o loop (an h2o_loop_t *). */
void *worker_loop(struct worker *worker);

/* Starts `count` threads; each calls open(argument) first (in a fiber, so it may wait), and serves once all have opened:
 * a worker that has opened does not run its loop until the others have. Returns when all are open, or false if any open()
 * returned false (then all are stopped). Ignores SIGPIPE, and keeps SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 and SIGCHLD
 * for the calling thread. Call once, from main. */
MUST_CHECK bool workers_start(unsigned count, bool (*open)(void *argument), void *argument);
/* Asks every worker to end its loop once no fiber is left or at the deadline, and joins the threads. Calls stop(argument),
 * unless NULL, in each worker first (stop accepting, say goodbye, cancel what would wait for ever), on its loop; it may
 * start fibers, which keep the worker alive: who owes something beyond its fibers' end (output in buffers, connections to
 * close) keeps one until it is done. Fibers that are left at the deadline are abandoned where they wait. */
void workers_stop(void (*stop)(void *argument), void *argument, int64_t deadline);

/* Whether the calling worker can take one more request. Each fiber that is alive takes two of the 65 530 mappings that Linux
 * gives a process (vm.max_map_count), and to run out of them is fatal: ask before fiber_start for what comes from outside,
 * and answer 503 if false. The workers share 24 000; fibers that are spawned have the rest. */
MUST_CHECK bool worker_has_room(void);

/* Runs function(argument) on that worker's loop (not in a fiber), soon, in the order of posting. Any thread, until
 * workers_stop has returned; what is posted to a worker that has ended is dropped. */
void worker_post(struct worker *worker, void (*function)(void *argument), void *argument);
/* worker_post to every worker. */
void workers_post(void (*function)(void *argument), void *argument);
/* Called at the end of every turn of the worker's loop, before it sleeps: for batching (flush what this turn queued). At
 * most 16 a worker. */
void worker_at_turn_end(void (*function)(void *argument), void *argument);

/* A timer of the calling worker; embed it. One binary heap a worker, so any duration is cheap. */
struct timer {
    int64_t at; /* steady microseconds */
    void (*function)(struct timer *timer);
    uint32_t slot; /* place in the heap + 1; 0 when not set */
};
void timer_set(struct timer *timer, int64_t at, void (*function)(struct timer *timer)); /* moves it if set already */
void timer_clear(struct timer *timer);

#endif
