/* Snapshots: definitions together with the switches that hold now. */
#include "catalogue/definitions.h"

#include <inttypes.h>

void snapshot_reference(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->references, 1);
}

void snapshot_release(struct snapshot *snapshot)
{
    if (snapshot && atomic_fetch_sub(&snapshot->references, 1) == 1) {
        definitions_release(snapshot->definitions);
        arena_close(snapshot->arena);
    }
}

/* Takes over the caller's reference to the definitions, also when it fails. */
static struct snapshot *snapshot_make(struct definitions *definitions, const struct json *document, struct text *faults)
{
    struct arena *arena = arena_open();
    struct snapshot *snapshot = arena_new(arena, struct snapshot);
    *snapshot = (struct snapshot){
        .references = 1,
        .arena = arena,
        .definitions = definitions,
        .switches_version = json_get_integer(document, "switches_version", 0),
        .version = str_printf(arena, "%.*s.%" PRId64, STR_ARG(definitions->version),
                              json_get_integer(document, "switches_version", 0)),
    };
    size_t before = faults->len;
    switches_read(&snapshot->switches, arena, definitions, document, faults);
    tunings_read(snapshot, document, faults);
    if (faults->len == before)
        return snapshot;
    snapshot_release(snapshot);
    return NULL;
}

static struct snapshot *with_switches_of(struct definitions *definitions, struct str document, struct text *faults)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    struct json_error error;
    const struct json *parsed = json_parse(scratch, document, &json_limits_document, &error);
    if (!parsed) {
        text_printf(faults, "switches document:%u: %s\n", error.line, error.reason);
        definitions_release(definitions);
        return NULL;
    }
    return snapshot_make(definitions, parsed, faults);
}

struct snapshot *snapshot_compile(struct str document, struct str (*contract_bytes)(struct arena *arena, struct str sha256),
                                  struct text *faults)
{
    struct definitions *definitions = definitions_compile(document, contract_bytes, faults);
    return definitions ? snapshot_make(definitions, definitions->document, faults) : NULL;
}

struct snapshot *snapshot_with_switches(struct snapshot *base, struct str document, struct text *faults)
{
    atomic_fetch_add(&base->definitions->references, 1);
    return with_switches_of(base->definitions, document, faults);
}

struct str snapshot_version(const struct snapshot *snapshot)
{
    return snapshot->version;
}

size_t snapshot_services(const struct snapshot *snapshot, const struct service **first)
{
    *first = snapshot->definitions->services;
    return snapshot->definitions->service_count;
}

size_t snapshot_departments(const struct snapshot *snapshot, const struct department **first)
{
    *first = snapshot->definitions->departments;
    return snapshot->definitions->department_count;
}

size_t snapshot_categories(const struct snapshot *snapshot, const struct category **first)
{
    *first = snapshot->definitions->categories;
    return snapshot->definitions->category_count;
}

const struct service *snapshot_service(const struct snapshot *snapshot, struct str slug)
{
    int64_t index = slug_table_find(&snapshot->definitions->service_slugs, slug);
    return index < 0 ? NULL : &snapshot->definitions->services[index];
}

const struct department *snapshot_department(const struct snapshot *snapshot, struct str slug)
{
    int64_t index = slug_table_find(&snapshot->definitions->department_slugs, slug);
    return index < 0 ? NULL : &snapshot->definitions->departments[index];
}

/* 510104000000 is 510104: the longer forms of upper levels end in zeros (GB/T 2260 and the statistical extension). */
const struct area *snapshot_area(const struct snapshot *snapshot, struct str code)
{
    static const size_t lengths[] = {12, 9, 6, 4};
    const struct definitions *all = snapshot->definitions;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        if (code.len < lengths[i])
            continue;
        for (size_t j = lengths[i]; j < code.len; j++)
            if (code.at[j] != '0')
                return NULL;
        int64_t index = slug_table_find(&all->area_codes, str_slice(code, 0, lengths[i]));
        if (index >= 0)
            return &all->areas[index];
    }
    return NULL;
}

const struct area *snapshot_area_at(const struct snapshot *snapshot, unsigned index)
{
    return index < snapshot->definitions->area_count ? &snapshot->definitions->areas[index] : NULL;
}

/* The digest is of the service as well: who is first to try one is not first to try all. */
const struct service *service_version_for(const struct service *service, struct str who)
{
    if (!service->canary || !who.at)
        return service;
    uint64_t place = (str_hash(who) ^ str_hash(service->slug) * 0x9e3779b97f4a7c15U);
    place = (place ^ place >> 33) * 0xff51afd7ed558ccdU;
    return (place ^ place >> 33) % 10000 < service->canary_share ? service->canary : service;
}
