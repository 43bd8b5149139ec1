/* Binds the contracts of the modules to their handlers and reads what x-shimin says of each operation. */
#include "edge/route.h"

#include <shimin/clock.h>

#include <ctype.h>

/* The contract that heads the published document (edge/common.yaml), embedded. */
MODULE_CONTRACT(common);

struct routes {
    struct router *router;
    struct route *list;
    size_t count;
    struct str document;
};

static const char *const acts[ACTS] = {
    [ACT_DESCRIBE] = "describe", [ACT_READ] = "read", [ACT_CONTINUE] = "continue", [ACT_SUBMIT] = "submit"};

/* What the members of x-shimin may be; each reads its member into the route and says whether it could. */
struct reading {
    struct route *route;
    const struct limits *limits;
};

static bool read_level(struct reading *reading, const struct json *value)
{
    if (value->type != JSON_STRING)
        return false;
    reading->route->level_of_service = str_is(value->string, "service");
    return reading->route->level_of_service || level_named(value->string, &reading->route->level);
}

/* The place of the template's parameter among the values that the router gives. */
static int place_in_path(struct str path, struct str name)
{
    int place = 0;
    struct str rest = path;
    while (rest.at) {
        struct str segment = str_cut(&rest, '/');
        if (!str_starts(segment, STR("{")))
            continue;
        if (str_equal(str_slice(segment, 1, segment.len - 1), name))
            return place;
        place++;
    }
    return -1;
}

static bool read_service(struct reading *reading, const struct json *value)
{
    struct route *route = reading->route;
    route->service_at = value->type == JSON_STRING ? place_in_path(route->operation->path, value->string) : -1;
    return route->service_at >= 0;
}

static bool read_archetypes(struct reading *reading, const struct json *value)
{
    enum archetype archetype;
    for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++) {
        if (value->items[i].type != JSON_STRING || !archetype_named(value->items[i].string, &archetype))
            return false;
        reading->route->archetypes |= 1U << archetype;
    }
    return reading->route->archetypes != 0;
}

static bool read_act(struct reading *reading, const struct json *value)
{
    for (int i = 0; value->type == JSON_STRING && i < ACTS; i++)
        if (str_is(value->string, acts[i])) {
            reading->route->act = (enum act)i;
            return true;
        }
    return false;
}

static bool read_limits(struct reading *reading, const struct json *value)
{
    struct route *route = reading->route;
    for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++) {
        const struct json *name = &value->items[i];
        const struct limit_policy *policy = name->type == JSON_STRING ? limits_named(reading->limits, name->string) : NULL;
        if (!policy || route->limit_count == ROUTE_LIMITS)
            return false;
        route->limits[route->limit_count++] = policy;
    }
    return route->limit_count > 0;
}

static bool read_idempotency(struct reading *reading, const struct json *value)
{
    if (value->type != JSON_STRING)
        return false;
    bool required = str_is(value->string, "required");
    reading->route->idempotency = required ? IDEMPOTENCY_REQUIRED : IDEMPOTENCY_OPTIONAL;
    return required || str_is(value->string, "optional");
}

static bool read_deadline(struct reading *reading, const struct json *value)
{
    reading->route->deadline = value->type == JSON_INTEGER ? milliseconds(value->integer) : 0;
    return reading->route->deadline > 0;
}

static bool read_body_bytes(struct reading *reading, const struct json *value)
{
    reading->route->body_bytes = value->type == JSON_INTEGER && value->integer > 0 ? (size_t)value->integer : 0;
    return reading->route->body_bytes > 0;
}

static bool read_setup(struct reading *reading, const struct json *value)
{
    reading->route->setup = value->type == JSON_BOOLEAN && value->boolean;
    return reading->route->setup;
}

static bool read_problems(struct reading *reading, const struct json *value)
{
    reading->route->oauth_errors = value->type == JSON_STRING && str_is(value->string, "oauth");
    return reading->route->oauth_errors;
}

static const struct {
    const char *name;
    bool (*read)(struct reading *reading, const struct json *value);
} members[] = {
    {"level", read_level},           {"service", read_service},
    {"archetypes", read_archetypes}, {"act", read_act},
    {"limits", read_limits},         {"idempotency", read_idempotency},
    {"setup", read_setup},           {"problems", read_problems},
    {"deadline_ms", read_deadline},  {"body_bytes", read_body_bytes},
};

