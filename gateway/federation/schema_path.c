/* Walking a contract's schema along a JSON Pointer. */
#include "federation/schema_path.h"

#include <shimin/arena.h>

#define DEPTH_MAX 24

/* Calls visit(context, schema) for every schema that the pointer can lead to from `schema`; true as soon as one returns true.
 * A schema that does not describe its members is visited as NULL: anything may be there. */
struct walk {
    const struct contract *contract;
    struct str last; /* what remains once the first pointer is walked; at == NULL: nothing */
    bool open_items; /* step into the items of an array between the two */
};

static bool reach(const struct walk *walk, const struct json *schema, struct str rest, unsigned depth);

static bool arrived(const struct walk *walk, const struct json *schema, unsigned depth)
{
    if (!walk->last.at)
        return true;
    struct walk second = {.contract = walk->contract};
    const struct json *items = json_get(schema, "items");
    return reach(&second, walk->open_items && items ? items : schema, walk->last, depth + 1);
}

static bool reach_any(const struct walk *walk, const struct json *list, struct str rest, unsigned depth)
{
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++)
        if (reach(walk, &list->items[i], rest, depth + 1))
            return true;
    return false;
}

static bool is_closed(const struct json *schema)
{
    return json_get(schema, "properties") || json_get(schema, "items") || json_get(schema, "allOf") ||
           json_get(schema, "oneOf") || json_get(schema, "anyOf");
}

/* `rest` is the pointer still to go, with its leading '/', or empty. */
static bool reach(const struct walk *walk, const struct json *schema, struct str rest, unsigned depth)
{
    schema = contract_resolve(walk->contract, schema);
    if (!schema || schema->type != JSON_OBJECT || depth > DEPTH_MAX)
        return true;
    static const char *const branches[] = {"allOf", "oneOf", "anyOf"};
    for (size_t i = 0; i < COUNT_OF(branches); i++)
        if (reach_any(walk, json_get(schema, branches[i]), rest, depth))
            return true;
    const struct json *properties = json_get(schema, "properties"), *items = json_get(schema, "items");
    if (!rest.len)
        return (properties || items || !is_closed(schema)) && arrived(walk, schema, depth);
    struct str after = str_slice(rest, 1, rest.len);
    struct str name = str_cut(&after, '/');
    struct str next = after.at ? (struct str){after.at - 1, after.len + 1} : STR_NONE;
    int64_t index;
    if (items && (str_is(name, "*") || str_to_i64(name, &index)))
        return reach(walk, items, next, depth + 1);
    if (str_is(name, "*")) {
        for (uint32_t i = 0; properties && i < properties->count; i++)
            if (reach(walk, &properties->members[i].value, next, depth + 1))
                return true;
        return !is_closed(schema);
    }
    const struct json *property = json_get_str(properties, name);
    return property ? reach(walk, property, next, depth + 1) : !is_closed(schema);
}

static bool in_answers(const struct operation *operation, struct str first, struct str second)
{
    bool described = false;
    for (unsigned i = 0; i < operation->response_count; i++) {
        const struct response *response = &operation->responses[i];
        if (!(response->status / 100 == 2 || response->status == 2))
            continue;
        for (unsigned j = 0; j < response->media_count; j++) {
            const struct json *schema = json_get(response->media[j].source, "schema");
            struct walk walk = {.contract = operation->contract, .last = second, .open_items = true};
            described |= schema != NULL;
            if (schema && reach(&walk, schema, first, 0))
                return true;
        }
    }
    return !described;
}

bool schema_path_exists(const struct operation *operation, struct str pointer)
{
    return in_answers(operation, pointer, STR_NONE);
}

bool schema_item_path_exists(const struct operation *operation, struct str items, struct str pointer)
{
    return in_answers(operation, items, pointer);
}

/* What the schema says of a member of that name, or of an index; NULL when it names no such thing. */
static const struct json *declared(const struct contract *contract, const struct json *schema, struct str name, unsigned depth)
{
    static const char *const branches[] = {"allOf", "oneOf", "anyOf"};
    int64_t index;
    schema = contract_resolve(contract, schema);
    if (!schema || schema->type != JSON_OBJECT || depth > DEPTH_MAX)
        return NULL;
    const struct json *found = json_get_str(json_get(schema, "properties"), name);
    if (!found && str_to_i64(name, &index))
        found = json_get(schema, "items");
    for (size_t i = 0; !found && i < COUNT_OF(branches); i++) {
        const struct json *list = json_get(schema, branches[i]);
        for (uint32_t j = 0; !found && list && list->type == JSON_ARRAY && j < list->count; j++)
            found = declared(contract, &list->items[j], name, depth + 1);
    }
    return found;
}

struct str schema_path_shown(struct arena *arena, const struct contract *contract, const struct json *schema,
                             struct str pointer)
{
    struct text shown = text_open(arena, pointer.len + 1);
    struct str rest = pointer;
    int64_t index;
    str_cut(&rest, '/');
    while (rest.at) {
        struct str name = str_cut(&rest, '/');
        schema = declared(contract, schema, name, 0);
        text_add_char(&shown, '/');
        text_add(&shown, schema && !str_to_i64(name, &index) ? name : STR("*"));
    }
    return text_str(&shown);
}
