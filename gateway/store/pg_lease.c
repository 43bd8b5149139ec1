/* Transactions: each has a connection to itself, in the order of asking. */
#include "store/pg_pool.h"
#include "store/pg_result.h"
#include "store/pg_statements.h"

#include <assert.h>
#include <shimin/fiber.h>
#include <string.h>

static const struct pg_statement begin = {"shimin.begin", "BEGIN", 0};
static const struct pg_statement commit = {"shimin.commit", "COMMIT", 0};
static const struct pg_statement rollback = {"shimin.rollback", "ROLLBACK", 0};

/* On the stack of the fiber that waits for a lease. */
struct pg_lease_waiter {
    struct pg_lease_waiter *next;
    struct fiber *fiber;
    struct pg_connection *given;
    bool refused; /* none can be opened */
};

struct pg_transaction {
    struct arena *arena;
    struct pg_connection *connection;
    unsigned generation; /* of the connection when it began: another one means that it is lost */
};

static enum lease_state *state_of(struct pg_connection *connection)
{
    struct pg_pool *pool = connection->owner;
    unsigned i = 0;
    while (pool->leases[i] != connection)
        i++;
    return &pool->lease_states[i];
}

static struct pg_lease_waiter *next_waiter(struct pg_pool *pool)
{
    struct pg_lease_waiter *waiter = pool->first_waiter;
    if (waiter && !(pool->first_waiter = waiter->next))
        pool->last_waiter = &pool->first_waiter;
    return waiter;
}

static void leave_queue(struct pg_pool *pool, const struct pg_lease_waiter *leaver)
{
    struct pg_lease_waiter **at = &pool->first_waiter;
    while (*at && *at != leaver)
        at = &(*at)->next;
    if (!*at)
        return;
    if (!(*at = leaver->next))
        pool->last_waiter = at;
}

/* A connection that is up and free serves the first who waits. */
static void offer(struct pg_connection *connection)
{
    struct pg_pool *pool = connection->owner;
    struct pg_lease_waiter *waiter = next_waiter(pool);
    *state_of(connection) = waiter ? LEASE_TAKEN : LEASE_FREE;
    if (!waiter)
        return;
    waiter->given = connection;
    fiber_wake(waiter->fiber);
}

/* Somebody waits and nothing free is up: one that is down is opened. */
static void open_another(struct pg_pool *pool)
{
    for (unsigned i = 0; i < pool->lease_count; i++)
        if (pool->leases[i]->state == PG_DOWN && pool->lease_states[i] == LEASE_FREE) {
            pg_connection_connect(pool->leases[i]);
            return;
        }
}

/* The server takes no more connections, or is away. Whoever waits is refused, unless a lease that is up will come free. */
static void refuse_waiters(struct pg_connection *connection)
{
    struct pg_pool *pool = connection->owner;
    for (unsigned i = 0; i < pool->lease_count; i++)
        if (pool->leases[i]->state != PG_DOWN)
            return;
    for (struct pg_lease_waiter *waiter; (waiter = next_waiter(pool));) {
        waiter->refused = true;
        fiber_wake(waiter->fiber);
    }
}

/* Its transaction, if any, finds out by the generation, and gives the lease back then. */
static void on_lost(struct pg_connection *connection, struct pg_slot *unsent)
{
    assert(!unsent && "a transaction's statements are never moved");
    (void)unsent;
    if (*state_of(connection) == LEASE_DRAINING)
        *state_of(connection) = LEASE_FREE;
    refuse_waiters(connection);
}

static void on_idle(struct pg_connection *connection)
{
    if (*state_of(connection) == LEASE_DRAINING)
        offer(connection);
}

static const struct pg_connection_events lease_events = {
    .up = offer,
    .failed = refuse_waiters,
    .lost = on_lost,
    .idle = on_idle,
    .silent = pg_silence_doubt,
};

static enum pg_status acquire(struct pg_pool *pool, struct pg_connection **connection)
{
    static const enum pg_status statuses[] = {[WAIT_DEADLINE] = PG_DEADLINE, [WAIT_CANCELLED] = PG_CANCELLED};
    if (!pool->first_waiter)
        for (unsigned i = 0; i < pool->lease_count; i++)
            if (pool->leases[i]->state == PG_UP && pool->lease_states[i] == LEASE_FREE) {
                pool->lease_states[i] = LEASE_TAKEN;
                *connection = pool->leases[i];
                return PG_OK;
            }
    struct pg_lease_waiter waiter = {.fiber = fiber_self()};
    *pool->last_waiter = &waiter;
    pool->last_waiter = &waiter.next;
    open_another(pool);
    while (!waiter.given && !waiter.refused) {
        enum wait how = fiber_wait(DEADLINE_NEVER);
        if (how == WAIT_DONE || waiter.given || waiter.refused)
            continue;
        leave_queue(pool, &waiter);
        return statuses[how];
    }
    *connection = waiter.given;
    return waiter.given ? PG_OK : PG_UNAVAILABLE;
}

