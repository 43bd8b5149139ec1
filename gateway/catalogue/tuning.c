/* Settings that administrators change live, read from the same document as the switches and laid over the definitions. */
#include "catalogue/definitions.h"

#include <shimin/clock.h>

static bool read_deadline(struct tuning *tuning, const struct json *value)
{
    tuning->deadline = value->type == JSON_INTEGER ? milliseconds(value->integer) : 0;
    return tuning->deadline > 0;
}

static bool read_concurrency(struct tuning *tuning, const struct json *value)
{
    tuning->concurrency = value->type == JSON_INTEGER && value->integer > 0 ? (unsigned)value->integer : 0;
    return tuning->concurrency > 0;
}

static bool read_breaker(struct tuning *tuning, const struct json *value)
{
    const struct json *ratio = json_get(value, "ratio");
    tuning->breaker_ratio = ratio ? json_as_double(ratio) : 0;
    tuning->breaker_minimum = (unsigned)json_get_integer(value, "minimum", 0);
    return tuning->breaker_ratio > 0 && tuning->breaker_ratio <= 1 && tuning->breaker_minimum > 0;
}

static bool read_cache(struct tuning *tuning, const struct json *value)
{
    int64_t fresh = json_get_integer(value, "fresh", -1), stale = json_get_integer(value, "stale", -1);
    tuning->caches = true;
    tuning->fresh = seconds(fresh);
    tuning->stale = seconds(stale);
    return fresh >= 0 && stale >= 0;
}

static bool read_limit(struct tuning *tuning, const struct json *value)
{
    tuning->requests = json_get_integer(value, "requests", 0);
    tuning->window = json_get_integer(value, "window", 0);
    return tuning->requests > 0 && tuning->window > 0;
}

static const struct {
    const char *name;
    bool (*read)(struct tuning *tuning, const struct json *value);
} names[] = {
    {"deadline_ms", read_deadline}, {"concurrency", read_concurrency}, {"breaker", read_breaker}, {"cache", read_cache},
    {"limit", read_limit},
};

/* NULL for a target that the catalogue no longer has. */
static struct tuning *tuning_of(struct snapshot *snapshot, struct str scope, struct str target)
{
    const struct definitions *all = snapshot->definitions;
    bool of_service = str_is(scope, "service");
    int64_t index = slug_table_find(of_service ? &all->service_slugs : &all->department_slugs, target);
    struct tuning ***list = of_service ? &snapshot->service_tunings : &snapshot->department_tunings;
    if (index < 0)
        return NULL;
    if (!*list)
        *list = arena_array(snapshot->arena, struct tuning *, of_service ? all->service_count : all->department_count);
    if (!(*list)[index])
        (*list)[index] = arena_new(snapshot->arena, struct tuning);
    return (*list)[index];
}

void tunings_read(struct snapshot *snapshot, const struct json *document, struct text *faults)
{
    const struct json *rows = json_get(document, "settings");
    for (uint32_t i = 0; rows && rows->type == JSON_ARRAY && i < rows->count; i++) {
        const struct json *row = &rows->items[i], *value = json_get(row, "value");
        struct str name = json_get_string(row, "name", STR("")), target = json_get_string(row, "target", STR(""));
        struct tuning *tuning = tuning_of(snapshot, json_get_string(row, "scope", STR("")), target);
        size_t known = 0;
        while (known < COUNT_OF(names) && !str_is(name, names[known].name))
            known++;
        if (tuning && (known == COUNT_OF(names) || !value || !names[known].read(tuning, value)))
            text_printf(faults, "settings: %.*s of %.*s is not understood\n", STR_ARG(name), STR_ARG(target));
    }
}

static const struct tuning none;

const struct tuning *snapshot_service_tuning(const struct snapshot *snapshot, const struct service *service)
{
    const struct tuning *tuning = snapshot && snapshot->service_tunings ? snapshot->service_tunings[service->index] : NULL;
    return tuning ? tuning : &none;
}

const struct tuning *snapshot_department_tuning(const struct snapshot *snapshot, struct str slug)
{
    if (!snapshot || !snapshot->department_tunings)
        return &none;
    int64_t index = slug_table_find(&snapshot->definitions->department_slugs, slug);
    const struct tuning *tuning = index < 0 ? NULL : snapshot->department_tunings[index];
    return tuning ? tuning : &none;
}
