/* Raw passage: a department's own interface, reached through the gateway and held to its contract in both directions. */
#include "catalogue/demand.h"
#include "federation/answer.h"
#include "federation/backend.h"
#include "federation/call.h"
#include "federation/footprint.h"
#include "federation/guard.h"
#include "federation/own_header.h"
#include "federation/plan.h"
#include "federation/traffic.h"
#include "http/request_internal.h"
#include <shimin/arena.h>
#include <shimin/request.h>

struct passing {
    struct arena *arena;
    struct request *request;
    const struct plan *plan;
    const struct operation *operation;
    const struct citizen *citizen;
    struct json *values;
    struct problem_error *errors;
    size_t error_count;
    bool has_id;   /* the operation takes an identity number: a "name" beside it is that person's */
    bool personal; /* something of the citizen's goes along */
    enum level level;
};

static void refuse(struct passing *passing, struct str name, struct bilingual detail)
{
    passing->errors = arena_grow(passing->arena, passing->errors, passing->error_count * sizeof(struct problem_error),
                                 (passing->error_count + 1) * sizeof(struct problem_error));
    passing->errors[passing->error_count++] = (struct problem_error){.parameter = name, .detail = detail};
}

/* ---- identity ---- */

static bool is_identity(struct passing *passing, struct str name, bool beside_id, enum source_kind *kind)
{
    if (plan_identity(passing->plan, name, kind))
        return true;
    *kind = SOURCE_NAME;
    return beside_id && str_equal_nocase(name, STR("name"));
}

static bool is_id(struct passing *passing, struct str name)
{
    enum source_kind kind;
    return plan_identity(passing->plan, name, &kind) && kind == SOURCE_ID_NUMBER;
}

/* The citizen's own value; NULL when there is no citizen or the value is not known at this level. */
static const struct json *own_value(struct passing *passing, enum source_kind kind)
{
    const struct source source = {.kind = kind};
    const struct source_inputs inputs = {.citizen = passing->citizen};
    passing->personal = true;
    if (source_level(kind) > passing->level)
        passing->level = source_level(kind);
    struct json made;
    const struct json *value = source_value(&source, &inputs, &made);
    return value ? json_make_string(passing->arena, value->string) : NULL;
}

/* The body again, with whatever names the citizen replaced. Depth is bounded by what the request's JSON may have. */
static const struct json *with_own_identity(struct passing *passing, const struct json *value)
{
    if (value->type == JSON_ARRAY) {
        struct json *array = json_make_array(passing->arena);
        for (uint32_t i = 0; i < value->count; i++)
            json_append(passing->arena, array, with_own_identity(passing, &value->items[i]));
        return array;
    }
    if (value->type != JSON_OBJECT)
        return value;
    bool beside_id = false;
    for (uint32_t i = 0; i < value->count; i++)
        beside_id |= is_id(passing, value->members[i].name);
    struct json *object = json_make_object(passing->arena);
    for (uint32_t i = 0; i < value->count; i++) {
        const struct json_member *member = &value->members[i];
        enum source_kind kind;
        const struct json *inner = is_identity(passing, member->name, beside_id, &kind)
                                       ? own_value(passing, kind)
                                       : with_own_identity(passing, &member->value);
        if (inner)
            json_set(passing->arena, object, member->name, inner);
    }
    return object;
}

/* ---- parameters ---- */

/* Every value of the name in the query, joined by commas as style form without explode has them. */
static struct str query_value(struct passing *passing, struct str name)
{
    struct str rest = request_query(passing->request), found = STR_NONE;
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '='), decoded;
        if (!str_percent_decode(passing->arena, key, true, &decoded) || !str_equal(decoded, name))
            continue;
        if (!str_percent_decode(passing->arena, value.at ? value : STR(""), true, &decoded))
            continue;
        found = found.at ? str_printf(passing->arena, "%.*s,%.*s", STR_ARG(found), STR_ARG(decoded))
                         : (decoded.at ? decoded : STR(""));
    }
    return found;
}

static struct str path_value(struct passing *passing, const struct route_match *match, struct str name)
{
    struct str rest = passing->operation->path, decoded;
    for (unsigned i = 0; i < match->value_count; i++) {
        ptrdiff_t open = str_find(rest, STR("{")), close = str_find(rest, STR("}"));
        if (open < 0 || close < open)
            break;
        if (str_equal(str_slice(rest, (size_t)open + 1, (size_t)close), name))
            return str_percent_decode(passing->arena, match->values[i], false, &decoded) ? decoded : STR_NONE;
        rest = str_slice(rest, (size_t)close + 1, rest.len);
    }
    return STR_NONE;
}

