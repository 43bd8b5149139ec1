/* The copies: read from text, handed to the workers, searched. */
#include "mirror.h"

#include <shimin/clock.h>
#include <shimin/log.h>
#include <shimin/worker.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A city's toilets are some thousands; this is for a hundred thousand places. */
static const struct json_limits limits = {.depth = 40, .bytes = 128 << 20, .nodes = 8000000};

/* This worker's copies. */
struct held {
    struct held *next;
    struct mirror *mirror;
};
static _Thread_local struct held *all_held;

static void release(struct mirror *mirror)
{
    if (__atomic_sub_fetch(&mirror->references, 1, __ATOMIC_ACQ_REL) == 0)
        arena_close(mirror->arena);
}

/* ---- text ---- */

struct str mirror_text(struct arena *arena, int64_t as_of, int64_t pulled_at, struct str source, struct str items)
{
    struct text text = text_open(arena, items.len + 256);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_i64(&out, "as_of", as_of);
    json_field_i64(&out, "pulled_at", pulled_at);
    json_field(&out, "source", source);
    json_field_raw(&out, "items", items);
    json_end(&out);
    return text_str(&text);
}

static struct opening_span *spans_of(struct arena *arena, struct str opening_hours, unsigned *count)
{
    struct opening opening;
    if (!opening_hours.at || !opening_parse(opening_hours, &opening))
        return NULL;
    *count = opening.count;
    return arena_copy(arena, opening.spans, (opening.count + 1) * sizeof *opening.spans);
}

static void read_place(struct arena *arena, const struct json *item, struct mirror_place *into)
{
    const struct json *latitude = json_get(item, "latitude"), *longitude = json_get(item, "longitude");
    const struct json *details = json_get(item, "details");
    into->place = (struct place){
        .id = json_get_string(item, "id", STR("")),
        .name = json_get_string(item, "name", STR("")),
        .address = json_get_string(item, "address", STR("")),
        .opening_hours = json_get_string(item, "opening_hours", STR_NONE),
        .phone_number = json_get_string(item, "phone_number", STR_NONE),
        .category = json_get_string(item, "category", STR_NONE),
        .details = details ? details->source : STR("{}"),
        .located = latitude && latitude->type != JSON_NULL,
        .position = {json_as_double(latitude ? latitude : &(struct json){0}),
                     json_as_double(longitude ? longitude : &(struct json){0})},
    };
    into->spans = spans_of(arena, into->place.opening_hours, &into->span_count);
}

static void read_document(const struct json *item, struct document *into)
{
    *into = (struct document){
        .id = json_get_string(item, "id", STR("")),
        .title = json_get_string(item, "title", STR("")),
        .body = json_get_string(item, "body", STR("")),
        .version = json_get_integer(item, "version", 1),
        .updated_at = json_get_integer(item, "updated_at", 0),
        .received_at = json_get_integer(item, "received_at", 0),
    };
}

struct mirror *mirror_parse(struct str slug, struct str text)
{
    struct arena *arena = arena_open();
    struct json_error error;
    const struct json *root = json_parse(arena, str_copy(arena, text), &limits, &error);
    const struct json *items = json_get(root, "items");
    if (!items || items->type != JSON_ARRAY) {
        arena_close(arena);
        return NULL;
    }
    struct mirror *mirror = arena_new(arena, struct mirror);
    *mirror = (struct mirror){
        .arena = arena,
        .references = 1,
        .slug = str_copy(arena, slug),
        .source = json_get_string(root, "source", STR("")),
        .as_of = json_get_integer(root, "as_of", 0),
        .pulled_at = json_get_integer(root, "pulled_at", 0),
        .count = items->count,
    };
    bool documents = items->count && json_get(&items->items[0], "body");
    if (documents)
        mirror->documents = arena_array(arena, struct document, items->count);
    else
        mirror->places = arena_array(arena, struct mirror_place, items->count + 1);
    for (uint32_t i = 0; i < items->count; i++)
        if (documents)
            read_document(&items->items[i], &mirror->documents[i]);
        else
            read_place(arena, &items->items[i], &mirror->places[i]);
    return mirror;
}

