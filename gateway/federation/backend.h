/* A department as one worker knows it: connections, signers, cap, breaker, budget, counters. Outlives snapshots. */
#ifndef FEDERATION_BACKEND_H
#define FEDERATION_BACKEND_H

#include "federation/breaker.h"
#include "federation/budget.h"
#include "federation/bulkhead.h"
#include "federation/federation.h"
#include "federation/outcome.h"
#include "federation/traffic.h"
#include "federation/transport.h"
#include <shimin/metrics.h>

/* What is replaced when address, scheme or credentials change; calls under way keep the one they began with. */
struct link {
    struct transport *transport;
    struct str base; /* of the paths */
    struct str scheme;
    struct signer *signers[SECURITIES_MAX];
    struct arena *arena;
    unsigned references;
    bool broken; /* could not be made: tried again with the next secrets */
};

struct backend {
    struct arena *arena;
    struct str slug; /* the plan's key */
    uint64_t fingerprint;
    int64_t deadline;     /* microseconds that a call may take */
    unsigned connections; /* that the link may have: as many as calls */
    unsigned generation;  /* of the secrets that the link was made with */
    uint64_t secret;      /* digest of the one it was made with */
    struct breaker breaker;
    struct budget budget;
    struct bulkhead bulkhead;
    struct share *share; /* of memory: what its answers hold */
    struct turns turns;
    struct link *link;
    struct metric_cell *outcomes[CALL_OUTCOMES];
    struct metric_cell *duration, *retries, *state;
    struct traffic_cells operations;
};

void backends_open(const struct federation_settings *settings);
void backends_use_secrets(const struct secrets *secrets);
/* The worker's backend of this plan, made or changed where the plan asks for it. Does not wait. */
struct backend *backend_of(const struct plan *plan);
/* Where the department may have us connect to. */
const struct reach *backend_reach(struct str slug);
struct link *link_hold(struct backend *backend);
/* One of its own that shows no certificate (PROOF_NONE) or one that nobody vouches for (PROOF_WRONG). link_release closes it.
 */
struct link *link_of_stranger(const struct plan *plan, enum department_proof proof);
void link_release(struct link *link);
/* Why nothing can be signed by this scheme with the credentials that the worker has; NULL: it can. */
const char *backend_credentials_fault(const struct plan *plan, const struct security *security);
void backend_count(struct backend *backend, enum call_outcome outcome);

#endif
