/* What the snapshot says of a department's backend, compiled: immutable, shared by the workers. */
#ifndef FEDERATION_PLAN_H
#define FEDERATION_PLAN_H

#include "contract/router.h"
#include "federation/breaker.h"
#include "federation/template.h"

#define PLACES_MAX 16384 /* backends that one process may meet in its life */
#define SECURITIES_MAX 8 /* schemes in one contract that can be signed for */
#define SECURITY_NOT_KNOWN UINT8_MAX

/* A name under which this department's services send something of the citizen's. */
struct identity_name {
    struct str name;
    enum source_kind kind;
    const struct identity_name *next;
};

struct guard;
struct mapping;

struct plan {
    unsigned place; /* of the key, the same in every snapshot: where a worker keeps its state */
    unsigned number;
    struct str slug;    /* the department's */
    struct str key;     /* "metro", or "metro/tickets" of a registered system: whose breaker, cap and connections these are */
    struct str address; /* "sandbox" or an http(s) URL */
    struct str credentials; /* name in the secrets file */
    unsigned concurrency;   /* of all workers together */
    int64_t deadline;       /* microseconds; 0: the gateway's default */
    struct breaker_settings breaker;
    const struct contract *contract;
    const struct security *securities[SECURITIES_MAX];
    unsigned security_count;
    const uint8_t *security_of;           /* by the operation's index; SECURITY_NOT_KNOWN: it cannot be called */
    const struct template *const *direct; /* by the operation's index: for questions without a service */
    const struct router *router;          /* of the contract's paths, for raw passage */
    const struct guard **guards;          /* by the operation's index: the services that it stands behind */
    const struct identity_name *identities;
    uint64_t fingerprint; /* changes with whatever a worker's connections and signers are made of */
};

/* Compiles the `backend` of a department; NULL without one (*good tells), or after reporting faults. */
const struct plan *plan_compile(struct arena *arena, const struct department *department, struct fault_sink *sink,
                                bool *good) MUST_CHECK;
/* What of the citizen's that name stands for with this department: learned from its services' mappings, or by its look. */
MUST_CHECK bool plan_identity(const struct plan *plan, struct str name, enum source_kind *kind);
/* Remembers the service as a guard of its operation, and the names under which it sends the citizen's identity. While the
 * snapshot is compiled. */
void plan_learn(struct arena *arena, const struct plan *plan, const struct service *service, const struct mapping *mapping);

/* http(s)://host[:port][/base] */
struct address {
    bool tls;
    struct str host;
    uint16_t port;
    struct str base; /* without a slash at its end; may be empty */
};
MUST_CHECK bool address_parse(struct str url, struct address *address);

#endif
