/* What no event tells: clients of HTTP/1 that left while a handler works, and those who send or read too slowly.
 *
 * libh2o does not read a connection of HTTP/1 while its request is handled, so it does not see the client go; one poll(2) over
 * all of them, four times a second, does. Its timers know no difference between an idle connection, a slow head and a slow
 * body, and none for slow readers; a walk over the connections once a second does. */
#include <poll.h>
#include <shimin/log.h>

#include "http/server_internal.h"

#define TICK milliseconds(250)
#define SLOW_TICK seconds(1)
/* A connection of HTTP/2 that keeps itself alive with pings but asks for nothing. */
enum { IDLE_WITH_PINGS = 4 };

static bool is_waiting(const struct request *request, int64_t now)
{
    return request->version < 0x200 && !request->generator.handed_over && !request->client_left && request->fiber &&
           now - request->started > TICK;
}

static size_t gather(struct server *server, int64_t now)
{
    size_t count = 0;
    for (struct request *request = server->requests.next; request != &server->requests; request = request->next) {
        if (!is_waiting(request, now))
            continue;
        if (count == server->polled_room) {
            server->polled_room = server->polled_room ? 2 * server->polled_room : 64;
            server->polled = memory_grow(server->polled, server->polled_room * sizeof *server->polled);
            server->polled_requests =
                memory_grow(server->polled_requests, server->polled_room * sizeof *server->polled_requests);
        }
        server->polled[count] = (struct pollfd){.fd = h2o_socket_get_fd(request->connection->socket), .events = POLLRDHUP};
        server->polled_requests[count++] = request;
    }
    return count;
}

/* The descriptor is left to libh2o: whoever only closed his writing side still gets the reply. */
static void notice_losses(struct server *server, int64_t now)
{
    size_t count = gather(server, now);
    if (count == 0 || poll(server->polled, count, 0) <= 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!(server->polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR)))
            continue;
        server->polled_requests[i]->client_left = true;
        fiber_cancel(server->polled_requests[i]->fiber);
    }
}

static void cut_slow_readers(struct server *server, int64_t now)
{
    for (struct request *request = server->requests.next; request != &server->requests; request = request->next)
        if (request->generator.waiting && now - request->generator.progressed > server->settings->send_time)
            connection_cut(request->connection, CUT_SLOW_READER);
}

static int64_t age(const struct timeval *now, const struct timeval *since)
{
    return (now->tv_sec - since->tv_sec) * INT64_C(1000000) + (now->tv_usec - since->tv_usec);
}

/* Each request that libh2o knows, whole or not; with HTTP/1 also the one that has not begun. */
static int visit_request(h2o_req_t *h2o, void *argument)
{
    struct server *server = argument;
    struct connection *connection = connection_of(h2o);
    const struct http_settings *limits = server->settings;
    if (h2o->processed_at.at.tv_sec != 0 || !connection)
        return 0;
    if (h2o->timestamps.request_begin_at.tv_sec == 0) {
        if (connection->in_flight == 0 && clock_steady() - connection->active > limits->idle_time)
            connection_cut(connection, CUT_IDLE);
        return 0;
    }
    if (h2o->version == 0x200 && http2_is_pending(h2o))
        return 0;
    bool body = h2o->timestamps.request_body_begin_at.tv_sec != 0;
    const struct timeval *began = body ? &h2o->timestamps.request_body_begin_at : &h2o->timestamps.request_begin_at;
    if (age(h2o_get_timestamp(&server->context, NULL, NULL), began) > (body ? limits->body_time : limits->header_time))
        connection_cut(connection, body ? CUT_SLOW_BODY : CUT_SLOW_HEAD);
    return 0;
}

static void visit_http2(h2o_conn_t *conn, h2o_socket_t *socket)
{
    struct connection *connection = socket->on_close.data;
    const struct http_settings *limits = connection->server->settings;
    unsigned never = http2_never_begun(conn, connection->requests, connection->in_flight);
    if (never > connection->resets.never_begun + limits->reset_budget)
        connection_cut(connection, CUT_RESETS); /* opened and thrown away before they were whole */
    connection->resets.never_begun = never;
    if (connection->in_flight == 0 && clock_steady() - connection->active > IDLE_WITH_PINGS * limits->idle_time)
        connection_cut(connection, CUT_IDLE);
}

static void sweep(struct timer *timer)
{
    struct server *server = CONTAINER_OF(timer, struct server, sweep);
    int64_t now = clock_steady();
    notice_losses(server, now);
    if (now - server->slow_sweep >= SLOW_TICK) {
        server->slow_sweep = now;
        cut_slow_readers(server, now);
        H2O_HTTP1_CALLBACKS.foreach_request(&server->context, visit_request, server);
        H2O_HTTP2_CALLBACKS.foreach_request(&server->context, visit_request, server);
        http2_each(&server->context, visit_http2);
        server_resume_accepting(server);
    }
    if (server->connection_count)
        timer_set(&server->sweep, now + TICK, sweep);
}

void sweep_start(struct server *server)
{
    if (!server->sweep.slot)
        timer_set(&server->sweep, clock_steady() + TICK, sweep);
}
