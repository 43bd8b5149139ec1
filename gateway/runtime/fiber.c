/* Fibers: the states of one, the run queue, and the ways a wait ends. */
#include <assert.h>
#include <string.h>

#include "runtime/internal.h"

/* The one place where a fiber becomes ready. */
static void make_ready(struct fiber *fiber, struct run_queue *queue)
{
    fiber->state = FIBER_READY;
    fiber->next = NULL;
    if (queue->last)
        queue->last->next = fiber;
    else
        queue->first = fiber;
    queue->last = fiber;
    queue->length++;
}

static void resume(struct fiber *fiber, enum wait outcome)
{
    fiber->outcome = outcome;
    timer_clear(&fiber->timer);
    make_ready(fiber, &fiber->worker->ready);
}

/* Off the processor; returns when the fiber is run again. */
static void suspend(struct fiber *self)
{
    context_switch(&self->context, &self->worker->context);
}

/* The first frame of every stack: runs one function after the other, each as a fiber of its own. */
static void first_frame(void)
{
    struct worker *worker = worker_self();
    struct fiber *self = worker->running;
    while (self->function) {
        self->function(self->argument);
        assert(!self->groups && "a fiber must join its groups before it returns");
        assert(self->shield == self->inherited && "a fiber must unshield as often as it shielded");
        if (self->group)
            group_leave(self);
        worker->fibers--;
        self->state = FIBER_ENDED;
        suspend(self);
    }
    context_leave(&worker->context);
}

/* On the worker's own stack: lets the fiber run until it waits or ends. */
static void run(struct worker *worker, struct fiber *fiber)
{
    worker->running = fiber;
    fiber->state = FIBER_RUNNING;
    if (fiber->entered) {
        context_switch(&worker->context, &fiber->context);
    } else {
        fiber->entered = true;
        context_enter(&worker->context, &fiber->context, stack_bottom(fiber), stack_room(fiber), first_frame);
    }
    worker->running = NULL;
}

void fiber_discard(struct worker *worker, struct fiber *fiber)
{
    fiber->function = NULL;
    run(worker, fiber);
    stack_unmap(fiber);
}

static void run_queued(struct worker *worker, struct run_queue *queue)
{
    for (worker->left = queue->length; worker->left > 0;) {
        struct fiber *fiber = queue->first;
        worker->left--;
        queue->first = fiber->next;
        if (!queue->first)
            queue->last = NULL;
        queue->length--;
        run(worker, fiber);
        if (fiber->state == FIBER_ENDED && !stack_keep(&worker->stacks, fiber))
            fiber_discard(worker, fiber);
    }
}

void fibers_run(struct worker *worker)
{
    run_queued(worker, &worker->ready);
    while (worker->gathered.length)
        run_queued(worker, &worker->gathered);
}

struct fiber *fiber_create(struct worker *worker, void (*function)(void *argument), void *argument, int64_t deadline)
{
    struct fiber *fiber = stack_take(&worker->stacks);
    fiber->worker = worker;
    fiber->function = function;
    fiber->argument = argument;
    fiber->deadline = deadline;
    fiber->shield = fiber->inherited = 0;
    fiber->cancelled = fiber->woken = fiber->stubborn = false;
    fiber->group = fiber->joining = NULL;
    worker->fibers++;
    worker->started++;
    make_ready(fiber, &worker->ready);
    return fiber;
}

static struct fiber *self(void)
{
    struct fiber *fiber = fiber_self();
    assert(fiber && "only a fiber can do this");
    return fiber;
}

static void on_deadline(struct timer *timer)
{
    resume(CONTAINER_OF(timer, struct fiber, timer), WAIT_DEADLINE);
}

static bool can_cancel(const struct fiber *fiber)
{
    return fiber->cancelled && fiber->shield == 0;
}

