/* What was asked: the accessors of request.h. */
#include <shimin/request.h>

#include <string.h>

#include "http/negotiate.h"
#include "http/request_internal.h"

struct arena *request_arena(struct request *request)
{
    return request->arena;
}

struct str request_method(const struct request *request)
{
    return request->method;
}

struct str request_path(const struct request *request)
{
    return request->path;
}

struct str request_query(const struct request *request)
{
    return request->query;
}

struct str request_client_address(const struct request *request)
{
    return request->client_address;
}

struct str request_trace_id(const struct request *request)
{
    return (struct str){request->trace.id, 32};
}

const struct json *request_body(const struct request *request)
{
    return request->body;
}

struct str request_raw_body(const struct request *request)
{
    return request->body_bytes;
}

const struct citizen *request_citizen(const struct request *request)
{
    return request->citizen;
}

const struct actor *request_actor(const struct request *request)
{
    return request->actor;
}

void request_audit(struct request *request, struct str object, struct str detail)
{
    request->audit_object = str_copy(request->arena, object);
    request->audit_detail = str_copy(request->arena, detail);
}

const struct service *request_service(const struct request *request)
{
    return request->service;
}

const struct snapshot *request_snapshot(const struct request *request)
{
    return request->snapshot;
}

struct str request_field(const struct request *request, struct str name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (str_equal(request->fields[i].name, name))
            return request->fields[i].value;
    return STR_NONE;
}

struct str request_header(const struct request *request, const char *wanted)
{
    struct str name = str_of(wanted), value = STR_NONE;
    /* HTTP/2 clients split a cookie into fields; they are joined as RFC 9113 §8.2.3 says. */
    const char *between = str_is(name, "cookie") ? "; " : ", ";
    for (size_t i = 0; i < request->field_count; i++) {
        if (!str_equal(request->fields[i].name, name))
            continue;
        struct str more = request->fields[i].value;
        value = value.at ? str_printf(request->arena, "%.*s%s%.*s", STR_ARG(value), between, STR_ARG(more)) : more;
    }
    return value;
}

struct str request_traceparent(struct request *request)
{
    char *text = arena_alloc(request->arena, TRACE_PARENT_SIZE);
    trace_format(&request->trace, text);
    return (struct str){text, TRACE_PARENT_SIZE - 1};
}

struct str request_tracestate(struct request *request)
{
    return request->trace.parent[0] ? trace_state(request->arena, request_header(request, "tracestate")) : STR_NONE;
}

unsigned request_weighs(const struct request *request, const char *type)
{
    return negotiate_type(request_header(request, "accept"), str_of(type));
}

bool request_speaks_chinese(const struct request *request)
{
    struct request *asked = (struct request *)(uintptr_t)request; /* remembers the answer, and that it was asked */
    if (!request->language_asked) {
        asked->chinese = negotiate_chinese(request_header(request, "accept-language"));
        asked->language_asked = true;
    }
    return request->chinese;
}

struct str request_text(const struct request *request, struct bilingual text)
{
    return request_speaks_chinese(request) && text.zh.len ? text.zh : text.en.len ? text.en : text.zh;
}

const struct json *request_parameter(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++)
        if (str_is(request->parameters[i].name, name))
            return request->parameters[i].value;
    return NULL;
}

struct str request_string(const struct request *request, const char *name)
{
    const struct json *value = request_parameter(request, name);
    return value && value->type == JSON_STRING ? value->string : STR_NONE;
}

int64_t request_integer(const struct request *request, const char *name, int64_t fallback)
{
    const struct json *value = request_parameter(request, name);
    return value && value->type == JSON_INTEGER ? value->integer : fallback;
}

double request_number(const struct request *request, const char *name, double fallback)
{
    const struct json *value = request_parameter(request, name);
    return value && (value->type == JSON_INTEGER || value->type == JSON_NUMBER) ? json_as_double(value) : fallback;
}
