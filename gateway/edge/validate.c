/* Parameters and bodies against the contract; every fault goes into one problem. */
#include "edge/validate.h"

#include "http/negotiate.h"
#include "http/request_internal.h"

/* The texts that a request gives for one parameter. */
struct texts {
    struct str *list;
    size_t count, room;
    bool broken; /* a percent escape */
};

static void add_text(struct arena *arena, struct texts *texts, struct str text)
{
    if (texts->count == texts->room) {
        size_t room = texts->room ? 2 * texts->room : 2;
        texts->list = arena_grow_raw(arena, texts->list, texts->room * sizeof text, room * sizeof text);
        texts->room = room;
    }
    texts->list[texts->count++] = text;
}

static void add_encoded(struct arena *arena, struct texts *texts, struct str raw, bool form)
{
    struct str text = STR("");
    texts->broken |= raw.len && !str_percent_decode(arena, raw, form, &text);
    add_text(arena, texts, text);
}

static void find_in_query(struct request *request, struct str wanted, struct texts *texts)
{
    struct arena *arena = request_arena(request);
    struct str rest = request_query(request);
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&');
        struct str raw_name = str_cut(&value, '='), name;
        if (str_percent_decode(arena, raw_name, true, &name) && str_equal(name, wanted))
            add_encoded(arena, texts, value, true);
    }
}

static struct texts find_texts(struct request *request, const struct parameter *parameter,
                               const struct parameter_source *source, const struct route_match *match)
{
    struct texts texts = {0};
    if (source->path_value >= 0) {
        add_encoded(request_arena(request), &texts, match->values[source->path_value], false);
    } else if (source->field_name) {
        struct str value = request_header(request, source->field_name);
        if (value.at)
            add_text(request_arena(request), &texts, value);
    } else {
        find_in_query(request, parameter->name, &texts);
    }
    return texts;
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

static const struct json *read_texts(struct arena *arena, const struct parameter *parameter, const struct texts *texts,
                                     struct schema_errors *errors)
{
    if (!texts->count)
        return parameter->fallback;
    if (texts->broken)
        return NULL;
    /* the items of an array in a path or a field come as one text; in the query each may come by itself */
    return parameter->place == PARAMETER_QUERY ? parameter_read_all(arena, parameter, texts->list, texts->count, errors)
                                               : parameter_read(arena, parameter, texts->list[0], errors);
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
        struct texts texts = find_texts(request, parameter, &route->sources[i], match);
        const struct json *value = read_texts(arena, parameter, &texts, &errors);
        if (value)
            values[request->parameter_count++] = (struct parameter_value){parameter->name, value};
        if (value || (!texts.count && !parameter->required))
            continue;
        if (!faults)
            faults = arena_array(arena, struct problem_error, operation->parameter_count);
        faults[fault_count++] = (struct problem_error){
            .parameter = parameter->name,
            .detail = errors.count   ? errors.list[0].detail
                      : texts.broken ? BILINGUAL("百分号编码有误", "Its percent-encoding is broken")
                                     : BILINGUAL("缺少此参数", "This parameter is required"),
        };
    }
    if (fault_count)
        fail(request, PROBLEM_INVALID_PARAMETER, (struct bilingual){0}, faults, fault_count);
    return fault_count == 0;
}

/* false when the contract names what the operation gives, and the client wants none of it. A range in the contract
 * (a department's own API) promises nothing, so nothing is refused. */
static bool gives_what_is_wanted(const struct request *request, const struct operation *operation, struct text *types)
{
    struct str accept = request_header(request, "accept");
    if (!accept.at)
        return true;
    for (unsigned i = 0; i < operation->response_count; i++) {
        const struct response *response = &operation->responses[i];
        bool good = response->status / 100 == 2 || response->status == 2;
        for (unsigned j = 0; good && j < response->media_count; j++) {
            struct str type = response->media[j].type;
            if (str_find(type, STR("*")) >= 0 || negotiate_type(accept, type))
                return true;
            text_printf(types, "%s%.*s", types->len ? ", " : "", STR_ARG(type));
        }
    }
    return !types->len;
}

static bool check_accept(struct request *request, const struct operation *operation)
{
    struct text types = text_open(request_arena(request), 64);
    if (gives_what_is_wanted(request, operation, &types))
        return true;
    fail(request, PROBLEM_NOT_ACCEPTABLE,
         (struct bilingual){str_printf(request_arena(request), "可提供：%.*s", (int)types.len, types.at),
                            str_printf(request_arena(request), "There is: %.*s", (int)types.len, types.at)},
         NULL, 0);
    return false;
}

static bool refuse_media_type(struct request *request, const struct operation *operation)
{
    for (unsigned i = 0; i < operation->body_count; i++)
        reply_header(request, "accept", operation->bodies[i].type);
    reply_fault(request, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                BILINGUAL("请用 Content-Type: application/json", "Send it with Content-Type: application/json"));
    return false;
}

/* No body is decompressed: a few bytes could ask for all memory. */
static bool is_plain(struct request *request)
{
    struct str coding = request_header(request, "content-encoding");
    if (!coding.at || str_equal_nocase(str_trim(coding), STR("identity")))
        return true;
    reply_fault(request, PROBLEM_UNSUPPORTED_MEDIA_TYPE, BILINGUAL("请不要压缩请求体", "Send it without a Content-Encoding"));
    reply_header(request, "accept-encoding", STR("identity"));
    return false;
}

static bool is_json(struct str type)
{
    return str_is(type, "application/json") || str_ends(type, STR("+json"));
}

static bool read_body(struct request *request, const struct route *route)
{
    const struct operation *operation = route->operation;
    struct str raw = request_raw_body(request);
    if (!operation->body_count || (!raw.len && !operation->body_required))
        return true;
    struct arena *arena = request_arena(request);
    const struct media *media = media_for(operation->bodies, operation->body_count, request_header(request, "content-type"));
    if (!media)
        return refuse_media_type(request, operation);
    if (!is_plain(request))
        return false;
    if (route->body_bytes || !is_json(media->type)) /* a form, a document: its handler reads it */
        return true;
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
    return check_accept(request, route->operation) && read_parameters(request, route, match) && read_body(request, route);
}
