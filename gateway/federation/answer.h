/* What a department said, judged: status, type, JSON, contract; then the part that is wanted is selected. */
#ifndef FEDERATION_ANSWER_H
#define FEDERATION_ANSWER_H

#include "contract/contract.h"
#include <shimin/department.h>

struct answer_message {
    unsigned status;
    struct str content_type;     /* at == NULL: none */
    struct str content_encoding; /* at == NULL: none */
    struct str retry_after;      /* at == NULL: none */
    struct str body;
};

struct answer_wanted {
    const struct operation *operation;
    struct str department;            /* slug, for problems, logs and metrics */
    struct str items;                 /* JSON Pointer; at == NULL: the whole body */
    bool not_found_empty;             /* 404 is an empty list */
    bool inputs_are_asked;            /* something the asker typed was sent: a refusal of the content is his to mend */
    struct department_record *record; /* told of a breach; NULL: nobody asks */
};

/* NULL with *answer filled (body, items, status), or the problem. A breach of the contract is counted and logged here. */
const struct problem *answer_judge(struct arena *arena, const struct answer_wanted *wanted,
                                   const struct answer_message *message, struct department_answer *answer) MUST_CHECK;
/* Body and items of an answer that was judged before: what the cache kept. false when it is broken. */
MUST_CHECK bool answer_reread(struct arena *arena, const struct answer_wanted *wanted, struct str body,
                              struct department_answer *answer);
/* Statuses that a contract need not describe: failures, redirects (a department does not send us elsewhere), and what gateways
 * in front of a department answer. They go to answer_refusal. */
bool answer_says_nothing(unsigned status);
/* Whether a body of this response may pass: type, strict JSON, schema. *body is NULL for an empty one. On a breach false, with
 * a static reason. */
MUST_CHECK bool answer_check(struct arena *arena, const struct operation *operation, const struct answer_message *message,
                             const struct json **body, const char **reason);
/* A problem that names department and operation. */
struct problem *department_problem(struct arena *arena, enum problem_type type, struct bilingual detail, struct str department,
                                   const struct operation *operation);
/* Counts and logs a breach; the problem that names department and operation. */
const struct problem *answer_breach(struct arena *arena, struct str department, const struct operation *operation,
                                    const char *reason);
/* The problem for a status that is no success and described by the contract: a department's own fault or ours. */
const struct problem *answer_refusal(struct arena *arena, const struct answer_wanted *wanted,
                                     const struct answer_message *message);

#endif
