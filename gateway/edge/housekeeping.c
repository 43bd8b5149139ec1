/* Partitions ahead of time, expired keys out of the way, certificates that end soon told. */
#include "edge/housekeeping.h"

#include "edge_queries.h"

#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/pg.h>
#include <shimin/worker.h>

enum { PERIOD_SECONDS = 3600, PATIENCE_SECONDS = 60 };

static struct timer next; /* of the first worker */

static void tidy(void *argument)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    (void)argument;
    if (pg_query(arena, &sql_create_partitions, PG_NO_ARGS, NULL) != PG_OK ||
        pg_query(arena, &sql_sweep_keys, PG_NO_ARGS, NULL) != PG_OK ||
        pg_query(arena, &sql_sweep_traffic, PG_NO_ARGS, NULL) != PG_OK ||
        pg_query(arena, &sql_sweep_outbox, PG_NO_ARGS, NULL) != PG_OK ||
        pg_query(arena, &sql_tell_expiring_certificates, PG_NO_ARGS, NULL) != PG_OK)
        log_warning("housekeeping: Postgres did not do its part; it is asked again in %d minutes", PERIOD_SECONDS / 60);
}

static void start(struct timer *timer)
{
    fiber_start(tidy, NULL, deadline_in(seconds(PATIENCE_SECONDS)));
    timer_set(timer, deadline_in(seconds(PERIOD_SECONDS)), start);
}

void housekeeping_open(void)
{
    if (worker_index() == 0)
        start(&next);
}

void housekeeping_close(void)
{
    if (worker_index() == 0)
        timer_clear(&next);
}
