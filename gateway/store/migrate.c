/* Migrations: what was applied is compared with the files, what is missing is applied in order, under a lock. */
#include "store/migrate.h"

#include "store/migration_files.h"
#include "store/migrate_login.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <stdlib.h>
#include <string.h>

/* Any number will do, as long as nobody else's lock has it: "shimin" in ASCII. */
#define LOCK "126918036351342"

struct run {
    const struct migrate_settings *settings;
    struct arena *arena;
    PGconn *link;
    FILE *out;
    struct text *faults;
    struct migrations files;
    size_t applied; /* the first so many of the files */
};

static void clear_held(PGresult **result)
{
    PQclear(*result);
}

static void finish_held(PGconn **link)
{
    PQfinish(*link);
}

static bool succeeded(const PGresult *result)
{
    return PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
}

/* A statement of our own; what Postgres says against it goes to the faults. */
static bool execute(struct run *run, const char *sql)
{
    CLEANUP(clear_held) PGresult *result = PQexec(run->link, sql);
    if (succeeded(result))
        return true;
    text_printf(run->faults, "%s", PQerrorMessage(run->link));
    return false;
}

static bool connect_owner(struct run *run)
{
    run->link = PQconnectdb(run->settings->owner);
    if (PQstatus(run->link) == CONNECTION_OK)
        return execute(run, "SET client_min_messages = warning; SET search_path = public");
    text_printf(run->faults, "%s", PQerrorMessage(run->link));
    return false;
}

static bool lock(struct run *run)
{
    CLEANUP(clear_held) PGresult *result = PQexec(run->link, "SELECT pg_try_advisory_lock(" LOCK ")");
    if (!succeeded(result)) {
        text_printf(run->faults, "%s", PQerrorMessage(run->link));
        return false;
    }
    if (!strcmp(PQgetvalue(result, 0, 0), "t"))
        return true;
    fprintf(run->out, "waiting for another migration to end\n");
    fflush(run->out);
    return execute(run, "SELECT pg_advisory_lock(" LOCK ")");
}

static bool create_table(struct run *run)
{
    return run->settings->list_only || execute(run, "CREATE SCHEMA IF NOT EXISTS shimin;"
                                                    "CREATE TABLE IF NOT EXISTS shimin.schema_migration ("
                                                    "    number integer PRIMARY KEY,"
                                                    "    name text NOT NULL,"
                                                    "    checksum text NOT NULL,"
                                                    "    applied_at timestamptz NOT NULL DEFAULT now(),"
                                                    "    duration_ms bigint NOT NULL)");
}

/* Row i must be file i, with the same name and content. */
static void compare_row(struct run *run, const PGresult *rows, int row)
{
    const char *number = PQgetvalue(rows, row, 0), *name = PQgetvalue(rows, row, 1), *checksum = PQgetvalue(rows, row, 2);
    const char *directory = run->settings->directory;
    if (atoi(number) != row + 1) {
        text_printf(run->faults,
                    "the database lacks migration %04d but has %04d: the table schema_migration was changed by hand\n", row + 1,
                    atoi(number));
    } else if ((size_t)row >= run->files.count) {
        text_printf(run->faults,
                    "%s/%04d_%s.sql is missing: it was applied to this database, which is newer than these files\n", directory,
                    atoi(number), name);
    } else {
        const struct migration *file = &run->files.list[row];
        if (!str_is(file->name, name))
            text_printf(run->faults, "%s/%s: migration %04u was applied under the name %s\n", directory, file->file,
                        file->number, name);
        else if (!str_is(file->checksum, checksum))
            text_printf(
                run->faults,
                "%s/%s was edited after it was applied (SHA-256 %.12s… then, %.12s… now): restore it, and put the change "
                "into a new file\n",
                directory, file->file, checksum, file->checksum.at);
    }
}

static bool compare(struct run *run)
{
    CLEANUP(clear_held) PGresult *present = PQexec(run->link, "SELECT to_regclass('shimin.schema_migration')");
    if (!succeeded(present)) {
        text_printf(run->faults, "%s", PQerrorMessage(run->link));
        return false;
    }
    if (PQgetisnull(present, 0, 0))
        return true;
    CLEANUP(clear_held)
    PGresult *rows = PQexec(run->link, "SELECT number, name, checksum FROM shimin.schema_migration ORDER BY number");
    if (!succeeded(rows)) {
        text_printf(run->faults, "%s", PQerrorMessage(run->link));
        return false;
    }
    size_t before = run->faults->len;
    run->applied = (size_t)PQntuples(rows);
    for (int row = 0; row < PQntuples(rows) && run->faults->len == before; row++)
        compare_row(run, rows, row);
    return run->faults->len == before;
}

