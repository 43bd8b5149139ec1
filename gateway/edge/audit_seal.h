/* What the audit's key signs, as text: checkpoints of the chain, and exports. services/audit/README.md documents both forms. */
#ifndef EDGE_AUDIT_SEAL_H
#define EDGE_AUDIT_SEAL_H

#include "crypto/record_key.h"

#include <shimin/json.h>

/* The chain's end at a moment. */
struct audit_checkpoint {
    int64_t audit_id;
    struct str hash; /* 32 bytes */
    int64_t signed_at;
    struct str key_id;
    struct str signature; /* 64 bytes */
};

/* What is signed of it: five lines. */
struct str audit_checkpoint_text(struct arena *arena, const struct audit_checkpoint *checkpoint);
/* Fills in key_id and signature. */
MUST_CHECK bool audit_checkpoint_sign(struct arena *arena, const struct record_key *key, struct audit_checkpoint *checkpoint);
/* As one JSON object, for the log, `shimin audit checkpoint` and whoever keeps it elsewhere; and back: false when it is none.
 */
void audit_checkpoint_write(struct json_out *out, const struct audit_checkpoint *checkpoint);
MUST_CHECK bool audit_checkpoint_read(struct arena *arena, const struct json *json, struct audit_checkpoint *checkpoint);

/* The end of an export. */
struct audit_export {
    int64_t from, to, count, head_id, made_at;
    struct str head_hash, digest; /* 32 bytes each */
    struct str made_by, key_id, signature;
};

struct str audit_export_text(struct arena *arena, const struct audit_export *end);
MUST_CHECK bool audit_export_sign(struct arena *arena, const struct record_key *key, struct audit_export *end);
/* The last line of an export, without LF; and back. */
void audit_export_write(struct json_out *out, const struct audit_export *end);
MUST_CHECK bool audit_export_read(struct arena *arena, const struct json *json, struct audit_export *end);

#endif