static void read_extension(struct reading *reading, struct text *faults)
{
    const struct operation *operation = reading->route->operation;
    const struct json *extension = json_get(operation->source, "x-shimin");
    if (extension && extension->type != JSON_OBJECT) {
        text_printf(faults, "%.*s: operation %.*s: x-shimin must be an object\n", STR_ARG(operation->contract->name),
                    STR_ARG(operation->id));
        return;
    }
    for (uint32_t i = 0; extension && i < extension->count; i++) {
        const struct json_member *member = &extension->members[i];
        size_t known = 0;
        while (known < COUNT_OF(members) && !str_is(member->name, members[known].name))
            known++;
        if (known == COUNT_OF(members) || !members[known].read(reading, &member->value))
            text_printf(faults, "%.*s: operation %.*s: x-shimin/%.*s is not understood\n", STR_ARG(operation->contract->name),
                        STR_ARG(operation->id), STR_ARG(member->name));
    }
}

/* A role of staff or a scope of clients, as an alternative of `security` names it; an empty list of roles: any role. */
static bool read_actor(struct route *route, struct str scheme, const struct json *list)
{
    enum role role;
    enum scope scope;
    bool one = list->type == JSON_ARRAY && list->count == 1 && list->items[0].type == JSON_STRING;
    if (str_is(scheme, "staff") && list->type == JSON_ARRAY && list->count == 0)
        route->roles = (1U << ROLES) - 1;
    else if (str_is(scheme, "staff") && one && role_named(list->items[0].string, &role))
        route->roles |= 1U << role;
    else if (str_is(scheme, "client") && one && scope_named(list->items[0].string, &scope))
        route->scopes |= 1U << scope;
    else
        return false;
    return true;
}

/* `security` says whose an operation is: [{session: []}, {}] citizens' and guests'; [{staff: [system]}, {client: [contracts]}]
 * of staff with that role or of clients with that scope, each alternative naming one (OpenAPI 3.1: an array of roles means
 * all). */
static void read_security(struct route *route, struct text *faults)
{
    const struct operation *operation = route->operation;
    const struct json *list = json_get(operation->source, "security");
    if (!list)
        list = json_get(operation->contract->document, "security");
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++) {
        const struct json *way = &list->items[i];
        bool citizens = way->count == 0 || str_is(way->members[0].name, "session");
        if (!citizens && (way->count != 1 || !read_actor(route, way->members[0].name, &way->members[0].value)))
            text_printf(faults,
                        "%.*s: operation %.*s: security/%u must be {staff: [one role]}, {staff: []} or {client: [one scope]}\n",
                        STR_ARG(operation->contract->name), STR_ARG(operation->id), i);
        else if (citizens && i > 0 && (route->roles || route->scopes))
            text_printf(faults, "%.*s: operation %.*s: security mixes citizens with staff or clients\n",
                        STR_ARG(operation->contract->name), STR_ARG(operation->id));
    }
}

/* A new address of administrators or departments cannot be left open by forgetting to say whose it is: [] says it is anybody's.
 */
static void check_actors(const struct route *route, struct text *faults)
{
    const struct operation *operation = route->operation;
    bool theirs = str_starts(operation->path, STR("/admin/")) || str_starts(operation->path, STR("/department/"));
    bool said = route->roles || route->scopes;
    const struct json *own = json_get(operation->source, "security");
    if (theirs && !said && !(own && own->count == 0))
        text_printf(faults, "%.*s: operation %.*s: security names neither staff nor client\n",
                    STR_ARG(operation->contract->name), STR_ARG(operation->id));
    if (said && (route->level != LEVEL_GUEST || route->level_of_service))
        text_printf(faults, "%.*s: operation %.*s: x-shimin names a citizen's level beside staff or client\n",
                    STR_ARG(operation->contract->name), STR_ARG(operation->id));
}

static void (*handler_of(const struct module *module, struct str operation_id))(struct request *)
{
    for (const struct module_handler *handler = module->handlers; handler->operation_id; handler++)
        if (str_is(operation_id, handler->operation_id))
            return handler->handle;
    return NULL;
}

static const struct parameter_source *find_sources(struct arena *arena, const struct operation *operation)
{
    struct parameter_source *sources = arena_array(arena, struct parameter_source, operation->parameter_count);
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        sources[i].path_value = parameter->place == PARAMETER_PATH ? place_in_path(operation->path, parameter->name) : -1;
        if (parameter->place != PARAMETER_HEADER)
            continue;
        char *name = str_to_c(arena, parameter->name);
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        sources[i].field_name = name;
    }
    return sources;
}

