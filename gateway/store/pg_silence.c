/* A server that owes answers and says nothing: is it slow, or does it hang?
 *
 * A statement may rightly take seconds, so silence alone proves nothing. A new connection does: whoever lives greets it, or
 * refuses it, in milliseconds. After half of the patience without a byte one is begun; when the other half has passed and it
 * was neither taken nor refused, the server hangs, and every connection of the pool is lost. From then on who asks is told at
 * once, until a connection comes up again. Locks, full disks and slow syncs hold up statements but no greeting, so they do not
 * look like a server that hangs. */
#include "store/pg_pool.h"

#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <stdlib.h>

struct pg_probe {
    struct pg_pool *pool; /* NULL once that is closed */
    struct fiber *fiber;
    struct pg_connection connection; /* never up: connected, and let go */
};

static struct metric *hangs;

__attribute__((constructor)) static void register_metrics(void)
{
    hangs = metric_register(METRIC_COUNTER, "pg_hangs_total", "",
                            "Times that Postgres gave no sign of life and its connections were dropped.");
}

/* ---- one connection ---- */

static void look(struct timer *timer)
{
    struct pg_connection *connection = CONTAINER_OF(timer, struct pg_connection, watch);
    if (!connection->first)
        return;
    int64_t half = connection->patience / 2, now = clock_steady(), silence = now - connection->heard;
    connection->silent = silence >= half;
    /* a slow statement is doubted ever more rarely: each doubt costs the server a connection */
    timer_set(timer, connection->silent ? now + silence : connection->heard + half, look);
    if (connection->silent && connection->events->silent)
        connection->events->silent(connection);
}

/* The timer that an earlier question has set may still run: it finds out by `heard`. */
void pg_silence_watch(struct pg_connection *connection)
{
    if (!connection->patience)
        return;
    connection->heard = clock_steady();
    if (!connection->watch.slot)
        timer_set(&connection->watch, connection->heard + connection->patience / 2, look);
}

/* ---- the pool ---- */

static bool any_is_silent(const struct pg_pool *pool)
{
    for (unsigned i = 0; i < pool->shared_count; i++)
        if (pool->shared[i]->silent)
            return true;
    for (unsigned i = 0; i < pool->lease_count; i++)
        if (pool->leases[i]->silent)
            return true;
    return false;
}

/* Those that owe nothing as well: who asked them would only wait again. Leases first, and shared ones from the last: what
 * one that is lost has not sent moves to those that are left, and ends with the last. */
static void drop_all(struct pg_pool *pool)
{
    static const char reason[] = "the server gives no sign of life";
    metric_add(metric_cell(hangs, NULL, 0), 1);
    for (unsigned i = 0; i < pool->lease_count; i++)
        pg_connection_drop(pool->leases[i], reason);
    for (unsigned i = pool->shared_count; i-- > 0;)
        pg_connection_drop(pool->shared[i], reason);
}

static void ask_for_a_sign(void *argument)
{
    struct pg_probe *probe = argument;
    probe->fiber = fiber_self();
    bool greeted = probe->pool && pg_connect(&probe->connection);
    if (greeted) {
        h2o_socket_close(probe->connection.socket);
        PQfinish(probe->connection.link);
    }
    struct pg_pool *pool = probe->pool;
    if (pool) {
        pool->probe = NULL;
        /* what failed before its time was refused, and only a server that lives refuses */
        if (!greeted && fiber_deadline() <= clock_steady() && any_is_silent(pool))
            drop_all(pool);
    }
    pg_parameters_release(probe->connection.parameters);
    free(probe);
}

void pg_silence_doubt(struct pg_connection *connection)
{
    struct pg_pool *pool = connection->owner;
    if (pool->probe)
        return;
    pool->probe = memory_alloc(sizeof *pool->probe);
    *pool->probe = (struct pg_probe){
        .pool = pool,
        .connection = {.parameters = pg_parameters_hold(pool->parameters), .closing = true /* its failure is no news */},
    };
    fiber_start(ask_for_a_sign, pool->probe, deadline_in(pool->patience / 2));
}

void pg_silence_close(struct pg_pool *pool)
{
    if (!pool->probe)
        return;
    pool->probe->pool = NULL;
    if (pool->probe->fiber)
        fiber_cancel(pool->probe->fiber);
    pool->probe = NULL;
}
