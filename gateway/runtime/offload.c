/* Offload threads: a fixed pool and one bounded queue; a job lives on the stack of the fiber that waits for it. */
#include "runtime/offload.h"

#include <assert.h>
#include <shimin/arena.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <stdio.h>

#include "runtime/internal.h"

struct job {
    void (*function)(void *argument);
    void *argument;
    struct fiber *fiber;
    struct worker *worker;
    bool done; /* the worker's */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct job *queue[OFFLOAD_QUEUE]; /* a ring */
    unsigned first, length;
    bool stopping;
    pthread_t *threads; /* main's */
    unsigned thread_count;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static struct metric *offloaded;

/* On the worker. */
static void finish(void *argument)
{
    struct job *job = argument;
    job->done = true;
    fiber_wake(job->fiber);
}

static struct job *next_job(void)
{
    struct job *job = NULL;
    pthread_mutex_lock(&pool.lock);
    while (pool.length == 0 && !pool.stopping)
        pthread_cond_wait(&pool.filled, &pool.lock);
    if (!pool.stopping) {
        job = pool.queue[pool.first];
        pool.first = (pool.first + 1) % OFFLOAD_QUEUE;
        pool.length--;
    }
    pthread_mutex_unlock(&pool.lock);
    return job;
}

static void *serve(void *argument)
{
    char name[16];
    snprintf(name, sizeof name, "offload-%u", (unsigned)(uintptr_t)argument);
    pthread_setname_np(pthread_self(), name);
    for (struct job *job; (job = next_job());) {
        job->function(job->argument);
        worker_post(job->worker, finish, job);
    }
    return NULL;
}

static bool enqueue(struct job *job)
{
    pthread_mutex_lock(&pool.lock);
    bool room = pool.length < OFFLOAD_QUEUE;
    if (room)
        pool.queue[(pool.first + pool.length++) % OFFLOAD_QUEUE] = job;
    pthread_mutex_unlock(&pool.lock);
    if (room)
        pthread_cond_signal(&pool.filled);
    return room;
}

void offload_start(unsigned threads)
{
    if (pool.threads)
        return;
    assert(threads > 0);
    if (!offloaded)
        offloaded =
            metric_register(METRIC_COUNTER, "offload_jobs_total", "outcome", "Jobs for the offload threads: done, refused.");
    pool.stopping = false;
    pool.threads = memory_alloc(threads * sizeof *pool.threads);
    pool.thread_count = threads;
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&pool.threads[i], NULL, serve, (void *)(uintptr_t)i) != 0)
            fatal("cannot start offload thread %u of %u", i + 1, threads);
}

void offload_stop(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.stopping = true;
    pool.length = 0;
    pthread_cond_broadcast(&pool.filled);
    pthread_mutex_unlock(&pool.lock);
    for (unsigned i = 0; i < pool.thread_count; i++)
        pthread_join(pool.threads[i], NULL);
    free(pool.threads);
    pool.threads = NULL;
    pool.thread_count = 0;
}

bool offload(void (*function)(void *argument), void *argument)
{
    struct fiber *fiber = fiber_self();
    assert(fiber && "only a fiber can wait for an offload thread");
    struct job job = {.function = function, .argument = argument, .fiber = fiber, .worker = worker_self()};
    if (!enqueue(&job)) {
        metric_count(offloaded, STR("refused"));
        return false;
    }
    while (!job.done)
        fiber_wait_for_wake();
    metric_count(offloaded, STR("done"));
    return true;
}
