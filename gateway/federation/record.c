/* Recording a call for those who try a mapping out. */
#include "federation/record.h"
#include <shimin/arena.h>

static void write_headers(struct json_out *out, const struct outgoing *outgoing, unsigned from, unsigned to, bool hidden)
{
    for (unsigned i = from; i < to; i++) {
        const struct field *field = &outgoing->headers[i];
        json_key_str(out, field->name);
        json_put(out, hidden ? STR("(not shown)") : str_is_utf8(field->value) ? field->value : STR("(not UTF-8)"));
    }
}

void record_request(struct department_record *record, struct arena *arena, const struct outgoing *outgoing)
{
    struct text headers = text_open(arena, 256);
    struct json_out out = json_write(&headers);
    json_object(&out);
    write_headers(&out, outgoing, 0, outgoing->header_count, false);
    json_end(&out);
    record->attempts++;
    record->method = outgoing->method;
    record->url = str_printf(arena, "%.*s://%.*s%.*s%s%.*s", STR_ARG(outgoing->scheme), STR_ARG(outgoing->authority),
                             STR_ARG(outgoing->path), outgoing->query.at ? "?" : "", STR_ARG(outgoing->query));
    record->request_headers = text_str(&headers);
    record->request_body = outgoing->body;
    record->status = 0;
}

void record_proof(struct department_record *record, struct arena *arena, const struct outgoing *outgoing, unsigned from)
{
    struct text headers = text_open(arena, 256);
    struct json_out out = json_write(&headers);
    json_object(&out);
    write_headers(&out, outgoing, 0, from, false);
    write_headers(&out, outgoing, from, outgoing->header_count, true);
    json_end(&out);
    record->request_headers = text_str(&headers);
}

void record_answer(struct department_record *record, const struct answer_message *message, int64_t duration)
{
    record->duration = duration;
    record->status = message ? message->status : 0;
    record->content_type = message ? message->content_type : STR_NONE;
    record->response_body = message ? message->body : STR_NONE;
}

void record_breach(struct department_record *record, struct arena *arena, const struct operation *operation,
                   const struct answer_message *message, const char *reason)
{
    record->breach = str_of(reason);
    const struct response *response = operation_response(operation, message->status);
    const struct media *media = response ? media_for(response->media, response->media_count, message->content_type) : NULL;
    struct json_error error;
    const struct json *body = media && media->schema ? json_parse(arena, message->body, &json_limits_answer, &error) : NULL;
    struct schema_errors errors = {.arena = arena, .most = 50};
    if (!body || schema_validate(media->schema, body, &errors))
        return;
    struct problem_error *list = arena_array(arena, struct problem_error, errors.count + 1);
    for (size_t i = 0; i < errors.count; i++)
        list[i] = (struct problem_error){.pointer = errors.list[i].pointer, .detail = errors.list[i].detail};
    record->breaches = list;
    record->breach_count = errors.count;
}

static struct str spoilt(struct arena *arena, struct str value)
{
    struct str copy = str_copy(arena, value);
    for (size_t i = copy.len / 2; i < copy.len; i++) {
        char *c = (char *)copy.at + i;
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')) {
            *c = *c == 'A' || *c == 'a'   ? (char)(*c + 1)
                 : *c >= '0' && *c <= '9' ? (char)('0' + (*c - '0' + 1) % 10)
                                          : (char)(*c - 1);
            break;
        }
    }
    return copy;
}

void record_spoil(struct arena *arena, struct outgoing *outgoing, unsigned from)
{
    if (outgoing->header_count > from) {
        struct field *last = &outgoing->headers[outgoing->header_count - 1];
        last->value = spoilt(arena, last->value);
    } else if (outgoing->query.len) {
        /* an API key in the query is the last parameter */
        size_t at = outgoing->query.len;
        while (at && outgoing->query.at[at - 1] != '=')
            at--;
        struct str value = spoilt(arena, str_slice(outgoing->query, at, outgoing->query.len));
        outgoing->query = str_printf(arena, "%.*s%.*s", (int)at, outgoing->query.at, STR_ARG(value));
    }
}
