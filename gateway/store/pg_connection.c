/* One connection to Postgres: what it sends at the end of a turn, and how answers find their statements.
 *
 * libpq opens it, but does not carry the statements. Its pipeline mode (15) writes to the socket at every PQpipelineSync, and
 * each of our statements needs a Sync of its own to be a transaction of its own; it also asks for the description of the rows
 * with every execution. Speaking the protocol ourselves makes one write of all that a turn queued, and copies an answer once,
 * into the asker's arena; README.md has the figures.
 */
#include "store/pg_connection.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CONNECT_SECONDS = 3,
    READ_ROOM = 65536,
    KEPT_ROOM = 1 << 20, /* buffers that have grown beyond this are given back when empty */
};

static struct metric *connections;
static struct metric *reconnects;

__attribute__((constructor)) static void register_metrics(void)
{
    connections = metric_register(METRIC_GAUGE, "pg_connections", "", "Connections to Postgres that are up.");
    reconnects =
        metric_register(METRIC_COUNTER, "pg_reconnects_total", "", "Connections to Postgres that came back after a loss.");
}

static _Thread_local struct pg_connection *dirty;
static _Thread_local bool flushes;

/* ---- state ---- */

static void try_again(struct timer *timer)
{
    pg_connection_connect(CONTAINER_OF(timer, struct pg_connection, retry));
}

static void set_state(struct pg_connection *connection, enum pg_connection_state state)
{
    if (state == PG_UP)
        metric_add(metric_cell(connections, NULL, 0), 1);
    else if (connection->state == PG_UP)
        metric_add(metric_cell(connections, NULL, 0), -1);
    connection->state = state;
    if (state == PG_DOWN && connection->keep_up && !connection->closing)
        timer_set(&connection->retry, deadline_in(backoff_next(&connection->backoff)), try_again);
}

static void unlist_dirty(struct pg_connection *connection)
{
    if (!connection->dirty)
        return;
    struct pg_connection **at = &dirty;
    while (*at != connection)
        at = &(*at)->next_dirty;
    *at = connection->next_dirty;
    connection->dirty = false;
}

/* Gives up the link. Slots whose bytes all stayed here are returned, the others end. */
static struct pg_slot *let_go(struct pg_connection *connection)
{
    unlist_dirty(connection);
    h2o_socket_close(connection->socket);
    PQfinish(connection->link);
    connection->socket = NULL;
    connection->link = NULL;
    connection->tls = NULL;
    connection->blocked = false;
    connection->silent = false;
    timer_clear(&connection->watch);
    connection->generation++;
    wire_free(&connection->out);
    wire_free(&connection->in);
    memset(&connection->answer, 0, sizeof connection->answer);
    if (connection->prepared)
        memset(connection->prepared, 0, connection->prepared_room);

    struct pg_slot *unsent = NULL, **last = &unsent;
    struct pg_slot *slot = connection->first;
    connection->first = NULL;
    connection->last = &connection->first;
    connection->waiting = 0;
    while (slot) {
        struct pg_slot *next = slot->next;
        slot->next = NULL;
        if (slot->fiber && slot->alone && slot->sent_at >= connection->written) {
            *last = slot;
            last = &slot->next;
        } else {
            pg_slot_finish(slot, PG_UNAVAILABLE);
        }
        slot = next;
    }
    return unsent;
}

void pg_connection_drop(struct pg_connection *connection, const char *reason)
{
    if (connection->state != PG_UP)
        return;
    log_warning("postgres: connection lost: %s", reason);
    struct pg_slot *unsent = let_go(connection);
    set_state(connection, PG_DOWN);
    if (connection->events->lost)
        connection->events->lost(connection, unsent);
}

/* ---- writing ---- */

