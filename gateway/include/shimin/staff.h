/* Staff: login with password and one-time code, and the sessions that come of it. */
#ifndef SHIMIN_STAFF_H
#define SHIMIN_STAFF_H

#include <shimin/actor.h>
#include <shimin/problem.h>
#include <shimin/session.h>

enum staff_outcome {
    STAFF_DONE,
    STAFF_REJECTED,    /* name, password or code: never said which */
    STAFF_WAIT,        /* too many failures */
    STAFF_BUSY,        /* too many passwords are being checked */
    STAFF_UNAVAILABLE, /* Postgres or Redis is away */
    STAFF_ABSENT,
    STAFF_STALE,    /* the row's version is another by now */
    STAFF_CONFLICT, /* the name is taken; the last security account; there is a second factor already */
    STAFF_INVALID,  /* the new password is against the policy */
};

/* What an account has yet to do before it may do anything else; bits. */
enum staff_setup { STAFF_SETUP_PASSWORD = 1, STAFF_SETUP_SECOND_FACTOR = 2 };

struct staff_session {
    struct actor actor;
    struct str csrf; /* comes back in X-CSRF-Token with every change that a browser asks for */
    unsigned setup;
    int64_t expires_at; /* wall: when it ends even if used */
};

/* Whose token it is. Asks Redis for the session and Postgres for the account each time, so that a lock, a changed role or a
 * logout is in force at once. Counts as use: the idle time begins anew. Waits. */
enum session_outcome staff_session_find(struct arena *arena, struct str token, const struct staff_session **session) MUST_CHECK;
/* The session that an actor of kind ACTOR_STAFF came with. */
const struct staff_session *staff_session_of(const struct actor *actor);

struct staff_login {
    struct str name, password, code; /* code may be empty: an account without a second factor enrols it in its first session */
    struct str device, address;
};
struct staff_session_new {
    struct str token, id, csrf;
    unsigned setup;
    int64_t expires_at;
};
/* Checks name, password and code. Takes as long for unknown names as for known ones and answers alike; after a few failures of
 * one name or one address each further try must wait longer (*retry_after seconds, STAFF_WAIT), known name or not. Waits. */
enum staff_outcome staff_log_in(struct arena *arena, const struct staff_login *login, struct staff_session_new *made,
                                int64_t *retry_after) MUST_CHECK;

/* Login at the city's own identity provider (OpenID Connect), where one is configured. Its second factor is its business, so
 * such a session has nothing yet to set up. */
bool staff_oidc_offered(void);
/* Where to send the browser, and what only that browser gets. STAFF_ABSENT when not offered. Waits for the provider. */
enum staff_outcome staff_oidc_begin(struct arena *arena, struct str *url, struct str *binding) MUST_CHECK;
struct staff_oidc_answer {
    struct str state, code;
    struct str issuer;  /* RFC 9207; at == NULL: not given */
    struct str binding; /* what the browser got */
};
/* A session for the account that the provider's claim names (*name). STAFF_REJECTED when any part of the answer does not hold,
 * or there is no such account, or it is locked. Each state is good once. Waits. */
enum staff_outcome staff_oidc_finish(struct arena *arena, const struct staff_oidc_answer *answer,
                                     const struct staff_login *login, struct staff_session_new *made,
                                     struct str *name) MUST_CHECK;

/* What its owner may see of a session. */
struct staff_session_entry {
    struct str id, device, address;
    int64_t opened_at, expires_at;
};
enum session_outcome staff_session_list(struct arena *arena, struct str staff_id, const struct staff_session_entry **entries,
                                        size_t *count) MUST_CHECK;
/* SESSION_UNKNOWN if it is not theirs. Waits. */
enum session_outcome staff_session_revoke(struct arena *arena, struct str staff_id, struct str session_id) MUST_CHECK;
enum session_outcome staff_session_revoke_all(struct arena *arena, struct str staff_id) MUST_CHECK;

/* A new account with a password for its first login, which is told once. */
struct staff_new {
    struct str name, display_name, roles; /* words */
    struct str department, area;          /* at == NULL: none */
    struct str created_by;
};
/* STAFF_CONFLICT: the name is taken. Waits. */
enum staff_outcome staff_create(struct arena *arena, const struct staff_new *account, struct str *id,
                                struct str *password) MUST_CHECK;
/* A password for the next login, and no second factor: for who lost theirs. All their sessions end. Waits. */
enum staff_outcome staff_reset(struct arena *arena, struct str staff_id, struct str *password) MUST_CHECK;

/* What staff do with their own credentials. Each ends all their sessions and gives a new one; `login` has device and address.
 */
/* STAFF_REJECTED: `current` is not the password; STAFF_INVALID with *fault. Waits. */
enum staff_outcome staff_change_password(struct arena *arena, const struct actor *actor, struct str current,
                                         struct str password, const struct staff_login *login, struct staff_session_new *made,
                                         struct bilingual *fault) MUST_CHECK;
/* A new secret to be confirmed, as an otpauth URI; STAFF_CONFLICT if one is confirmed already. Waits. */
enum staff_outcome staff_enrol(struct arena *arena, const struct actor *actor, struct str *uri) MUST_CHECK;
/* A code of the new secret: from now on each login needs one. STAFF_REJECTED for a wrong code or without a secret. Waits. */
enum staff_outcome staff_confirm(struct arena *arena, const struct actor *actor, const struct staff_login *login,
                                 struct staff_session_new *made) MUST_CHECK;

#endif
