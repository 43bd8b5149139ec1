/* Compiling a service's mapping against its department's contract. */
#include "federation/mapping.h"
#include "federation/schema_path.h"
#include "federation/signer.h"
#include <shimin/clock.h>

/* Archetypes whose operation asks and changes nothing, whatever its method: it may be repeated and cached. */
static const bool reads[ARCHETYPES] = {
    [ARCHETYPE_QUERY] = true,  [ARCHETYPE_ASSESS] = true, [ARCHETYPE_LISTING] = true, [ARCHETYPE_BILL] = true,
    [ARCHETYPE_LOCATE] = true, [ARCHETYPE_FEED] = true,   [ARCHETYPE_CONTENT] = true,
};

#define CACHE_MOST 31622400 /* seconds: a year */

static void read_cache(struct mapping *mapping, const struct json *cache, struct fault_sink *sink)
{
    if (!cache)
        return;
    int64_t fresh = json_get_integer(cache, "fresh", -1), stale = json_get_integer(cache, "stale", 0);
    if (cache->type != JSON_OBJECT || fresh < 0 || stale < 0 || fresh > CACHE_MOST || stale > CACHE_MOST)
        fault_add(sink, cache, STR("/operation/cache"), "needs fresh and stale in seconds");
    else if (!mapping->template->safe)
        fault_add(sink, cache, STR("/operation/cache"), "an operation that changes something cannot be cached");
    mapping->fresh = seconds(fresh);
    mapping->stale = seconds(stale);
}

static void read_items(struct mapping *mapping, const struct operation *of, const struct json *operation,
                       struct fault_sink *sink)
{
    const struct json *items = json_get(operation, "items");
    if (!items)
        return;
    if (items->type != JSON_STRING || (items->string.len && items->string.at[0] != '/')) {
        fault_add(sink, items, STR("/operation/items"), "must be a JSON Pointer");
        return;
    }
    mapping->items = items->string.at ? items->string : STR("");
    if (!schema_path_exists(of, mapping->items))
        fault_add(sink, items, STR("/operation/items"), "the answer of %.*s has no %.*s", STR_ARG(of->id),
                  STR_ARG(mapping->items));
}

/* A mask that meets nothing lets everything through, so a pointer that the contract does not know is a fault. */
static void check_masks(const struct mapping *mapping, const struct operation *of, const struct json *masks,
                        struct fault_sink *sink)
{
    for (uint32_t i = 0; masks && masks->type == JSON_OBJECT && i < masks->count; i++)
        if (!schema_item_path_exists(of, mapping->items, masks->members[i].name))
            fault_add(sink, &masks->members[i].value, STR("/operation/masks"), "the items of %.*s have no %.*s",
                      STR_ARG(of->id), STR_ARG(masks->members[i].name));
}

static void check_level(const struct mapping *mapping, const struct service *service, struct fault_sink *sink)
{
    if (mapping->template->level > service->level)
        fault_add(sink, service->definition, STR("/level"), "sends what is known of a citizen from level %s on only",
                  level_name(mapping->template->level));
    if (mapping->template->personal && !service->personal)
        fault_add(sink, service->definition, STR("/personal"), "must be true: the answer is about the citizen");
}

static bool sends_query(const struct template_field *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (fields[i].source.kind == SOURCE_QUERY)
            return true;
    return false;
}

static bool body_sends_query(const struct template_member *members)
{
    for (; members; members = members->next)
        if (members->children ? body_sends_query(members->children) : members->source.kind == SOURCE_QUERY)
            return true;
    return false;
}

static bool sends_asked(const struct template *template)
{
    return sends_query(template->path, template->path_count) || sends_query(template->query, template->query_count) ||
           sends_query(template->headers, template->header_count) || body_sends_query(template->body);
}

static const struct operation *find_operation(const struct service *service, const struct json *definition,
                                              struct fault_sink *sink)
{
    struct str id = json_get_string(definition, "id", STR_NONE);
    if (!service->department || !service->department->contract) {
        fault_add(sink, definition, STR("/operation"), "the department has no contract");
        return NULL;
    }
    const struct operation *operation = id.len ? contract_operation(service->department->contract, id) : NULL;
    if (operation && !signer_knows(&operation->security))
        fault_add(sink, json_get(definition, "id"), STR("/operation/id"), "security scheme %.*s of operation %.*s is unknown",
                  STR_ARG(operation->security.name), STR_ARG(id));
    if (!operation)
        fault_add(sink, json_get(definition, "id"), STR("/operation/id"), "no operation %.*s in %.*s", STR_ARG(id),
                  STR_ARG(service->department->contract_name));
    return operation;
}

const struct mapping *mapping_compile(struct arena *arena, const struct service *service, struct fault_sink *sink, bool *good)
{
    const struct json *definition = json_get(service->definition, "operation");
    size_t before = sink->count;
    struct mapping *mapping = arena_new(arena, struct mapping);
    *good = parameters_compile(arena, json_get(service->definition, "parameters"), &mapping->parameters, sink);
    if (!definition || definition->type == JSON_NULL)
        return NULL;
    const struct operation *operation = find_operation(service, definition, sink);
    mapping->template = operation ? template_compile(arena, operation, json_get(definition, "request"), &mapping->parameters,
                                                     json_get(definition, "page"), reads[service->archetype], sink)
                                  : NULL;
    if (operation) {
        read_items(mapping, operation, definition, sink);
        if (masks_compile(arena, json_get(definition, "masks"), &mapping->masks, sink))
            check_masks(mapping, operation, json_get(definition, "masks"), sink);
    }
    if (mapping->template) {
        read_cache(mapping, json_get(definition, "cache"), sink);
        check_level(mapping, service, sink);
        mapping->personal = service->personal || mapping->template->personal;
        mapping->inputs_are_asked = sends_asked(mapping->template);
        mapping->not_found_empty = service->archetype == ARCHETYPE_QUERY;
        const struct json *not_found = json_get(definition, "not_found");
        if (not_found &&
            (not_found->type != JSON_STRING || (!str_is(not_found->string, "empty") && !str_is(not_found->string, "problem"))))
            fault_add(sink, not_found, STR("/operation/not_found"), "must be empty or problem");
        else if (not_found)
            mapping->not_found_empty = str_is(not_found->string, "empty");
    }
    *good = sink->count == before;
    return *good ? mapping : NULL;
}
