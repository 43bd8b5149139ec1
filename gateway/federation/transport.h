/* The connections to one backend, as the federation uses the HTTP client of gateway/http. */
#ifndef FEDERATION_TRANSPORT_H
#define FEDERATION_TRANSPORT_H

#include "federation/answer.h"
#include "federation/plan.h"
#include "federation/signer.h"

struct transport;

struct transport_target {
    struct address address;
    unsigned connections; /* kept open at most */
    const char *ca_file;
    const char *certificate; /* client certificate and key; NULL: none */
    const char *private_key;
    const char *const *allowed_ranges; /* NULL: any */
};

enum transport_outcome {
    TRANSPORT_ANSWERED,
    TRANSPORT_CONNECT_FAILED,
    TRANSPORT_TIMEOUT,
    TRANSPORT_RESET,
    TRANSPORT_STALE, /* a kept connection had been closed: nothing is known of the department's health */
    TRANSPORT_GARBAGE,
    TRANSPORT_TOO_LARGE,
    TRANSPORT_CANCELLED,
};

#define ANSWER_BYTES_MOST (8u << 20)

/* NULL, after logging why, when the certificates cannot be used. The calling worker owns it. */
MUST_CHECK struct transport *transport_open(const struct transport_target *target);
void transport_close(struct transport *transport); /* no call may be under way; NULL is ignored */
struct str transport_authority(const struct transport *transport); /* as in Host */
/* Sends and waits for the whole answer, at most to `deadline`. The message's spans live in the arena. No redirects are
 * followed, nothing is retried. */
enum transport_outcome transport_call(struct transport *transport, struct arena *arena, const struct outgoing *outgoing,
                                      int64_t deadline, struct answer_message *message) MUST_CHECK;

#endif
