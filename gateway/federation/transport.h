/* The connections to one backend, as the federation uses the HTTP client of gateway/http. */
#ifndef FEDERATION_TRANSPORT_H
#define FEDERATION_TRANSPORT_H

#include "federation/answer.h"
#include "federation/plan.h"
#include "federation/reach.h"
#include "federation/signer.h"
#include "http/upstream.h"

struct transport;

struct transport_target {
    struct address address;
    unsigned connections; /* kept open at most */
    const char *ca_file;
    const char *certificate; /* client certificate and key; NULL: none */
    const char *private_key;
    struct str pin;            /* of the department's public key; empty: none */
    const struct reach *reach; /* where its name may resolve to; NULL: anywhere, the operator chose the address */
    size_t answer_bytes;       /* of a body at most */
    size_t answer_head_bytes;
};

/* NULL, after logging why, when the certificates cannot be used. The calling worker owns it. */
MUST_CHECK struct transport *transport_open(const struct transport_target *target);
void transport_close(struct transport *transport);                 /* NULL is ignored */
struct str transport_authority(const struct transport *transport); /* as in Host */
/* Sends and waits for the whole answer, at most to `deadline`; its memory counts against the share (may be NULL). The message's
 * spans live in the arena. No redirects are followed, nothing is retried. The message's fault is filled whatever comes out.
 * `fresh` opens a connection of its own: what must not be sent twice must not meet a kept connection that the department is
 * closing just now. */
enum upstream_status transport_call(struct transport *transport, struct arena *arena, const struct outgoing *outgoing,
                                    bool fresh, int64_t deadline, struct share *share,
                                    struct answer_message *message) MUST_CHECK;

#endif
