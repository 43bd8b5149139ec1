/* The federation as the gateway's start sees it: settings, opening in each worker, the compiler of snapshots. */
#ifndef FEDERATION_FEDERATION_H
#define FEDERATION_FEDERATION_H

#include "base/config.h"
#include "crypto/keyring.h"
#include "federation/reach.h"
#include "federation/secrets.h"
#include <shimin/department.h>

/* What a department's answer may be, and what a department may hold of us. */
struct federation_limits {
    size_t head_bytes; /* of an answer's head */
    size_t body_bytes;
    size_t depth; /* of its JSON */
    size_t nodes;
    size_t department_bytes; /* memory that the answers of one department may hold together, in all workers */
    int64_t deadline;        /* microseconds: no department gets more, whatever the catalogue says */
    unsigned concurrency;    /* likewise */
};
extern const struct federation_limits federation_limits_default;

struct department_reach {
    struct str slug;
    struct reach reach;
};

/* Shared by the workers; must live as long as the process. */
struct federation_settings {
    const char *sandbox_host;      /* where the sandbox plays the departments */
    uint16_t sandbox_first_port;   /* of department number 1 */
    uint16_t sandbox_control_port; /* where it plays what is uploaded; 0: it does not */
    bool sandbox_tls;              /* of all; departments that ask for mutual TLS are called over TLS anyhow */
    const struct json
        *addresses; /* configuration map `departments`: slug → {address: …}, before the catalogue's; may be NULL */
    const struct secrets *secrets; /* may be NULL */
    const char *ca_file;           /* authorities of the departments' certificates; NULL: the system's */
    /* Where a backend's address may lie; NULL: public addresses only. A catalogue's author must not be able to point the
     * gateway at its own insides. The sandbox and `addresses` are the operator's and not bound by it. */
    const struct reach *reach;
    const struct department_reach *reaches; /* of single departments, in place of `reach` */
    size_t reach_count;
    struct federation_limits limits; /* zeros: the defaults */
    const struct keyring *keyring;   /* encrypts cached answers; NULL: personal answers are not cached */
    bool cache;
    int64_t default_deadline; /* microseconds for departments that name none; 0: 3 s */
    int64_t queue_wait;       /* microseconds that a call may wait for a slot; 0: 200 ms */
    const char *url;          /* this gateway's own, whose host webhooks are told they come from; NULL: localhost */
    int64_t contract_bytes_a_day, contract_bytes; /* that a department may register */
    const char *spool_dir;                        /* footprints that Postgres cannot take now; NULL: memory only */
};

/* Reads `federation.*` and `departments` of the configuration into *settings; false with a line in *faults for each fault. What
 * other parts bring (sandbox, secrets, keyring) is left as it is. */
MUST_CHECK bool federation_read(struct arena *arena, const struct config *config, struct federation_settings *settings,
                                struct text *faults);
/* Once a process, before threads and before the first snapshot: metrics, and the compiler of backends and mappings. */
void federation_prepare(void);
/* In a fiber of each worker, after the stores are open. */
MUST_CHECK bool federation_open(const struct federation_settings *settings);
/* In a fiber of each worker, after pg_open and federation_open: takes up the credentials that departments register, now and
 * whenever they change. */
void federation_listen(void);
/* On the worker's loop when it stops: what is queued goes to Postgres or to disk. */
void federation_close(void);
/* New credentials for the calling worker; connections and signers are made anew with the next call to each department. The old
 * ones must stay for calls under way: free them a minute later, or never. */
void federation_use_secrets(const struct secrets *secrets);

#endif
