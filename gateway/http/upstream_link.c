/* Connections to an upstream: made, waited on, kept and closed.
 *
 * Written on libh2o's sockets and not on its h2o_http1client: that of 2.2.5 has one timeout for everything, checks no host name
 * under TLS 1.3 (its check is skipped when the last flight is the client's), cannot tell a stale connection from a failed call,
 * and reads an idle connection only when it is used again. */
#include <errno.h>
#include <shimin/log.h>
#include <stdlib.h>

#include "http/upstream_internal.h"

/* A kept connection is used again only after it has been silent for so long. What another side says beyond an answer comes with
 * it or right behind it, and must be seen before the connection is somebody else's. */
#define REST milliseconds(5)
#define DISTRUST seconds(600)
/* Of the kernel's buffer for what we have not read: what one turn of the loop can find there. */
enum { RECEIVE_BUFFER = 256 * 1024 };

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

void upstream_distrust(struct upstream *upstream)
{
    if (clock_steady() >= upstream->trusted_at)
        log_warning("%.*s sends bytes that nobody asked for: its connections are not used again for %d s",
                    STR_ARG(upstream->authority), (int)(DISTRUST / seconds(1)));
    upstream->trusted_at = deadline_in(DISTRUST);
    link_drop_idle(upstream);
}

/* The other side closed it, or said something that nobody asked for; or TLS had something to say of its own. */
static void on_idle_input(h2o_socket_t *socket, const char *error)
{
    struct link *link = socket->data;
    if (!link || (!error && !socket->input->size))
        return;
    struct upstream *upstream = link->upstream;
    bool said = socket->input->size > 0;
    upstream_hold(upstream);
    unlink_idle(link);
    link_drop(link);
    if (said) {
        upstream->extra = true;
        upstream_distrust(upstream);
    }
    upstream_let_go(upstream);
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
    int64_t now = clock_steady();
    if (upstream->closed || upstream->idle_count >= upstream->settings.idle || now < upstream->trusted_at) {
        link_drop(link);
        return;
    }
    link->next = upstream->idle.next;
    link->previous = &upstream->idle;
    link->next->previous = link->previous->next = link;
    upstream->idle_count++;
    link->kept_at = now;
    timer_set(&link->timer, now + upstream->settings.idle_time, on_idle_too_long);
    h2o_socket_read_start(link->socket, on_idle_input);
}

void link_drop_idle(struct upstream *upstream)
{
    for (struct link *link = upstream->idle.next, *next; link != &upstream->idle; link = next) {
        next = link->next;
        unlink_idle(link);
        link_drop(link);
    }
}

/* Neither has it been closed nor has it said anything that the loop has not come to yet. */
static bool is_silent(const struct link *link)
{
    char byte;
    return recv(h2o_socket_get_fd(link->socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

struct link *link_reuse(struct upstream *upstream)
{
    int64_t latest = clock_steady() - REST;
    /* the one that has rested longest: when it has not rested enough, none has */
    for (struct link *link = upstream->idle.previous; link != &upstream->idle && link->kept_at <= latest;
         link = link->previous) {
        if (!is_silent(link)) /* the loop drops it */
            continue;
        unlink_idle(link);
        h2o_socket_read_stop(link->socket);
        link->changed = false;
        link->error = NULL;
        return link;
    }
    return NULL;
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
        if (upstream->fault != UPSTREAM_FAULT_CERTIFICATE) {
            upstream->fault = UPSTREAM_FAULT_TLS;
            upstream->detail = NULL;
        }
        status = UPSTREAM_CONNECT_FAILED;
    }
    return status;
}

static enum upstream_status connect_to(struct upstream *upstream, unsigned which, int64_t deadline, struct link **made)
{
    struct sockaddr *address = (struct sockaddr *)&upstream->addresses.list[which];
    const char *refusal = upstream->settings.refusal ? upstream->settings.refusal(address, upstream->settings.argument) : NULL;
    if (refusal) {
        upstream->fault = UPSTREAM_FAULT_ADDRESS;
        upstream->detail = refusal;
        return UPSTREAM_CONNECT_FAILED;
    }
    upstream->fault = UPSTREAM_FAULT_CONNECT;
    upstream->detail = NULL;
    h2o_socket_t *socket =
        h2o_socket_connect(worker_loop(worker_self()), address, upstream->addresses.lengths[which], announce);
    if (!socket)
        return UPSTREAM_CONNECT_FAILED;
    struct link *link = memory_alloc(sizeof *link);
    int room = RECEIVE_BUFFER;
    (void)setsockopt(h2o_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
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
