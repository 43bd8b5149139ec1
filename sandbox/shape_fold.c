/* Folding allOf: the schemas that must all hold become one object of keywords. */
#include "shape.h"

enum { DEPTH_MOST = 16 };

/* How two values of one keyword become the one that satisfies both. */
enum join { JOIN_LAST, JOIN_MEMBERS, JOIN_UNION, JOIN_GREATER, JOIN_LESSER };

static const struct {
    const char *keyword;
    enum join join;
} joins[] = {
    {"properties", JOIN_MEMBERS},       {"x-sandbox", JOIN_MEMBERS}, {"required", JOIN_UNION},   {"minimum", JOIN_GREATER},
    {"exclusiveMinimum", JOIN_GREATER}, {"minLength", JOIN_GREATER}, {"minItems", JOIN_GREATER}, {"maximum", JOIN_LESSER},
    {"exclusiveMaximum", JOIN_LESSER},  {"maxLength", JOIN_LESSER},  {"maxItems", JOIN_LESSER},
};

static enum join join_of(struct str keyword)
{
    for (size_t i = 0; i < COUNT_OF(joins); i++)
        if (str_is(keyword, joins[i].keyword))
            return joins[i].join;
    return JOIN_LAST;
}

static void fold_into(struct arena *arena, struct json *target, const struct json *source);

static const struct json *join_values(struct arena *arena, enum join join, const struct json *old, const struct json *new)
{
    if (join == JOIN_MEMBERS && old->type == JSON_OBJECT && new->type == JSON_OBJECT) {
        struct json *both = json_clone(arena, old);
        for (uint32_t i = 0; i < new->count; i++) {
            const struct json *there = json_get_str(both, new->members[i].name);
            struct json *value = json_make_object(arena);
            if (there && there->type == JSON_OBJECT && new->members[i].value.type == JSON_OBJECT) {
                fold_into(arena, value, there);
                fold_into(arena, value, &new->members[i].value);
                json_set(arena, both, new->members[i].name, value);
            } else {
                json_set(arena, both, new->members[i].name, &new->members[i].value);
            }
        }
        return both;
    }
    if (join == JOIN_UNION && old->type == JSON_ARRAY && new->type == JSON_ARRAY) {
        struct json *both = json_clone(arena, old);
        for (uint32_t i = 0; i < new->count; i++)
            json_append(arena, both, &new->items[i]);
        return both;
    }
    double before = json_as_double(old), after = json_as_double(new);
    if ((join == JOIN_GREATER && before > after) || (join == JOIN_LESSER && before < after))
        return old;
    return new;
}

static void fold_into(struct arena *arena, struct json *target, const struct json *source)
{
    for (uint32_t i = 0; i < source->count; i++) {
        const struct json_member *member = &source->members[i];
        const struct json *old = json_get_str(target, member->name);
        json_set(arena, target, member->name,
                 old ? join_values(arena, join_of(member->name), old, &member->value) : &member->value);
    }
}

static void fold(struct arena *arena, const struct contract *contract, const struct json *schema, struct json *target,
                 unsigned depth)
{
    const struct json *all = json_get(schema, "allOf");
    const struct json *reference = json_get(schema, "$ref");
    if (depth == DEPTH_MOST || schema->type != JSON_OBJECT)
        return;
    if (reference) {
        const struct json *resolved = contract_resolve(contract, schema);
        if (resolved && resolved != schema)
            fold(arena, contract, resolved, target, depth + 1);
        if (!contract->is_3_1) /* $ref hides its siblings */
            return;
    }
    for (uint32_t i = 0; all && all->type == JSON_ARRAY && i < all->count; i++)
        fold(arena, contract, &all->items[i], target, depth + 1);
    struct json *own = json_make_object(arena);
    for (uint32_t i = 0; i < schema->count; i++)
        if (!str_is(schema->members[i].name, "allOf") && !str_is(schema->members[i].name, "$ref"))
            json_set(arena, own, schema->members[i].name, &schema->members[i].value);
    fold_into(arena, target, own);
}

const struct json *shape_fold(struct arena *arena, const struct contract *contract, const struct json *schema)
{
    if (schema->type != JSON_OBJECT || (!json_get(schema, "allOf") && !json_get(schema, "$ref")))
        return schema;
    struct json *target = json_make_object(arena);
    fold(arena, contract, schema, target, 0);
    return target;
}
