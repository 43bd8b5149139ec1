/* Passwords: argon2id (RFC 9106) in PHC strings, "$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>". */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include <shimin/str.h>

struct password_cost {
    uint32_t memory; /* KiB */
    uint32_t passes;
    uint32_t lanes; /* all are computed by the calling thread: a login shall not take every processor */
};

/* RFC 9106 §4, second recommended option: 64 MiB, 3 passes, 4 lanes. */
extern const struct password_cost password_cost_default;

/* These burn the processor for a tenth of a second and hold `memory`: offload them from a worker. */
struct str password_hash(struct arena *arena, struct password_cost cost, struct str password);
/* Whether the PHC string was made of this password, in a time that depends on the string's parameters alone. false for a string
 * that is none, or that asks for more than a GiB or 16 passes. */
MUST_CHECK bool password_verify(struct str phc, struct str password);

/* Does the PHC string ask for this cost? If not it is made anew at the next login. */
bool password_is_current(struct str phc, struct password_cost cost);
/* A PHC string that no password fits and that costs as much to try: what the password of an unknown name is compared with. */
struct str password_decoy(struct arena *arena, struct password_cost cost);

#endif
