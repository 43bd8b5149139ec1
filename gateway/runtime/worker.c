/* Workers: threads with an event loop each; how they start, turn and stop. */
#include <assert.h>
#include <errno.h>
#include <shimin/arena.h>
#include <shimin/log.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/internal.h"
#include "runtime/offload.h"

enum {
    LONGEST_WAIT = 60 * 1000, /* milliseconds; any bound will do, events and timers end the wait */
    SLOW_TURN = 50 * 1000,    /* microseconds; then something computed or blocked that should have been offloaded */
};

static struct {
    struct worker *workers;
    unsigned count;
    bool (*open)(void *argument);
    void *open_argument;
    void (*stop)(void *argument);
    void *stop_argument;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned opened; /* under the lock, as is failed */
    bool failed;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static _Thread_local struct worker *current;

static struct metric *fibers_running, *fibers_started, *stacks_pooled, *slow_turns;

static void register_metrics(void)
{
    if (fibers_running)
        return;
    fibers_running = metric_register(METRIC_GAUGE, "fibers_running", "", "Fibers that have started and not ended.");
    fibers_started = metric_register(METRIC_COUNTER, "fibers_started_total", "", "Fibers started.");
    slow_turns = metric_register(METRIC_COUNTER, "worker_slow_turns_total", "",
                                 "Turns in which fibers, timers and hooks held the worker for more than 50 ms.");
    stacks_pooled = metric_register(METRIC_GAUGE, "fiber_stacks_pooled", "", "Free stacks kept for the next fibers.");
}

static void report_metrics(struct worker *worker)
{
    metric_set(worker->running_cell, worker->fibers);
    metric_set(worker->pooled_cell, stacks_free(&worker->stacks));
    metric_add(worker->started_cell, (double)worker->started);
    worker->started = 0;
}

/* How long the loop may sleep, in milliseconds: rounded up, so that it does not spin towards a deadline. */
static int32_t longest_wait(const struct worker *worker)
{
    /* A write that a fiber or a hook completed, outside h2o_evloop_run, is announced by the next run, but only after it has
     * polled: the library expects that nothing is pending then. */
    if (worker->ready.length > 0 || worker->loop->_pending_as_client || worker->loop->_pending_as_server)
        return 0;
    int64_t next = timers_next(&worker->timers);
    if (next == DEADLINE_NEVER)
        return LONGEST_WAIT;
    int64_t wait = (next - clock_steady() + 999) / 1000;
    return wait < 0 ? 0 : wait > LONGEST_WAIT ? LONGEST_WAIT : (int32_t)wait;
}

/* What the threads log of requests may be this old when it is written: a write a turn would cost a request more than its line.
 */
#define LOG_AGE milliseconds(20)

static void flush_aged_log(struct timer *timer)
{
    (void)timer;
    log_flush();
}

/* Under load once in LOG_AGE; the timer is for the last lines before it gets quiet. */
static void flush_log(struct worker *worker, int64_t now)
{
    if (log_has_lines() && !worker->log_timer.slot)
        timer_set(&worker->log_timer, now + LOG_AGE, flush_aged_log);
}

/* One turn: input and messages, timers, the fibers they have made ready, then what these have queued. */
static void turn(struct worker *worker)
{
    if (h2o_evloop_run(worker->loop, longest_wait(worker)) != 0 && errno != EINTR)
        fatal("the event loop of worker %u failed: %s", worker->index, strerror(errno));
    int64_t start = clock_steady();
    timers_run(&worker->timers, start);
    fibers_run(worker);
    for (unsigned i = 0; i < worker->hook_count; i++)
        worker->hooks[i].function(worker->hooks[i].argument);
    flush_log(worker, start);
    if (clock_steady() - start > SLOW_TURN)
        metric_add(worker->slow_cell, 1);
    report_metrics(worker);
}

static void report_opened(bool success)
{
    pthread_mutex_lock(&all.lock);
    all.opened += success;
    all.failed |= !success;
    pthread_cond_broadcast(&all.changed);
    pthread_mutex_unlock(&all.lock);
}

/* Until every worker has opened, or one could not. */
static bool await_all(void)
{
    pthread_mutex_lock(&all.lock);
    while (all.opened < all.count && !all.failed)
        pthread_cond_wait(&all.changed, &all.lock);
    bool success = !all.failed;
    pthread_mutex_unlock(&all.lock);
    return success;
}

struct opening {
    bool done, success;
};

static void run_open(void *argument)
{
    struct opening *opening = argument;
    opening->success = all.open(all.open_argument);
    opening->done = true;
}

static bool someone_failed(void)
{
    pthread_mutex_lock(&all.lock);
    bool failed = all.failed;
    pthread_mutex_unlock(&all.lock);
    return failed;
}

static void wake_only(void *argument)
{
    (void)argument;
}

/* Runs the loop until open() has returned; not to its end if another worker fails meanwhile. */
static bool open_worker(struct worker *worker)
{
    static _Thread_local struct opening opening; /* outlives an open() that is abandoned */
    opening = (struct opening){0};
    fiber_start(run_open, &opening, DEADLINE_NEVER);
    while (!opening.done && !someone_failed())
        turn(worker);
    if (!opening.done)
        return false;
    report_opened(opening.success);
    if (!opening.success)
        workers_post(wake_only, NULL);
    return await_all();
}

static void on_stop_deadline(struct timer *timer)
{
    (void)timer;
}

static void begin_stop(void *argument)
{
    struct worker *worker = current;
    (void)argument;
    worker->stopping = true;
    if (worker->stop_at != DEADLINE_NEVER)
        timer_set(&worker->stop_timer, worker->stop_at, on_stop_deadline);
    if (all.stop)
        all.stop(all.stop_argument);
}

static bool may_end(const struct worker *worker)
{
    return worker->stopping && (worker->fibers == 0 || clock_steady() >= worker->stop_at);
}

static void free_stacks(struct worker *worker)
{
    while (stacks_free(&worker->stacks) > 0)
        fiber_discard(worker, stack_take(&worker->stacks));
}

static void *serve(void *argument)
{
    struct worker *worker = argument;
    char name[16];
    snprintf(name, sizeof name, "worker-%u", worker->index);
    pthread_setname_np(pthread_self(), name);
    current = worker;
    context_adopt(&worker->context);
    worker->running_cell = metric_cell(fibers_running, NULL, 0);
    worker->started_cell = metric_cell(fibers_started, NULL, 0);
    worker->slow_cell = metric_cell(slow_turns, NULL, 0);
    worker->pooled_cell = metric_cell(stacks_pooled, NULL, 0);

    if (open_worker(worker))
        while (!may_end(worker))
            turn(worker);
    if (worker->fibers > 0)
        log_warning("worker %u ended with %u fibers left", worker->index, worker->fibers);
    worker->fibers = 0;
    free_stacks(worker);
    report_metrics(worker);
    log_flush();
    current = NULL;
    return NULL;
}

static void prepare(struct worker *worker, unsigned index)
{
    *worker = (struct worker){.index = index, .stop_at = DEADLINE_NEVER, .loop = h2o_evloop_create()};
    mailbox_open(&worker->mailbox, worker->loop);
}

/* Signals are for main: a worker that took one would handle it in the middle of a fiber. */
static void start_threads(void)
{
    static const int for_main[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD};
    sigset_t blocked, before;
    sigemptyset(&blocked);
    for (size_t i = 0; i < COUNT_OF(for_main); i++)
        sigaddset(&blocked, for_main[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    offload_start(OFFLOAD_THREADS);
    for (unsigned i = 0; i < all.count; i++)
        if (pthread_create(&all.workers[i].thread, NULL, serve, &all.workers[i]) != 0)
            fatal("cannot start worker %u of %u", i + 1, all.count);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void join_all(void)
{
    for (unsigned i = 0; i < all.count; i++)
        pthread_join(all.workers[i].thread, NULL);
    offload_stop(); /* its last completions are posted to mailboxes that still stand */
    for (unsigned i = 0; i < all.count; i++) {
        struct worker *worker = &all.workers[i];
        mailbox_close(&worker->mailbox);
        timers_dispose(&worker->timers);
        /* Whoever has left library timers on the loop keeps it. */
        if (h2o_linklist_is_empty(&worker->loop->_timeouts))
            h2o_evloop_destroy(worker->loop);
    }
    free(all.workers);
    all.workers = NULL;
    all.count = 0;
}

bool workers_start(unsigned count, bool (*open)(void *argument), void *argument)
{
    assert(count > 0 && !all.workers);
    signal(SIGPIPE, SIG_IGN);
    register_metrics();
    all.workers = memory_alloc(count * sizeof *all.workers);
    all.count = count;
    all.open = open;
    all.open_argument = argument;
    all.opened = 0;
    all.failed = false;
    for (unsigned i = 0; i < count; i++)
        prepare(&all.workers[i], i);
    start_threads();
    if (await_all())
        return true;
    join_all();
    return false;
}

void workers_stop(void (*stop)(void *argument), void *argument, int64_t deadline)
{
    assert(!current && "main stops the workers");
    all.stop = stop;
    all.stop_argument = argument;
    for (unsigned i = 0; i < all.count; i++) {
        all.workers[i].stop_at = deadline; /* the mailbox's lock hands it over */
        worker_post(&all.workers[i], begin_stop, NULL);
    }
    join_all();
}

struct worker *worker_self(void)
{
    return current;
}

unsigned worker_index(void)
{
    assert(current);
    return current->index;
}

unsigned worker_count(void)
{
    return all.count;
}

struct worker *worker_at(unsigned index)
{
    assert(index < all.count);
    return &all.workers[index];
}

bool worker_has_room(void)
{
    assert(current);
    return current->fibers < STACKS_MOST / all.count;
}

void *worker_loop(struct worker *worker)
{
    return worker->loop;
}

void worker_post(struct worker *worker, void (*function)(void *argument), void *argument)
{
    mailbox_post(&worker->mailbox, function, argument);
}

void workers_post(void (*function)(void *argument), void *argument)
{
    for (unsigned i = 0; i < all.count; i++)
        worker_post(&all.workers[i], function, argument);
}

void worker_at_turn_end(void (*function)(void *argument), void *argument)
{
    assert(current && current->hook_count < TURN_HOOKS);
    current->hooks[current->hook_count].function = function;
    current->hooks[current->hook_count++].argument = argument;
}

void timer_set(struct timer *timer, int64_t at, void (*function)(struct timer *timer))
{
    assert(current && "timers are the worker's");
    timers_set(&current->timers, timer, at, function);
}

void timer_clear(struct timer *timer)
{
    if (timer->slot)
        timers_clear(&current->timers, timer);
}