static bool is_alive(const struct pg_transaction *transaction)
{
    return transaction->connection->state == PG_UP && transaction->connection->generation == transaction->generation;
}

/* A connection with answers still to come is not offered: an abandoned statement may take long. */
static void give_back(struct pg_transaction *transaction)
{
    struct pg_connection *connection = transaction->connection;
    struct pg_pool *pool = connection->owner;
    bool up = connection->state == PG_UP;
    *state_of(connection) = up && connection->waiting ? LEASE_DRAINING : LEASE_FREE;
    if (up && !connection->waiting)
        offer(connection);
    else if (!up && pool->first_waiter)
        open_another(pool);
}

enum pg_status pg_begin(struct arena *arena, struct pg_transaction **transaction)
{
    struct pg_pool *pool = pg_pool();
    *transaction = NULL;
    if (!pool || !pg_is_up())
        return PG_UNAVAILABLE;
    struct pg_connection *connection = NULL;
    enum pg_status status = acquire(pool, &connection);
    if (status != PG_OK)
        return status;
    struct pg_transaction *begun = arena_new(arena, struct pg_transaction);
    *begun = (struct pg_transaction){arena, connection, connection->generation};
    if (is_alive(begun)) /* it may have been lost since it was given; the first statement finds out */
        pg_connection_send(connection, pg_slot_take(NULL, &begin, NULL, 0, true));
    else
        begun->generation--;
    *transaction = begun;
    return PG_OK;
}

static enum pg_status run(struct pg_transaction *transaction, const struct pg_statement *statement,
                          const struct pg_value *values, size_t count, const struct pg_result **result)
{
    if (!is_alive(transaction))
        return PG_UNAVAILABLE;
    if (fiber_cancelled())
        return PG_CANCELLED;
    if (fiber_deadline() <= clock_steady())
        return PG_DEADLINE;
    struct pg_slot *slot = pg_slot_take(transaction->arena, statement, values, count, false);
    slot->wants_rows = result;
    pg_connection_send(transaction->connection, slot);
    return pg_slot_wait(slot, result);
}

enum pg_status pg_in(struct pg_transaction *transaction, const struct pg_statement *statement, const struct pg_value *values,
                     size_t count, const struct pg_result **result)
{
    assert(count == statement->parameters);
    int64_t asked = clock_steady();
    enum pg_status status = run(transaction, statement, values, count, result);
    statement_count(statement, status, clock_steady() - asked);
    return status;
}

/* From here on only the server knows, so nothing but its answer may end the wait early; a deadline leaves the outcome open. */
enum pg_status pg_commit(struct pg_transaction **transaction)
{
    struct pg_transaction *ending = *transaction;
    if (fiber_cancelled() || fiber_deadline() <= clock_steady()) {
        bool cancelled = fiber_cancelled();
        pg_rollback(transaction);
        return cancelled ? PG_CANCELLED : PG_DEADLINE;
    }
    *transaction = NULL;
    const struct pg_result *result = NULL;
    fiber_shield();
    int64_t asked = clock_steady();
    enum pg_status status = run(ending, &commit, NULL, 0, &result);
    statement_count(&commit, status, clock_steady() - asked);
    fiber_unshield();
    give_back(ending);
    if (status == PG_DEADLINE)
        return PG_UNAVAILABLE;
    /* COMMIT of a transaction in which a statement failed is answered with "ROLLBACK" */
    return status == PG_OK && result->rolled_back ? PG_REFUSED : status;
}

void pg_rollback(struct pg_transaction **transaction)
{
    struct pg_transaction *ending = *transaction;
    if (!ending)
        return;
    *transaction = NULL;
    if (is_alive(ending))
        pg_connection_send(ending->connection, pg_slot_take(NULL, &rollback, NULL, 0, true));
    give_back(ending);
}

void pg_leases_open(struct pg_pool *pool, unsigned count)
{
    pool->last_waiter = &pool->first_waiter;
    pool->lease_count = count;
    for (unsigned i = 0; i < count; i++) {
        pool->leases[i] = pg_connection_new(pool->parameters, &lease_events, pool, false);
        pool->leases[i]->patience = pool->patience;
    }
}

void pg_leases_close(struct pg_pool *pool)
{
    for (struct pg_lease_waiter *waiter; (waiter = next_waiter(pool));) {
        waiter->refused = true;
        fiber_wake(waiter->fiber);
    }
    for (unsigned i = 0; i < pool->lease_count; i++)
        pg_connection_close(pool->leases[i]);
}