/* ---- handing over ---- */

static void adopt(void *argument)
{
    struct mirror *mirror = argument;
    struct held *held = all_held;
    while (held && !str_equal(held->mirror->slug, mirror->slug))
        held = held->next;
    if (held) {
        release(held->mirror);
        held->mirror = mirror;
        return;
    }
    held = memory_alloc(sizeof *held);
    *held = (struct held){.next = all_held, .mirror = mirror};
    all_held = held;
}

void mirror_publish(struct mirror *mirror)
{
    for (unsigned i = 0; i < worker_count(); i++) {
        __atomic_add_fetch(&mirror->references, 1, __ATOMIC_ACQ_REL);
        worker_post(worker_at(i), adopt, mirror);
    }
    release(mirror);
}

const struct mirror *mirror_find(struct str slug)
{
    for (const struct held *held = all_held; held; held = held->next)
        if (str_equal(held->mirror->slug, slug))
            return held->mirror;
    return NULL;
}

/* ---- reading ---- */

const struct document *mirror_document(const struct mirror *mirror, struct str id)
{
    for (size_t i = 0; mirror->documents && i < mirror->count; i++)
        if (str_equal(mirror->documents[i].id, id))
            return &mirror->documents[i];
    return NULL;
}

static bool holds(struct str text, struct str word)
{
    for (size_t at = 0; at + word.len <= text.len; at++)
        if (strncasecmp(text.at + at, word.at, word.len) == 0)
            return true;
    return word.len == 0;
}

static bool holds_words(const struct place *place, struct str words)
{
    while (words.at) {
        struct str word = str_cut(&words, ' ');
        if (!holds(place->name, word) && !holds(place->address, word))
            return false;
    }
    return true;
}

static bool matches(const struct mirror_place *mirrored, const struct place_search *search)
{
    const struct place *place = &mirrored->place;
    if (search->category.at && !str_equal(search->category, place->category))
        return false;
    if (search->open_minute != MINUTE_ANY && mirrored->spans &&
        !opening_contains(mirrored->spans, mirrored->span_count, search->open_minute))
        return false;
    return holds_words(place, search->text);
}

static int by_distance(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return str_compare(x->id, y->id);
}

/* memcmp order, as that of Postgres' "C". */
static bool is_after(const struct place *place, const struct place_search *search)
{
    if (search->near && place->distance != search->after_distance)
        return place->distance > search->after_distance;
    int order = search->near ? 0 : str_compare(place->name, search->after_name);
    return order ? order > 0 : str_compare(place->id, search->after_id) > 0;
}

static enum open_state open_state_of(const struct mirror_place *mirrored, int minute)
{
    if (!mirrored->spans)
        return OPEN_UNKNOWN;
    return opening_contains(mirrored->spans, mirrored->span_count, minute) ? OPEN_YES : OPEN_NO;
}

size_t mirror_search(struct arena *arena, const struct mirror *mirror, const struct place_search *search,
                     const struct place **places)
{
    struct place *found = NULL;
    size_t count = 0, room = 0;
    for (size_t i = 0; mirror->places && i < mirror->count && (search->near || count <= search->limit); i++) {
        const struct mirror_place *mirrored = &mirror->places[i];
        struct place place = mirrored->place;
        place.distance = search->near ? position_distance(search->from, place.position) : -1;
        if ((search->near && (!place.located || place.distance > search->radius)) || !is_after(&place, search) ||
            !matches(mirrored, search))
            continue;
        place.open = open_state_of(mirrored, search->answer_minute);
        if (count == room) {
            size_t more = room ? 2 * room : 64;
            found = arena_grow(arena, found, room * sizeof *found, more * sizeof *found);
            room = more;
        }
        found[count++] = place;
    }
    if (search->near && count)
        qsort(found, count, sizeof *found, by_distance);
    *places = found;
    return count <= search->limit ? count : search->limit + 1;
}