/* The line that Postgres' position, counted in characters from 1, lies in; 0 when it gives none. */
static unsigned line_of(struct str sql, const char *position)
{
    if (!position)
        return 0;
    unsigned line = 1;
    long left = atol(position);
    for (size_t i = 0; i < sql.len && left > 1; i++) {
        if ((sql.at[i] & 0xC0) == 0x80) /* the rest of a character in UTF-8 */
            continue;
        line += sql.at[i] == '\n';
        left--;
    }
    return line;
}

static void explain(struct run *run, const struct migration *file, const PGresult *result)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    unsigned line = line_of(file->sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    text_printf(run->faults, "%s/%s", run->settings->directory, file->file);
    if (line)
        text_printf(run->faults, ":%u", line);
    text_printf(run->faults, ": %s%s%s; nothing of this file was kept\n", message ? message : PQerrorMessage(run->link),
                context ? ", " : "", context ? context : "");
}

static bool record(struct run *run, const struct migration *file, int64_t took)
{
    const char *values[] = {
        str_printf(run->arena, "%u", file->number).at,
        str_to_c(run->arena, file->name),
        str_to_c(run->arena, file->checksum),
        str_printf(run->arena, "%" PRId64, took / 1000).at,
    };
    CLEANUP(clear_held)
    PGresult *result = PQexecParams(run->link,
                                    "INSERT INTO shimin.schema_migration (number, name, checksum, duration_ms) "
                                    "VALUES ($1, $2, $3, $4)",
                                    4, NULL, values, NULL, NULL, 0);
    if (!succeeded(result))
        text_printf(run->faults, "%s", PQerrorMessage(run->link));
    return succeeded(result);
}

static bool apply_in_transaction(struct run *run, const struct migration *file)
{
    int64_t begun = clock_steady();
    CLEANUP(clear_held) PGresult *result = PQexec(run->link, file->sql.at);
    if (!succeeded(result)) {
        explain(run, file, result);
        return false;
    }
    if (PQtransactionStatus(run->link) != PQTRANS_INTRANS) {
        text_printf(run->faults, "%s/%s: ends the transaction it runs in: a migration has no BEGIN, COMMIT or ROLLBACK\n",
                    run->settings->directory, file->file);
        return false;
    }
    int64_t took = clock_steady() - begun;
    if (!record(run, file, took) || !execute(run, "COMMIT"))
        return false;
    fprintf(run->out, "applied %s in %" PRId64 " ms\n", file->file, took / 1000);
    fflush(run->out);
    return true;
}

static bool apply(struct run *run, const struct migration *file)
{
    if (!execute(run, "BEGIN"))
        return false;
    if (apply_in_transaction(run, file))
        return true;
    PQclear(PQexec(run->link, "ROLLBACK"));
    return false;
}

static bool apply_missing(struct run *run)
{
    for (size_t i = 0; i < run->files.count; i++) {
        const struct migration *file = &run->files.list[i];
        if (run->settings->list_only)
            fprintf(run->out, "%s %s\n", i < run->applied ? "applied" : "pending", file->file);
        else if (i >= run->applied && !apply(run, file))
            return false;
    }
    if (run->settings->list_only)
        return true;
    if (run->applied == run->files.count)
        fprintf(run->out, "the schema is up to date: %zu migrations\n", run->applied);
    return execute(run, "DO $$ BEGIN IF to_regproc('shimin.create_partitions') IS NOT NULL THEN"
                        " PERFORM shimin.create_partitions(); END IF; END $$");
}

bool migrate(const struct migrate_settings *settings, FILE *out, struct text *faults)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct run run = {.settings = settings, .arena = arena, .out = out, .faults = faults};
    if (!migration_files_read(arena, settings->directory, &run.files, faults))
        return false;
    CLEANUP(finish_held) PGconn *link = NULL; /* closing it also gives up the lock */
    bool connected = connect_owner(&run);
    link = run.link;
    return connected && lock(&run) && create_table(&run) && compare(&run) && apply_missing(&run) &&
           (settings->list_only || !settings->application || migrate_login(link, settings->application, out, faults));
}
