/* Blocking libpq for commands. */
#include "owner.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/json.h>

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static PGconn *connect_by(const struct config *config, const char *key)
{
    const char *string = config_string(config, key);
    if (!string) {
        fprintf(stderr, "shimin: the configuration must name %s for this command\n", key);
        return NULL;
    }
    PGconn *connection = PQconnectdb(string);
    if (PQstatus(connection) == CONNECTION_OK)
        return connection;
    fprintf(stderr, "shimin: cannot connect to Postgres by %s: %s", key, PQerrorMessage(connection));
    PQfinish(connection);
    return NULL;
}

PGconn *owner_connect(const struct config *config)
{
    return connect_by(config, "postgres.owner");
}

PGconn *application_connect(const struct config *config)
{
    return connect_by(config, "postgres.application");
}

struct str operator_label(struct arena *arena)
{
    const struct passwd *user = getpwuid(getuid());
    return str_printf(arena, "machine:%s", user ? user->pw_name : "unknown");
}

bool operator_record(PGconn *connection, const char *action, const char *object, const char *result, const char *detail)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text text = text_open(arena, 256);
    struct json_out out = json_write(&text);
    json_array(&out);
    json_object(&out);
    json_field(&out, "id", id_new(arena));
    json_field_i64(&out, "at", clock_wall());
    json_field(&out, "actor", operator_label(arena));
    json_field_c(&out, "action", action);
    json_field_c(&out, "object", object);
    json_field_c(&out, "status", result);
    if (detail)
        json_field_c(&out, "detail", detail);
    json_end_all(&out);
    return owner_run(connection, "SELECT shimin.audit_append($1::jsonb)", (const char *const[]){text_str(&text).at}, 1);
}

PGresult *owner_query(PGconn *connection, const char *sql, const char *const *values, size_t count)
{
    PGresult *result = PQexecParams(connection, sql, (int)count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return result;
    fprintf(stderr, "shimin: Postgres refused: %s", PQerrorMessage(connection));
    PQclear(result);
    return NULL;
}

bool owner_run(PGconn *connection, const char *sql, const char *const *values, size_t count)
{
    PGresult *result = owner_query(connection, sql, values, count);
    PQclear(result);
    return result != NULL;
}

void owner_close(PGconn **connection)
{
    PQfinish(*connection);
}

void owner_config_close(struct config **config)
{
    config_close(*config);
}
