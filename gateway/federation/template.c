/* Compiling a request template: every required parameter must have a source, and every source a place. */
#include "federation/template.h"
#include "federation/own_header.h"
#include <string.h>

static bool is_safe(const struct operation *operation)
{
    if (operation->method == METHOD_GET || operation->method == METHOD_HEAD || operation->method == METHOD_OPTIONS)
        return true;
    return operation->method == METHOD_POST && json_get_boolean(operation->source, "x-shimin-safe", false);
}

static bool is_ours(const struct parameter *parameter)
{
    return parameter->place == PARAMETER_HEADER && header_is_ours(parameter->name);
}

/* application/json where the contract has it, else the first of its kin (application/vnd.city+json). */
static const struct media *json_media(const struct media *list, unsigned count)
{
    const struct media *media = media_for(list, count, STR("application/json"));
    for (unsigned i = 0; i < count && !media; i++)
        if (str_ends(list[i].type, STR("+json")))
            media = &list[i];
    return media;
}

static const struct media *json_body(const struct operation *operation)
{
    return json_media(operation->bodies, operation->body_count);
}

static struct str accepted(const struct operation *operation)
{
    for (unsigned i = 0; i < operation->response_count; i++) {
        const struct response *response = &operation->responses[i];
        const struct media *media =
            response->status / 100 == 2 || response->status == 2 ? json_media(response->media, response->media_count) : NULL;
        if (media && str_ends(media->type, STR("+json")))
            return media->type;
    }
    return STR("application/json");
}

/* ---- path ---- */

static struct template_field *place_path(struct arena *arena, struct template *template, const struct template_field *fields,
                                         unsigned count, struct fault_sink *sink)
{
    struct template_field *ordered = arena_array(arena, struct template_field, count + 1);
    struct str rest = template->operation->path;
    unsigned placed = 0;
    for (;;) {
        ptrdiff_t open = str_find(rest, STR("{"));
        ptrdiff_t close = str_find(rest, STR("}"));
        if (open < 0 || close < open)
            break;
        struct str name = str_slice(rest, (size_t)open + 1, (size_t)close);
        const struct template_field *field = NULL;
        for (unsigned i = 0; i < count && !field; i++)
            if (str_equal(fields[i].parameter->name, name))
                field = &fields[i];
        if (field && placed < count) {
            ordered[placed] = *field;
            ordered[placed++].prefix = str_slice(rest, 0, (size_t)open);
        } else if (sink) {
            fault_add(sink, NULL, STR("/operation/request"), "path parameter %.*s of operation %.*s has no source",
                      STR_ARG(name), STR_ARG(template->operation->id));
        }
        rest = str_slice(rest, (size_t)close + 1, rest.len);
    }
    template->path_tail = rest;
    template->path_count = placed;
    return ordered;
}

/* Sorts the fields by place into the template. */
static void place_fields(struct arena *arena, struct template *template, const struct template_field *fields, unsigned count,
                         struct fault_sink *sink)
{
    struct template_field *query = arena_array(arena, struct template_field, count + 1);
    struct template_field *headers = arena_array(arena, struct template_field, count + 1);
    struct template_field *path = arena_array(arena, struct template_field, count + 1);
    unsigned paths = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct parameter *parameter = fields[i].parameter;
        if (parameter->place == PARAMETER_PATH) {
            path[paths++] = fields[i];
        } else if (parameter->place == PARAMETER_QUERY) {
            struct str name = str_percent_encode(arena, parameter->name);
            query[template->query_count] = fields[i];
            query[template->query_count++].prefix = str_printf(arena, "%.*s=", STR_ARG(name));
        } else if (parameter->place == PARAMETER_HEADER) {
            char *lower = str_to_c(arena, parameter->name);
            for (char *c = lower; *c; c++)
                if (*c >= 'A' && *c <= 'Z')
                    *c = (char)(*c + 'a' - 'A');
            headers[template->header_count] = fields[i];
            headers[template->header_count++].prefix = str_of(lower);
        }
        template->personal |= source_is_personal(fields[i].source.kind);
        if (source_level(fields[i].source.kind) > template->level)
            template->level = source_level(fields[i].source.kind);
    }
    template->query = query;
    template->headers = headers;
    template->path = place_path(arena, template, path, paths, sink);
}

