/* What the files about credentials share. */
#ifndef SANDBOX_VERIFY_INTERNAL_H
#define SANDBOX_VERIFY_INTERNAL_H

#include "crypto/signature.h"
#include "http/request_internal.h"
#include "remembered.h"
#include "verify.h"

struct scheme;

struct verifier {
    const struct scheme *scheme;
    const char *fault;
    struct str department;
    struct signature_key *key;
    struct str key_id, client_id, client_secret, token_path;
    struct str api_key, api_key_place, api_key_name;
};

/* token.c */
MUST_CHECK bool token_check(const struct verifier *verifier, struct request *request, struct str *who, const char **reason);

#endif
