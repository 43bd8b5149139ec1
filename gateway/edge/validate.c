/* Parameters and bodies against the contract; every fault goes into one problem. */
#include "edge/validate.h"

#include "http/request_internal.h"

/* A percent-encoded value; one with a broken escape stays as it was sent, and its schema judges it. */
static struct str decoded(struct request *request, struct str raw, bool form)
{
    struct str out;
    return str_percent_decode(request_arena(request), raw, form, &out) ? out : raw;
}

/* The value of a query parameter; an array sent as a=1&a=2 is joined by commas, which is how the contract reads arrays. */
static struct str find_in_query(struct request *request, const struct parameter *parameter)
{
    struct str rest = request_query(request), found = STR_NONE;
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&');
        struct str name = str_cut(&value, '=');
        if (!str_equal(decoded(request, name, true), parameter->name))
            continue;
        struct str text = value.at ? decoded(request, value, true) : STR("");
        found = found.at ? str_printf(request_arena(request), "%.*s,%.*s", STR_ARG(found), STR_ARG(text)) : text;
        if (!parameter->explode)
            break;
    }
    return found;
}

static struct str find_raw(struct request *request, const struct parameter *parameter, const struct parameter_source *source,
                           const struct route_match *match)
{
    if (source->path_value >= 0)
        return decoded(request, match->values[source->path_value], false);
    return source->field_name ? request_header(request, source->field_name) : find_in_query(request, parameter);
}

static struct problem_error *errors_of(struct arena *arena, const struct schema_errors *errors)
{
    struct problem_error *list = arena_array(arena, struct problem_error, errors->count);
    for (size_t i = 0; i < errors->count; i++)
        list[i] = (struct problem_error){.pointer = errors->list[i].pointer, .detail = errors->list[i].detail};
    return list;
}

static void fail(struct request *request, enum problem_type type, struct bilingual detail, const struct problem_error *errors,
                 size_t count)
{
    struct problem *problem = problem_new(request_arena(request), type, detail);
    problem->errors = errors;
    problem->error_count = count;
    reply_problem(request, problem);
}

/* The first fault of each faulty parameter. */
static bool read_parameters(struct request *request, const struct route *route, const struct route_match *match)
{
    const struct operation *operation = route->operation;
    struct arena *arena = request_arena(request);
    struct problem_error *faults = NULL;
    size_t fault_count = 0;
    struct parameter_value *values = arena_array(arena, struct parameter_value, operation->parameter_count);
    request->parameters = values;
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        struct schema_errors errors = {.arena = arena, .most = 1};
        struct str raw = find_raw(request, parameter, &route->sources[i], match);
        const struct json *value = raw.at ? parameter_read(arena, parameter, raw, &errors) : parameter->fallback;
        if (value)
            values[request->parameter_count++] = (struct parameter_value){parameter->name, value};
        if (value || (!raw.at && !parameter->required))
            continue;
        if (!faults)
            faults = arena_array(arena, struct problem_error, operation->parameter_count);
        faults[fault_count++] = (struct problem_error){
            .parameter = parameter->name,
            .detail = errors.count ? errors.list[0].detail : BILINGUAL("缺少此参数", "This parameter is required"),
        };
    }
    if (fault_count)
        fail(request, PROBLEM_INVALID_PARAMETER, (struct bilingual){0}, faults, fault_count);
    return fault_count == 0;
}

static bool refuse_media_type(struct request *request, const struct operation *operation)
{
    for (unsigned i = 0; i < operation->body_count; i++)
        reply_header(request, "accept", operation->bodies[i].type);
    reply_fault(request, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                BILINGUAL("请用 Content-Type: application/json", "Send it with Content-Type: application/json"));
    return false;
}

static bool read_body(struct request *request, const struct operation *operation)
{
    struct str raw = request_raw_body(request);
    if (!operation->body_count || (!raw.len && !operation->body_required))
        return true;
    struct arena *arena = request_arena(request);
    const struct media *media = media_for(operation->bodies, operation->body_count, request_header(request, "content-type"));
    if (!media)
        return refuse_media_type(request, operation);
    struct json_error error;
    request->body = json_parse(arena, raw, &json_limits_request, &error);
    if (!request->body) {
        reply_fault(request, PROBLEM_INVALID_JSON,
                    (struct bilingual){str_printf(arena, "第 %u 行第 %u 字节：%s", error.line, error.column, error.reason_zh),
                                       str_printf(arena, "Line %u, byte %u: %s", error.line, error.column, error.reason)});
        return false;
    }
    struct schema_errors errors = {.arena = arena};
    if (!media->schema || schema_validate(media->schema, request->body, &errors))
        return true;
    fail(request, PROBLEM_VALIDATION, (struct bilingual){0}, errors_of(arena, &errors), errors.count);
    return false;
}

bool validate_request(struct request *request, const struct route *route, const struct route_match *match)
{
    return read_parameters(request, route, match) && read_body(request, route->operation);
}