/* ---- body ---- */

/* The members that the schema names as required are all mapped. Looks through $ref and allOf; what oneOf and anyOf ask is
 * found when the body is validated before it is sent. */
static void check_required(const struct contract *contract, const struct json *schema, const struct template_member *members,
                           struct str pointer, unsigned depth, struct fault_sink *sink)
{
    schema = contract_resolve(contract, schema);
    if (!schema || depth > 16)
        return;
    const struct json *required = json_get(schema, "required");
    for (uint32_t i = 0; required && required->type == JSON_ARRAY && i < required->count; i++) {
        const struct template_member *member = members;
        while (member && !str_equal(member->name, required->items[i].string))
            member = member->next;
        if (!member)
            fault_add(sink, NULL, STR("/operation/request"), "required member %.*s/%.*s of the body has no source",
                      STR_ARG(pointer), STR_ARG(required->items[i].string));
    }
    const struct json *all_of = json_get(schema, "allOf");
    for (uint32_t i = 0; all_of && all_of->type == JSON_ARRAY && i < all_of->count; i++)
        check_required(contract, &all_of->items[i], members, pointer, depth + 1, sink);
    const struct json *properties = json_get(schema, "properties");
    for (const struct template_member *member = members; member; member = member->next)
        if (member->children)
            check_required(contract, json_get_str(properties, member->name), member->children, member->name, depth + 1, sink);
}

/* Does the schema know a member of that name? Schemas without properties know every name. *found is its schema, or NULL. */
static bool schema_knows(const struct contract *contract, const struct json *schema, struct str name, unsigned depth,
                         const struct json **found)
{
    schema = contract_resolve(contract, schema);
    *found = NULL;
    if (!schema || depth > 16)
        return true;
    const struct json *all_of = json_get(schema, "allOf");
    const struct json *properties = json_get(schema, "properties");
    if (!properties && !all_of)
        return true;
    if ((*found = json_get_str(properties, name)))
        return true;
    for (uint32_t i = 0; all_of && all_of->type == JSON_ARRAY && i < all_of->count; i++)
        if (schema_knows(contract, &all_of->items[i], name, depth + 1, found) && *found)
            return true;
    return false;
}

/* "const:5" for an integer parameter is the number 5; a constant that breaks the parameter's schema is a fault. */
static bool coerce_constant(struct arena *arena, const struct parameter *parameter, struct source *source,
                            const struct json *node, struct fault_sink *sink)
{
    if (source->kind != SOURCE_CONST || source->literal->type != JSON_STRING)
        return true;
    struct schema_errors errors = {.arena = arena, .most = 1};
    const struct json *value = parameter_read(arena, parameter, source->literal->string, &errors);
    if (!value) {
        fault_add(sink, node, STR("/operation/request"), "%.*s: the constant breaks the parameter's schema",
                  STR_ARG(parameter->name));
        return false;
    }
    source->literal = value;
    return true;
}

/* The same for a member of the body, whose schema is compiled for this. A member that the contract does not describe takes the
 * text as it is. */
static bool coerce_member(struct arena *arena, const struct contract *contract, const struct json *schema, struct str name,
                          struct source *source, const struct json *node, struct fault_sink *sink)
{
    if (!schema)
        return true;
    struct str reason;
    const struct schema_options options = {.openapi_3_0 = !contract->is_3_1, .document = contract->document};
    const struct parameter parameter = {
        .name = name, .place = PARAMETER_QUERY, .schema = schema_compile(arena, schema, &options, &reason)};
    return !parameter.schema || coerce_constant(arena, &parameter, source, node, sink);
}

