/* Asking a department: one call with a deadline, around which stand cap, breaker, retry budget, signer, cache, validation
 * and masks (gateway/federation). */
#ifndef SHIMIN_DEPARTMENT_H
#define SHIMIN_DEPARTMENT_H

#include <shimin/citizen.h>

/* What went over the wire, for whoever tries a mapping out: the last attempt of a call. Whatever proves who we are is left out.
 */
struct department_record {
    unsigned attempts;
    struct str method, url;
    struct str request_headers; /* a JSON object */
    struct str request_body;
    unsigned status;    /* 0: there was no answer */
    struct str outcome; /* "ok", "client_error", … "connect_failed", "timeout": as the metrics have it */
    struct str content_type;
    struct str response_body;
    int64_t duration;                     /* microseconds, from sending to the whole answer */
    struct str breach;                    /* how the answer breaks the contract; at == NULL: it does not */
    const struct problem_error *breaches; /* where it does */
    size_t breach_count;
};

/* How a call proves who we are: as it should, not at all, or with a proof that is wrong. For the publish gate. */
enum department_proof { PROOF_PROPER, PROOF_NONE, PROOF_WRONG };

/* What is wrong with a call on purpose, for the publish gate: a path that nobody has, and nothing else of the mapping; a
 * required parameter or the body's members left out; a resource that does not exist in the path. */
enum department_mistake { MISTAKE_NONE, MISTAKE_PATH, MISTAKE_PARAMETER, MISTAKE_RESOURCE };

struct department_question {
    struct arena *arena;
    const struct snapshot *snapshot;
    const struct service *service;       /* its operation and mapping are used … */
    const struct department *department; /* … or, without a service, this department's operation */
    struct str operation_id;
    const struct citizen *citizen; /* for citizen.* in the mapping; NULL: none */
    struct request *request;       /* for query.*, trace and language; NULL for the gateway's own work */
    const struct json *values;     /* without a service: parameters and body members by name; with one: its query.* by name */
    struct str page_cursor;        /* for the gateway's paged pulls: the page parameter's value */
    struct str idempotency_key;    /* of a write: sent as Idempotency-Key, so that a delivery may be repeated */
    struct department_record
        *record; /* filled; then nothing comes from the cache, and nothing is sent twice. NULL: not wanted */
    enum department_proof proof;
    enum department_mistake mistake; /* made where it is possible (draft_mistake_is_possible) */
};

struct department_answer {
    const struct json *body;  /* the whole body, validated against the contract */
    const struct json *items; /* the selected part: an array, or an object taken as one item; NULL if absent */
    unsigned status;          /* of the department's answer: 200, 201 … */
    int64_t as_of;            /* wall microseconds: when the department said it */
    struct str source;        /* the department's slug */
    bool stale;               /* served from the cache because the department could not be asked */
};

/* Reads and validates the parameters that the service declares (catalogue: `parameters`) out of the request's query. NULL, or a
 * problem that names every faulty one. department_ask does the same by itself; this is for asking before anything else. */
const struct problem *department_parameters_check(struct request *request, const struct service *service) MUST_CHECK;
/* Asks. NULL on success, or the problem to answer with. Waits, at most to the fiber's deadline and the operation's own. The
 * answer lives in the question's arena. */
const struct problem *department_ask(const struct department_question *question, struct department_answer *answer) MUST_CHECK;
/* Writes "items" (masked by the service's rules), "as_of", "source" and "stale" into an open object. */
void department_answer_write(struct json_out *out, struct arena *arena, const struct service *service,
                             const struct department_answer *answer);

/* Raw passage: the request goes on to the operation of the department's contract that has this path ("/v1/accounts", with its
 * leading slash and still percent-encoded) and the request's own method, query and body, validated against the contract on the
 * way there and back; same signature, cap, breaker and deadline as every call. Whatever names the citizen's identity is
 * overwritten with the citizen's own (NULL: a guest, for whom such operations and every write are refused), and a footprint is
 * left. Level, switch and masks of the services that use the operation hold here as well. Writes are sent once, with the
 * request's Idempotency-Key. Replies. Waits. */
void department_passage(struct request *request, const struct department *department, struct str path,
                        const struct citizen *citizen);

/* Records that the citizen's data was read: who, what, why, when; kept in order and flushed in batches. Does not wait. */
void footprint_record(const struct citizen *citizen, const struct service *service, struct str reader, struct str purpose,
                      struct str trace_id);

#endif
