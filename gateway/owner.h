/* Commands' own connection to Postgres, as the owner; it blocks. */
#ifndef SHIMIN_OWNER_H
#define SHIMIN_OWNER_H

#include "base/config.h"

#include <libpq-fe.h>

/* By postgres.owner of the configuration; NULL after saying on stderr why not. */
PGconn *owner_connect(const struct config *config);
/* Runs one statement with text parameters; false after printing Postgres' message. */
MUST_CHECK bool owner_run(PGconn *connection, const char *sql, const char *const *values, size_t count);
/* As above, for a statement that gives one value; NULL on failure or without a row. The caller frees the result. */
PGresult *owner_query(PGconn *connection, const char *sql, const char *const *values, size_t count);
void owner_close(PGconn **connection);
void owner_config_close(struct config **config);

#endif
