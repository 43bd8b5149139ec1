/* A service's own parameters: compiled from the catalogue, read from a query string. */
#include "federation/parameters.h"
#include <string.h>

bool parameters_compile(struct arena *arena, const struct json *list, struct template_names *names, struct fault_sink *sink)
{
    *names = (struct template_names){0};
    if (!list)
        return true;
    if (list->type != JSON_ARRAY) {
        fault_add(sink, list, STR("/parameters"), "must be a list");
        return false;
    }
    size_t before = sink->count;
    struct parameter *parameters = arena_array(arena, struct parameter, list->count + 1);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json *entry = &list->items[i], *schema = json_get(entry, "schema");
        struct parameter *parameter = &parameters[i];
        *parameter = (struct parameter){
            .name = json_get_string(entry, "name", STR_NONE),
            .place = PARAMETER_QUERY,
            .required = json_get_boolean(entry, "required", false),
            .fallback = json_get(schema, "default"),
            .source = entry,
        };
        if (!parameter->name.len)
            fault_add(sink, entry, STR("/parameters"), "a parameter needs a name");
        for (uint32_t j = 0; j < i; j++)
            if (str_equal(parameters[j].name, parameter->name))
                fault_add(sink, entry, STR("/parameters"), "%.*s is declared twice", STR_ARG(parameter->name));
        struct str reason = STR_NONE;
        const struct schema_options options = {.assert_formats = true};
        if (schema && !(parameter->schema = schema_compile(arena, schema, &options, &reason)))
            fault_add(sink, schema, STR("/parameters"), "schema of %.*s: %.*s", STR_ARG(parameter->name), STR_ARG(reason));
    }
    names->list = parameters;
    names->count = list->count;
    return sink->count == before;
}

struct reading {
    struct arena *arena;
    struct problem_error *errors;
    size_t count;
};

static void refuse(struct reading *reading, struct str name, struct bilingual detail)
{
    reading->errors = arena_grow(reading->arena, reading->errors, reading->count * sizeof(struct problem_error),
                                 (reading->count + 1) * sizeof(struct problem_error));
    reading->errors[reading->count++] = (struct problem_error){.parameter = name, .detail = detail};
}

/* The raw value of the name in the query; at == NULL when absent. */
static struct str find_raw(struct reading *reading, struct str query, struct str name, bool *broken)
{
    struct str found = STR_NONE, rest = query;
    *broken = false;
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '='), decoded;
        /* Names are mostly sent as they are; decoding is for the few that are not. */
        if (!str_equal(key, name) && !(str_find(key, STR("%")) >= 0 &&
                                       str_percent_decode(reading->arena, key, true, &decoded) && str_equal(decoded, name)))
            continue;
        if (found.at) {
            refuse(reading, name, BILINGUAL("重复给出", "is given more than once"));
            *broken = true;
            return STR_NONE;
        }
        if (!str_percent_decode(reading->arena, value.at ? value : STR(""), true, &found) || !str_is_utf8(found)) {
            refuse(reading, name, BILINGUAL("编码有误", "is not encoded properly"));
            *broken = true;
            return STR_NONE;
        }
        if (!found.at)
            found = STR("");
    }
    return found;
}

static const struct json *read_one(struct reading *reading, const struct parameter *parameter, struct str query,
                                   const struct json *given)
{
    const struct json *value = json_get_str(given, parameter->name);
    struct schema_errors errors = {.arena = reading->arena};
    if (value) {
        if (!parameter->schema || schema_validate(parameter->schema, value, &errors))
            return value;
    } else {
        bool broken;
        struct str raw = find_raw(reading, query, parameter->name, &broken);
        if (broken)
            return NULL;
        if (!raw.at) {
            if (parameter->required && !parameter->fallback)
                refuse(reading, parameter->name, BILINGUAL("缺少此参数", "is required"));
            return parameter->fallback;
        }
        if ((value = parameter_read(reading->arena, parameter, raw, &errors)))
            return value;
    }
    for (size_t i = 0; i < errors.count; i++)
        refuse(reading, parameter->name, errors.list[i].detail);
    if (!errors.count)
        refuse(reading, parameter->name, BILINGUAL("不符合要求", "is not valid"));
    return NULL;
}

const struct problem *parameters_read(struct arena *arena, const struct template_names *names, struct str query,
                                      const struct json *given, const struct json **values)
{
    struct reading reading = {.arena = arena};
    for (unsigned i = 0; i < names->count; i++)
        values[i] = read_one(&reading, &names->list[i], query, given);
    if (!reading.count)
        return NULL;
    struct problem *problem =
        problem_new(arena, PROBLEM_INVALID_PARAMETER, BILINGUAL("参数有误", "Parameters are missing or wrong"));
    problem->errors = reading.errors;
    problem->error_count = reading.count;
    return problem;
}
