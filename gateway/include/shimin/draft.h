/* Contracts, definitions and credentials before they are in force: checked by the code that compiles snapshots, compared, and
 * tried out. Everything here may burn the processor on an offload thread; callers wait. */
#ifndef SHIMIN_DRAFT_H
#define SHIMIN_DRAFT_H

#include <shimin/citizen.h>
#include <shimin/department.h>

/* ---- contracts ---- */

struct draft_contract {
    struct str sha256; /* of the bytes, in hex */
    struct str name;   /* "billing.yaml" */
    struct str title, version;
    unsigned operation_count;
    struct str operations; /* JSON: [{id, method, path, summary, usable, reasons: […]}] */
};

/* Loads an OpenAPI 3.0 or 3.1 document, YAML or JSON by its look. NULL, or a problem with every fault's pointer. Bounds: 16
 * MiB, depth 128, two million nodes. */
const struct problem *draft_contract_check(struct arena *arena, struct str system, struct str bytes,
                                           struct draft_contract *contract) MUST_CHECK;
/* What changes for callers from one document to the other: JSON {breaking, compatible, editorial: counts, changes: [{level,
 * kind, pointer, detail}]}. Both were taken before. */
const struct problem *draft_contract_compare(struct arena *arena, struct str before, struct str after,
                                             struct str *json) MUST_CHECK;

/* What one department may hand in. */
struct draft_quota {
    int64_t bytes_a_day, bytes;
};
struct draft_quota draft_quota(void);

/* ---- definitions ---- */

struct draft_order {
    const struct department *department; /* whose the service is */
    struct str system;
    struct str contract_sha256, contract_name, contract_bytes;
    struct str environment;        /* "production", "test", or "sandbox": its twin, played from the contract */
    struct str backend;            /* JSON object of the system: production, test, concurrency, deadline_ms */
    const struct json *definition; /* of the service; "switch" is open unless it says so */
};

struct draft; /* a snapshot that is nobody's but the caller's */

/* Compiles the definition against the contract as a snapshot does. NULL, or a problem with every fault's pointer. */
const struct problem *draft_open(struct arena *arena, const struct draft_order *order, struct draft **draft) MUST_CHECK;
void draft_close(struct draft *draft); /* NULL is ignored */
const struct service *draft_service(const struct draft *draft);
/* The definition as it was compiled, JSON. */
struct str draft_definition(const struct draft *draft);
/* Does its operation change something? */
bool draft_writes(const struct draft *draft);
/* Does the operation send anything of the citizen's? */
bool draft_sends_citizen(const struct draft *draft);
/* The name of the operation's security scheme; empty: the contract asks for none. */
struct str draft_security(const struct draft *draft);
/* Does the proof go with the connection (mutual TLS), rather than with each request? */
bool draft_proof_is_connection(const struct draft *draft);
/* What a repeated call relies on: that it reads, by its method; that it only asks, whatever its method; of a write, the
 * Idempotency-Key that the operation takes, or its method (RFC 9110 §9.2.2), or nothing. */
enum draft_replay { REPLAY_READS, REPLAY_ASKS, REPLAY_BY_KEY, REPLAY_BY_METHOD, REPLAY_UNSAFE };
enum draft_replay draft_replay(const struct draft *draft);
bool draft_mistake_is_possible(const struct draft *draft, enum department_mistake mistake);
/* Why calls cannot be signed with the credentials that are there; at == NULL: they can. */
struct str draft_credentials_fault(const struct draft *draft);
/* One call by the mapping, as department_ask; `question` needs arena, citizen, values, record, proof, mistake, and
 * idempotency_key when it writes. */
const struct problem *draft_ask(const struct draft *draft, struct department_question *question,
                                struct department_answer *answer) MUST_CHECK;

/* People who do not exist: the examples of GB 11643. NULL when there is none of that name. */
const struct citizen *draft_person(struct str name);

/* Has the sandbox play the contract, so that "sandbox" answers. NULL, or the problem. Waits. */
const struct problem *draft_twin_raise(struct arena *arena, struct str sha256, struct str bytes) MUST_CHECK;

/* ---- credentials ---- */

struct draft_credential {
    struct str kind;        /* "hmac", "private_key", "oauth2", "mutual_tls", "basic", "bearer", "api_key" */
    struct str key_id;      /* at == NULL: it has none */
    struct str fingerprint; /* 16 hex digits, keyed: equal for equal credentials, and of no use to guess them */
    struct str sealed;      /* bytes for system_credential.sealed */
};
/* Checks and encrypts what the department gave: an object with the members of the secrets file, keys and certificates as PEM
 * text. NULL, or a problem that quotes none of it. */
const struct problem *draft_credential_seal(struct arena *arena, struct str department, struct str system,
                                            struct str environment, const struct json *given,
                                            struct draft_credential *credential) MUST_CHECK;

/* Whether a department may name this address: http(s)://host[:port][/base]. */
bool draft_address_is_good(struct str address);

#endif
