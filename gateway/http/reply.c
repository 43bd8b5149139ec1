/* The reply a handler makes, kept until the handler returns: the reply half of request.h but for streams. */
#include <inttypes.h>
#include <string.h>

#include "http/negotiate.h"
#include "http/request_internal.h"

#define PROBLEM_TYPE "application/problem+json"

/* Fields of a reply begun that make no sense with the problem that replaces it. */
static const struct str not_for_problems[] = {
    STR("location"),
    STR("content-location"),
    STR("content-encoding"),
    STR("content-disposition"),
    STR("expires"),
    STR("last-modified"),
    STR("link"),
};

static void begin(struct request *request, enum reply_kind kind, unsigned status, const char *type)
{
    request->reply.kind = kind;
    request->reply.status = status;
    request->reply.type = type;
    request->reply.problem = 0;
    request->reply.gzip = STR_NONE;
}

struct json_out *reply_json(struct request *request, unsigned status)
{
    struct reply *reply = &request->reply;
    begin(request, REPLY_JSON, status, "application/json");
    reply->text = text_open(request->arena, 512);
    reply->json = json_write(&reply->text);
    return &reply->json;
}

void reply_bytes(struct request *request, unsigned status, const char *type, struct str body)
{
    begin(request, REPLY_BYTES, status, type);
    request->reply.body = body;
}

void reply_gzip(struct request *request, struct str gzip)
{
    request->reply.gzip = gzip;
}

void reply_hold(struct request *request, void (*release)(void *argument), void *argument)
{
    /* The arena outlives the bytes: it is closed when both fiber and libh2o have let go of the request. */
    arena_defer(request->arena, release, argument);
}

void reply_empty(struct request *request, unsigned status)
{
    begin(request, REPLY_BYTES, status, NULL);
    request->reply.body = STR_NONE;
}

bool reply_begun(const struct request *request)
{
    return request->reply.kind != REPLY_NONE;
}

/* A value cannot end its line: CR, LF and other control characters become spaces. */
static struct str clean_copy(struct arena *arena, struct str value)
{
    char *copy = arena_alloc_raw(arena, value.len + 1);
    for (size_t i = 0; i < value.len; i++)
        copy[i] = (unsigned char)value.at[i] < ' ' || value.at[i] == 0x7f ? ' ' : value.at[i];
    return (struct str){copy, value.len};
}

void reply_header(struct request *request, const char *name, struct str value)
{
    struct reply *reply = &request->reply;
    if (reply->field_count == reply->field_room) {
        unsigned room = reply->field_room ? 2 * reply->field_room : 8;
        reply->fields = arena_grow_raw(request->arena, reply->fields, reply->field_room * sizeof *reply->fields,
                                       room * sizeof *reply->fields);
        reply->field_room = room;
    }
    reply->fields[reply->field_count++] = (struct field){str_of(name), clean_copy(request->arena, value)};
}

static bool has_field(const struct reply *reply, struct str name)
{
    for (unsigned i = 0; i < reply->field_count; i++)
        if (str_equal(reply->fields[i].name, name))
            return true;
    return false;
}

void reply_etag(struct request *request, struct str tag)
{
    request->reply.etag = str_copy(request->arena, tag);
}

bool request_if_match(struct request *request, int64_t *version)
{
    struct str tag = str_trim(request_header(request, "if-match"));
    if (!tag.at) {
        reply_fault(
            request, PROBLEM_PRECONDITION_REQUIRED,
            BILINGUAL("请用 If-Match 带上所改记录的 ETag", "Send If-Match with the ETag of the record that you change"));
        return false;
    }
    bool quoted = tag.len > 2 && tag.at[0] == '"' && tag.at[tag.len - 1] == '"';
    if (quoted && str_to_i64(str_slice(tag, 1, tag.len - 1), version))
        return true;
    reply_fault(request, PROBLEM_PRECONDITION_FAILED, (struct bilingual){0});
    return false;
}

bool reply_not_modified(struct request *request, struct str tag)
{
    bool read = str_is(request->method, "GET") || str_is(request->method, "HEAD");
    struct str listed = negotiate_listed_tag(request_header(request, "if-none-match"), tag);
    if (!read || !listed.at)
        return false;
    reply_empty(request, 304);
    reply_etag(request, listed);
    return true;
}

void reply_cache(struct request *request, const char *cache_control)
{
    request->reply.cache_control = cache_control;
}

static void drop_fields(struct reply *reply)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < reply->field_count; i++) {
        bool drop = false;
        for (size_t j = 0; j < COUNT_OF(not_for_problems); j++)
            drop |= str_equal(reply->fields[i].name, not_for_problems[j]);
        if (!drop)
            reply->fields[kept++] = reply->fields[i];
    }
    reply->field_count = kept;
}

void reply_problem(struct request *request, const struct problem *problem)
{
    struct reply *reply = &request->reply;
    if (reply->kind == REPLY_STREAM) /* has begun to go out; it can only end */
        return;
    drop_fields(reply);
    reply->etag = STR_NONE;
    reply->cache_control = NULL;
    begin(request, REPLY_BYTES, problem_status(problem->type), PROBLEM_TYPE);
    reply->problem = 1 + (unsigned)problem->type;
    reply->body = problem_body(request, problem);
    if (problem->retry_after > 0)
        reply_header(request, "retry-after", str_printf(request->arena, "%" PRId64, problem->retry_after));
    bool challenge = reply->status == 401 && !has_field(reply, STR("www-authenticate"));
    if (challenge && problem->type == PROBLEM_STEP_UP)
        reply_header(request, "www-authenticate", STR("Bearer error=\"insufficient_user_authentication\""));
    else if (challenge)
        reply_header(request, "www-authenticate", STR("Bearer"));
}

void reply_fault(struct request *request, enum problem_type type, struct bilingual detail)
{
    reply_problem(request, problem_new(request->arena, type, detail));
}
