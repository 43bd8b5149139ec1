/* What the files about staff share. */
#ifndef SHIMIN_IDENTITY_STAFF_H
#define SHIMIN_IDENTITY_STAFF_H

#include "identity/identity.h"

#include <shimin/pg.h>
#include <shimin/staff.h>

/* "manager engineer" as bits; words that are no roles are left out. */
unsigned staff_roles_read(struct str words);

/* Passwords on the offload threads; few at a time, since each holds the memory of its hash. false when too many are at it. */
MUST_CHECK bool staff_password_check(struct str phc, struct str password, bool *right);
MUST_CHECK bool staff_password_make(struct arena *arena, struct str password, struct str *phc);
/* What the passwords of unknown names are compared with. */
struct str staff_password_decoy(struct arena *arena);

/* Failures of a name or an address (identity/attempts.c). `begin` counts the try as a failure before it is checked, so that
 * many at once get no further than one after the other; `succeeded` takes it back. Both wait. */
enum staff_outcome attempt_begin(struct arena *arena, struct str name, struct str address, int64_t *retry_after) MUST_CHECK;
void attempt_succeeded(struct arena *arena, struct str name, struct str address);

/* A session for an account whose proof was checked just now. */
struct staff_session_opening {
    struct str staff_id, device, address;
    const char *by; /* "password", or "oidc": the city's identity provider, which has factors of its own */
    int64_t epoch;
};
MUST_CHECK bool staff_session_open(struct arena *arena, const struct staff_session_opening *opening,
                                   struct staff_session_new *made);

#endif
