/* Postgres from fibers: one line waits for one statement. Many fibers share few connections in pipeline mode. */
#ifndef SHIMIN_PG_H
#define SHIMIN_PG_H

#include <shimin/arena.h>
#include <shimin/json.h>

/* A named statement of a queries.sql, generated at build time as `sql_<name>`; prepared on each connection at first use. */
struct pg_statement {
    const char *name; /* unique in the program: "<module>.<name>" */
    const char *sql;
    unsigned parameters;
};

/* How a statement ended. */
enum pg_status {
    PG_OK,
    PG_UNAVAILABLE, /* no connection, or lost before the answer: a write may or may not have happened */
    PG_DEADLINE,
    PG_CANCELLED,
    PG_CONFLICT, /* class 23: unique, foreign key, check; or 40001/40P01: serialization, deadlock */
    PG_REFUSED,  /* any other SQL error; logged with SQLSTATE and the statement's name, never with values */
};

struct pg_value {
    enum {
        PG_VALUE_NULL,
        PG_VALUE_TEXT,
        PG_VALUE_BYTES,
        PG_VALUE_INTEGER,
        PG_VALUE_DOUBLE,
        PG_VALUE_BOOLEAN,
        PG_VALUE_TIME
    } type;
    union {
        struct str text;
        int64_t integer;
        double number;
        bool boolean;
    };
};
static inline struct pg_value pg_null(void)
{
    return (struct pg_value){.type = PG_VALUE_NULL};
}
/* at == NULL is NULL. Arrays are given as text in Postgres' own form, or as JSON with jsonb functions. */
static inline struct pg_value pg_text(struct str s)
{
    return (struct pg_value){.type = s.at ? PG_VALUE_TEXT : PG_VALUE_NULL, .text = s};
}
static inline struct pg_value pg_bytes(struct str s)
{
    return (struct pg_value){.type = s.at ? PG_VALUE_BYTES : PG_VALUE_NULL, .text = s};
}
static inline struct pg_value pg_integer(int64_t n)
{
    return (struct pg_value){.type = PG_VALUE_INTEGER, .integer = n};
}
static inline struct pg_value pg_double(double n)
{
    return (struct pg_value){.type = PG_VALUE_DOUBLE, .number = n};
}
static inline struct pg_value pg_boolean(bool b)
{
    return (struct pg_value){.type = PG_VALUE_BOOLEAN, .boolean = b};
}
/* microseconds of clock_wall, as timestamptz */
static inline struct pg_value pg_time(int64_t wall)
{
    return (struct pg_value){.type = PG_VALUE_TIME, .integer = wall};
}
#define PG_ARGS(...)                                                                                                           \
    ((const struct pg_value[]){__VA_ARGS__}), (sizeof((const struct pg_value[]){__VA_ARGS__}) / sizeof(struct pg_value))
#define PG_NO_ARGS NULL, 0

struct pg_result; /* lives as long as its arena */

/* Runs one statement as a transaction of its own. Waits, at most to the fiber's deadline. *result (may be NULL when not
 * wanted) is set on PG_OK. A fiber that is cancelled or late leaves; the statement still runs. */
enum pg_status pg_query(struct arena *arena, const struct pg_statement *statement, const struct pg_value *values, size_t count,
                        const struct pg_result **result) MUST_CHECK;

size_t pg_rows(const struct pg_result *result);
int64_t pg_affected(const struct pg_result *result); /* of INSERT, UPDATE, DELETE */
bool pg_is_null(const struct pg_result *result, size_t row, size_t column);
struct str pg_str(const struct pg_result *result, size_t row,
                  size_t column); /* STR_NONE for NULL; bytea must be read by pg_bin */
struct str pg_bin(struct arena *arena, const struct pg_result *result, size_t row, size_t column); /* bytea decoded */
int64_t pg_int(const struct pg_result *result, size_t row, size_t column);
bool pg_bool(const struct pg_result *result, size_t row, size_t column);
double pg_number(const struct pg_result *result, size_t row, size_t column);
int64_t pg_wall(const struct pg_result *result, size_t row, size_t column); /* timestamptz as microseconds */

/* A transaction on a leased connection. Waits for a free one. Rolled back unless committed:
 *
 *     CLEANUP(pg_rollback) struct pg_transaction *tx = NULL;
 *     if ((status = pg_begin(arena, &tx)) || (status = pg_in(tx, &sql_a, …)) || (status = pg_commit(&tx))) return …;
 */
struct pg_transaction;
enum pg_status pg_begin(struct arena *arena, struct pg_transaction **transaction) MUST_CHECK;
enum pg_status pg_in(struct pg_transaction *transaction, const struct pg_statement *statement, const struct pg_value *values,
                     size_t count, const struct pg_result **result) MUST_CHECK;
/* PG_UNAVAILABLE here means the outcome is unknown. Sets *transaction to NULL. */
enum pg_status pg_commit(struct pg_transaction **transaction) MUST_CHECK;
void pg_rollback(struct pg_transaction **transaction);

/* Is a connection up now? Does not wait. For readiness. */
bool pg_is_up(void);

#endif