/* Adds a member at the pointer ("/applicant/name", or a bare name for the top). */
static void add_member(struct arena *arena, struct template *template, struct str pointer, struct source *source,
                       const struct json *node, struct fault_sink *sink)
{
    const struct contract *contract = template->operation->contract;
    const struct json *schema = template->media->source ? json_get(template->media->source, "schema") : NULL;
    const struct template_member **list = &template->body;
    struct template_member *member = NULL;
    struct str rest = pointer.len && pointer.at[0] == '/' ? str_slice(pointer, 1, pointer.len) : pointer;
    while (rest.at) {
        struct str name = str_cut(&rest, '/');
        const struct json *inner;
        if (!schema_knows(contract, schema, name, 0, &inner)) {
            fault_add(sink, node, STR("/operation/request"), "%.*s: operation %.*s has no such parameter or body member",
                      STR_ARG(pointer), STR_ARG(template->operation->id));
            return;
        }
        schema = inner;
        while (*list && !str_equal((*list)->name, name))
            list = (const struct template_member **)&(*list)->next;
        member = (struct template_member *)*list;
        if (!member) {
            *list = member = arena_new(arena, struct template_member);
            member->name = name;
        } else if (!rest.at) {
            fault_add(sink, node, STR("/operation/request"), "%.*s is mapped twice", STR_ARG(pointer));
            return;
        }
        list = &member->children;
    }
    if (!coerce_member(arena, contract, schema, pointer, source, node, sink))
        return;
    member->source = *source;
    template->personal |= source_is_personal(source->kind);
    if (source_level(source->kind) > template->level)
        template->level = source_level(source->kind);
}

/* ---- one line of the mapping ---- */

static const struct parameter *parameter_named(const struct operation *operation, struct str name)
{
    static const enum parameter_place places[] = {PARAMETER_PATH, PARAMETER_QUERY, PARAMETER_HEADER};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const struct parameter *parameter = operation_parameter(operation, places[i], name);
        if (parameter)
            return parameter;
    }
    return NULL;
}

static bool read_source(struct arena *arena, const struct json *node, struct str name, const struct template_names *names,
                        struct source *source, struct fault_sink *sink)
{
    if (node->type != JSON_STRING) { /* a number or boolean stands for itself */
        *source = (struct source){.kind = SOURCE_CONST, .literal = node};
        return true;
    }
    if (!source_parse(arena, node->string, source)) {
        fault_add(sink, node, STR("/operation/request"),
                  "%.*s: source must be citizen.id_number, citizen.name, citizen.phone_number, query.<name> or const:<value>",
                  STR_ARG(name));
        return false;
    }
    if (source->kind != SOURCE_QUERY)
        return true;
    for (source->index = 0; source->index < names->count; source->index++)
        if (str_equal(names->list[source->index].name, source->name))
            return true;
    fault_add(sink, node, STR("/operation/request"), "%.*s: the service has no parameter %.*s", STR_ARG(name),
              STR_ARG(source->name));
    return false;
}

static void add_target(struct arena *arena, struct template *template, struct template_field *fields, unsigned *count,
                       struct str name, struct source *source, const struct json *node, struct fault_sink *sink)
{
    const struct parameter *parameter = parameter_named(template->operation, name);
    for (unsigned i = 0; i < *count; i++)
        if (fields[i].parameter == parameter) {
            fault_add(sink, node, STR("/operation/request"), "parameter %.*s is mapped twice", STR_ARG(name));
            return;
        }
    if (parameter && is_ours(parameter)) {
        fault_add(sink, node, STR("/operation/request"), "%.*s is the gateway's own header: nothing can be put into it",
                  STR_ARG(name));
    } else if (parameter && parameter->unsupported) {
        fault_add(sink, node, STR("/operation/request"), "parameter %.*s: %s", STR_ARG(name), parameter->unsupported);
    } else if (parameter) {
        if (coerce_constant(arena, parameter, source, node, sink))
            fields[(*count)++] = (struct template_field){.parameter = parameter, .source = *source};
    } else if (template->media) {
        add_member(arena, template, name, source, node, sink);
    } else {
        fault_add(sink, node, STR("/operation/request"), "operation %.*s has no parameter %.*s",
                  STR_ARG(template->operation->id), STR_ARG(name));
    }
}

