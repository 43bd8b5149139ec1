/* Departments' items into rows: fields by their pointers, coordinates to WGS 84, opening hours to minutes of the week. */
#include "collect.h"

#include "item.h"
#include "opening_hours.h"

#include <shimin/arena.h>
#include <shimin/clock.h>

/* Id and name are part of cursors, which are bounded. */
enum { BATCH_ITEMS = 500, BATCH_BYTES = 1 << 20, ID_MOST = 100, NAME_MOST = 240 };

struct collection *collection_open(struct arena *arena, const struct service *service)
{
    struct collection *collection = arena_new(arena, struct collection);
    const struct json *operation = operation_of(service);
    collection->arena = arena;
    collection->archetype = service->archetype;
    collection->fields = json_get(operation, "fields");
    if (!coord_sys_named(json_get_string(operation, "coord_sys", STR_NONE), &collection->coord_sys))
        collection->coord_sys = COORD_SYS_WGS84;
    return collection;
}

static struct json_out *batch_with_room(struct collection *collection)
{
    struct batch *last = collection->last;
    if (last && last->count < BATCH_ITEMS && last->json.len < BATCH_BYTES)
        return &last->out;
    if (last)
        json_end_all(&last->out);
    struct batch *batch = arena_new(collection->arena, struct batch);
    batch->json = text_open(collection->arena, 4096);
    batch->out = json_write(&batch->json);
    json_array(&batch->out);
    *(last ? &last->next : &collection->first) = batch;
    collection->last = batch;
    return &batch->out;
}

static void write_optional(struct json_out *out, const char *name, struct str value)
{
    if (value.at)
        json_field(out, name, value);
}

static void write_position(struct json_out *out, struct arena *arena, const struct collection *collection,
                           const struct item *item)
{
    struct position position;
    if (!item_number(arena, item, "latitude", &position.latitude) ||
        !item_number(arena, item, "longitude", &position.longitude) || !position_is_valid(position) ||
        (position.latitude == 0 && position.longitude == 0)) /* what "unknown" often looks like */
        return;
    position = position_to_wgs84(position, collection->coord_sys);
    json_key(out, "latitude");
    json_put_double(out, position.latitude);
    json_key(out, "longitude");
    json_put_double(out, position.longitude);
}

static void write_opening(struct json_out *out, struct arena *arena, const struct item *item)
{
    struct str text = item_text(arena, item, "opening_hours");
    struct opening opening;
    write_optional(out, "opening_hours", text);
    if (text.at && opening_parse(text, &opening))
        json_field(out, "opening", opening_multirange(arena, &opening));
}

static bool add_place(struct collection *collection, struct arena *arena, const struct item *item, struct str id)
{
    struct str name = text_cut(item_text(arena, item, "name"), NAME_MOST);
    if (!name.len)
        return false;
    struct json_out *out = batch_with_room(collection);
    json_object(out);
    json_field(out, "id", id);
    json_field(out, "name", name);
    write_optional(out, "address", item_text(arena, item, "address"));
    write_optional(out, "phone_number", item_text(arena, item, "phone_number"));
    write_optional(out, "category", item_text(arena, item, "category"));
    write_position(out, arena, collection, item);
    write_opening(out, arena, item);
    json_key(out, "attributes");
    json_put_value(out, item->value);
    json_end(out);
    return true;
}

static bool add_document(struct collection *collection, struct arena *arena, const struct item *item, struct str id)
{
    struct str title = item_text(arena, item, "title"), body = item_text(arena, item, "body");
    int64_t updated_at = item_time(arena, item, "updated_at");
    if (!title.len || !body.at)
        return false;
    struct json_out *out = batch_with_room(collection);
    json_object(out);
    json_field(out, "id", id);
    json_field(out, "title", title);
    json_field(out, "body", body);
    if (updated_at)
        json_field(out, "updated_at", time_rfc3339(arena, updated_at));
    json_end(out);
    return true;
}

void collection_add(struct collection *collection, const struct json *items)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    for (uint32_t i = 0; i < items->count; i++) {
        struct item item = {&items->items[i], collection->fields};
        struct str id = item_text(arena, &item, "id");
        bool places = collection->archetype == ARCHETYPE_LOCATE;
        if (id.len && id.len <= ID_MOST && !item_has_nul(arena, &item) &&
            (places ? add_place(collection, arena, &item, id) : add_document(collection, arena, &item, id))) {
            collection->last->count++;
            collection->count++;
        } else {
            collection->skipped++;
        }
    }
    if (collection->last) {
        json_end_all(&collection->last->out);
        collection->last->count = BATCH_ITEMS; /* closed: the next page begins another */
    }
}
