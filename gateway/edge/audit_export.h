/* Exports of the audit: written with a key, and checked without a database. */
#ifndef EDGE_AUDIT_EXPORT_H
#define EDGE_AUDIT_EXPORT_H

#include "edge/audit_seal.h"

#include <shimin/audit.h>

#include <stdio.h>

/* As audit_export_open, with a key of one's own. */
struct audit_export_job *audit_export_begin(struct arena *arena, const struct record_key *key, const struct audit_export *end);

/* Reads an export that may come from anybody, in bounded memory. NULL when its last line is signed by one of the keys and says
 * what the lines before hold, which is then in *end; otherwise what is wrong, in the arena. */
const char *audit_export_check(struct arena *arena, FILE *file, const struct record_keys *keys, struct audit_export *end);

#endif
