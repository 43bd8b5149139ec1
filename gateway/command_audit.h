/* shimin audit: what its parts share. */
#ifndef SHIMIN_COMMAND_AUDIT_H
#define SHIMIN_COMMAND_AUDIT_H

#include "command.h"

#include "crypto/record_key.h"

#include <libpq-fe.h>

int audit_verify(struct arena *arena, const struct config *config, int argc, char **argv);
int audit_export(struct arena *arena, const struct config *config, int argc, char **argv);

/* The public keys to verify with: of the file or directory given, otherwise of the configuration. NULL after saying why not. */
struct record_keys *audit_keys(struct arena *arena, const struct config *config, const char *path);
/* The key to sign with; NULL after saying why not. */
struct record_key *audit_own_key(struct arena *arena, const struct config *config);
void audit_clear(PGresult **result);
/* Big-endian, as Postgres sends integers in its binary form. */
int64_t audit_integer(const char *bytes);

#endif
