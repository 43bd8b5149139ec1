/* What the files of this floor share: a fiber and a worker from the inside. */
#ifndef SHIMIN_RUNTIME_INTERNAL_H
#define SHIMIN_RUNTIME_INTERNAL_H

#include <h2o.h>
#include <pthread.h>
#include <shimin/fiber.h>
#include <shimin/metrics.h>
#include <shimin/worker.h>

#include "runtime/context.h"
#include "runtime/stack.h"
#include "runtime/timers.h"

enum fiber_state {
    FIBER_ENDED,   /* in the pool of stacks, or on its way there */
    FIBER_READY,   /* in the run queue, nowhere else */
    FIBER_RUNNING, /* at most one a worker */
    FIBER_WAITING, /* off the processor until resumed */
};

/* Lives at the top of its own stack. */
struct fiber {
    struct context context;
    struct fiber *next; /* in the run queue or the pool, by state */
    struct worker *worker;
    void (*function)(void *argument); /* NULL: leave the stack for good */
    void *argument;
    enum fiber_state state;
    enum wait outcome; /* of the wait that ends */
    int64_t deadline;
    struct timer timer;
    unsigned shield;    /* how often shielded, the spawner's shield counted once */
    unsigned inherited; /* 1 if the spawner's shield is among them */
    bool cancelled;
    bool woken;                  /* a wake came while it ran: the next fiber_wait returns at once */
    bool stubborn;               /* this wait ends only by a wake */
    bool entered;                /* its stack has a first frame */
    struct fiber_group *groups;  /* opened by this fiber and not joined yet, latest first */
    struct fiber_group *joining; /* the one it waits for now, or NULL */
    struct fiber_group *group;   /* the one it was spawned into, or NULL */
    struct fiber *sibling_next, *sibling_previous;
};

struct run_queue {
    struct fiber *first, *last;
    unsigned length;
};

struct message {
    struct message *next;
    void (*function)(void *argument);
    void *argument;
};

/* Messages from any thread, in order of posting. */
struct mailbox {
    pthread_mutex_t lock;
    struct message *first, **last; /* under the lock */
    int announce;                  /* eventfd, owned by the socket */
    h2o_socket_t *socket;
};

enum { TURN_HOOKS = 16 };

struct worker {
    h2o_loop_t *loop;
    unsigned index;
    pthread_t thread;
    struct context context; /* the thread's own stack, where the loop, timers and messages run */
    struct fiber *running;
    struct run_queue ready;
    struct run_queue gathered; /* go on in this turn, when those before them in it have come as far */
    unsigned left;             /* of the queue that is being run */
    struct timers timers;
    struct stacks stacks;
    struct mailbox mailbox;
    unsigned fibers;  /* started and not ended */
    uint64_t started; /* since the last report to the metrics */
    struct {
        void (*function)(void *argument);
        void *argument;
    } hooks[TURN_HOOKS];
    unsigned hook_count;
    bool stopping;
    int64_t stop_at;
    struct timer stop_timer;
    struct timer log_timer; /* set while lines of the log wait */
    struct metric_cell *running_cell, *started_cell, *pooled_cell, *slow_cell;
};

/* Runs the fibers that are ready now, past where they gather; those that become ready meanwhile wait for the next turn. */
void fibers_run(struct worker *worker);
/* A new fiber, ready to run, counted; its group and inheritance are the caller's. */
struct fiber *fiber_create(struct worker *worker, void (*function)(void *argument), void *argument, int64_t deadline);
/* Suspends until a wake and nothing else: for what would otherwise leave a pointer into a dead frame. */
void fiber_wait_for_wake(void);
/* Ends a wait as a deadline would, and every later one, even in a shield. */
void fiber_expire(struct fiber *fiber);
/* Frees a stack that no fiber uses; lets its first frame leave before, for the sanitizers' sake. */
void fiber_discard(struct worker *worker, struct fiber *fiber);
/* Takes an ended fiber out of its group and tells the owner when it was the last. */
void group_leave(struct fiber *fiber);

void mailbox_open(struct mailbox *mailbox, h2o_loop_t *loop);
void mailbox_post(struct mailbox *mailbox, void (*function)(void *argument), void *argument);
/* Drops what was not read. No thread may post any more. */
void mailbox_close(struct mailbox *mailbox);

#endif
