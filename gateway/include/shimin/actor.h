/* Actors: whoever acts and is not a citizen: a member of staff with an account, or a department's program (a client). */
#ifndef SHIMIN_ACTOR_H
#define SHIMIN_ACTOR_H

#include <shimin/arena.h>
#include <shimin/str.h>

enum actor_kind { ACTOR_STAFF, ACTOR_CLIENT };

/* What a member of staff may do. The city's: system (services, switches), security (accounts), audit (the log), operator (as
 * system, within a department or an area). A department's: manager (its accounts and clients, and all that follows), engineer
 * (contracts, services, try-out, webhooks). */
enum role { ROLE_SYSTEM, ROLE_SECURITY, ROLE_AUDIT, ROLE_OPERATOR, ROLE_MANAGER, ROLE_ENGINEER, ROLES };
const char *role_name(enum role role);
MUST_CHECK bool role_named(struct str name, enum role *role);

/* What a client may do for its department. */
enum scope { SCOPE_CONTRACTS, SCOPE_SERVICES, SCOPE_CLIENTS, SCOPE_TRAFFIC, SCOPE_WEBHOOKS, SCOPES };
const char *scope_name(enum scope scope);
MUST_CHECK bool scope_named(struct str name, enum scope *scope);

struct actor {
    enum actor_kind kind;
    struct str id;         /* UUID of the staff account; client_id of a client */
    struct str name;       /* shown in histories: the account's user name, or the client's name */
    unsigned roles;        /* bits 1U << enum role; 0 for clients */
    unsigned scopes;       /* bits 1U << enum scope; 0 for staff */
    struct str department; /* slug; at == NULL: the city's own. An operator's rights end there, all else of it is foreign */
    struct str area;       /* code; at == NULL: everywhere */
    struct str session_id; /* public id of the session or token */
};

struct request;
/* NULL on citizens' operations; never NULL where x-shimin names staff or client. Lives as long as the request. */
const struct actor *request_actor(const struct request *request);
/* "staff:alice", "client:metro-ci": for set_by columns and the audit. */
struct str actor_label(struct arena *arena, const struct actor *actor);
bool actor_may(const struct actor *actor, enum role role);

/* What the audit record of this request says beyond its operation: the object ("service:metro-arrivals") and a detail that
 * holds nothing personal. Both are copied; called again it replaces them, and empty ones leave out. */
void request_audit(struct request *request, struct str object, struct str detail);

#endif
