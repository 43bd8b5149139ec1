/* An accepted socket: whether it may stay, what it does, when it is cut. */
#include <arpa/inet.h>
#include <shimin/log.h>
#include <stdatomic.h>
#include <string.h>

#include "http/server_internal.h"

static atomic_uint open_everywhere;

static struct metric *metric_open, *metric_accepted, *metric_refused, *metric_cut, *metric_resets;

static const char *const cut_names[CUT_REASONS] = {
    [CUT_RESETS] = "resets", [CUT_SLOW_HEAD] = "slow_head", [CUT_SLOW_BODY] = "slow_body", [CUT_SLOW_READER] = "slow_reader",
    [CUT_IDLE] = "idle",     [CUT_HEADERS] = "headers",     [CUT_DRAIN] = "drain",
};
static const char *const refuse_names[REFUSE_REASONS] = {
    [REFUSE_TOTAL] = "total",
    [REFUSE_ADDRESS] = "address",
};

void connections_register_metrics(void)
{
    metric_open = metric_register(METRIC_GAUGE, "http_connections", "", "Connections of clients that are open.");
    metric_accepted = metric_register(METRIC_COUNTER, "http_connections_accepted_total", "", "Connections accepted.");
    metric_refused = metric_register(METRIC_COUNTER, "http_connections_refused_total", "bound",
                                     "Connections closed at once: too many in all, or from one address.");
    metric_cut = metric_register(METRIC_COUNTER, "http_connections_cut_total", "reason", "Connections that were cut off.");
    metric_resets = metric_register(METRIC_COUNTER, "http_requests_lost_total", "",
                                    "Requests whose client left, or reset the stream, before the reply.");
}

void connections_open(struct server *server)
{
    server->connections.next = server->connections.previous = &server->connections;
    server->requests.next = server->requests.previous = &server->requests;
    server->metrics.open = metric_cell(metric_open, NULL, 0);
    server->metrics.accepted = metric_cell(metric_accepted, NULL, 0);
    server->metrics.resets = metric_cell(metric_resets, NULL, 0);
    for (int i = 0; i < REFUSE_REASONS; i++)
        server->metrics.refused[i] = metric_cell(metric_refused, (const struct str[]){str_of(refuse_names[i])}, 1);
    for (int i = 0; i < CUT_REASONS; i++)
        server->metrics.cut[i] = metric_cell(metric_cut, (const struct str[]){str_of(cut_names[i])}, 1);
}

/* libh2o has closed the socket. */
static void on_close(void *data)
{
    struct connection *connection = data;
    struct server *server = connection->server;
    if (connection->counted)
        admission_leave((const struct sockaddr *)&connection->peer);
    atomic_fetch_sub_explicit(&open_everywhere, 1, memory_order_relaxed);
    connection->next->previous = connection->previous;
    connection->previous->next = connection->next;
    server->connection_count--;
    metric_set(server->metrics.open, server->connection_count);
    SSL_CTX_free(connection->context);
    free(connection->certificate);
    free(connection);
}

static void refuse(struct server *server, h2o_socket_t *socket, enum refuse_reason reason)
{
    metric_add(server->metrics.refused[reason], 1);
    h2o_socket_close(socket);
}

/* So that the client sees a reset, and not an answerless end. */
static void turn_away(h2o_socket_t *socket)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(h2o_socket_get_fd(socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    h2o_socket_close(socket);
}

void connection_accept(struct server *server, struct accepting *accepting, h2o_socket_t *socket)
{
    const struct http_settings *settings = server->settings;
    if (accepting->listener->admit && !accepting->listener->admit(accepting->listener)) {
        turn_away(socket);
        return;
    }
    struct sockaddr_storage peer;
    memset(&peer, 0, sizeof peer);
    h2o_socket_getpeername(socket, (struct sockaddr *)&peer);
    bool counted = !accepting->listener->proxy_protocol;
    if (atomic_fetch_add_explicit(&open_everywhere, 1, memory_order_relaxed) >= settings->connections) {
        atomic_fetch_sub_explicit(&open_everywhere, 1, memory_order_relaxed);
        refuse(server, socket, REFUSE_TOTAL);
        return;
    }
    if (counted && !admission_enter((const struct sockaddr *)&peer, settings->connections_per_address)) {
        atomic_fetch_sub_explicit(&open_everywhere, 1, memory_order_relaxed);
        refuse(server, socket, REFUSE_ADDRESS);
        return;
    }
    struct connection *connection = memory_alloc(sizeof *connection);
    connection->server = server;
    connection->listener = accepting->listener;
    connection->socket = socket;
    if ((connection->context = accepting->accept.ssl_ctx) != NULL)
        SSL_CTX_up_ref(connection->context);
    connection->peer = peer;
    connection->counted = counted;
    connection->active = clock_steady();
    connection->next = &server->connections;
    connection->previous = server->connections.previous;
    connection->previous->next = connection->next->previous = connection;
    server->connection_count++;
    metric_set(server->metrics.open, server->connection_count);
    metric_add(server->metrics.accepted, 1);
    socket->on_close.cb = on_close;
    socket->on_close.data = connection;
    sweep_start(server);
    h2o_accept(&accepting->accept, socket);
}

struct connection *connection_of(h2o_req_t *h2o)
{
    h2o_socket_t *socket = h2o->conn->callbacks->get_socket(h2o->conn);
    return socket ? socket->on_close.data : NULL; /* none while HTTP/1 is being upgraded */
}

void connection_cut(struct connection *connection, enum cut_reason reason)
{
    if (connection->cut)
        return;
    connection->cut = true;
    metric_add(connection->server->metrics.cut[reason], 1);
    if (reason != CUT_IDLE && reason != CUT_DRAIN)
        log_warning("cut off a connection of %s: %s", connection_address(connection).at, cut_names[reason]);
    /* Not h2o_socket_close: libh2o owns it, and may be in the middle of reading from it. */
    shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR);
}

struct str connection_address(struct connection *connection)
{
    if (!connection->address[0]) {
        struct sockaddr_storage peer; /* asked anew: the PROXY line may have changed it */
        memset(&peer, 0, sizeof peer);
        h2o_socket_getpeername(connection->socket, (struct sockaddr *)&peer);
        const void *address = peer.ss_family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)&peer)->sin6_addr
                                                         : (const void *)&((struct sockaddr_in *)&peer)->sin_addr;
        if (!inet_ntop(peer.ss_family, address, connection->address, sizeof connection->address))
            strcpy(connection->address, "unknown");
        if (strncmp(connection->address, "::ffff:", 7) == 0 && strchr(connection->address, '.'))
            memmove(connection->address, connection->address + 7, strlen(connection->address + 7) + 1);
    }
    return str_of(connection->address);
}

/* Rapid reset (CVE-2023-44487, which Debian's libh2o does not answer), and its cousins in which the client provokes the
 * server's reset: what they have in common is streams that end before their reply. A client that gives up a few is welcome; one
 * that loses more than the budget in the window, and more than it lets complete, is cut off. */
void connection_count_end(struct connection *connection, bool replied)
{
    struct resets *resets = &connection->resets;
    const struct http_settings *settings = connection->server->settings;
    int64_t now = clock_steady();
    connection->in_flight--;
    connection->active = now;
    if (now - resets->since > settings->reset_window)
        *resets = (struct resets){.since = now, .never_begun = resets->never_begun};
    if (replied) {
        resets->done++;
        return;
    }
    resets->lost++;
    metric_add(connection->server->metrics.resets, 1);
    if (resets->lost > settings->reset_budget && resets->lost > resets->done)
        connection_cut(connection, CUT_RESETS);
}
