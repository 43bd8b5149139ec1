/* Names of upstreams resolved, on an offload thread, and remembered for a while. */
#include <netdb.h>
#include <shimin/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/upstream_internal.h"

#define FRESH seconds(30)
#define LONGEST seconds(60) /* of one look-up; the resolver's own bounds come earlier */

struct waiter {
    struct waiter *next;
    struct fiber *fiber;
    bool done;
};

struct look_up {
    const char *host;
    uint16_t port;
    struct address_list found;
};

/* On an offload thread. */
static void look_up(void *argument)
{
    struct look_up *job = argument;
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

/* A fiber of its own: offload cannot be interrupted, and whoever waits for the name can. */
static void resolve(void *argument)
{
    struct upstream *upstream = argument;
    struct look_up job = {.host = upstream->settings.host.at, .port = upstream->settings.port};
    if (offload(look_up, &job) && job.found.count) {
        upstream->addresses = job.found;
        upstream->resolved_at = clock_steady();
    } else {
        log_warning("cannot resolve %.*s", STR_ARG(upstream->settings.host)); /* what was known before stays */
    }
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
    return upstream->addresses.count ? UPSTREAM_OK : UPSTREAM_CONNECT_FAILED;
}
