/* Offload threads: two lanes, each with its threads and its bounded queue; a job lives on the stack of the fiber that waits for
 * it. */
#include "runtime/offload.h"

#include <assert.h>
#include <shimin/arena.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/internal.h"

struct job {
    void (*function)(void *argument);
    void *argument;
    struct fiber *fiber;
    struct worker *worker;
    bool done; /* the worker's */
};

static struct lane {
    const char *name;
    int nice; /* what its threads give way by */
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct job *queue[OFFLOAD_QUEUE]; /* a ring */
    unsigned first, length;
    bool stopping;
    pthread_t *threads; /* main's */
    unsigned thread_count;
} prompt = {.name = "offload", .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER},
  aside = {.name = "aside", .nice = 5, .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static struct metric *offloaded;

/* On the worker. */
static void finish(void *argument)
{
    struct job *job = argument;
    job->done = true;
    fiber_wake(job->fiber);
}

static struct job *next_job(struct lane *lane)
{
    struct job *job = NULL;
    pthread_mutex_lock(&lane->lock);
    while (lane->length == 0 && !lane->stopping)
        pthread_cond_wait(&lane->filled, &lane->lock);
    if (!lane->stopping) {
        job = lane->queue[lane->first];
        lane->first = (lane->first + 1) % OFFLOAD_QUEUE;
        lane->length--;
    }
    pthread_mutex_unlock(&lane->lock);
    return job;
}

/* Priorities are a thread's own on Linux (setpriority(2), "C library/kernel differences"). One that cannot be had is none. */
static void *serve(void *argument)
{
    struct lane *lane = argument;
    pthread_setname_np(pthread_self(), lane->name);
    if (lane->nice)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, 0) + lane->nice);
    for (struct job *job; (job = next_job(lane));) {
        job->function(job->argument);
        worker_post(job->worker, finish, job);
    }
    return NULL;
}

static bool enqueue(struct lane *lane, struct job *job)
{
    pthread_mutex_lock(&lane->lock);
    bool room = lane->length < OFFLOAD_QUEUE;
    if (room)
        lane->queue[(lane->first + lane->length++) % OFFLOAD_QUEUE] = job;
    pthread_mutex_unlock(&lane->lock);
    if (room)
        pthread_cond_signal(&lane->filled);
    return room;
}

static void start_lane(struct lane *lane, unsigned threads)
{
    lane->stopping = false;
    lane->threads = memory_alloc(threads * sizeof *lane->threads);
    lane->thread_count = threads;
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&lane->threads[i], NULL, serve, lane) != 0)
            fatal("cannot start %s thread %u of %u", lane->name, i + 1, threads);
}

static void stop_lane(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->stopping = true;
    lane->length = 0;
    pthread_cond_broadcast(&lane->filled);
    pthread_mutex_unlock(&lane->lock);
    for (unsigned i = 0; i < lane->thread_count; i++)
        pthread_join(lane->threads[i], NULL);
    free(lane->threads);
    lane->threads = NULL;
    lane->thread_count = 0;
}

void offload_start(unsigned threads)
{
    if (prompt.threads)
        return;
    assert(threads > 0);
    if (!offloaded)
        offloaded =
            metric_register(METRIC_COUNTER, "offload_jobs_total", "outcome", "Jobs for the offload threads: done, refused.");
    start_lane(&prompt, threads);
    start_lane(&aside, 1);
}

void offload_stop(void)
{
    stop_lane(&prompt);
    stop_lane(&aside);
}

static bool run_in(struct lane *lane, void (*function)(void *argument), void *argument)
{
    struct fiber *fiber = fiber_self();
    assert(fiber && "only a fiber can wait for an offload thread");
    struct job job = {.function = function, .argument = argument, .fiber = fiber, .worker = worker_self()};
    if (!enqueue(lane, &job)) {
        metric_count(offloaded, STR("refused"));
        return false;
    }
    while (!job.done)
        fiber_wait_for_wake();
    metric_count(offloaded, STR("done"));
    return true;
}

bool offload(void (*function)(void *argument), void *argument)
{
    return run_in(&prompt, function, argument);
}

bool offload_aside(void (*function)(void *argument), void *argument)
{
    return run_in(&aside, function, argument);
}
