/* Exports of the audit: JSON Lines whose last line is signed. services/audit/README.md documents the form. */
#ifndef SHIMIN_AUDIT_H
#define SHIMIN_AUDIT_H

#include <shimin/arena.h>
#include <shimin/str.h>

struct audit_export_job;

/* Begins an export of what was recorded from `from` to before `to` (microseconds), of a chain whose end is head_id and
 * head_hash (32 bytes). NULL when the configuration names no signing key. Lives as long as the arena. */
MUST_CHECK struct audit_export_job *audit_export_open(struct arena *arena, int64_t from, int64_t to, int64_t head_id,
                                                      struct str head_hash, struct str made_by);
/* Counts lines, as they are written, each with its LF. */
void audit_export_add(struct audit_export_job *job, struct str lines, size_t count);
/* The last line, signed, with its LF; at == NULL when the key does not sign. */
struct str audit_export_end(struct audit_export_job *job, struct arena *arena);

#endif
