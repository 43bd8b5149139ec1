/* Blocking libpq for commands. */
#include "owner.h"

#include <stdio.h>

PGconn *owner_connect(const struct config *config)
{
    const char *string = config_string(config, "postgres.owner");
    if (!string) {
        fputs("shimin: the configuration must name postgres.owner for this command\n", stderr);
        return NULL;
    }
    PGconn *connection = PQconnectdb(string);
    if (PQstatus(connection) == CONNECTION_OK)
        return connection;
    fprintf(stderr, "shimin: cannot connect to Postgres as its owner: %s", PQerrorMessage(connection));
    PQfinish(connection);
    return NULL;
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
