/* The floor's opening: keys, lifetimes and providers that its files share. */
#ifndef SHIMIN_IDENTITY_H
#define SHIMIN_IDENTITY_H

#include "crypto/keyring.h"
#include "crypto/password.h"
#include "identity/oidc.h"
#include "identity/password_policy.h"
#include "identity/sms.h"

struct identity_settings {
    const struct keyring *keyring;
    const struct sms_provider *sms;
    const char *verifier_department, *verifier_operation; /* that compare a name with an identity number */
    const char *face_operation, *face_result_operation; /* of the same department: open a live face's verification, and tell */
    int64_t session_idle, session_absolute;             /* of L1, microseconds */
    int64_t verified_idle, verified_absolute;           /* of L2 and up */
    int64_t staff_idle, staff_absolute;                 /* of staff */
    const struct password_policy *password_policy;      /* of staff */
    struct password_cost password_cost;
    struct oidc_settings oidc; /* of staff */
    const char *issuer;        /* of departments' tokens: "https://host" */
};

/* Once, before the workers start; `settings` must live as long as the process. */
void identity_prepare(const struct identity_settings *settings);
/* In a fiber of each worker, after redis_open. */
MUST_CHECK bool identity_open(void);
/* On the worker's loop when it stops. Requests under way are still served. */
void identity_close(void);
const struct identity_settings *identity_settings(void);

#endif
