/* The publish gate: what its files share. */
#ifndef REGISTRY_GATE_H
#define REGISTRY_GATE_H

#include "registry.h"

enum check_name {
    CHECK_CREDENTIALS,
    CHECK_REACHABLE,
    CHECK_CONTRACT,
    CHECK_AUTHENTICATION_MISSING,
    CHECK_AUTHENTICATION_WRONG,
    CHECK_ERRORS,
    CHECK_ERRORS_PARAMETER,
    CHECK_ERRORS_RESOURCE,
    CHECK_REPLAY,
    CHECK_DEADLINE,
    CHECK_MASKS,
};

enum check_result { CHECK_PASSED, CHECK_FAILED, CHECK_NOT_APPLICABLE };

struct gate {
    struct arena *arena;
    struct draft *draft;
    struct json_out *out; /* an open array of checks */
    struct str environment;
    bool production, failed, answered;
    int64_t slowest, allowed;        /* microseconds */
    struct department_record record; /* of the last call */
    struct department_answer answer;
};

/* Writes a check's result down. */
void gate_note(struct gate *gate, enum check_name name, enum check_result result, struct bilingual detail);

struct gate_call {
    const char *person;
    enum department_proof proof;
    enum department_mistake mistake;
    struct str idempotency_key; /* at == NULL: one of its own */
};
/* One call; NULL when the answer is one that a citizen would get. */
const struct problem *gate_call(struct gate *gate, const struct gate_call *call);

/* What makes a write that is sent twice act once. */
void gate_check_replay(struct gate *gate);

/* Runs the checks into an open array and clears *passed when one fails. `harmless`: only those that may go on for ever, of the
 * order's environment. NULL, or why there was nothing to run. */
const struct problem *gate_run(struct arena *arena, const struct draft_order *order, bool harmless, struct json_out *out,
                               bool *passed) MUST_CHECK;

#endif
