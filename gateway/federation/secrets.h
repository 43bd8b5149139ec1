/* The gateway's credentials with the departments, from one file that only its owner may read. See README.md for its form. */
#ifndef FEDERATION_SECRETS_H
#define FEDERATION_SECRETS_H

#include <shimin/arena.h>
#include <shimin/json.h>

struct secret {
    struct str key_id;
    struct str hmac_key;         /* decoded */
    struct str private_key;      /* PEM text */
    struct str private_key_path; /* as given; at == NULL when the text stands in the file */
    struct str certificate;      /* the client's (PEM, chain allowed): a path, or the text itself */
    struct str ca;               /* the department's own authority, likewise; at == NULL: the gateway's */
    struct str pin;              /* hex SHA-256 of the department's public key (SPKI) */
    struct str client_id;
    struct str client_secret;
    struct str scope;
    struct str api_key;
    struct str username;
    struct str password;
    struct str token; /* of http bearer, given to us once for all */
};

struct secrets; /* read-only once loaded; threads may share it */

/* Reads the file; relative paths in it are relative to its folder. NULL when it is missing, can be read or written by group or
 * others, or has any fault; each fault is a line "path:line: reason\n" in *faults that quotes no secret. Waits for the disk:
 * for start-up and reloading, not for a worker's loop. The caller owns it. */
MUST_CHECK const struct secrets *secrets_load(const char *path, struct text *faults);
/* From the text itself; `path` names it in faults and is what relative paths start from. */
MUST_CHECK const struct secrets *secrets_parse(struct str text, const char *path, struct text *faults);
/* Those of the file (may be NULL) and after them those of the text, JSON of the same form that must hold its keys and
 * certificates itself: what came over the network names no file of ours. NULL with lines in *faults. The caller owns it. */
MUST_CHECK const struct secrets *secrets_join(const struct secrets *file, struct str text, struct text *faults);
/* Changes with any member; 0 of NULL. */
uint64_t secret_digest(const struct secret *secret);
/* The public part that tells credentials apart: key id, client id or user name; at == NULL: they have none. */
struct str secret_name(const struct secret *secret);
/* Wipes and frees; NULL is ignored. */
void secrets_free(const struct secrets *secrets);
/* The department's, by the name that its `credentials` give; NULL when there are none. `secrets` may be NULL. */
const struct secret *secrets_find(const struct secrets *secrets, struct str name);

#endif
