/* Credentials that departments have registered, laid beside those of the secrets file in every worker. */
#ifndef FEDERATION_REGISTERED_H
#define FEDERATION_REGISTERED_H

#include "federation/secrets.h"

#define CREDENTIAL_CONTEXT "system_credential.sealed"

/* "metro/tickets/production": the row, and the name by which a backend finds them. */
struct str credential_row(struct arena *arena, struct str department, struct str system, struct str environment);

/* In a fiber of each worker, after pg_open: the first reads them from Postgres, and again with every notice. */
void registered_open(const struct secrets *file);
/* Another secrets file. false when none were read yet: the caller then uses the file alone. */
MUST_CHECK bool registered_use_file(const struct secrets *file);

#endif