static ssize_t write_some(struct pg_connection *connection, const char *bytes, size_t n)
{
    if (!connection->tls)
        return send(connection->descriptor, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    ERR_clear_error();
    int done = SSL_write(connection->tls, bytes, n > INT32_MAX ? INT32_MAX : (int)n);
    if (done > 0)
        return done;
    int why = SSL_get_error(connection->tls, done);
    errno = why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ ? EAGAIN : ECONNRESET;
    return -1;
}

static void flush(struct pg_connection *connection);

static void on_writable(h2o_socket_t *socket, const char *error)
{
    struct pg_connection *connection = socket->data;
    connection->blocked = false;
    if (error)
        pg_connection_drop(connection, error);
    else
        flush(connection);
}

static void flush(struct pg_connection *connection)
{
    struct wire_buffer *out = &connection->out;
    while (!connection->blocked && out->start < out->end) {
        ssize_t n = write_some(connection, out->at + out->start, out->end - out->start);
        if (n >= 0) {
            out->start += (size_t)n;
            connection->written += (uint64_t)n;
        } else if (errno == EAGAIN) {
            connection->blocked = true;
            h2o_socket_notify_write(connection->socket, on_writable);
        } else if (errno != EINTR) {
            /* what the server said before it went is worth reading: the loss is told by the reader */
            shutdown(connection->descriptor, SHUT_WR);
            return;
        }
    }
    if (out->start == out->end)
        wire_reset(out, KEPT_ROOM);
}

static void flush_dirty(void *argument)
{
    (void)argument;
    while (dirty) {
        struct pg_connection *connection = dirty;
        dirty = connection->next_dirty;
        connection->dirty = false;
        flush(connection);
    }
}

static void make_dirty(struct pg_connection *connection)
{
    if (connection->dirty)
        return;
    connection->dirty = true;
    connection->next_dirty = dirty;
    dirty = connection;
}

void pg_connection_send(struct pg_connection *connection, struct pg_slot *slot)
{
    struct wire_buffer *out = &connection->out;
    const struct pg_statement *statement = slot->statement;
    uint8_t *is_prepared = pg_prepared(connection, statement);
    size_t before = out->end - out->start;
    slot->parses = !*is_prepared;
    slot->parsed = false;
    slot->sent_at = connection->queued;
    if (slot->parses) {
        if (slot->again)
            wire_put_close(out, statement->name);
        wire_put_parse(out, statement->name, statement->sql);
        *is_prepared = 1;
    }
    wire_put_bind(out, statement->name, slot->values, slot->count);
    wire_put_execute(out);
    wire_put_sync(out);
    connection->queued += out->end - out->start - before;
    slot->next = NULL;
    if (!connection->first)
        pg_silence_watch(connection);
    *connection->last = slot;
    connection->last = &slot->next;
    connection->waiting++;
    make_dirty(connection);
}

/* ---- reading ---- */

/* Bytes read; 0 when there is nothing now, -1 when the server has gone. */
static ssize_t read_some(struct pg_connection *connection)
{
    struct wire_buffer *in = &connection->in;
    char *at = wire_reserve(in, READ_ROOM);
    size_t room = in->room - in->end;
    if (!connection->tls) {
        ssize_t n = recv(connection->descriptor, at, room, MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        return n ? n : -1;
    }
    ERR_clear_error();
    int n = SSL_read(connection->tls, at, room > INT32_MAX ? INT32_MAX : (int)room);
    if (n > 0)
        return n;
    int why = SSL_get_error(connection->tls, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void on_readable(h2o_socket_t *socket, const char *error)
{
    struct pg_connection *connection = socket->data;
    (void)error; /* reading tells it better */
    bool busy = connection->first;
    ssize_t n;
    while ((n = read_some(connection)) > 0) {
        connection->in.end += (size_t)n;
        connection->heard = clock_steady();
        connection->silent = false;
        unsigned generation = connection->generation;
        if (!pg_answers_take(connection)) {
            pg_connection_drop(connection, "it does not speak the protocol");
            return;
        }
        if (connection->generation != generation)
            return;
        /* TLS may hold more than the descriptor shows; a plain socket shows again what is left */
        if (!connection->tls)
            break;
    }
    if (n < 0) {
        pg_connection_drop(connection, "the server closed it");
        return;
    }
    if (connection->in.start == connection->in.end)
        wire_reset(&connection->in, KEPT_ROOM);
    if (busy && !connection->first && connection->events->idle)
        connection->events->idle(connection);
}

/* ---- life ---- */

static void release(struct pg_connection *connection)
{
    pg_parameters_release(connection->parameters);
    free(connection->prepared);
    free(connection);
}

static void come_up(struct pg_connection *connection)
{
    connection->queued = connection->written = 0;
    connection->backoff.failures = 0;
    connection->socket->data = connection;
    if (!flushes) {
        worker_at_turn_end(flush_dirty, NULL);
        flushes = true;
    }
    if (connection->generation)
        metric_add(metric_cell(reconnects, NULL, 0), 1);
    set_state(connection, PG_UP);
    h2o_socket_read_start(connection->socket, on_readable);
    if (connection->events->up)
        connection->events->up(connection);
}

static void connect_fiber(void *argument)
{
    struct pg_connection *connection = argument;
    connection->connecting = fiber_self();
    bool connected = !connection->closing && pg_connect(connection);
    connection->connecting = NULL;
    if (connection->closing) {
        if (connected)
            (void)let_go(connection);
        release(connection);
    } else if (connected) {
        come_up(connection);
    } else {
        set_state(connection, PG_DOWN);
        if (connection->events->failed)
            connection->events->failed(connection);
    }
}

struct pg_connection *pg_connection_new(struct pg_parameters *parameters, const struct pg_connection_events *events,
                                        void *owner, bool keep_up)
{
    struct pg_connection *connection = memory_alloc(sizeof *connection);
    *connection = (struct pg_connection){
        .parameters = pg_parameters_hold(parameters),
        .events = events,
        .owner = owner,
        .keep_up = keep_up,
        .last = &connection->first,
    };
    return connection;
}

void pg_connection_connect(struct pg_connection *connection)
{
    if (connection->state != PG_DOWN)
        return;
    timer_clear(&connection->retry);
    set_state(connection, PG_CONNECTING);
    fiber_start(connect_fiber, connection, deadline_in(seconds(CONNECT_SECONDS)));
}

void pg_connection_close(struct pg_connection *connection)
{
    if (!connection)
        return;
    connection->closing = true;
    timer_clear(&connection->retry);
    if (connection->state == PG_CONNECTING) {
        if (connection->connecting)
            fiber_cancel(connection->connecting);
        return;
    }
    if (connection->state == PG_UP) {
        struct pg_slot *unsent = let_go(connection);
        set_state(connection, PG_DOWN);
        while (unsent) {
            struct pg_slot *next = unsent->next;
            pg_slot_finish(unsent, PG_UNAVAILABLE);
            unsent = next;
        }
    }
    release(connection);
}
