/* Commands' own connection to Postgres, as the owner; it blocks. */
#ifndef SHIMIN_OWNER_H
#define SHIMIN_OWNER_H

#include "base/config.h"

#include <libpq-fe.h>

/* By postgres.owner of the configuration; NULL after saying on stderr why not. */
PGconn *owner_connect(const struct config *config);
/* By postgres.application: with no more rights than the gateway has. */
PGconn *application_connect(const struct config *config);
/* "machine:alice": who works on the machine itself, by the operating system's account. */
struct str operator_label(struct arena *arena);
/* What happens here is in the audit as what happens over the API is: an action on an object ("" for none), its result ("done",
 * "failed") and a detail that holds nothing personal (NULL for none). false after printing Postgres' message. */
MUST_CHECK bool operator_record(PGconn *connection, const char *action, const char *object, const char *result,
                                const char *detail);
/* Runs one statement with text parameters; false after printing Postgres' message. */
MUST_CHECK bool owner_run(PGconn *connection, const char *sql, const char *const *values, size_t count);
/* As above, for a statement that gives one value; NULL on failure or without a row. The caller frees the result. */
PGresult *owner_query(PGconn *connection, const char *sql, const char *const *values, size_t count);
void owner_close(PGconn **connection);
void owner_config_close(struct config **config);

#endif
