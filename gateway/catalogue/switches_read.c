/* Reads the switches of a snapshot's document: each goes to the list of what it holds for. */
#include "catalogue/definitions.h"

#include <shimin/clock.h>

#include <stdlib.h>

enum { SHARE_MOST = 99 };

struct reading {
    struct switches *switches;
    struct arena *arena;
    const struct definitions *definitions;
    struct text *faults;
    int64_t now;
};

static int64_t wall_member(const struct json *row, const char *name, struct text *faults)
{
    struct str text = json_get_string(row, name, STR(""));
    int64_t wall = 0;
    if (text.len && !time_parse_rfc3339(text, &wall))
        text_printf(faults, "switches: \"%s\" is no RFC 3339 time\n", name);
    return wall;
}

static size_t targets_of(const struct definitions *all, enum switch_scope scope)
{
    const size_t counts[SWITCH_SCOPES] = {all->service_count, all->department_count, all->category_count, all->area_count, 1};
    return counts[scope];
}

static int64_t target_index(const struct definitions *all, enum switch_scope scope, struct str target)
{
    const struct slug_table *const tables[SWITCH_SCOPES] = {&all->service_slugs, &all->department_slugs, &all->category_slugs,
                                                            &all->area_codes, NULL};
    return tables[scope] ? slug_table_find(tables[scope], target) : 0;
}

static void add_change(struct reading *reading, int64_t at)
{
    if (at > reading->now)
        reading->switches->changes[reading->switches->change_count++] = at;
}

/* A switch of a target that the catalogue no longer has is history, not a fault. */
static void read_switch(struct reading *reading, const struct json *row)
{
    struct switches *switches = reading->switches;
    struct str target = json_get_string(row, "target", STR(""));
    struct switch_entry *entry = arena_new(reading->arena, struct switch_entry);
    struct switch_state *state = &entry->state;
    struct bilingual reason = bilingual_read(row, "reason");
    int64_t share = json_get_integer(row, "share", 0);
    *state = (struct switch_state){
        .reason = {str_copy(reading->arena, reason.zh), str_copy(reading->arena, reason.en)},
        .from = wall_member(row, "from", reading->faults),
        .until = wall_member(row, "until", reading->faults),
        .set_by = str_copy(reading->arena, json_get_string(row, "set_by", STR(""))),
        .id = json_get_integer(row, "id", 0),
        .share = (unsigned)share,
    };
    if (!switch_scope_named(json_get_string(row, "scope", STR("")), &state->scope)) {
        text_printf(reading->faults, "switches: %.*s: unknown scope\n", STR_ARG(target));
        return;
    }
    if (!switch_position_named(json_get_string(row, "position", STR("")), &state->position))
        text_printf(reading->faults, "switches: %s %.*s: unknown position\n", switch_scope_name(state->scope), STR_ARG(target));
    if (share < 0 || share > SHARE_MOST)
        text_printf(reading->faults, "switches: %s %.*s: a share is 1 to 99\n", switch_scope_name(state->scope),
                    STR_ARG(target));
    int64_t index = target_index(reading->definitions, state->scope, target);
    if (index < 0)
        return;
    const struct switch_entry ***list = &switches->of[state->scope];
    if (!*list)
        *list = arena_array(reading->arena, const struct switch_entry *, targets_of(reading->definitions, state->scope));
    entry->next = (*list)[index];
    (*list)[index] = entry;
    switches->wide |= state->scope != SWITCH_FOR_SERVICE;
    switches->planned += state->from > reading->now;
    add_change(reading, state->from);
    add_change(reading, state->until);
}

static int compare_moments(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void switches_read(struct switches *switches, struct arena *arena, const struct definitions *definitions,
                   const struct json *document, struct text *faults)
{
    const struct json *rows = json_get(document, "switches");
    size_t count = rows && rows->type == JSON_ARRAY ? rows->count : 0;
    struct reading reading = {switches, arena, definitions, faults, clock_wall()};
    *switches = (struct switches){.changes = arena_array(arena, int64_t, 2 * count)};
    for (size_t i = 0; i < count; i++)
        read_switch(&reading, &rows->items[i]);
    if (switches->change_count)
        qsort(switches->changes, switches->change_count, sizeof *switches->changes, compare_moments);
}
