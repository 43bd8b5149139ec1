/* Reading what a request says, and saying what is wrong with it. */
#include "inputs.h"

#include <shimin/id.h>

#include "crypto/digest.h"
#include "http/request_internal.h"

enum { OCCURRENCES_MOST = 64, BODY_DEPTH_MOST = 8, ID_NUMBER_LENGTH = 18 };

static void add(struct inputs *inputs, struct str name, const struct json *value, bool required)
{
    if (inputs->count < INPUTS_MOST)
        inputs->list[inputs->count++] = (struct input){name, value, required};
}

const struct json *inputs_find(const struct inputs *inputs, struct str name)
{
    for (unsigned i = 0; i < inputs->count; i++)
        if (str_equal(inputs->list[i].name, name))
            return inputs->list[i].value;
    return NULL;
}

/* ---- parameters ---- */

static struct str decoded(struct arena *arena, struct str raw, bool form)
{
    struct str out;
    return str_percent_decode(arena, raw, form, &out) ? out : raw; /* its schema judges what was sent */
}

static size_t occurrences(struct request *request, const struct parameter *parameter, struct str *raws)
{
    struct arena *arena = request_arena(request);
    struct str rest = request_query(request);
    size_t count = 0;
    while (rest.at && rest.len && count < OCCURRENCES_MOST) {
        struct str value = str_cut(&rest, '&');
        struct str name = str_cut(&value, '=');
        if (str_equal(decoded(arena, name, true), parameter->name))
            raws[count++] = value.at ? decoded(arena, value, true) : STR("");
    }
    return count;
}

struct str inputs_cookie(struct request *request, struct str name)
{
    struct str rest = request_header(request, "cookie");
    while (rest.at) {
        struct str value = str_trim(str_cut(&rest, ';'));
        if (str_equal(str_cut(&value, '='), name))
            return value;
    }
    return STR_NONE;
}

struct str inputs_header(struct request *request, struct str name)
{
    char *lower = str_to_c(request_arena(request), name);
    for (char *at = lower; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 'a' - 'A');
    return request_header(request, lower);
}

static size_t raw_texts(struct request *request, const struct operation *operation, const struct parameter *parameter,
                        const struct route_match *match, struct str *raws)
{
    if (parameter->place == PARAMETER_QUERY)
        return occurrences(request, parameter, raws);
    raws[0] = STR_NONE;
    for (unsigned i = 0; parameter->place == PARAMETER_PATH && i < match->value_count && i < operation->path_parameter_count;
         i++)
        if (operation->path_parameters[i] == parameter)
            raws[0] = decoded(request_arena(request), match->values[i], false);
    if (parameter->place == PARAMETER_HEADER)
        raws[0] = inputs_header(request, parameter->name);
    if (parameter->place == PARAMETER_COOKIE)
        raws[0] = inputs_cookie(request, parameter->name);
    return raws[0].at != NULL;
}

static void complain(struct text *text, struct str where, struct str what)
{
    text_add_c(text, text->len ? "; " : "");
    text_add(text, where);
    text_add_c(text, " ");
    text_add(text, what);
}

static void read_parameters(struct request *request, const struct operation *operation, const struct route_match *match,
                            struct inputs *inputs, struct text *faults)
{
    struct str *raws = arena_alloc_raw(request_arena(request), OCCURRENCES_MOST * sizeof *raws);
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        if (parameter->unsupported)
            continue;
        size_t count = raw_texts(request, operation, parameter, match, raws);
        struct schema_errors errors = {.arena = request_arena(request), .most = 1};
        const struct json *value =
            count ? parameter_read_all(request_arena(request), parameter, raws, count, &errors) : parameter->fallback;
        if (value)
            add(inputs, parameter->name, value, parameter->required);
        else if (count)
            complain(faults, parameter->name, errors.count ? errors.list[0].detail.en : STR("is not valid"));
        else if (parameter->required)
            complain(faults, parameter->name, STR("is missing"));
    }
}

/* ---- the body ---- */

static bool requires(const struct contract *contract, const struct json *schema, struct str name)
{
    const struct json *resolved = schema && schema->type == JSON_OBJECT ? contract_resolve(contract, schema) : NULL;
    const struct json *required = json_get(resolved, "required"), *all = json_get(resolved, "allOf");
    for (uint32_t i = 0; required && required->type == JSON_ARRAY && i < required->count; i++)
        if (required->items[i].type == JSON_STRING && str_equal(required->items[i].string, name))
            return true;
    for (uint32_t i = 0; all && all->type == JSON_ARRAY && i < all->count; i++)
        if (requires(contract, &all->items[i], name))
            return true;
    return false;
}