static struct str header_value(struct passing *passing, struct str name)
{
    char *lower = str_to_c(passing->arena, name);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    return request_header(passing->request, lower);
}

static void read_parameter(struct passing *passing, const struct route_match *match, const struct parameter *parameter)
{
    enum source_kind kind = parameter_identity(parameter);
    if (kind != SOURCE_CONST || is_identity(passing, parameter->name, passing->has_id, &kind)) {
        const struct json *own = own_value(passing, kind);
        if (own)
            json_set(passing->arena, passing->values, parameter->name, own);
        return;
    }
    struct str raw = parameter->place == PARAMETER_PATH    ? path_value(passing, match, parameter->name)
                     : parameter->place == PARAMETER_QUERY ? query_value(passing, parameter->name)
                                                           : header_value(passing, parameter->name);
    if (!raw.at) {
        if (parameter->required)
            refuse(passing, parameter->name, BILINGUAL("缺少此参数", "is required"));
        return;
    }
    struct schema_errors errors = {.arena = passing->arena, .most = 1};
    const struct json *value = str_is_utf8(raw) ? parameter_read(passing->arena, parameter, raw, &errors) : NULL;
    if (value)
        json_set(passing->arena, passing->values, parameter->name, value);
    else
        refuse(passing, parameter->name, errors.count ? errors.list[0].detail : BILINGUAL("不符合要求", "is not valid"));
}

static void check_unknown(struct passing *passing)
{
    struct str rest = request_query(passing->request);
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '='), name;
        if (!key.len)
            continue;
        if (!str_percent_decode(passing->arena, key, true, &name) || !str_is_utf8(name))
            refuse(passing, STR("?"), BILINGUAL("编码有误", "is not encoded properly"));
        else {
            const struct parameter *parameter = operation_parameter(passing->operation, PARAMETER_QUERY, name);
            if (!parameter || parameter->unsupported)
                refuse(passing, name, BILINGUAL("没有此参数", "is not a parameter of this operation"));
        }
    }
}

static const struct problem *read_parameters(struct passing *passing, const struct route_match *match)
{
    const struct operation *operation = passing->operation;
    for (unsigned i = 0; i < operation->parameter_count; i++)
        passing->has_id |= is_id(passing, operation->parameters[i].name);
    for (unsigned i = 0; i < operation->parameter_count; i++)
        if (operation->parameters[i].place != PARAMETER_COOKIE && !operation->parameters[i].unsupported &&
            !(operation->parameters[i].place == PARAMETER_HEADER && header_is_ours(operation->parameters[i].name)))
            read_parameter(passing, match, &operation->parameters[i]);
    check_unknown(passing);
    if (!passing->error_count)
        return NULL;
    struct problem *problem =
        problem_new(passing->arena, PROBLEM_INVALID_PARAMETER, BILINGUAL("参数有误", "Parameters are missing or wrong"));
    problem->errors = passing->errors;
    problem->error_count = passing->error_count;
    return problem;
}

static const struct problem *read_body(struct passing *passing, const struct json **body)
{
    struct str raw = request_raw_body(passing->request);
    *body = NULL;
    if (!raw.len)
        return NULL;
    struct str type = request_header(passing->request, "content-type");
    if (!type.len || !media_for(passing->operation->bodies, passing->operation->body_count, type) ||
        str_find(type, STR("json")) < 0)
        return problem_new(passing->arena, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                           BILINGUAL("该接口不接受这种内容", "This operation does not take such content"));
    struct json_error error;
    const struct json *parsed = json_parse(passing->arena, raw, &json_limits_request, &error);
    if (!parsed)
        return problem_new(passing->arena, PROBLEM_INVALID_JSON,
                           (struct bilingual){str_of(error.reason_zh), str_of(error.reason)});
    *body = with_own_identity(passing, parsed);
    return NULL;
}

/* ---- the way there and back ---- */

