/* One call of a department, whatever asked for it: breaker, cap, signature, deadline, retry, counters. */
#ifndef FEDERATION_CALL_H
#define FEDERATION_CALL_H

#include "federation/answer.h"
#include "federation/plan.h"

struct call {
    const struct plan *plan;
    const struct filled *filled;
    int64_t deadline;                 /* microseconds, set for the service that asks; 0: the department's */
    struct request *request;          /* for the trace; NULL: none */
    struct str idempotency_key;       /* of a write; at == NULL: none */
    struct traffic_cell *traffic;     /* of what asks; NULL: it is not counted */
    struct department_record *record; /* NULL: not wanted */
    enum department_proof proof;
};

/* NULL with *message filled when the department answered, with whatever status; or the problem. Waits, at most to the earlier
 * of the fiber's deadline and the department's. */
const struct problem *call_department(struct arena *arena, const struct call *call, struct answer_message *message) MUST_CHECK;

#endif
