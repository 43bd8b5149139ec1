/* Comparing two versions of a schema, from the side of who has to keep to it. */
#include "contract/contract_diff_internal.h"

#include <string.h>

#define DEPTH_MAX 40

/* Two schemas that were compared from one side: recursion comes back to them. */
struct pair {
    struct pair *next;
    const struct json *before, *after;
    enum side side;
};

static bool seen(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    struct pair **chain = &diff->pairs[((uintptr_t)before / 16 * 31 + (uintptr_t)after / 16 + side) % COUNT_OF(diff->pairs)];
    for (const struct pair *pair = *chain; pair; pair = pair->next)
        if (pair->before == before && pair->after == after && pair->side == side)
            return true;
    struct pair *pair = arena_new(diff->arena, struct pair);
    *pair = (struct pair){*chain, before, after, side};
    *chain = pair;
    return false;
}

/* ---- types ---- */

static const char *const type_names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};

static unsigned type_bit(struct str name)
{
    for (unsigned i = 0; i < COUNT_OF(type_names); i++)
        if (str_is(name, type_names[i]))
            return str_is(name, "number") ? 1U << i | 1U << JSON_INTEGER : 1U << i;
    return 0;
}

static unsigned types_of(const struct json *schema)
{
    const struct json *type = json_get(schema, "type");
    unsigned types = 0;
    if (type && type->type == JSON_STRING)
        types = type_bit(type->string);
    for (uint32_t i = 0; type && type->type == JSON_ARRAY && i < type->count; i++)
        if (type->items[i].type == JSON_STRING)
            types |= type_bit(type->items[i].string);
    if (!types)
        return (1U << COUNT_OF(type_names)) - 1;
    return json_get_boolean(schema, "nullable", false) ? types | 1U << JSON_NULL : types;
}

static void diff_types(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    unsigned was = types_of(before), is = types_of(after);
    for (unsigned i = 0; i < COUNT_OF(type_names); i++) {
        unsigned bit = 1U << i;
        if ((was & bit) && !(is & bit))
            diff_add(diff, RULE_TYPE_NARROWED, side, after, true, "may no longer be of type %s", type_names[i]);
        if (!(was & bit) && (is & bit))
            diff_add(diff, RULE_TYPE_WIDENED, side, after, true, "may be of type %s now", type_names[i]);
    }
}

/* ---- values ---- */

static bool has_value(const struct json *list, const struct json *value)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (json_equal(&list->items[i], value))
            return true;
    return false;
}

static void diff_values(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    const struct json *was = json_get(before, "enum"), *is = json_get(after, "enum");
    bool old = was && was->type == JSON_ARRAY, new = is && is->type == JSON_ARRAY;
    if (old != new)
        diff_add(diff, new ? RULE_VALUE_REMOVED : RULE_VALUE_ADDED, side, new ? is : after, true,
                 new ? "only listed values are allowed now" : "any value is allowed now");
    if (!old || !new)
        return;
    unsigned gone = 0, added = 0;
    for (uint32_t i = 0; i < was->count; i++)
        gone += !has_value(is, &was->items[i]);
    for (uint32_t i = 0; i < is->count; i++)
        added += !has_value(was, &is->items[i]);
    if (gone)
        diff_add(diff, RULE_VALUE_REMOVED, side, is, true, "%u allowed values are gone", gone);
    if (added)
        diff_add(diff, RULE_VALUE_ADDED, side, is, true, "%u values are new", added);
}

/* ---- bounds ---- */

static const struct {
    const char *name;
    bool upper;
} bounds[] = {
    {"maxLength", true},         {"minLength", false}, {"maximum", true},   {"minimum", false},      {"exclusiveMaximum", true},
    {"exclusiveMinimum", false}, {"maxItems", true},   {"minItems", false}, {"maxProperties", true}, {"minProperties", false},
};

static bool number_of(const struct json *schema, const char *name, double *number)
{
    const struct json *value = json_get(schema, name);
    if (!value || (value->type != JSON_INTEGER && value->type != JSON_NUMBER))
        return false;
    *number = json_as_double(value);
    return true;
}

static void diff_bounds(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        double was = 0, is = 0;
        bool old = number_of(before, bounds[i].name, &was), new = number_of(after, bounds[i].name, &is);
        if (old == new && !(was < is || is < was))
            continue;
        bool narrower = old && new ? (bounds[i].upper ? is < was : is > was) : new;
        diff_add(diff, narrower ? RULE_BOUND_NARROWED : RULE_BOUND_WIDENED, side, new ? json_get(after, bounds[i].name) : after,
                 true, "%s allows %s now", bounds[i].name, narrower ? "less" : "more");
    }
    static const char *const forms[] = {"pattern", "format", "const", "multipleOf"};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const struct json *was = json_get(before, forms[i]), *is = json_get(after, forms[i]);
        if (was && is && !json_equal(was, is))
            diff_add(diff, RULE_PATTERN_CHANGED, side, is, true, "%s is another", forms[i]);
        else if (!was != !is)
            diff_add(diff, is ? RULE_BOUND_NARROWED : RULE_BOUND_WIDENED, side, is ? is : after, true, "%s is %s", forms[i],
                     is ? "new" : "gone");
    }
}

/* ---- members ---- */

static bool requires(const struct json *schema, struct str name)
{
    const struct json *required = json_get(schema, "required");
    for (uint32_t i = 0; required && required->type == JSON_ARRAY && i < required->count; i++)
        if (required->items[i].type == JSON_STRING && str_equal(required->items[i].string, name))
            return true;
    return false;
}

