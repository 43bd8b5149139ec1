/* The statements a worker has used: a small number for each, and the cells that count it. */
#ifndef SHIMIN_PG_STATEMENTS_H
#define SHIMIN_PG_STATEMENTS_H

#include <shimin/pg.h>

enum { PG_STATUSES = PG_REFUSED + 1 };

struct metric_cell;
struct statement_entry {
    const struct pg_statement *statement;
    unsigned number;                           /* 0 …, dense, in order of first use by this worker */
    struct metric_cell *outcomes[PG_STATUSES]; /* made when first counted */
};

/* The entry of a statement, by its address; valid for the life of the calling worker. */
struct statement_entry *statement_entry(const struct pg_statement *statement);
/* Counts one run that took so many microseconds. */
void statement_count(const struct pg_statement *statement, enum pg_status status, int64_t took);
/* Forgets all; the numbers begin again. No connection of the worker may be left. */
void statements_forget(void);

#endif
