/* Snapshots from arbitrary documents: refused or compiled, and what is compiled can be asked for everything. The bytes after
 * the first line end, if any, are a document of switches over it. */
#include "catalogue/snapshot.h"

#include <shimin/arena.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str no_contracts(struct arena *arena, struct str sha256)
{
    (void)arena;
    (void)sha256;
    return STR("openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\n");
}

static void look_around(struct arena *arena, const struct snapshot *snapshot)
{
    const struct service *services;
    const struct department *departments;
    const struct category *categories;
    size_t count = snapshot_services(snapshot, &services);
    for (size_t i = 0; i < count; i++) {
        if (snapshot_service(snapshot, services[i].slug) != &services[i])
            __builtin_trap();
        for (unsigned j = 0; j < services[i].alias_count; j++)
            if (snapshot_service(snapshot, services[i].aliases[j]) != &services[i])
                __builtin_trap();
        (void)str_copy(arena, snapshot_switch(snapshot, &services[i], NULL).reason.zh);
        const struct switch_asker asker = {.citizen_id = STR("c"), .area = snapshot_area_at(snapshot, (unsigned)i)};
        (void)str_copy(arena, snapshot_switch(snapshot, &services[i], &asker).reason.en);
        const struct switch_state *plans;
        (void)snapshot_service_plans(snapshot, arena, &services[i], &plans);
        (void)snapshot_department_plans(snapshot, arena, services[i].department, &plans);
        (void)snapshot_service_tuning(snapshot, &services[i])->deadline;
        (void)snapshot_department_tuning(snapshot, services[i].department->slug)->deadline;
        (void)str_copy(arena, services[i].department->slug);
    }
    (void)snapshot_departments(snapshot, &departments);
    (void)snapshot_categories(snapshot, &categories);
    (void)snapshot_switch_changes_at(snapshot);
    const struct area *area;
    for (unsigned i = 0; (area = snapshot_area_at(snapshot, i)); i++) {
        (void)snapshot_area(snapshot, area->code);
        (void)str_copy(arena, area->name);
        for (unsigned j = 0; j < area->children; j++)
            if (snapshot_area_at(snapshot, area->first_child + j)->parent != i)
                __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text faults = text_open(arena, 256);
    struct str rest = {(const char *)data, size};
    struct str document = str_cut(&rest, '\n');
    struct snapshot *snapshot = snapshot_compile(document, no_contracts, &faults);
    if (!snapshot && !faults.len)
        __builtin_trap();
    if (!snapshot)
        return 0;
    look_around(arena, snapshot);
    struct snapshot *other = rest.at ? snapshot_with_switches(snapshot, rest, &faults) : NULL;
    snapshot_release(snapshot);
    if (other)
        look_around(arena, other);
    snapshot_release(other);
    return 0;
}
