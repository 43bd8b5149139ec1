/* Names of archetypes, levels and switch positions as they stand in files, tables and answers. */
#include <shimin/catalogue.h>

static const char *const archetypes[ARCHETYPES] = {
    [ARCHETYPE_QUERY] = "query",   [ARCHETYPE_CERT] = "cert",       [ARCHETYPE_ASSESS] = "assess",
    [ARCHETYPE_APPLY] = "apply",   [ARCHETYPE_REPORT] = "report",   [ARCHETYPE_BILL] = "bill",
    [ARCHETYPE_BOOK] = "book",     [ARCHETYPE_LISTING] = "listing", [ARCHETYPE_VOTE] = "vote",
    [ARCHETYPE_LOCATE] = "locate", [ARCHETYPE_FEED] = "feed",       [ARCHETYPE_CONTENT] = "content",
};
static const char *const levels[LEVELS] = {"L0", "L1", "L2", "L3", "L4"};
static const char *const positions[SWITCH_POSITIONS] = {
    [SWITCH_OPEN] = "open",
    [SWITCH_NO_NEW] = "no_new",
    [SWITCH_READ_ONLY] = "read_only",
    [SWITCH_OFF] = "off",
};
static const char *const scopes[SWITCH_SCOPES] = {
    [SWITCH_FOR_SERVICE] = "service",   [SWITCH_FOR_DEPARTMENT] = "department",
    [SWITCH_FOR_CATEGORY] = "category", [SWITCH_FOR_AREA] = "area",
    [SWITCH_FOR_CITY] = "city",
};

static int find(const char *const *names, int count, struct str name)
{
    for (int i = 0; i < count; i++)
        if (str_is(name, names[i]))
            return i;
    return -1;
}

const char *archetype_name(enum archetype archetype)
{
    return archetypes[archetype];
}

bool archetype_named(struct str name, enum archetype *archetype)
{
    int i = find(archetypes, ARCHETYPES, name);
    if (i >= 0)
        *archetype = (enum archetype)i;
    return i >= 0;
}

const char *level_name(enum level level)
{
    return levels[level];
}

bool level_named(struct str name, enum level *level)
{
    int i = find(levels, LEVELS, name);
    if (i >= 0)
        *level = (enum level)i;
    return i >= 0;
}

const char *switch_position_name(enum switch_position position)
{
    return positions[position];
}

bool switch_position_named(struct str name, enum switch_position *position)
{
    int i = find(positions, SWITCH_POSITIONS, name);
    if (i >= 0)
        *position = (enum switch_position)i;
    return i >= 0;
}

const char *switch_scope_name(enum switch_scope scope)
{
    return scopes[scope];
}

bool switch_scope_named(struct str name, enum switch_scope *scope)
{
    int i = find(scopes, SWITCH_SCOPES, name);
    if (i >= 0)
        *scope = (enum switch_scope)i;
    return i >= 0;
}
