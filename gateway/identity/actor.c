/* Names of roles and scopes, and what histories call an actor. */
#include <shimin/actor.h>

static const char *const roles[ROLES] = {
    [ROLE_SYSTEM] = "system",     [ROLE_SECURITY] = "security", [ROLE_AUDIT] = "audit",
    [ROLE_OPERATOR] = "operator", [ROLE_MANAGER] = "manager",   [ROLE_ENGINEER] = "engineer",
};

static const char *const scopes[SCOPES] = {
    [SCOPE_CONTRACTS] = "contracts", [SCOPE_SERVICES] = "services", [SCOPE_CLIENTS] = "clients",
    [SCOPE_TRAFFIC] = "traffic",     [SCOPE_WEBHOOKS] = "webhooks",
};

static const char *const kinds[] = {[ACTOR_STAFF] = "staff", [ACTOR_CLIENT] = "client"};

static bool find(const char *const *names, int count, struct str name, int *found)
{
    for (*found = 0; *found < count; (*found)++)
        if (str_is(name, names[*found]))
            return true;
    return false;
}

const char *role_name(enum role role)
{
    return roles[role];
}

bool role_named(struct str name, enum role *role)
{
    int found;
    if (!find(roles, ROLES, name, &found))
        return false;
    *role = (enum role)found;
    return true;
}

const char *scope_name(enum scope scope)
{
    return scopes[scope];
}

bool scope_named(struct str name, enum scope *scope)
{
    int found;
    if (!find(scopes, SCOPES, name, &found))
        return false;
    *scope = (enum scope)found;
    return true;
}

struct str actor_label(struct arena *arena, const struct actor *actor)
{
    return str_printf(arena, "%s:%.*s", kinds[actor->kind], STR_ARG(actor->name));
}

bool actor_may(const struct actor *actor, enum role role)
{
    return actor->roles & (1U << role);
}
