/* The gateway signs the chain's end every few minutes, and when it stops. */
#ifndef EDGE_AUDIT_CHECKPOINT_H
#define EDGE_AUDIT_CHECKPOINT_H

#include "crypto/record_key.h"

struct audit_checkpoint_settings {
    const struct record_key *key; /* NULL: nothing is signed here */
    int64_t period;               /* microseconds between two checkpoints of all gateways together */
};

/* At start, before threads. */
void audit_checkpoint_prepare(const struct audit_checkpoint_settings *settings);
const struct record_key *audit_signing_key(void);
/* In each worker; the first one signs. */
void audit_checkpoint_open(void);
/* At the worker's end, after audit_close: signs what has been recorded so far. */
void audit_checkpoint_close(void);

#endif
