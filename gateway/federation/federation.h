/* The federation as the gateway's start sees it: settings, opening in each worker, the compiler of snapshots. */
#ifndef FEDERATION_FEDERATION_H
#define FEDERATION_FEDERATION_H

#include "crypto/keyring.h"
#include "federation/secrets.h"
#include <shimin/department.h>

/* Shared by the workers; must live as long as the process. */
struct federation_settings {
    const char *sandbox_host;    /* where the sandbox plays the departments */
    uint16_t sandbox_first_port; /* of department number 1 */
    bool sandbox_tls;            /* of all; departments that ask for mutual TLS are called over TLS anyhow */
    const struct json
        *addresses; /* configuration map `departments`: slug → {address: …}, before the catalogue's; may be NULL */
    const struct secrets *secrets; /* may be NULL */
    const char *ca_file;           /* authorities of the departments' certificates; NULL: the system's */
    /* Ranges that a backend's address may resolve to, "10.0.0.0/8"; ends in NULL; NULL: any. A catalogue's author must not be
     * able to point the gateway at its own insides. The sandbox and `addresses` are the operator's and not bound by it. */
    const char *const *allowed_ranges;
    const struct keyring *keyring; /* encrypts cached answers; NULL: personal answers are not cached */
    bool cache;
    int64_t default_deadline; /* microseconds for departments that name none; 0: 3 s */
    int64_t queue_wait;       /* microseconds that a call may wait for a slot; 0: 200 ms */
    const char *spool_dir;    /* footprints that Postgres cannot take now; NULL: memory only */
};

/* Once a process, before threads and before the first snapshot: metrics, and the compiler of backends and mappings. */
void federation_prepare(void);
/* In a fiber of each worker, after the stores are open. */
MUST_CHECK bool federation_open(const struct federation_settings *settings);
/* On the worker's loop when it stops: what is queued goes to Postgres or to disk. */
void federation_close(void);
/* New credentials for the calling worker; connections and signers are made anew with the next call to each department. The old
 * ones must stay for calls under way: free them a minute later, or never. */
void federation_use_secrets(const struct secrets *secrets);

#endif
