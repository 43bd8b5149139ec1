/* The statements a worker has used: an open-addressing table keyed by address. */
#include "store/pg_statements.h"

#include <shimin/metrics.h>
#include <stdlib.h>
#include <string.h>

static struct metric *queries;
static struct metric *durations;

__attribute__((constructor)) static void register_metrics(void)
{
    queries = metric_register(METRIC_COUNTER, "pg_queries_total", "statement,outcome", "Statements run, by how they ended.");
    durations = metric_register(METRIC_HISTOGRAM, "pg_query_duration_seconds", "",
                                "Time from asking to the answer of a statement, waiting for its turn included.");
}

static const char *const outcome_names[PG_STATUSES] = {
    [PG_OK] = "ok",
    [PG_UNAVAILABLE] = "unavailable",
    [PG_DEADLINE] = "deadline",
    [PG_CANCELLED] = "cancelled",
    [PG_CONFLICT] = "conflict",
    [PG_REFUSED] = "refused",
};

/* Entries are allocated one by one so that their addresses stay when the table grows. */
static _Thread_local struct {
    struct statement_entry **slots;
    size_t room; /* a power of two */
    unsigned count;
    struct metric_cell *duration;
} known;

static size_t place_of(const struct pg_statement *statement)
{
    size_t at = ((uintptr_t)statement >> 3) * 0x9E3779B97F4A7C15u >> 32;
    while (known.slots[at & (known.room - 1)] && known.slots[at & (known.room - 1)]->statement != statement)
        at++;
    return at & (known.room - 1);
}

static void grow(void)
{
    struct statement_entry **old = known.slots;
    size_t old_room = known.room;
    known.room = old_room ? old_room * 2 : 256;
    known.slots = memory_alloc(known.room * sizeof *known.slots);
    for (size_t i = 0; i < old_room; i++)
        if (old[i])
            known.slots[place_of(old[i]->statement)] = old[i];
    free(old);
}

struct statement_entry *statement_entry(const struct pg_statement *statement)
{
    if (known.count * 2 >= known.room)
        grow();
    struct statement_entry **slot = &known.slots[place_of(statement)];
    if (!*slot) {
        *slot = memory_alloc(sizeof **slot);
        (*slot)->statement = statement;
        (*slot)->number = known.count++;
    }
    return *slot;
}

void statement_count(const struct pg_statement *statement, enum pg_status status, int64_t took)
{
    struct statement_entry *entry = statement_entry(statement);
    if (!entry->outcomes[status])
        entry->outcomes[status] =
            metric_cell(queries, (const struct str[]){str_of(statement->name), str_of(outcome_names[status])}, 2);
    metric_add(entry->outcomes[status], 1);
    if (!known.duration)
        known.duration = metric_cell(durations, NULL, 0);
    metric_observe(known.duration, (double)took / 1e6);
}

void statements_forget(void)
{
    for (size_t i = 0; i < known.room; i++)
        free(known.slots[i]);
    free(known.slots);
    memset(&known, 0, sizeof known);
}