static void bind(struct arena *arena, struct routes *routes, const struct module *module, const struct operation *operation,
                 const struct limits *limits, struct text *faults)
{
    struct route *route = &routes->list[routes->count];
    *route = (struct route){
        .operation = operation,
        .sources = find_sources(arena, operation),
        .handle = handler_of(module, operation->id),
        .service_at = -1,
        .index = (unsigned)routes->count,
    };
    struct str reason;
    for (unsigned i = 0; i < operation->parameter_count; i++)
        if (operation->parameters[i].place == PARAMETER_COOKIE)
            text_printf(faults, "%s: operation %.*s: cookies are not read: %.*s\n", module->name, STR_ARG(operation->id),
                        STR_ARG(operation->parameters[i].name));
        else if (operation->parameters[i].unsupported)
            text_printf(faults, "%s: operation %.*s: %.*s: %s\n", module->name, STR_ARG(operation->id),
                        STR_ARG(operation->parameters[i].name), operation->parameters[i].unsupported);
    if (!route->handle)
        text_printf(faults, "%s: operation %.*s has no handler\n", module->name, STR_ARG(operation->id));
    read_extension(&(struct reading){route, limits}, faults);
    read_security(route, faults);
    check_actors(route, faults);
    if (!router_add(routes->router, operation, route, &reason))
        text_printf(faults, "%s: operation %.*s: %.*s\n", module->name, STR_ARG(operation->id), STR_ARG(reason));
    routes->count++;
}

static void free_contract(void *argument)
{
    contract_free(argument);
}

static const struct contract *load_module(struct arena *arena, const struct module *module, struct text *faults)
{
    struct contract_faults found = {0};
    const struct contract *contract =
        contract_load(str_of(module->name), (struct str){module->contract, *module->contract_size}, arena, &found);
    for (size_t i = 0; i < found.count; i++)
        text_printf(faults, "%s: %.*s: %.*s\n", module->name, STR_ARG(found.list[i].pointer), STR_ARG(found.list[i].reason));
    if (contract)
        arena_defer(arena, free_contract, (void *)(uintptr_t)contract);
    for (const struct module_handler *handler = module->handlers; contract && handler->operation_id; handler++)
        if (!contract_operation(contract, str_of(handler->operation_id)))
            text_printf(faults, "%s: handler %s has no operation\n", module->name, handler->operation_id);
    return contract;
}

static struct str bundle(struct arena *arena, const struct contract *const *contracts, size_t count, struct text *faults)
{
    struct json_error error;
    struct contract_faults found = {0};
    const struct json *head =
        json_parse(arena, (struct str){common_contract, common_contract_size}, &json_limits_document, &error);
    const struct json *document = head ? contract_bundle(arena, head, contracts, count, &found) : NULL;
    for (size_t i = 0; i < found.count; i++)
        text_printf(faults, "openapi.json: %.*s: %.*s\n", STR_ARG(found.list[i].pointer), STR_ARG(found.list[i].reason));
    return document ? json_text(arena, document) : STR_NONE;
}

struct routes *routes_load(struct arena *arena, const struct module *const *modules, const struct limits *limits,
                           struct text *faults)
{
    size_t module_count = 0, operation_count = 0, before = faults->len;
    while (modules[module_count])
        module_count++;
    const struct contract **contracts = arena_array(arena, const struct contract *, module_count);
    for (size_t i = 0; i < module_count; i++) {
        contracts[i] = load_module(arena, modules[i], faults);
        if (contracts[i])
            operation_count += contracts[i]->operation_count;
    }
    if (faults->len != before)
        return NULL;
    struct routes *routes = arena_new(arena, struct routes);
    routes->router = router_new(arena);
    routes->list = arena_array(arena, struct route, operation_count);
    for (size_t i = 0; i < module_count; i++)
        for (unsigned j = 0; j < contracts[i]->operation_count; j++)
            bind(arena, routes, modules[i], &contracts[i]->operations[j], limits, faults);
    routes->document = bundle(arena, contracts, module_count, faults);
    return faults->len == before ? routes : NULL;
}

void routes_match(const struct routes *routes, enum http_method method, struct str path, struct route_match *match)
{
    router_match(routes->router, method, path, match);
}

size_t routes_body_bytes(const struct routes *routes, struct str method, struct str path)
{
    enum http_method known;
    struct route_match match = {0};
    if (method_named(method, &known))
        router_match(routes->router, known, path, &match);
    const struct route *route = match.target;
    return route ? route->body_bytes : 0;
}

size_t routes_body_bytes_most(const struct routes *routes)
{
    size_t most = 0;
    for (size_t i = 0; i < routes->count; i++)
        if (routes->list[i].body_bytes > most)
            most = routes->list[i].body_bytes;
    return most;
}

struct str routes_document(const struct routes *routes)
{
    return routes->document;
}

size_t routes_count(const struct routes *routes)
{
    return routes->count;
}
