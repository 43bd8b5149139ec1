/* Parameters of a path item and an operation, merged and checked against the path's template. */
#include "contract/load.h"

#include <string.h>

static const struct {
    const char *name;
    enum parameter_place place;
    const char *style; /* the only one that is read there, and OpenAPI's default */
} places[] = {
    {"path", PARAMETER_PATH, "simple"},
    {"query", PARAMETER_QUERY, "form"},
    {"header", PARAMETER_HEADER, "simple"},
    {"cookie", PARAMETER_COOKIE, "form"},
};

static bool load_place(struct loader *loader, const struct json *source, struct parameter *parameter)
{
    const struct json *in = load_member(loader, source, "in", JSON_STRING);
    if (!in) {
        if (!json_get(source, "in"))
            load_fault(loader, source, "the parameter does not say where it is (in)");
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (str_is(in->string, places[i].name)) {
            parameter->place = places[i].place;
            return true;
        }
    }
    load_fault(loader, in, "in must be path, query, header or cookie%s",
               str_is(in->string, "body") || str_is(in->string, "formData") ? "; Swagger's bodies are requestBody now" : "");
    return false;
}

/* What is not understood here is no fault of the document: most of its operations do without that parameter. */
static void load_style(struct loader *loader, const struct json *source, struct parameter *parameter, unsigned types)
{
    const char *usual = places[parameter->place].style;
    const struct json *style = load_member(loader, source, "style", JSON_STRING);
    bool is_usual = !style || str_is(style->string, usual);
    /* With a plain value every style of the query comes to the same. */
    bool is_plain = !(types & (1u << JSON_ARRAY | 1u << JSON_OBJECT));
    if (!is_usual && !(is_plain && parameter->place == PARAMETER_QUERY))
        parameter->unsupported =
            str_printf(loader->arena, "style %.*s is not supported here: use %s", STR_ARG(style->string), usual).at;
    parameter->explode = json_get_boolean(source, "explode", strcmp(usual, "form") == 0);
}

/* Arrays and plain values can be written in a parameter; objects only as JSON. */
static void load_value(struct loader *loader, const struct json *source, struct parameter *parameter)
{
    const struct json *schema = json_get(source, "schema"), *content = load_member(loader, source, "content", JSON_OBJECT);
    if (content) {
        unsigned count = 0;
        const struct media *media = load_content(loader, content, &count);
        if (schema || count != 1 || !str_equal_nocase(media->type, STR("application/json"))) {
            if (schema || count != 1)
                load_fault(loader, content, "a parameter has either a schema or one content");
            else
                parameter->unsupported = "the content of a parameter must be application/json";
            return;
        }
        parameter->is_json = true;
        parameter->schema = media->schema;
        return;
    }
    unsigned types = 1u << JSON_STRING;
    if (schema) {
        const struct json *plain = load_resolve(loader, schema);
        parameter->schema = load_schema(loader, schema);
        parameter->fallback = json_get(plain, "default");
        const struct json *type = json_get(plain, "type");
        if (type && type->type == JSON_STRING && str_is(type->string, "object"))
            types = 1u << JSON_OBJECT;
        else if (type && type->type == JSON_STRING && str_is(type->string, "array"))
            types = 1u << JSON_ARRAY;
        else if (!type && (json_get(plain, "anyOf") || json_get(plain, "oneOf")))
            types |= 1u << JSON_OBJECT;
    }
    if (types == 1u << JSON_OBJECT)
        parameter->unsupported = "an object in a parameter must be described by content, application/json";
    else
        load_style(loader, source, parameter, types);
}

static bool is_same(const struct parameter *parameter, enum parameter_place place, struct str name)
{
    return parameter->place == place &&
           (place == PARAMETER_HEADER ? str_equal_nocase(parameter->name, name) : str_equal(parameter->name, name));
}

