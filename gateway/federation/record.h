/* Recording a call for those who try a mapping out. */
#ifndef FEDERATION_RECORD_H
#define FEDERATION_RECORD_H

#include "federation/answer.h"
#include "federation/signer.h"

/* The request before it is signed: nothing in it is secret but the citizen's own. */
void record_request(struct department_record *record, struct arena *arena, const struct outgoing *outgoing);
/* The names of what the signature added, from that header on; the values are left out. */
void record_proof(struct department_record *record, struct arena *arena, const struct outgoing *outgoing, unsigned from);
/* message: NULL without an answer. */
void record_answer(struct department_record *record, const struct answer_message *message, int64_t duration);
/* Why and where the answer breaks the contract. */
void record_breach(struct department_record *record, struct arena *arena, const struct operation *operation,
                   const struct answer_message *message, const char *reason);
/* Makes the proof wrong, and nothing else: a digit in the middle of the last header that signing added, or of the query. */
void record_spoil(struct arena *arena, struct outgoing *outgoing, unsigned from);

#endif
