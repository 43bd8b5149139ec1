/* The audit's chain, computed from what the rows hold: the three rules by which rows were chained, and a proof that is fed in
 * the order of id and says at the first broken link what differs. Trusts nothing that the database computes. Does not wait. */
#ifndef EDGE_AUDIT_CHAIN_H
#define EDGE_AUDIT_CHAIN_H

#include "crypto/digest.h"

/* A row of shimin.audit. */
struct audit_row {
    int64_t id, at;    /* microseconds since 1970 */
    struct str record; /* at == NULL: of the first rule */
    struct str actor, action, object, address, result, trace_id, detail;
    struct str prev_hash, hash; /* at == NULL: the row's link has them */
};

/* A row of shimin.audit_link. */
struct audit_link {
    int64_t first_id, last_id;
    int64_t rule;
    struct str prev_hash, hash;
};

/* Each rule's hash, as schema/migrations has it: of one row with a hash of its own (rules 1 and 2). */
void audit_hash_fields(struct arena *arena, const uint8_t prev[DIGEST_SIZE], const struct audit_row *row,
                       uint8_t out[DIGEST_SIZE]);
void audit_hash_array(struct arena *arena, const uint8_t prev[DIGEST_SIZE], const struct audit_row *row,
                      uint8_t out[DIGEST_SIZE]);
/* The text of a row in a link of rule 3. */
void audit_row_text(struct text *text, const struct audit_row *row);

struct audit_proof;

/* Begins behind a row whose hash is known: id 0 and 32 zero bytes are the beginning of all. `arena` is for what the proof
 * keeps. */
struct audit_proof *audit_proof_open(struct arena *arena, int64_t id, const uint8_t hash[DIGEST_SIZE]);
void audit_proof_close(struct audit_proof **proof);
/* The next link, to be given before its first row. false when it is broken, as all that follow; audit_proof_fault says why. */
MUST_CHECK bool audit_proof_link(struct audit_proof *proof, const struct audit_link *link);
/* The next row in the order of id. */
MUST_CHECK bool audit_proof_row(struct audit_proof *proof, const struct audit_row *row);
/* Is the next row, by its id, one of the link that was given last? */
bool audit_proof_in_link(const struct audit_proof *proof);
/* No row follows: is the last link whole? */
MUST_CHECK bool audit_proof_end(struct audit_proof *proof);
/* The last row that is proved, and the chain's hash behind it (32 bytes). */
int64_t audit_proof_id(const struct audit_proof *proof);
const uint8_t *audit_proof_hash(const struct audit_proof *proof);
int64_t audit_proof_rows(const struct audit_proof *proof);
/* "link 17: prev_hash is not the hash before it", with id and time. */
struct str audit_proof_fault(const struct audit_proof *proof);

#endif
