/* Names of upstreams resolved and remembered for a while, each look-up in a thread of its own: whoever runs a department's name
 * servers can make them slow, and would hold the threads that others wait for. */
#include <netdb.h>
#include <pthread.h>
#include <shimin/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/upstream_internal.h"

#define FRESH seconds(30)
#define LONGEST seconds(20) /* of one look-up; then its thread is left to end by itself */
enum { LOOK_UPS_MOST = 128, STACK = 256 * 1024 };

struct waiter {
    struct waiter *next;
    struct fiber *fiber;
    bool done;
};

/* Of the fiber that waits, until it gives up; then of the thread. */
struct look_up {
    char host[256];
    uint16_t port;
    struct address_list found;
    struct worker *worker;
    struct fiber *fiber;
    bool done;
    bool abandoned; /* under `lock` */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned running; /* under `lock` */

static void ask(struct look_up *job)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    char port[8];
    snprintf(port, sizeof port, "%u", job->port);
    if (getaddrinfo(job->host, port, &hints, &list) != 0)
        return;
    for (struct addrinfo *one = list; one && job->found.count < ADDRESSES; one = one->ai_next) {
        memcpy(&job->found.list[job->found.count], one->ai_addr, one->ai_addrlen);
        job->found.lengths[job->found.count++] = one->ai_addrlen;
    }
    freeaddrinfo(list);
}

/* On the worker, which is where a fiber gives up as well. */
static void finish(void *argument)
{
    struct look_up *job = argument;
    if (job->abandoned) {
        free(job);
        return;
    }
    job->done = true;
    fiber_wake(job->fiber);
}

static void *look_up(void *argument)
{
    struct look_up *job = argument;
    pthread_setname_np(pthread_self(), "look-up");
    ask(job);
    pthread_mutex_lock(&lock);
    running--;
    if (job->abandoned)
        free(job);
    else
        worker_post(job->worker, finish, job);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static bool start(struct look_up *job)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_mutex_lock(&lock);
    bool started = running < LOOK_UPS_MOST && pthread_create(&thread, &attributes, look_up, job) == 0;
    running += started;
    pthread_mutex_unlock(&lock);
    pthread_attr_destroy(&attributes);
    return started;
}

static void abandon(struct look_up *job)
{
    pthread_mutex_lock(&lock);
    job->abandoned = true;
    pthread_mutex_unlock(&lock);
}

/* false when there is no answer; then nothing is left to free. */
static bool find(struct upstream *upstream, struct address_list *found)
{
    struct look_up *job = memory_alloc(sizeof *job);
    snprintf(job->host, sizeof job->host, "%s", upstream->settings.host.at);
    job->port = upstream->settings.port;
    job->worker = worker_self();
    job->fiber = fiber_self();
    bool good = start(job);
    if (good) {
        enum wait outcome = WAIT_DONE;
        while (!job->done && outcome == WAIT_DONE)
            outcome = fiber_wait(DEADLINE_NEVER);
        good = job->done;
        if (!good) {
            abandon(job);
            return false;
        }
    }
    *found = job->found;
    free(job);
    return good && found->count;
}

/* A fiber of its own: those who wait for the name have other deadlines. */
static void resolve(void *argument)
{
    struct upstream *upstream = argument;
    struct address_list found;
    if (find(upstream, &found)) {
        upstream->addresses = found;
        upstream->resolved_at = clock_steady();
    } /* else what was known before stays */
    upstream->resolving = false;
    for (struct waiter *waiter = upstream->waiters; waiter; waiter = waiter->next) {
        waiter->done = true; /* it runs, and frees itself, after us */
        fiber_wake(waiter->fiber);
    }
    upstream->waiters = NULL;
    upstream_let_go(upstream);
}

static void leave(struct upstream *upstream, struct waiter *waiter)
{
    for (struct waiter **at = &upstream->waiters; *at; at = &(*at)->next) {
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
    }
}

enum upstream_status upstream_resolve(struct upstream *upstream, int64_t deadline)
{
    if (upstream->numeric || (upstream->resolved_at && clock_steady() - upstream->resolved_at < FRESH))
        return UPSTREAM_OK;
    if (!upstream->resolving) {
        upstream->resolving = true;
        upstream_hold(upstream);
        fiber_start(resolve, upstream, deadline_in(LONGEST));
    }
    if (upstream->addresses.count)
        return UPSTREAM_OK; /* the old ones serve until the new ones are there */
    struct waiter *waiter = memory_alloc(sizeof *waiter);
    *waiter = (struct waiter){.next = upstream->waiters, .fiber = fiber_self()};
    upstream->waiters = waiter;
    enum wait outcome = WAIT_DONE;
    while (!waiter->done && outcome == WAIT_DONE)
        outcome = fiber_wait(deadline);
    if (!waiter->done)
        leave(upstream, waiter);
    free(waiter);
    if (outcome != WAIT_DONE)
        return outcome == WAIT_DEADLINE ? UPSTREAM_TIMEOUT : UPSTREAM_CANCELLED;
    upstream->fault = UPSTREAM_FAULT_NAME;
    upstream->detail = NULL;
    return upstream->addresses.count ? UPSTREAM_OK : UPSTREAM_CONNECT_FAILED;
}