static void diff_required(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    const struct json *was = json_get(before, "required"), *is = json_get(after, "required");
    for (uint32_t i = 0; is && is->type == JSON_ARRAY && i < is->count; i++)
        if (is->items[i].type == JSON_STRING && !requires(before, is->items[i].string))
            diff_add(diff, RULE_MEMBER_REQUIRED, side, &is->items[i], true, "%.*s is required now",
                     STR_ARG(is->items[i].string));
    for (uint32_t i = 0; was && was->type == JSON_ARRAY && i < was->count; i++)
        if (was->items[i].type == JSON_STRING && !requires(after, was->items[i].string))
            diff_add(diff, RULE_MEMBER_OPTIONAL, side, after, true, "%.*s is no longer required",
                     STR_ARG(was->items[i].string));
}

static void diff_members(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    const struct json *was = json_get(before, "properties"), *is = json_get(after, "properties");
    for (uint32_t i = 0; was && was->type == JSON_OBJECT && i < was->count; i++) {
        const struct json_member *member = &was->members[i];
        const struct json *now = json_get_str(is, member->name);
        if (now)
            diff_schema(diff, &member->value, now, side);
        else
            diff_add(diff, RULE_MEMBER_REMOVED, side, &member->value, false, "%.*s is gone", STR_ARG(member->name));
    }
    for (uint32_t i = 0; is && is->type == JSON_OBJECT && i < is->count; i++)
        if (!json_get_str(was, is->members[i].name))
            diff_add(diff, RULE_MEMBER_ADDED, side, &is->members[i].value, true, "%.*s is new", STR_ARG(is->members[i].name));
    diff_required(diff, before, after, side);
    const struct json *others = json_get(before, "additionalProperties"), *others_now = json_get(after, "additionalProperties");
    bool open = !others || others->type != JSON_BOOLEAN || others->boolean;
    bool open_now = !others_now || others_now->type != JSON_BOOLEAN || others_now->boolean;
    if (open != open_now)
        diff_add(diff, open_now ? RULE_OTHERS_OPENED : RULE_OTHERS_CLOSED, side, others_now ? others_now : after, true,
                 "members that are not described are %s now", open_now ? "allowed" : "refused");
    else if (others && others_now && others->type == JSON_OBJECT && others_now->type == JSON_OBJECT)
        diff_schema(diff, others, others_now, side);
}

/* ---- compositions ---- */

static void diff_branches(struct diff *diff, const char *name, const struct json *before, const struct json *after,
                          enum side side)
{
    const struct json *was = json_get(before, name), *is = json_get(after, name);
    bool old = was && was->type == JSON_ARRAY, new = is && is->type == JSON_ARRAY, all = strcmp(name, "allOf") == 0;
    if (!old && !new)
        return;
    if (old && new && was->count == is->count) {
        for (uint32_t i = 0; i < is->count; i++)
            diff_schema(diff, &was->items[i], &is->items[i], side);
        return;
    }
    uint32_t old_count = old ? was->count : 0, new_count = new ? is->count : 0;
    const struct json *where = new ? is : after;
    if (all || !old || !new)
        diff_add(diff, RULE_COMPOSITION_CHANGED, side, where, true, "%s is composed of other parts", name);
    else
        diff_add(diff, new_count > old_count ? RULE_CHOICE_ADDED : RULE_CHOICE_REMOVED, side, where, true,
                 "%s has %u choices instead of %u", name, new_count, old_count);
}

/* ---- all of it ---- */

static bool differs(const struct json *before, const struct json *after, const char *name)
{
    const struct json *was = json_get(before, name), *is = json_get(after, name);
    return was && is ? !json_equal(was, is) : was != is;
}

static void diff_words(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    static const char *const words[] = {"title", "description", "example", "examples"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (differs(before, after, words[i])) {
            diff_add(diff, RULE_WORDS_CHANGED, side, after, true, "%s is another", words[i]);
            break;
        }
    if (differs(before, after, "default"))
        diff_add(diff, RULE_DEFAULT_CHANGED, side, after, true, "the default is another");
}

void diff_schema(struct diff *diff, const struct json *before, const struct json *after, enum side side)
{
    before = before ? contract_resolve(diff->before, before) : NULL;
    after = after ? contract_resolve(diff->after, after) : NULL;
    if (!before || !after || before->type != JSON_OBJECT || after->type != JSON_OBJECT) {
        bool same = before && after && json_equal(before, after);
        const struct json *where = after ? after : before;
        if (!same && where)
            diff_add(diff, RULE_COMPOSITION_CHANGED, side, where, after != NULL, "there is a schema on one side only");
        return;
    }
    if (seen(diff, before, after, side))
        return;
    static _Thread_local unsigned depth;
    if (depth == DEPTH_MAX)
        return;
    depth++;
    diff_types(diff, before, after, side);
    diff_values(diff, before, after, side);
    diff_bounds(diff, before, after, side);
    diff_members(diff, before, after, side);
    const struct json *items = json_get(before, "items"), *items_now = json_get(after, "items");
    if (items || items_now)
        diff_schema(diff, items, items_now, side);
    static const char *const branches[] = {"allOf", "oneOf", "anyOf"};
    for (size_t i = 0; i < COUNT_OF(branches); i++)
        diff_branches(diff, branches[i], before, after, side);
    diff_words(diff, before, after, side);
    depth--;
}