/* page: {parameter, first, size_parameter, size} */
static void add_page(struct arena *arena, struct template *template, struct template_field *fields, unsigned *count,
                     const struct json *page, struct fault_sink *sink)
{
    struct str parameter = json_get_string(page, "parameter", STR_NONE);
    struct str size_parameter = json_get_string(page, "size_parameter", STR_NONE);
    const struct json *size = json_get(page, "size");
    if (!parameter.len || (size_parameter.len && !size)) {
        fault_add(sink, page, STR("/operation/page"), "needs parameter, and size with size_parameter");
        return;
    }
    struct source source = {.kind = SOURCE_PAGE, .literal = json_get(page, "first")};
    add_target(arena, template, fields, count, parameter, &source, page, sink);
    source = (struct source){.kind = SOURCE_CONST, .literal = size};
    if (size_parameter.len)
        add_target(arena, template, fields, count, size_parameter, &source, page, sink);
}

const struct template *template_compile(struct arena *arena, const struct operation *operation, const struct json *request,
                                        const struct template_names *names, const struct json *page, bool reads,
                                        struct fault_sink *sink)
{
    struct template *template = arena_new(arena, struct template);
    template->operation = operation;
    template->accept = accepted(operation);
    template->safe = reads || is_safe(operation);
    size_t before = sink->count;
    if (request && request->type != JSON_OBJECT) {
        fault_add(sink, request, STR("/operation/request"), "must map names to sources");
        return NULL;
    }
    uint32_t lines = request ? request->count : 0;
    struct template_field *fields = arena_array(arena, struct template_field, lines + 3);
    unsigned count = 0;
    template->media = json_body(operation);
    for (uint32_t i = 0; i < lines; i++) {
        const struct json_member *line = &request->members[i];
        struct source source;
        if (read_source(arena, &line->value, line->name, names, &source, sink))
            add_target(arena, template, fields, &count, line->name, &source, &line->value, sink);
    }
    if (page)
        add_page(arena, template, fields, &count, page, sink);
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        bool mapped = false;
        for (unsigned j = 0; j < count; j++)
            mapped |= fields[j].parameter == parameter;
        if (parameter->required && !mapped && parameter->place != PARAMETER_PATH && !is_ours(parameter))
            fault_add(sink, NULL, STR("/operation/request"), "required parameter %.*s of operation %.*s has no source%s%s",
                      STR_ARG(parameter->name), STR_ARG(operation->id), parameter->unsupported ? ", and can have none: " : "",
                      parameter->unsupported ? parameter->unsupported : "");
    }
    place_fields(arena, template, fields, count, sink);
    if (!template->media && operation->body_required)
        fault_add(sink, NULL, STR("/operation/id"), "operation %.*s needs a body that is not JSON, which nothing here can make",
                  STR_ARG(operation->id));
    if (template->media && (operation->body_required || template->body))
        check_required(operation->contract, json_get(template->media->source, "schema"), template->body, STR_NONE, 0, sink);
    if (!template->body && !operation->body_required)
        template->media = NULL;
    return sink->count == before ? template : NULL;
}

enum source_kind parameter_identity(const struct parameter *parameter)
{
    enum source_kind kind;
    struct str declared = json_get_string(parameter->source, "x-shimin-citizen", STR_NONE);
    return source_of_identity(declared.at ? declared : parameter->name, &kind) ? kind : SOURCE_CONST;
}

const struct template *template_direct(struct arena *arena, const struct operation *operation)
{
    struct template *template = arena_new(arena, struct template);
    template->operation = operation;
    template->accept = accepted(operation);
    template->safe = is_safe(operation);
    template->media = json_body(operation);
    template->body_of_values = template->media != NULL;
    struct template_field *fields = arena_array(arena, struct template_field, operation->parameter_count + 1);
    unsigned count = 0;
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        if (parameter->place == PARAMETER_COOKIE || parameter->unsupported || is_ours(parameter))
            continue;
        fields[count].parameter = parameter;
        fields[count].source = (struct source){.kind = SOURCE_VALUE, .name = parameter->name};
        fields[count].source.identity = parameter_identity(parameter);
        count++;
    }
    place_fields(arena, template, fields, count, NULL);
    return template;
}
