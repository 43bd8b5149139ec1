/* The worker's connections to Postgres: a few shared ones that carry every single statement, and leases for transactions. */
#ifndef SHIMIN_PG_POOL_H
#define SHIMIN_PG_POOL_H

#include "store/pg_connection.h"

struct pg_settings {
    const char *connection;        /* libpq's connection string or URI, of the application's login */
    unsigned shared;               /* connections for single statements; 0 means 2 */
    unsigned leases;               /* connections for transactions, opened on demand; 0 means 2 */
    unsigned statement_timeout_ms; /* the server ends a statement that runs longer; 0 means 10 000 */
    int64_t patience;              /* a server that answers nothing for so long is taken for lost; 0 means 1 s */
    bool may_be_absent;            /* open though Postgres does not answer; it is tried again from then on */
};

/* Opens the calling worker's pool, in a fiber; waits for the first connection. false, with the reason in the log, when the
 * string is malformed or Postgres cannot be reached (unless it may be absent). */
MUST_CHECK bool pg_open(const struct pg_settings *settings);
/* Closes it, in a fiber or on the loop of the worker, when nothing asks any more; who still waits gets PG_UNAVAILABLE. */
void pg_close(void);

/* ---- inside the floor ---- */
enum { PG_CONNECTIONS_MAX = 32 };

struct pg_lease_waiter;
struct pg_probe;
struct pg_pool {
    struct pg_parameters *parameters;
    struct pg_connection *shared[PG_CONNECTIONS_MAX];
    unsigned shared_count;
    struct pg_connection *leases[PG_CONNECTIONS_MAX];
    enum lease_state {
        LEASE_FREE,
        LEASE_TAKEN,    /* by a transaction */
        LEASE_DRAINING, /* its transaction is over, but not all answers have come */
    } lease_states[PG_CONNECTIONS_MAX];
    unsigned lease_count;
    struct pg_lease_waiter *first_waiter, **last_waiter;
    struct fiber *opener; /* waits in pg_open for the first connections */
    int64_t patience;
    struct pg_probe *probe; /* NULL: nobody doubts that the server lives */
};

/* Of the calling worker; NULL before pg_open. */
struct pg_pool *pg_pool(void);
void pg_leases_open(struct pg_pool *pool, unsigned count);
void pg_leases_close(struct pg_pool *pool);
/* The `silent` of the pool's connections: asks the server for a sign of life, and drops them all when there is none. */
void pg_silence_doubt(struct pg_connection *connection);
void pg_silence_close(struct pg_pool *pool);

#endif
