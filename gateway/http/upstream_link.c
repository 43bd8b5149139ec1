/* Connections to an upstream: made, waited on, kept and closed.
 *
 * Written on libh2o's sockets and not on its h2o_http1client: that of 2.2.5 has one timeout for everything, checks no host name
 * under TLS 1.3 (its check is skipped when the last flight is the client's), cannot tell a stale connection from a failed call,
 * and reads an idle connection only when it is used again. */
#include <errno.h>
#include <shimin/log.h>
#include <stdlib.h>

#include "http/upstream_internal.h"

/* A callback of the socket: socket->data is NULL once the link has been dropped. */
static void announce(h2o_socket_t *socket, const char *error)
{
    struct link *link = socket->data;
    if (!link)
        return;
    link->error = error;
    link->changed = true;
    if (link->fiber)
        fiber_wake(link->fiber);
}

enum upstream_status link_await(struct link *link, int64_t deadline)
{
    enum wait outcome = WAIT_DONE;
    link->fiber = fiber_self();
    while (!link->changed && outcome == WAIT_DONE)
        outcome = fiber_wait(deadline);
    link->fiber = NULL;
    link->changed = false;
    return outcome == WAIT_DONE ? UPSTREAM_OK : outcome == WAIT_DEADLINE ? UPSTREAM_TIMEOUT : UPSTREAM_CANCELLED;
}

static void close_socket(void *argument)
{
    h2o_socket_close(argument);
}

void link_drop(struct link *link)
{
    h2o_socket_t *socket = link->socket;
    socket->data = NULL;
    h2o_socket_read_stop(socket);
    /* Nothing more is sent: what was being written may be gone with its arena before the socket is closed. */
    shutdown(h2o_socket_get_fd(socket), SHUT_RDWR);
    /* From the loop, since libh2o frees a closed socket at the start of its next turn although a write that ended outside the
     * turn, in this fiber, has left it in a list there. */
    worker_post(worker_self(), close_socket, socket);
    struct upstream *upstream = link->upstream;
    free(link);
    upstream_let_go(upstream);
}

static void unlink_idle(struct link *link)
{
    link->next->previous = link->previous;
    link->previous->next = link->next;
    link->upstream->idle_count--;
    timer_clear(&link->timer);
}

/* The other side closed it, or said something that nobody asked for. */
static void on_idle_input(h2o_socket_t *socket, const char *error)
{
    (void)error;
    struct link *link = socket->data;
    if (!link)
        return;
    unlink_idle(link);
    link_drop(link);
}

static void on_idle_too_long(struct timer *timer)
{
    struct link *link = CONTAINER_OF(timer, struct link, timer);
    unlink_idle(link);
    link_drop(link);
}

void link_keep(struct link *link)
{
    struct upstream *upstream = link->upstream;
    if (upstream->closed || upstream->idle_count >= upstream->settings.idle) {
        link_drop(link);
        return;
    }
    link->next = upstream->idle.next;
    link->previous = &upstream->idle;
    link->next->previous = link->previous->next = link;
    upstream->idle_count++;
    timer_set(&link->timer, deadline_in(upstream->settings.idle_time), on_idle_too_long);
    h2o_socket_read_start(link->socket, on_idle_input);
}

struct link *link_reuse(struct upstream *upstream)
{
    struct link *link = upstream->idle.next;
    if (link == &upstream->idle)
        return NULL;
    unlink_idle(link);
    h2o_socket_read_stop(link->socket);
    link->changed = false;
    link->error = NULL;
    return link;
}

/* Our own verification has passed when the library complains of the name: it knows no addresses and no name but the server's.
 */
static bool is_fatal(const char *error)
{
    return error && error != h2o_socket_error_ssl_cert_name_mismatch && error != h2o_socket_error_ssl_cert_invalid;
}

static enum upstream_status shake_hands(struct link *link, int64_t deadline)
{
    struct upstream *upstream = link->upstream;
    h2o_socket_ssl_handshake(link->socket, upstream->tls, upstream->settings.server_name.at, announce);
    enum upstream_status status = link_await(link, deadline);
    if (status == UPSTREAM_OK && is_fatal(link->error)) {
        log_warning("TLS with %.*s failed: %s", STR_ARG(upstream->authority), link->error);
        status = UPSTREAM_CONNECT_FAILED;
    }
    return status;
}

static enum upstream_status connect_to(struct upstream *upstream, unsigned which, int64_t deadline, struct link **made)
{
    struct sockaddr *address = (struct sockaddr *)&upstream->addresses.list[which];
    if (upstream->settings.allowed && !upstream->settings.allowed(address, upstream->settings.argument)) {
        log_warning("an address of %.*s is not one that may be connected to", STR_ARG(upstream->authority));
        return UPSTREAM_CONNECT_FAILED;
    }
    h2o_socket_t *socket =
        h2o_socket_connect(worker_loop(worker_self()), address, upstream->addresses.lengths[which], announce);
    if (!socket)
        return UPSTREAM_CONNECT_FAILED;
    struct link *link = memory_alloc(sizeof *link);
    link->upstream = upstream;
    link->socket = socket;
    socket->data = link;
    upstream_hold(upstream);
    enum upstream_status status = link_await(link, deadline);
    if (status == UPSTREAM_OK && link->error)
        status = UPSTREAM_CONNECT_FAILED;
    if (status == UPSTREAM_OK && upstream->tls)
        status = shake_hands(link, deadline);
    link->error = NULL;
    if (status == UPSTREAM_OK)
        *made = link;
    else
        link_drop(link);
    return status;
}

enum upstream_status link_connect(struct upstream *upstream, int64_t deadline, struct link **made)
{
    enum upstream_status status = upstream_resolve(upstream, deadline);
    unsigned count = upstream->addresses.count, first = upstream->rotation++;
    for (unsigned i = 0; status == UPSTREAM_OK && i < count; i++) {
        status = connect_to(upstream, (first + i) % count, deadline, made);
        if (status == UPSTREAM_CONNECT_FAILED && i + 1 < count)
            status = UPSTREAM_OK; /* the next address */
        else
            break;
    }
    return status;
}
