/* The registry of statements: every one that was made from a queries.sql and linked into the program. */
#ifndef SHIMIN_STATEMENTS_H
#define SHIMIN_STATEMENTS_H

#include <shimin/pg.h>

/* Puts a pointer to the statement where the linker gathers them. Written by generate_queries.py. */
#define STATEMENT_REGISTER(statement)                                                                                          \
    static const struct pg_statement *const registered_##statement __attribute__((used, retain, section("pg_statements"))) =   \
        &(statement)

/* All of them, in no particular order. */
size_t statements_all(const struct pg_statement *const **first);
/* Prepares every one on a connection of its own and says which the database refuses: one line "name: reason" each. Blocks; for
 * `shimin migrate --check-statements` and for tests. false when one is refused or there is no connection. */
MUST_CHECK bool statements_check(const char *connection_string, struct text *faults);

#endif