/* OpenAPI leaves these to content, responses and security. */
static bool is_ignored(const struct parameter *parameter)
{
    static const char *const names[] = {"accept", "content-type", "authorization"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (parameter->place == PARAMETER_HEADER && str_equal_nocase(parameter->name, str_of(names[i])))
            return true;
    return false;
}

static bool load_parameter(struct loader *loader, const struct json *node, struct parameter *parameter)
{
    const struct json *source = load_resolve(loader, node);
    if (!source)
        return false;
    if (source->type != JSON_OBJECT) {
        load_fault(loader, source, "a parameter must be an object");
        return false;
    }
    const struct json *name = load_member(loader, source, "name", JSON_STRING);
    if (!name) {
        if (!json_get(source, "name"))
            load_fault(loader, source, "the parameter has no name");
        return false;
    }
    *parameter = (struct parameter){.name = name->string, .source = source};
    if (!load_place(loader, source, parameter) || is_ignored(parameter))
        return false;
    (void)load_member(loader, source, "required", JSON_BOOLEAN);
    parameter->required = json_get_boolean(source, "required", false);
    if (parameter->place == PARAMETER_PATH && !parameter->required)
        load_fault(loader, source, "the path parameter %.*s must be required: true", STR_ARG(parameter->name));
    load_value(loader, source, parameter);
    return true;
}

/* Adds a list; entries before `own` belong to the path item and give way. */
static unsigned load_list(struct loader *loader, const struct json *owner, struct parameter *list, unsigned count)
{
    unsigned own = count;
    const struct json *sources = load_member(loader, owner, "parameters", JSON_ARRAY);
    for (uint32_t i = 0; sources && i < sources->count; i++) {
        struct parameter parameter;
        if (!load_parameter(loader, &sources->items[i], &parameter))
            continue;
        unsigned at = 0;
        while (at < count && !is_same(&list[at], parameter.place, parameter.name))
            at++;
        if (at < count && at >= own)
            load_fault(loader, &sources->items[i], "the parameter %.*s is listed twice", STR_ARG(parameter.name));
        list[at] = parameter;
        count += at == count;
    }
    return count;
}

/* The next {name} of the template; at == NULL after the last. */
static struct str next_name(struct str *rest)
{
    ptrdiff_t open = str_find(*rest, STR("{"));
    if (open < 0)
        return STR_NONE;
    struct str after = str_slice(*rest, (size_t)open + 1, rest->len);
    ptrdiff_t close = str_find(after, STR("}"));
    if (close < 0)
        return STR_NONE;
    *rest = str_slice(after, (size_t)close + 1, after.len);
    return str_slice(after, 0, (size_t)close);
}

/* Each {name} has its parameter, and each path parameter its {name}. */
static void match_template(struct loader *loader, struct operation *operation)
{
    const struct parameter **order = arena_array(loader->arena, const struct parameter *, operation->path.len / 2 + 1);
    struct str rest = operation->path, name;
    while ((name = next_name(&rest)).at) {
        const struct parameter *parameter = operation_parameter(operation, PARAMETER_PATH, name);
        if (!parameter)
            load_fault(loader, operation->source, "the path parameter {%.*s} is not declared", STR_ARG(name));
        for (unsigned i = 0; parameter && i < operation->path_parameter_count; i++)
            if (order[i] == parameter)
                load_fault(loader, operation->source, "the path has {%.*s} twice", STR_ARG(name));
        if (parameter)
            order[operation->path_parameter_count++] = parameter;
    }
    if (str_find(rest, STR("{")) >= 0 || str_find(rest, STR("}")) >= 0)
        load_fault(loader, operation->source, "the braces of the path do not match");
    operation->path_parameters = order;
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        bool is_there = parameter->place != PARAMETER_PATH;
        for (unsigned k = 0; k < operation->path_parameter_count; k++)
            is_there = is_there || order[k] == parameter;
        if (!is_there)
            load_fault(loader, parameter->source, "the path %.*s has no {%.*s}", STR_ARG(operation->path),
                       STR_ARG(parameter->name));
    }
}

void load_parameters(struct loader *loader, struct operation *operation, const struct json *path_item)
{
    const struct json *own = json_get(operation->source, "parameters"), *shared = json_get(path_item, "parameters");
    size_t most =
        (own && own->type == JSON_ARRAY ? own->count : 0) + (shared && shared->type == JSON_ARRAY ? shared->count : 0);
    struct parameter *list = arena_array(loader->arena, struct parameter, most + 1);
    unsigned count = load_list(loader, path_item, list, 0);
    operation->parameter_count = load_list(loader, operation->source, list, count);
    operation->parameters = list;
    match_template(loader, operation);
}
