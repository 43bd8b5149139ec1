/* Single statements: each goes to the shared connection with the fewest answers to come. */
#include "store/pg_pool.h"

#include "store/pg_listen.h"
#include "store/pg_statements.h"

#include <assert.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <stdlib.h>

enum { SHARED_BY_DEFAULT = 2, LEASES_BY_DEFAULT = 2, STATEMENT_TIMEOUT_MS = 10000, OPEN_SECONDS = 5, PATIENCE_SECONDS = 1 };

static _Thread_local struct pg_pool *own;

struct pg_pool *pg_pool(void)
{
    return own;
}

static void send_or_fail(struct pg_pool *pool, struct pg_slot *slot);

/* Neither up nor failed yet: pg_open waits. */
static void tell_opener(struct pg_connection *connection)
{
    struct pg_pool *pool = connection->owner;
    if (pool->opener)
        fiber_wake(pool->opener);
}

/* What certainly did not reach the server goes to another connection that is up. */
static void move_unsent(struct pg_connection *connection, struct pg_slot *unsent)
{
    while (unsent) {
        struct pg_slot *next = unsent->next;
        send_or_fail(connection->owner, unsent);
        unsent = next;
    }
}

static const struct pg_connection_events shared_events = {
    .up = tell_opener,
    .failed = tell_opener,
    .lost = move_unsent,
    .silent = pg_silence_doubt,
};

/* One that says nothing is behind a slow statement, or before a server that hangs: only when there is no other. */
static bool is_better(const struct pg_connection *one, const struct pg_connection *other)
{
    return one->silent != other->silent ? other->silent : one->waiting < other->waiting;
}

static struct pg_connection *least_busy(const struct pg_pool *pool)
{
    struct pg_connection *best = NULL;
    for (unsigned i = 0; i < pool->shared_count; i++) {
        struct pg_connection *connection = pool->shared[i];
        if (connection->state == PG_UP && (!best || is_better(connection, best)))
            best = connection;
    }
    return best;
}

static void send_or_fail(struct pg_pool *pool, struct pg_slot *slot)
{
    struct pg_connection *connection = least_busy(pool);
    if (connection)
        pg_connection_send(connection, slot);
    else
        pg_slot_finish(slot, PG_UNAVAILABLE);
}

static enum pg_status run(struct arena *arena, const struct pg_statement *statement, const struct pg_value *values,
                          size_t count, const struct pg_result **result)
{
    struct pg_connection *connection = least_busy(own);
    if (!connection)
        return PG_UNAVAILABLE;
    if (fiber_cancelled())
        return PG_CANCELLED;
    if (fiber_deadline() <= clock_steady())
        return PG_DEADLINE;
    struct pg_slot *slot = pg_slot_take(arena, statement, values, count, false);
    slot->alone = true;
    slot->wants_rows = result;
    pg_connection_send(connection, slot);
    return pg_slot_wait(slot, result);
}

enum pg_status pg_query(struct arena *arena, const struct pg_statement *statement, const struct pg_value *values, size_t count,
                        const struct pg_result **result)
{
    assert(count == statement->parameters);
    if (!own) /* not opened, or closed: what counts is not there either */
        return PG_UNAVAILABLE;
    int64_t asked = clock_steady();
    enum pg_status status = run(arena, statement, values, count, result);
    statement_count(statement, status, clock_steady() - asked);
    return status;
}

bool pg_is_up(void)
{
    return own && least_busy(own);
}

/* Every shared connection has come up or failed once. */
static bool all_tried(const struct pg_pool *pool)
{
    for (unsigned i = 0; i < pool->shared_count; i++)
        if (pool->shared[i]->state == PG_CONNECTING)
            return false;
    return true;
}

static unsigned or_default(unsigned given, unsigned fallback)
{
    unsigned n = given ? given : fallback;
    return n < PG_CONNECTIONS_MAX ? n : PG_CONNECTIONS_MAX;
}

bool pg_open(const struct pg_settings *settings)
{
    unsigned timeout = settings->statement_timeout_ms ? settings->statement_timeout_ms : STATEMENT_TIMEOUT_MS;
    struct pg_parameters *parameters = pg_parameters_new(settings->connection, timeout);
    if (!parameters)
        return false;
    own = memory_alloc(sizeof *own);
    own->parameters = parameters;
    own->opener = fiber_self();
    own->patience = settings->patience ? settings->patience : seconds(PATIENCE_SECONDS);
    own->shared_count = or_default(settings->shared, SHARED_BY_DEFAULT);
    for (unsigned i = 0; i < own->shared_count; i++) {
        own->shared[i] = pg_connection_new(parameters, &shared_events, own, true);
        own->shared[i]->patience = own->patience;
        pg_connection_connect(own->shared[i]);
    }
    pg_leases_open(own, or_default(settings->leases, LEASES_BY_DEFAULT));
    int64_t end = deadline_in(seconds(OPEN_SECONDS));
    while (!all_tried(own) && fiber_wait(end) == WAIT_DONE)
        ;
    own->opener = NULL;
    if (pg_is_up() || settings->may_be_absent)
        return true;
    log_error("postgres: no connection at start");
    pg_close();
    return false;
}

void pg_close(void)
{
    struct pg_pool *pool = own;
    if (!pool)
        return;
    own = NULL;
    pg_listen_close();
    pg_silence_close(pool);
    for (unsigned i = 0; i < pool->shared_count; i++)
        pg_connection_close(pool->shared[i]);
    pg_leases_close(pool);
    pg_parameters_release(pool->parameters);
    free(pool);
    pg_slots_forget();
    statements_forget();
}
