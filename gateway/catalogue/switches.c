/* Which switch is in force for whom, and which are planned. */
#include "catalogue/definitions.h"

#include "crypto/digest.h"

#include <shimin/clock.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hmac *share_key;

void switches_open(const uint8_t key[32])
{
    share_key = hmac_new(DIGEST_SHA256, (struct str){(const char *)key, DIGEST_SIZE});
}

/* Keyed by the switch as well, so that it is not always the same citizens who are hit; the same in every gateway, and as long
 * as the switch lasts. A guest has nothing that lasts: an address is shared by thousands, and changes. */
static bool share_hits(const struct switch_state *set, struct str citizen_id)
{
    if (!citizen_id.len || !share_key)
        return false;
    char id[24];
    snprintf(id, sizeof id, "%" PRId64 ":", set->id);
    const struct str parts[] = {str_of(id), citizen_id};
    uint8_t digest[DIGEST_SIZE];
    uint32_t number;
    hmac_sign(share_key, parts, COUNT_OF(parts), digest);
    memcpy(&number, digest, sizeof number);
    return number % 100 < set->share;
}

/* What one evaluation knows; the clock is read only where there is a window. */
struct looking {
    const struct switch_asker *asker;
    int64_t now;
};

static bool is_in_force(struct looking *looking, const struct switch_state *set)
{
    if (!looking->now && (set->from || set->until))
        looking->now = clock_wall();
    if ((set->from && looking->now < set->from) || (set->until && looking->now >= set->until))
        return false;
    return !set->share || (looking->asker && share_hits(set, looking->asker->citizen_id));
}

static const struct switch_state *find_in_force(struct looking *looking, const struct switch_entry *entry)
{
    while (entry && !is_in_force(looking, &entry->state))
        entry = entry->next;
    return entry ? &entry->state : NULL;
}

static const struct switch_entry *entries_of(const struct switches *switches, enum switch_scope scope, unsigned index)
{
    return switches->of[scope] ? switches->of[scope][index] : NULL;
}

static void restrict_by(struct looking *looking, const struct switch_entry *entry, const struct switch_state **most)
{
    const struct switch_state *set = find_in_force(looking, entry);
    if (set && set->position > (*most)->position)
        *most = set;
}

/* An area's switch holds for all that lies in it. */
static void restrict_by_area(struct looking *looking, const struct snapshot *snapshot, unsigned area,
                             const struct switch_state **most)
{
    for (; area != AREA_NONE; area = snapshot->definitions->areas[area].parent)
        restrict_by(looking, entries_of(&snapshot->switches, SWITCH_FOR_AREA, area), most);
}

struct switch_state snapshot_switch(const struct snapshot *snapshot, const struct service *service,
                                    const struct switch_asker *asker)
{
    const struct switches *switches = &snapshot->switches;
    struct looking looking = {.asker = asker};
    const struct switch_state *most = find_in_force(&looking, entries_of(switches, SWITCH_FOR_SERVICE, service->index));
    if (!most)
        most = &service->declared;
    if (!switches->wide)
        return *most;
    restrict_by(&looking, entries_of(switches, SWITCH_FOR_DEPARTMENT, service->department->index), &most);
    restrict_by(&looking, entries_of(switches, SWITCH_FOR_CATEGORY, service->category_index), &most);
    if (switches->of[SWITCH_FOR_AREA]) {
        restrict_by_area(&looking, snapshot, service->area, &most);
        if (asker && asker->area)
            restrict_by_area(&looking, snapshot, (unsigned)(asker->area - snapshot->definitions->areas), &most);
    }
    restrict_by(&looking, entries_of(switches, SWITCH_FOR_CITY, 0), &most);
    return *most;
}

struct switch_state snapshot_department_switch(const struct snapshot *snapshot, const struct department *department)
{
    static const struct switch_state open = {.position = SWITCH_OPEN, .scope = SWITCH_FOR_DEPARTMENT};
    const struct switch_state *most = &open;
    struct looking looking = {0};
    restrict_by(&looking, entries_of(&snapshot->switches, SWITCH_FOR_DEPARTMENT, department->index), &most);
    restrict_by(&looking, entries_of(&snapshot->switches, SWITCH_FOR_CITY, 0), &most);
    return *most;
}

bool snapshot_switches_areas(const struct snapshot *snapshot)
{
    return snapshot->switches.of[SWITCH_FOR_AREA] != NULL;
}

/* ---- plans ---- */

struct plans {
    struct arena *arena;
    struct switch_state *list;
    size_t count, room;
    int64_t now;
};

static void add_plans(struct plans *plans, const struct switch_entry *entry)
{
    for (; entry; entry = entry->next) {
        if (entry->state.from <= plans->now)
            continue;
        if (plans->count == plans->room) {
            size_t room = plans->room ? 2 * plans->room : 4;
            plans->list =
                arena_grow_raw(plans->arena, plans->list, plans->room * sizeof *plans->list, room * sizeof *plans->list);
            plans->room = room;
        }
        plans->list[plans->count++] = entry->state;
    }
}

static int compare_beginnings(const void *a, const void *b)
{
    const struct switch_state *left = a, *right = b;
    return left->from != right->from ? (left->from > right->from) - (left->from < right->from)
                                     : (left->id > right->id) - (left->id < right->id);
}

static size_t finish_plans(struct plans *plans, const struct switch_state **list)
{
    if (plans->count)
        qsort(plans->list, plans->count, sizeof *plans->list, compare_beginnings);
    *list = plans->list;
    return plans->count;
}

size_t snapshot_service_plans(const struct snapshot *snapshot, struct arena *arena, const struct service *service,
                              const struct switch_state **list)
{
    const struct switches *switches = &snapshot->switches;
    *list = NULL;
    if (!switches->planned)
        return 0;
    struct plans plans = {.arena = arena, .now = clock_wall()};
    add_plans(&plans, entries_of(switches, SWITCH_FOR_SERVICE, service->index));
    add_plans(&plans, entries_of(switches, SWITCH_FOR_DEPARTMENT, service->department->index));
    add_plans(&plans, entries_of(switches, SWITCH_FOR_CATEGORY, service->category_index));
    for (unsigned area = service->area; area != AREA_NONE; area = snapshot->definitions->areas[area].parent)
        add_plans(&plans, entries_of(switches, SWITCH_FOR_AREA, area));
    add_plans(&plans, entries_of(switches, SWITCH_FOR_CITY, 0));
    return finish_plans(&plans, list);
}

size_t snapshot_department_plans(const struct snapshot *snapshot, struct arena *arena, const struct department *department,
                                 const struct switch_state **list)
{
    *list = NULL;
    if (!snapshot->switches.planned)
        return 0;
    struct plans plans = {.arena = arena, .now = clock_wall()};
    add_plans(&plans, entries_of(&snapshot->switches, SWITCH_FOR_DEPARTMENT, department->index));
    add_plans(&plans, entries_of(&snapshot->switches, SWITCH_FOR_CITY, 0));
    return finish_plans(&plans, list);
}

int64_t snapshot_switch_changes_at(const struct snapshot *snapshot)
{
    const struct switches *switches = &snapshot->switches;
    if (!switches->change_count)
        return INT64_MAX;
    int64_t now = clock_wall();
    size_t low = 0, high = switches->change_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (switches->changes[middle] > now)
            high = middle;
        else
            low = middle + 1;
    }
    return low < switches->change_count ? switches->changes[low] : INT64_MAX;
}
