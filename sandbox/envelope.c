/* Making error answers from the contract, and filling in the reason. */
#include "envelope.h"

#include <shimin/clock.h>

#include "generate.h"
#include "http/request_internal.h"

enum { DEPTH_MOST = 8 };

/* Stands where the reason will be; text that no contract has. */
#define MARK "\x01reason\x01"

static bool is_message(struct str name)
{
    static const struct str endings[] = {STR("msg"), STR("message"), STR("detail"), STR("reason")};
    for (size_t i = 0; i < COUNT_OF(endings); i++)
        if (name.len >= endings[i].len && str_equal_nocase(str_slice(name, name.len - endings[i].len, name.len), endings[i]))
            return true;
    return false;
}

/* A copy with the first message replaced. */
static const struct json *replace_message(struct arena *arena, const struct json *value, struct str text, struct str *old,
                                          unsigned depth)
{
    if (value->type != JSON_OBJECT || depth == DEPTH_MOST)
        return value;
    struct json *copy = json_make_object(arena);
    for (uint32_t i = 0; i < value->count; i++) {
        const struct json_member *member = &value->members[i];
        const struct json *there = &member->value;
        if (!old->at && there->type == JSON_STRING && is_message(member->name)) {
            *old = there->string;
            there = json_make_string(arena, text);
        } else if (!old->at) {
            there = replace_message(arena, there, text, old, depth + 1);
        }
        json_set(arena, copy, member->name, there);
    }
    return copy;
}

static const struct json *example_of(struct arena *arena, struct shape_compiler *compiler, const struct media *media)
{
    struct str reason;
    struct json_error error;
    if (media->example)
        return media->example;
    const struct json *schema = json_get(media->source, "schema");
    struct shape *shape = schema ? shape_compile(compiler, schema, &reason) : NULL;
    return shape ? json_parse(arena, generate_value(arena, shape, 0, clock_wall()), &json_limits_answer, &error) : NULL;
}

static struct envelope *envelope_of(struct arena *arena, struct shape_compiler *compiler, const struct response *response)
{
    const struct media *media = media_for(response->media, response->media_count, STR("application/json"));
    if (!media && response->media_count)
        media = &response->media[0];
    const struct json *example = media ? example_of(arena, compiler, media) : NULL;
    if (!example)
        return NULL;
    struct envelope *envelope = arena_new(arena, struct envelope);
    envelope->status = response->status;
    envelope->type = str_to_c(arena, media->type);
    /* A long reason must be allowed there. */
    static const char trial[] =
        "id_number must match its pattern; name is missing; the body must be an object with these members";
    struct str old = STR_NONE;
    const struct json *tried = replace_message(arena, example, str_of(trial), &old, 0);
    if (!old.at || (media->schema && !schema_validate(media->schema, tried, NULL))) {
        envelope->before = json_text(arena, example);
        return envelope;
    }
    envelope->message = media->example ? old : STR("");
    old = STR_NONE;
    struct str whole = json_text(arena, replace_message(arena, example, STR(MARK), &old, 0));
    struct str mark = json_text(arena, json_make_string(arena, STR(MARK)));
    ptrdiff_t at = str_find(whole, mark);
    envelope->before = at < 0 ? whole : str_slice(whole, 0, (size_t)at);
    envelope->after = at < 0 ? STR_NONE : str_slice(whole, (size_t)at + mark.len, whole.len);
    return envelope;
}

const struct envelope *envelopes_of(struct arena *arena, struct shape_compiler *compiler, const struct operation *operation)
{
    struct envelope *first = NULL;
    for (unsigned i = 0; i < operation->response_count; i++) {
        const struct response *response = &operation->responses[i];
        struct envelope *envelope = response->status >= 200 && response->status < 400 ? NULL
                                    : response->status == 2 || response->status == 3  ? NULL
                                                                                      : envelope_of(arena, compiler, response);
        if (!envelope)
            continue;
        envelope->next = first;
        first = envelope;
    }
    return first;
}

const struct envelope *envelope_find(const struct envelope *list, unsigned status)
{
    const unsigned wanted[] = {status, status / 100, 0};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        for (const struct envelope *envelope = list; envelope; envelope = envelope->next)
            if (envelope->status == wanted[i])
                return envelope;
    return NULL;
}

/* A department has one form for all its errors, also those that its contract forgets. */
static const struct envelope *nearest(const struct envelope *list, unsigned status)
{
    const struct envelope *exact = envelope_find(list, status);
    return exact ? exact : envelope_find(list, status >= 500 ? 500 : 400);
}

void envelope_reply(struct request *request, const struct envelope *list, unsigned status, struct str reason)
{
    const struct envelope *envelope = nearest(list, status);
    struct arena *arena = request_arena(request);
    reply_header(request, "x-sandbox-reason", reason);
    if (!envelope) {
        struct json_out *out = reply_json(request, status);
        json_object(out);
        json_field_c(out, "error", status < 500 ? "refused" : "failed");
        json_field(out, "message", reason);
        return;
    }
    struct text text = text_open(arena, envelope->before.len + envelope->after.len + reason.len + 64);
    text_add(&text, envelope->before);
    if (envelope->after.at) {
        const char *between = envelope->message.len ? ": " : "";
        struct str message = str_printf(arena, "%.*s%s%.*s", STR_ARG(envelope->message), between, STR_ARG(reason));
        text_add(&text, json_text(arena, json_make_string(arena, message)));
        text_add(&text, envelope->after);
    }
    reply_bytes(request, status, envelope->type, text_str(&text));
}
