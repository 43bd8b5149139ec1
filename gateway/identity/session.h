/* Sessions: an opaque token for the citizen, a record in Redis, a copy in each worker that Redis empties on a change. */
#ifndef SHIMIN_SESSION_H
#define SHIMIN_SESSION_H

#include <shimin/citizen.h>

enum session_outcome {
    SESSION_FOUND,
    SESSION_UNKNOWN,     /* never existed, revoked or expired */
    SESSION_UNAVAILABLE, /* Redis is away and the worker has no copy that it may trust */
};

/* The citizen of a token, into the request's arena. Answers from the worker's copy without a round trip while tracking is on,
 * else waits for Redis. Counts as use of the session: the idle time begins anew (written to Redis at most once a minute). */
enum session_outcome session_find(struct arena *arena, struct str token, const struct citizen **citizen) MUST_CHECK;

#endif
