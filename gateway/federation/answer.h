/* What a department said, judged: status, type, JSON, contract; then the part that is wanted is selected. */
#ifndef FEDERATION_ANSWER_H
#define FEDERATION_ANSWER_H

#include "contract/contract.h"
#include "federation/bulkhead.h"
#include "http/share.h"
#include "http/upstream.h"
#include <shimin/department.h>

/* What the answers of one department may cost in one worker. Large ones are judged off the loop and one at a time: first among
 * those of the department, then among all departments, so that nobody waits behind more than one of each. */
struct turns {
    struct json_limits limits;
    struct share *share; /* of memory; NULL: not counted */
    struct bulkhead own; /* caps of 1 */
    struct bulkhead *all;
};

struct answer_message {
    unsigned status;
    struct str content_type;     /* at == NULL: none */
    struct str content_encoding; /* at == NULL: none */
    struct str retry_after;      /* at == NULL: none */
    struct str body;
    enum upstream_fault fault; /* of the connection, also beside a whole answer */
    const char *fault_detail;
};

struct answer_wanted {
    const struct operation *operation;
    struct str department;            /* slug, for problems, logs and metrics */
    struct str items;                 /* JSON Pointer; at == NULL: the whole body */
    struct turns *turns;              /* NULL: judged at once, within json_limits_answer */
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
/* How an answer broke its contract; see report.h. */
struct breach {
    const char *kind;
    const char *detail;
    struct str pointer;
};
enum answer_verdict { ANSWER_GOOD, ANSWER_BREACH, ANSWER_LATE };
/* Whether a body of this response may pass: type, strict JSON, schema. *body is NULL for an empty one. May wait. */
enum answer_verdict answer_check(struct arena *arena, const struct answer_wanted *wanted, const struct answer_message *message,
                                 const struct json **body, struct breach *breach) MUST_CHECK;
/* The problem that belongs to a verdict other than ANSWER_GOOD; a breach is counted and reported. */
const struct problem *answer_refused(struct arena *arena, const struct answer_wanted *wanted, enum answer_verdict verdict,
                                     const struct breach *breach);
/* A problem that names department and operation. */
struct problem *department_problem(struct arena *arena, enum problem_type type, struct bilingual detail, struct str department,
                                   const struct operation *operation);
/* The problem for a status that is no success and described by the contract: a department's own fault or ours. */
const struct problem *answer_refusal(struct arena *arena, const struct answer_wanted *wanted,
                                     const struct answer_message *message);

#endif
