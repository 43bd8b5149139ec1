/* Footprints: one row for each read of a citizen's data, through the batch. */
#include "federation/footprint.h"
#include "federation/batch.h"
#include "federation_queries.h"
#include <shimin/arena.h>
#include <shimin/clock.h>

static _Thread_local struct batch *batch;

void footprints_open(const char *spool_dir)
{
    const struct batch_settings settings = {.name = "footprint", .statement = &sql_footprints_insert, .spool_dir = spool_dir};
    batch = batch_open(&settings);
}

void footprint_leave(const struct citizen *citizen, struct str service, struct str department, struct str reader,
                     struct str purpose, struct str trace_id)
{
    struct arena *arena = arena_open();
    struct text text = text_open(arena, 384);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "read_at", time_rfc3339_micro(arena, clock_wall()));
    json_field(&out, "citizen_id", citizen->id);
    json_field(&out, "service_slug", service);
    json_field(&out, "department_slug", department);
    json_field(&out, "reader", reader);
    json_field(&out, "purpose", purpose);
    json_field(&out, "trace_id", trace_id.at ? trace_id : STR(""));
    json_end(&out);
    batch_add(batch, text_str(&text));
    arena_close(arena);
}

void footprint_record(const struct citizen *citizen, const struct service *service, struct str reader, struct str purpose,
                      struct str trace_id)
{
    struct str department = service && service->department ? service->department->slug : STR("");
    footprint_leave(citizen, service ? service->slug : STR(""), department, reader, purpose, trace_id);
}

bool footprints_flush(void)
{
    return batch_flush(batch);
}

void footprints_close(void)
{
    batch_close(batch);
}
