/* Masks: found in the tree, cut into the bytes. */
#include "federation/mask.h"
#include <stdlib.h>

static struct str unescape(struct arena *arena, struct str segment)
{
    if (str_find(segment, STR("~")) < 0)
        return segment;
    struct text text = text_open(arena, segment.len + 1);
    for (size_t i = 0; i < segment.len; i++) {
        bool escape = segment.at[i] == '~' && i + 1 < segment.len && (segment.at[i + 1] == '0' || segment.at[i + 1] == '1');
        text_add_char(&text, escape ? (segment.at[++i] == '0' ? '~' : '/') : segment.at[i]);
    }
    return text_str(&text);
}

static bool compile_pointer(struct arena *arena, struct str pointer, struct mask *mask)
{
    if (!pointer.len || pointer.at[0] != '/')
        return false;
    unsigned count = 0;
    for (size_t i = 0; i < pointer.len; i++)
        count += pointer.at[i] == '/';
    struct str *segments = arena_array(arena, struct str, count);
    struct str rest = str_slice(pointer, 1, pointer.len);
    for (unsigned i = 0; i < count; i++)
        segments[i] = unescape(arena, str_cut(&rest, '/'));
    mask->segments = segments;
    mask->segment_count = count;
    return true;
}

bool masks_compile(struct arena *arena, const struct json *source, struct masks *masks, struct fault_sink *sink)
{
    *masks = (struct masks){0};
    if (!source)
        return true;
    if (source->type != JSON_OBJECT) {
        fault_add(sink, source, STR("/operation/masks"), "must map pointers to rules");
        return false;
    }
    size_t before = sink->count;
    struct mask *list = arena_array(arena, struct mask, source->count + 1);
    for (uint32_t i = 0; i < source->count; i++) {
        const struct json_member *member = &source->members[i];
        if (!compile_pointer(arena, member->name, &list[i]))
            fault_add(sink, &member->value, STR("/operation/masks"), "%.*s is no pointer within an item",
                      STR_ARG(member->name));
        if (member->value.type != JSON_STRING || !mask_rule_named(member->value.string, &list[i].rule))
            fault_add(sink, &member->value, STR("/operation/masks"), "%.*s: no such rule", STR_ARG(member->name));
    }
    masks->list = list;
    masks->count = source->count;
    return sink->count == before;
}

/* ---- writing ---- */

static void hit_add(struct mask_hits *hits, const struct json *value, enum mask_rule rule)
{
    if (hits->count == hits->room) {
        size_t room = hits->room ? hits->room * 2 : 16;
        hits->list =
            arena_grow_raw(hits->arena, hits->list, hits->room * sizeof(struct mask_hit), room * sizeof(struct mask_hit));
        hits->room = room;
    }
    hits->list[hits->count++] = (struct mask_hit){.value = value, .rule = rule};
}

/* The depth is that of the mask's own pointer, which the catalogue bounds. */
static void find(struct mask_hits *hits, const struct mask *mask, const struct json *value, unsigned at)
{
    if (at == mask->segment_count) {
        hit_add(hits, value, mask->rule);
        return;
    }
    struct str segment = mask->segments[at];
    int64_t index;
    if (value->type == JSON_ARRAY) {
        bool all = str_is(segment, "*");
        if (!all && !str_to_i64(segment, &index))
            return;
        for (uint32_t i = 0; i < value->count; i++)
            if (all || i == index)
                find(hits, mask, &value->items[i], at + 1);
    } else if (value->type == JSON_OBJECT) {
        for (uint32_t i = 0; i < value->count; i++)
            if (str_equal(value->members[i].name, segment) || str_is(segment, "*"))
                find(hits, mask, &value->members[i].value, at + 1);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct mask_hit *left = a, *right = b;
    if (left->value->source.at != right->value->source.at)
        return left->value->source.at < right->value->source.at ? -1 : 1;
    return (left->value->source.len < right->value->source.len) - (left->value->source.len > right->value->source.len);
}

static void add_masked(struct text *text, struct arena *arena, const struct mask_hit *hit)
{
    struct json_out out = json_write(text);
    if (hit->value->type == JSON_STRING)
        json_put(&out, mask_apply(arena, hit->rule, hit->value->string));
    else if (hit->value->type == JSON_INTEGER || hit->value->type == JSON_NUMBER)
        json_put(&out, mask_apply(arena, hit->rule, hit->value->source));
    else
        json_put_null(&out);
}

static void find_all(struct mask_hits *hits, const struct masks *masks, const struct json *item)
{
    for (unsigned i = 0; i < masks->count; i++)
        find(hits, &masks->list[i], item, 0);
}

void masks_find(struct mask_hits *hits, const struct masks *masks, const struct json *items)
{
    if (!items)
        return;
    if (items->type != JSON_ARRAY)
        find_all(hits, masks, items);
    for (uint32_t i = 0; items->type == JSON_ARRAY && i < items->count; i++)
        find_all(hits, masks, &items->items[i]);
}

void masks_write_hits(struct json_out *out, struct mask_hits *hits, const struct json *whole)
{
    if (hits->count > 1)
        qsort(hits->list, hits->count, sizeof(struct mask_hit), by_place);
    struct text text = text_open(hits->arena, whole->source.len + 64);
    const char *at = whole->source.at, *end = whole->source.at + whole->source.len;
    for (size_t i = 0; i < hits->count; i++) {
        struct str place = hits->list[i].value->source;
        if (place.at < at) /* inside what another mask has replaced */
            continue;
        text_add(&text, (struct str){at, (size_t)(place.at - at)});
        add_masked(&text, hits->arena, &hits->list[i]);
        at = place.at + place.len;
    }
    text_add(&text, (struct str){at, (size_t)(end - at)});
    json_put_raw(out, text_str(&text));
}

void masks_write(struct json_out *out, struct arena *arena, const struct masks *masks, const struct json *item)
{
    struct mask_hits hits = {.arena = arena};
    find_all(&hits, masks, item);
    if (!hits.count) {
        json_put_value(out, item);
    } else if (!item->source.at) { /* made by code: there are no bytes to cut */
        struct json_error error;
        item = json_parse(arena, json_text(arena, item), &json_limits_answer, &error);
        masks_write(out, arena, masks, item);
    } else {
        masks_write_hits(out, &hits, item);
    }
}
