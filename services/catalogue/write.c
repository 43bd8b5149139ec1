/* The JSON forms of the catalogue's entries. */
#include "write.h"

#include <shimin/clock.h>

void write_bilingual(struct json_out *out, const char *name, struct bilingual text)
{
    json_key(out, name);
    json_object(out);
    json_field(out, "zh", text.zh);
    json_field(out, "en", text.en);
    json_end(out);
}

static void write_window(struct json_out *out, struct arena *arena, struct switch_state state)
{
    json_field_c(out, "position", switch_position_name(state.position));
    if (state.position != SWITCH_OPEN)
        write_bilingual(out, "reason", state.reason);
    if (state.from)
        json_field(out, "from", time_rfc3339(arena, state.from));
    if (state.until)
        json_field(out, "until", time_rfc3339(arena, state.until));
}

static void write_switch(struct json_out *out, struct arena *arena, struct switch_state state)
{
    json_key(out, "switch");
    json_object(out);
    write_window(out, arena, state);
    json_end(out);
}

/* What is announced; left out where nothing is. */
static void write_plans(struct json_out *out, struct arena *arena, const struct switch_state *plans, size_t count)
{
    if (!count)
        return;
    json_key(out, "planned");
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        json_field_c(out, "scope", switch_scope_name(plans[i].scope));
        write_window(out, arena, plans[i]);
        if (plans[i].share)
            json_field_i64(out, "share", plans[i].share);
        json_end(out);
    }
    json_end(out);
}

void write_service(struct json_out *out, struct arena *arena, const struct snapshot *snapshot, const struct service *service)
{
    json_field(out, "slug", service->slug);
    write_bilingual(out, "name", service->name);
    write_bilingual(out, "summary", service->summary);
    json_field(out, "category", service->category);
    json_field_c(out, "archetype", archetype_name(service->archetype));
    json_field_c(out, "level", level_name(service->level));
    json_key(out, "department");
    json_object(out);
    json_field(out, "slug", service->department->slug);
    write_bilingual(out, "name", service->department->name);
    json_end(out);
    write_switch(out, arena, snapshot_switch(snapshot, service, NULL));
    const struct switch_state *plans;
    size_t count = snapshot_service_plans(snapshot, arena, service, &plans);
    write_plans(out, arena, plans, count);
}

/* That a version ends, for callers who do not look at the headers. */
static void write_retirement(struct json_out *out, const struct service *service)
{
    struct arena *arena = out->text->arena;
    json_key(out, "retirement");
    json_object(out);
    json_field(out, "deprecated_at", time_rfc3339(arena, service->deprecated_at));
    json_key(out, "sunset_at");
    if (service->sunset_at)
        json_put(out, time_rfc3339(arena, service->sunset_at));
    else
        json_put_null(out);
    write_bilingual(out, "notice", service->notice);
    json_key(out, "successor");
    if (service->successor.len)
        json_put(out, service->successor);
    else
        json_put_null(out);
    json_end(out);
}

void write_service_details(struct json_out *out, const struct service *service)
{
    json_key(out, "aliases");
    json_array(out);
    for (unsigned i = 0; i < service->alias_count; i++)
        json_put(out, service->aliases[i]);
    json_end(out);
    json_key(out, "parameters");
    const struct json *parameters = json_get(service->definition, "parameters");
    if (parameters) {
        json_put_value(out, parameters);
    } else {
        json_array(out);
        json_end(out);
    }
    const struct json *promise = json_get(service->definition, "promise");
    if (promise) {
        json_key(out, "promise");
        json_put_value(out, promise);
    }
    if (service->deprecated_at)
        write_retirement(out, service);
}

void write_department(struct json_out *out, struct arena *arena, const struct snapshot *snapshot,
                      const struct department *department, unsigned services)
{
    json_field(out, "slug", department->slug);
    write_bilingual(out, "name", department->name);
    json_field(out, "kind", department->kind);
    json_field_i64(out, "services", services);
    write_switch(out, arena, snapshot_department_switch(snapshot, department));
    const struct switch_state *plans;
    size_t count = snapshot_department_plans(snapshot, arena, department, &plans);
    write_plans(out, arena, plans, count);
}

void write_area(struct json_out *out, const struct snapshot *snapshot, const struct area *area)
{
    json_field(out, "code", area->code);
    json_field(out, "name", area->name);
    json_field(out, "level", area->level);
    json_key(out, "parent");
    if (area->parent == AREA_NONE)
        json_put_null(out);
    else
        json_put(out, snapshot_area_at(snapshot, area->parent)->code);
    json_field_i64(out, "children", area->children);
}
