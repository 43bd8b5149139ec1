/* A player plays one department: its contract, what its answers look like, who may call it and how it behaves. */
#ifndef SANDBOX_PLAYER_H
#define SANDBOX_PLAYER_H

#include "behaviour.h"
#include "contract/router.h"
#include "envelope.h"
#include "shape.h"
#include "verify.h"

struct played_operation {
    const struct operation *operation;
    struct player *player;
    struct answer_shape answer;
    const char *type; /* content-type of the answer */
    const struct envelope *envelopes;
    const struct verifier *verifier;
    struct str unplayable;           /* of a twin: why no answer can be made; at == NULL: one can */
    const char *const *header_names; /* of its header parameters, in lower case; ends in NULL */
};

/* Read-only once made, but for the behaviour; lives as long as the process. */
struct player {
    struct str slug;
    struct str title;
    struct str credentials;
    unsigned number;
    unsigned port;
    bool tls;
    bool is_twin; /* of a document that came over the network: what cannot be played is left unplayed */
    const struct contract *contract;
    struct router *router;
    struct played_operation *operations;
    unsigned operation_count;
    const struct verifier *token_verifier; /* the one with a token endpoint, or NULL */
    struct behaviour_slot *behaviour;
};

/* Prepares a player for the contract, which it owns from then on: slug, title, number, port, credentials are the caller's to
 * fill before. Every fault is a line in *faults; false when there is any that makes it unplayable. What an operation cannot
 * answer is such a fault, with the reason; an answer that would not be valid against the contract too. */
MUST_CHECK bool player_prepare(struct player *player, struct arena *arena, const struct contract *contract,
                               const struct secrets *secrets, bool secrets_given, struct text *faults);
/* The kind of security of its operations, for people: "HMAC-SHA256", "oauth2", "mutualTLS", "none". */
struct str player_security(const struct player *player);

#endif
