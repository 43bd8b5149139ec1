/* Sessions: an opaque token for the citizen, a record in Redis, a copy in each worker that Redis empties on a change. */
#ifndef SHIMIN_SESSION_H
#define SHIMIN_SESSION_H

#include <shimin/citizen.h>

enum session_outcome {
    SESSION_FOUND,
    SESSION_UNKNOWN,     /* never existed, revoked or expired */
    SESSION_UNAVAILABLE, /* Redis is away, and the worker has no copy that it may trust */
};

/* The citizen of a token, into the request's arena. Answers from the worker's copy without a round trip while tracking is on,
 * else waits for Redis. Counts as use of the session: the idle time begins anew (told to Redis at most once a minute). */
enum session_outcome session_find(struct arena *arena, struct str token, const struct citizen **citizen) MUST_CHECK;

/* Has this worker a copy of the token's session, so that it costs nothing to find? Does not wait. */
bool session_is_near(struct str token);

/* A new session for the citizen (id, level, phone_number, name and id_number are taken; session_id is made). The token is in
 * nobody's hands but the caller's. Waits. */
struct session_new {
    struct str token;
    struct str id;
    int64_t expires_at; /* wall: when it ends even if used */
};
enum session_outcome session_open(struct arena *arena, const struct citizen *citizen, struct str device,
                                  struct session_new *made) MUST_CHECK;

/* What its owner may see of a session. */
struct session_entry {
    struct str id;
    enum level level;
    struct str device; /* User-Agent at login, cut to 120 bytes */
    int64_t opened_at, expires_at;
};
/* The citizen's live sessions. Waits. */
enum session_outcome session_list(struct arena *arena, struct str citizen_id, const struct session_entry **entries,
                                  size_t *count) MUST_CHECK;
/* Ends one of the citizen's sessions; SESSION_UNKNOWN if it is not theirs. In force in every worker as soon as Redis has told
 * it, which takes milliseconds. Waits. */
enum session_outcome session_revoke(struct arena *arena, struct str citizen_id, struct str session_id) MUST_CHECK;
/* Ends all of them. */
enum session_outcome session_revoke_all(struct arena *arena, struct str citizen_id) MUST_CHECK;

/* How many sessions there are, of all citizens. Of a large Redis a part is looked at, and the whole estimated from it. Waits.
 */
struct session_count {
    int64_t sessions;
    bool exact;
};
enum session_outcome session_count(struct arena *arena, struct session_count *count) MUST_CHECK;

#endif