static void add_leaves(struct inputs *inputs, const struct contract *contract, const struct json *schema,
                       const struct json *value, unsigned depth)
{
    if (value->type != JSON_OBJECT || depth == BODY_DEPTH_MOST)
        return;
    const struct json *resolved = schema && schema->type == JSON_OBJECT ? contract_resolve(contract, schema) : NULL;
    for (uint32_t i = 0; i < value->count; i++) {
        const struct json_member *member = &value->members[i];
        if (member->value.type == JSON_OBJECT)
            add_leaves(inputs, contract, json_get_str(json_get(resolved, "properties"), member->name), &member->value,
                       depth + 1);
        else
            add(inputs, member->name, &member->value, requires(contract, schema, member->name));
    }
}

void inputs_add_body(struct inputs *inputs, const struct operation *operation, const struct json *body)
{
    const struct media *media = media_for(operation->bodies, operation->body_count, STR("application/json"));
    inputs->body = body;
    add_leaves(inputs, operation->contract, media ? json_get(media->source, "schema") : NULL, body, 0);
}

/* 422 only where the contract knows it. */
static unsigned status_for_body(const struct operation *operation)
{
    for (unsigned i = 0; i < operation->response_count; i++)
        if (operation->responses[i].status == 422)
            return 422;
    return 400;
}

static bool read_body(struct request *request, const struct operation *operation, struct inputs *inputs,
                      struct inputs_fault *fault)
{
    struct arena *arena = request_arena(request);
    struct str raw = request_raw_body(request), type = request_header(request, "content-type");
    if (!operation->body_count)
        return true;
    if (!raw.len) {
        *fault = (struct inputs_fault){400, STR("a body is required")};
        return !operation->body_required;
    }
    const struct media *media = media_for(operation->bodies, operation->body_count, type);
    if (!media) {
        *fault = (struct inputs_fault){415, str_printf(arena, "content-type must be %.*s", STR_ARG(operation->bodies[0].type))};
        return false;
    }
    if (str_find(media->type, STR("json")) < 0)
        return true;
    struct json_error error;
    const struct json *body = json_parse(arena, raw, &json_limits_request, &error);
    if (!body) {
        *fault = (struct inputs_fault){
            400, str_printf(arena, "the body is no JSON: line %u, byte %u: %s", error.line, error.column, error.reason)};
        return false;
    }
    struct schema_errors errors = {.arena = arena};
    if (media->schema && !schema_validate(media->schema, body, &errors)) {
        struct text text = text_open(arena, 256);
        for (size_t i = 0; i < errors.count; i++)
            complain(&text, errors.list[i].pointer.len ? errors.list[i].pointer : STR("the body"), errors.list[i].detail.en);
        *fault = (struct inputs_fault){status_for_body(operation), text_str(&text)};
        return false;
    }
    inputs_add_body(inputs, operation, body);
    return true;
}

bool inputs_read(struct request *request, const struct operation *operation, const struct route_match *match,
                 struct inputs *inputs, struct inputs_fault *fault)
{
    struct text faults = text_open(request_arena(request), 0);
    read_parameters(request, operation, match, inputs, &faults);
    if (faults.len) {
        *fault = (struct inputs_fault){400, text_str(&faults)};
        return false;
    }
    return read_body(request, operation, inputs, fault);
}

/* ---- who is asked about ---- */

static bool looks_like_id_number(struct str s)
{
    if (s.len != ID_NUMBER_LENGTH)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool digit = s.at[i] >= '0' && s.at[i] <= '9';
        if (!digit && (i + 1 < s.len || (s.at[i] != 'X' && s.at[i] != 'x')))
            return false;
    }
    return true;
}

struct str inputs_id_number(const struct inputs *inputs)
{
    struct str found = STR_NONE;
    for (unsigned i = 0; i < inputs->count; i++) {
        const struct json *value = inputs->list[i].value;
        if (value->type != JSON_STRING || !looks_like_id_number(value->string))
            continue;
        if (!found.at || (!cn_id_is_valid(found) && cn_id_is_valid(value->string)))
            found = value->string;
    }
    return found;
}

struct str inputs_person_name(const struct inputs *inputs)
{
    static const struct str names[] = {STR("name"),     STR("xm"),       STR("full_name"),
                                       STR("fullName"), STR("realName"), STR("real_name")};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *value = inputs_find(inputs, names[i]);
        if (value && value->type == JSON_STRING)
            return value->string;
    }
    return STR_NONE;
}

void inputs_digest(const struct inputs *inputs, struct arena *arena, struct str department, struct str operation, bool all,
                   uint8_t digest[32])
{
    struct text text = text_open(arena, 256);
    text_add(&text, department);
    text_add_char(&text, '\n');
    text_add(&text, operation);
    for (unsigned i = 0; i < inputs->count; i++) {
        const struct input *input = &inputs->list[i];
        bool identifies = input->value->type == JSON_STRING && looks_like_id_number(input->value->string);
        if (!all && !input->required && !identifies)
            continue;
        text_add_char(&text, '\n');
        text_add(&text, input->name);
        text_add_char(&text, '=');
        text_add(&text, input->value->type == JSON_STRING ? input->value->string : json_text(arena, input->value));
    }
    digest_sha256(text_str(&text), digest);
}
