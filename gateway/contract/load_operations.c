/* `paths`: path items and their operations. */
#include "contract/load.h"

#include <string.h>

/* In OpenAPI's path items; trace is not carried. */
static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"get", METHOD_GET},     {"head", METHOD_HEAD},     {"post", METHOD_POST},       {"put", METHOD_PUT},
    {"patch", METHOD_PATCH}, {"delete", METHOD_DELETE}, {"options", METHOD_OPTIONS},
};

static struct operation *add_operation(struct loader *loader)
{
    if (loader->operation_count == loader->operation_room) {
        size_t room = loader->operation_room ? loader->operation_room * 2 : 32;
        loader->operations = arena_grow(loader->arena, loader->operations, loader->operation_room * sizeof *loader->operations,
                                        room * sizeof *loader->operations);
        loader->operation_room = room;
    }
    struct operation *operation = &loader->operations[loader->operation_count];
    operation->index = (unsigned)loader->operation_count++;
    return operation;
}

static void load_id(struct loader *loader, struct operation *operation)
{
    const struct json *id = load_member(loader, operation->source, "operationId", JSON_STRING);
    if (!id) {
        operation->id = str_printf(loader->arena, "%s %.*s", method_name(operation->method), STR_ARG(operation->path));
        return;
    }
    operation->id = id->string;
    for (size_t i = 0; i < operation->index; i++) {
        if (!str_equal(loader->operations[i].id, id->string))
            continue;
        load_fault(loader, id, "operationId %.*s is used twice: also by %s %.*s", STR_ARG(id->string),
                   method_name(loader->operations[i].method), STR_ARG(loader->operations[i].path));
        break;
    }
}

static void load_operation(struct loader *loader, struct str path, enum http_method method, const struct json *source,
                           const struct json *path_item)
{
    if (source->type != JSON_OBJECT) {
        load_fault(loader, source, "an operation must be an object");
        return;
    }
    struct operation *operation = add_operation(loader);
    operation->contract = loader->contract;
    operation->method = method;
    operation->path = path;
    operation->source = source;
    load_id(loader, operation);
    load_parameters(loader, operation, path_item);
    load_body(loader, operation);
    load_responses(loader, operation);
    load_security(loader, operation);
}

void load_paths(struct loader *loader, const struct json *paths)
{
    for (uint32_t i = 0; i < paths->count; i++) {
        const struct json_member *member = &paths->members[i];
        if (str_starts(member->name, STR("x-")))
            continue;
        if (member->name.len == 0 || member->name.at[0] != '/')
            load_fault(loader, &member->value, "a path must begin with '/'");
        const struct json *item = load_resolve(loader, &member->value);
        if (!item)
            continue;
        if (item->type != JSON_OBJECT) {
            load_fault(loader, item, "a path item must be an object");
            continue;
        }
        for (size_t k = 0; k < COUNT_OF(methods); k++) {
            const struct json *source = json_get(item, methods[k].name);
            if (source)
                load_operation(loader, member->name, methods[k].method, source, item);
        }
    }
}
