/* The graceful end: nothing new is accepted, what runs is finished, and nobody is cut in the middle before the deadline. */
#include <shimin/log.h>

#include "http/server_internal.h"

#define TICK milliseconds(20)
/* A client that keeps its connection open without a request is let go after this; before, its next request is still served
 * and carries `connection: close`. Also the time that libh2o leaves between its two GOAWAY. */
#define IDLE_GRACE seconds(1)
/* For libh2o to notice what was cut. */
#define LAST_WORDS milliseconds(200)

static void cut(struct server *server, int64_t idle_since)
{
    for (struct connection *one = server->connections.next; one != &server->connections; one = one->next)
        if (idle_since == 0 || (one->in_flight == 0 && one->active <= idle_since))
            connection_cut(one, CUT_DRAIN);
}

static void drain(void *argument)
{
    struct server *server = argument;
    enum wait outcome = WAIT_DONE;
    while (server->connection_count && clock_steady() < server->drain_deadline && outcome == WAIT_DONE) {
        if (clock_steady() > server->drain_began + IDLE_GRACE)
            cut(server, clock_steady() - IDLE_GRACE);
        outcome = fiber_sleep(TICK);
    }
    if (server->connection_count)
        log_warning("%u connections were cut at the end", server->connection_count);
    cut(server, 0);
    while (server->connection_count && outcome == WAIT_DONE)
        outcome = fiber_sleep(TICK);
    if (!server->connection_count)
        server_free(server);
}

void http_drain(int64_t deadline)
{
    struct server *server = server_self();
    if (!server || server->draining)
        return;
    server->draining = true;
    server->drain_began = clock_steady();
    server->drain_deadline = deadline;
    server_stop_accepting(server);
    h2o_context_request_shutdown(&server->context);
    for (struct request *request = server->requests.next; request != &server->requests; request = request->next)
        if (request->version < 0x200 && !request->generator.handed_over)
            request->h2o->http1_is_persistent = 0;
    fiber_start(drain, server, deadline + LAST_WORDS);
}