static const struct problem *find(struct passing *passing, struct str path, struct route_match *match)
{
    enum http_method method;
    bool known = method_named(request_method(passing->request), &method);
    if (known)
        router_match(passing->plan->router, method, path, match);
    if (!known || !match->found)
        return problem_new(passing->arena, PROBLEM_NOT_FOUND, BILINGUAL("部门没有这个接口", "The department has no such path"));
    if (!match->operation) {
        reply_header(passing->request, "allow", router_methods(passing->arena, match->allowed));
        return problem_new(passing->arena, PROBLEM_METHOD_NOT_ALLOWED,
                           BILINGUAL("接口不支持此方法", "The path has no such method"));
    }
    passing->operation = match->operation;
    return NULL;
}

static const struct problem *check_citizen(struct passing *passing, bool safe)
{
    if ((passing->personal || !safe) && !passing->citizen)
        return problem_new(passing->arena, PROBLEM_UNAUTHENTICATED, BILINGUAL("请先登录", "Please log in first"));
    return passing->personal ? demand_level(passing->request, passing->citizen->level, passing->level) : NULL;
}

static const struct problem *pass(struct passing *passing, struct str path, struct answer_message *message)
{
    struct route_match match = {0};
    const struct json *body;
    const struct problem *problem;
    if ((problem = find(passing, path, &match)) || (problem = read_parameters(passing, &match)) ||
        (problem = read_body(passing, &body)))
        return problem;
    const struct template *template = passing->plan->direct[passing->operation->index];
    const struct guard *guards = passing->plan->guards[passing->operation->index];
    passing->personal |= guard_is_personal(guards);
    if ((problem = guard_admit(guards, passing->request, passing->citizen)) ||
        (problem = check_citizen(passing, template->safe)))
        return problem;
    const struct source_inputs inputs = {.values = passing->values, .body = body};
    struct filled filled;
    if ((problem = template_fill(template, passing->arena, &inputs, &filled)))
        return problem;
    const struct call call = {
        .plan = passing->plan,
        .filled = &filled,
        .request = passing->request,
        .idempotency_key = request_header(passing->request, "idempotency-key"),
        .traffic = passing->request->traffic,
    };
    if ((problem = call_department(passing->arena, &call, message)))
        return problem;
    const struct answer_wanted wanted = {
        .operation = passing->operation, .department = passing->plan->slug, .turns = &backend_of(passing->plan)->turns};
    if (answer_says_nothing(message->status))
        return answer_refusal(passing->arena, &wanted, message);
    struct breach breach;
    enum answer_verdict verdict = answer_check(passing->arena, &wanted, message, &body, &breach);
    if (verdict != ANSWER_GOOD)
        return answer_refused(passing->arena, &wanted, verdict, &breach);
    message->body = guard_mask(guards, passing->arena, body, message->body);
    return NULL;
}

/* reply_bytes wants a static type; JSON is what nearly every contract has. */
static const char *static_type(struct str type)
{
    static const char *const types[] = {"application/json",
                                        "application/problem+json",
                                        "application/geo+json",
                                        "application/pdf",
                                        "text/plain; charset=utf-8",
                                        "image/png",
                                        "image/jpeg",
                                        "application/xml"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct str known = str_of(types[i]), bare = str_cut(&known, ';');
        if (type.len >= bare.len && str_equal_nocase(str_slice(type, 0, bare.len), bare))
            return types[i];
    }
    return "application/octet-stream";
}

void department_passage(struct request *request, const struct department *department, struct str path,
                        const struct citizen *citizen)
{
    struct arena *arena = request_arena(request);
    struct passing passing = {
        .arena = arena, .request = request, .plan = department->backend, .citizen = citizen, .values = json_make_object(arena)};
    struct answer_message message;
    request->traffic = traffic_of_passage(department->slug);
    const struct problem *problem =
        passing.plan ? pass(&passing, path, &message)
                     : problem_new(arena, PROBLEM_NOT_FOUND, BILINGUAL("部门没有接入", "The department is not connected"));
    if (problem) {
        reply_problem(request, problem);
        return;
    }
    if (passing.personal)
        footprint_leave(citizen, passing.operation->id, passing.plan->slug, STR("citizen"), STR("passage"),
                        request_trace_id(request));
    reply_header(request, "x-source", passing.plan->slug);
    if (message.body.len)
        reply_bytes(request, message.status, static_type(message.content_type), message.body);
    else
        reply_empty(request, message.status);
}