/* Tells a cancelled fiber, and what it has spawned, that it is. */
static void deliver_cancel(struct fiber *fiber)
{
    for (struct fiber_group *group = fiber->groups; group; group = group->outer)
        for (struct fiber *child = group->first; child; child = child->sibling_next)
            fiber_cancel(child);
    if (fiber->state == FIBER_WAITING && !fiber->stubborn)
        resume(fiber, WAIT_CANCELLED);
}

struct fiber *fiber_self(void)
{
    struct worker *worker = worker_self();
    return worker ? worker->running : NULL;
}

void fiber_start(void (*function)(void *argument), void *argument, int64_t deadline)
{
    assert(worker_self() && "fibers are started on workers");
    fiber_create(worker_self(), function, argument, deadline);
}

enum wait fiber_wait(int64_t deadline)
{
    struct fiber *fiber = self();
    if (fiber->woken) {
        fiber->woken = false;
        return WAIT_DONE;
    }
    if (can_cancel(fiber))
        return WAIT_CANCELLED;
    if (deadline > fiber->deadline)
        deadline = fiber->deadline;
    if (deadline != DEADLINE_NEVER) {
        if (deadline <= clock_steady())
            return WAIT_DEADLINE;
        timer_set(&fiber->timer, deadline, on_deadline);
    }
    fiber->state = FIBER_WAITING;
    suspend(fiber);
    return fiber->outcome;
}

void fiber_wait_for_wake(void)
{
    struct fiber *fiber = self();
    if (!fiber->woken) {
        fiber->stubborn = true;
        fiber->state = FIBER_WAITING;
        suspend(fiber);
        fiber->stubborn = false;
    }
    fiber->woken = false;
}

void fiber_wake(struct fiber *fiber)
{
    assert(fiber->worker == worker_self() && "a fiber is woken on its own worker");
    if (fiber->state == FIBER_WAITING)
        resume(fiber, WAIT_DONE);
    else if (fiber->state == FIBER_RUNNING)
        fiber->woken = true;
}

void fiber_cancel(struct fiber *fiber)
{
    assert(fiber->worker == worker_self() && "a fiber is cancelled on its own worker");
    if (fiber->cancelled)
        return;
    fiber->cancelled = true;
    if (fiber->shield == 0)
        deliver_cancel(fiber);
}

void fiber_expire(struct fiber *fiber)
{
    fiber->deadline = 0; /* long past, and still safe to subtract from */
    if (fiber->state == FIBER_WAITING && !fiber->stubborn)
        resume(fiber, WAIT_DEADLINE);
}

enum wait fiber_sleep(int64_t microseconds)
{
    int64_t now = clock_steady();
    int64_t end = microseconds < DEADLINE_NEVER - now ? now + microseconds : DEADLINE_NEVER;
    for (;;) {
        switch (fiber_wait(end)) {
        case WAIT_CANCELLED:
            return WAIT_CANCELLED;
        case WAIT_DEADLINE:
            return self()->deadline < end ? WAIT_DEADLINE : WAIT_DONE;
        case WAIT_DONE: /* a wake that was meant for an earlier wait */
            break;
        }
    }
}

void fiber_yield(void)
{
    struct fiber *fiber = self();
    make_ready(fiber, &fiber->worker->ready);
    suspend(fiber);
}

void fiber_gather(void)
{
    struct fiber *fiber = self();
    struct worker *worker = fiber->worker;
    if (!worker->left && !worker->gathered.length)
        return; /* nobody to wait for */
    make_ready(fiber, &worker->gathered);
    suspend(fiber);
}

int64_t fiber_deadline(void)
{
    return self()->deadline;
}

void fiber_set_deadline(int64_t deadline)
{
    struct fiber *fiber = self();
    if (deadline < fiber->deadline)
        fiber->deadline = deadline;
}

void fiber_shield(void)
{
    self()->shield++;
}

void fiber_unshield(void)
{
    struct fiber *fiber = self();
    assert(fiber->shield > fiber->inherited && "unshield without shield");
    if (--fiber->shield == 0 && fiber->cancelled)
        deliver_cancel(fiber);
}

bool fiber_cancelled(void)
{
    return can_cancel(self());
}
