/* Comparing two versions of a contract, operation by operation; the rules stand in one table. */
#include "contract/contract_diff_internal.h"

#include "contract/locate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *kind;
    enum change_level level[SIDES]; /* as something we send, as something we are answered */
} rules[RULES] = {
    [RULE_OPERATION_REMOVED] = {"operation-removed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_OPERATION_ADDED] = {"operation-added", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_OPERATION_RENAMED] = {"operation-renamed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_SECURITY_CHANGED] = {"security-changed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_DEPRECATED] = {"deprecated", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_PARAMETER_REMOVED] = {"parameter-removed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_PARAMETER_ADDED] = {"parameter-added", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_PARAMETER_ADDED_REQUIRED] = {"required-parameter-added", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_PARAMETER_REQUIRED] = {"parameter-required", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_PARAMETER_OPTIONAL] = {"parameter-optional", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_BODY_ADDED_REQUIRED] = {"required-body-added", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_BODY_ADDED] = {"body-added", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_BODY_REMOVED] = {"body-removed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_MEDIA_REMOVED] = {"media-type-removed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_MEDIA_ADDED] = {"media-type-added", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_SUCCESS_REMOVED] = {"success-removed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_SUCCESS_ADDED] = {"success-added", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_RESPONSE_REMOVED] = {"response-removed", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_RESPONSE_ADDED] = {"response-added", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_TYPE_NARROWED] = {"type-narrowed", {CHANGE_BREAKING, CHANGE_COMPATIBLE}},
    [RULE_TYPE_WIDENED] = {"type-widened", {CHANGE_COMPATIBLE, CHANGE_BREAKING}},
    [RULE_VALUE_REMOVED] = {"value-removed", {CHANGE_BREAKING, CHANGE_COMPATIBLE}},
    [RULE_VALUE_ADDED] = {"value-added", {CHANGE_COMPATIBLE, CHANGE_BREAKING}},
    [RULE_MEMBER_REQUIRED] = {"member-required", {CHANGE_BREAKING, CHANGE_COMPATIBLE}},
    [RULE_MEMBER_OPTIONAL] = {"member-optional", {CHANGE_COMPATIBLE, CHANGE_BREAKING}},
    [RULE_MEMBER_REMOVED] = {"member-removed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_MEMBER_ADDED] = {"member-added", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_BOUND_NARROWED] = {"bound-narrowed", {CHANGE_BREAKING, CHANGE_COMPATIBLE}},
    [RULE_BOUND_WIDENED] = {"bound-widened", {CHANGE_COMPATIBLE, CHANGE_BREAKING}},
    [RULE_PATTERN_CHANGED] = {"pattern-changed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_OTHERS_CLOSED] = {"other-members-refused", {CHANGE_BREAKING, CHANGE_COMPATIBLE}},
    [RULE_OTHERS_OPENED] = {"other-members-allowed", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_CHOICE_REMOVED] = {"choice-removed", {CHANGE_BREAKING, CHANGE_COMPATIBLE}},
    [RULE_CHOICE_ADDED] = {"choice-added", {CHANGE_COMPATIBLE, CHANGE_BREAKING}},
    [RULE_COMPOSITION_CHANGED] = {"composition-changed", {CHANGE_BREAKING, CHANGE_BREAKING}},
    [RULE_DEFAULT_CHANGED] = {"default-changed", {CHANGE_COMPATIBLE, CHANGE_COMPATIBLE}},
    [RULE_WORDS_CHANGED] = {"words-changed", {CHANGE_EDITORIAL, CHANGE_EDITORIAL}},
};

void diff_add(struct diff *diff, enum rule rule, enum side side, const struct json *where, bool newer, const char *format, ...)
{
    struct changes *changes = diff->changes;
    enum change_level level = rules[rule].level[side];
    changes->of_level[level]++;
    if (changes->count == CHANGES_MAX)
        return;
    char detail[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    struct str pointer = json_locate(diff->arena, (newer ? diff->after : diff->before)->document, where);
    changes->list[changes->count++] = (struct change){
        .level = level,
        .kind = rules[rule].kind,
        .pointer = pointer.at ? pointer : STR(""),
        .detail = str_copy(diff->arena, str_of(detail)),
    };
}

/* ---- parameters ---- */

static const struct json *schema_of(const struct parameter *parameter)
{
    const struct json *content = json_get(parameter->source, "content");
    return content && content->type == JSON_OBJECT && content->count ? json_get(&content->members[0].value, "schema")
                                                                     : json_get(parameter->source, "schema");
}

static void diff_parameters(struct diff *diff, const struct operation *before, const struct operation *after)
{
    for (unsigned i = 0; i < before->parameter_count; i++) {
        const struct parameter *was = &before->parameters[i], *is = operation_parameter(after, was->place, was->name);
        if (!is) {
            diff_add(diff, RULE_PARAMETER_REMOVED, SIDE_REQUEST, was->source, false, "parameter %.*s is gone",
                     STR_ARG(was->name));
            continue;
        }
        if (is->required != was->required)
            diff_add(diff, is->required ? RULE_PARAMETER_REQUIRED : RULE_PARAMETER_OPTIONAL, SIDE_REQUEST, is->source, true,
                     "parameter %.*s is %s now", STR_ARG(is->name), is->required ? "required" : "optional");
        diff_schema(diff, schema_of(was), schema_of(is), SIDE_REQUEST);
    }
    for (unsigned i = 0; i < after->parameter_count; i++) {
        const struct parameter *is = &after->parameters[i];
        if (!operation_parameter(before, is->place, is->name))
            diff_add(diff, is->required ? RULE_PARAMETER_ADDED_REQUIRED : RULE_PARAMETER_ADDED, SIDE_REQUEST, is->source, true,
                     "parameter %.*s is new", STR_ARG(is->name));
    }
}

/* ---- content ---- */

static const struct media *media_named(const struct media *list, unsigned count, struct str type)
{
    for (unsigned i = 0; i < count; i++)
        if (str_equal_nocase(list[i].type, type))
            return &list[i];
    return NULL;
}

static void diff_content(struct diff *diff, const struct media *before, unsigned before_count, const struct media *after,
                         unsigned after_count, enum side side)
{
    for (unsigned i = 0; i < before_count; i++) {
        const struct media *is = media_named(after, after_count, before[i].type);
        if (!is)
            diff_add(diff, RULE_MEDIA_REMOVED, side, before[i].source, false, "%.*s is gone", STR_ARG(before[i].type));
        else
            diff_schema(diff, json_get(before[i].source, "schema"), json_get(is->source, "schema"), side);
    }
    for (unsigned i = 0; i < after_count; i++)
        if (!media_named(before, before_count, after[i].type))
            diff_add(diff, RULE_MEDIA_ADDED, side, after[i].source, true, "%.*s is new", STR_ARG(after[i].type));
}

static void diff_body(struct diff *diff, const struct operation *before, const struct operation *after)
{
    if (before->body_count && !after->body_count) {
        diff_add(diff, RULE_BODY_REMOVED, SIDE_REQUEST, before->source, false, "a body is no longer taken");
    } else if (!before->body_count && after->body_count) {
        diff_add(diff, after->body_required ? RULE_BODY_ADDED_REQUIRED : RULE_BODY_ADDED, SIDE_REQUEST, after->source, true,
                 "a body is %s now", after->body_required ? "required" : "taken");
    } else {
        if (after->body_count && after->body_required && !before->body_required)
            diff_add(diff, RULE_BODY_ADDED_REQUIRED, SIDE_REQUEST, after->source, true, "the body is required now");
        diff_content(diff, before->bodies, before->body_count, after->bodies, after->body_count, SIDE_REQUEST);
    }
}

static bool is_success(const struct response *response)
{
    return response->status / 100 == 2 || response->status == 2;
}

static const struct response *response_named(const struct operation *operation, unsigned status)
{
    for (unsigned i = 0; i < operation->response_count; i++)
        if (operation->responses[i].status == status)
            return &operation->responses[i];
    return NULL;
}

static void diff_responses(struct diff *diff, const struct operation *before, const struct operation *after)
{
    for (unsigned i = 0; i < before->response_count; i++) {
        const struct response *was = &before->responses[i], *is = response_named(after, was->status);
        if (!is)
            diff_add(diff, is_success(was) ? RULE_SUCCESS_REMOVED : RULE_RESPONSE_REMOVED, SIDE_RESPONSE, was->source, false,
                     "answer %u is gone", was->status);
        else
            diff_content(diff, was->media, was->media_count, is->media, is->media_count, SIDE_RESPONSE);
    }
    for (unsigned i = 0; i < after->response_count; i++) {
        const struct response *is = &after->responses[i];
        if (!response_named(before, is->status))
            diff_add(diff, is_success(is) ? RULE_SUCCESS_ADDED : RULE_RESPONSE_ADDED, SIDE_RESPONSE, is->source, true,
                     "answer %u is new", is->status);
    }
}

/* ---- operations ---- */

static bool same_words(const struct json *before, const struct json *after)
{
    static const char *const words[] = {"summary", "description", "tags", "externalDocs"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const struct json *was = json_get(before, words[i]), *is = json_get(after, words[i]);
        if (was ? !is || !json_equal(was, is) : is != NULL)
            return false;
    }
    return true;
}

static void diff_operation(struct diff *diff, const struct operation *before, const struct operation *after)
{
    if (!str_equal(before->id, after->id))
        diff_add(diff, RULE_OPERATION_RENAMED, SIDE_REQUEST, after->source, true, "operationId %.*s is %.*s now",
                 STR_ARG(before->id), STR_ARG(after->id));
    if (before->security.kind != after->security.kind || !str_equal_nocase(before->security.scheme, after->security.scheme) ||
        !str_equal(before->security.token_url, after->security.token_url))
        diff_add(diff, RULE_SECURITY_CHANGED, SIDE_REQUEST, after->source, true, "calls are secured in another way");
    if (!json_get_boolean(before->source, "deprecated", false) && json_get_boolean(after->source, "deprecated", false))
        diff_add(diff, RULE_DEPRECATED, SIDE_REQUEST, after->source, true, "%.*s is deprecated", STR_ARG(after->id));
    if (!same_words(before->source, after->source))
        diff_add(diff, RULE_WORDS_CHANGED, SIDE_REQUEST, after->source, true, "%.*s is described in other words",
                 STR_ARG(after->id));
    diff_parameters(diff, before, after);
    diff_body(diff, before, after);
    diff_responses(diff, before, after);
}

static const struct operation *find(const struct contract *contract, const struct operation *wanted)
{
    for (unsigned i = 0; i < contract->operation_count; i++)
        if (contract->operations[i].method == wanted->method && str_equal(contract->operations[i].path, wanted->path))
            return &contract->operations[i];
    return NULL;
}

void contract_diff(struct arena *arena, const struct contract *before, const struct contract *after, struct changes *changes)
{
    *changes = (struct changes){.list = arena_array(arena, struct change, CHANGES_MAX)};
    struct diff *diff = arena_new(arena, struct diff);
    *diff = (struct diff){.arena = arena, .before = before, .after = after, .changes = changes};
    const struct json *was = json_get(before->document, "info"), *is = json_get(after->document, "info");
    if (is && (!same_words(was, is) || !str_equal(before->title, after->title)))
        diff_add(diff, RULE_WORDS_CHANGED, SIDE_REQUEST, is, true, "the document introduces itself in other words");
    for (unsigned i = 0; i < before->operation_count; i++) {
        const struct operation *operation = &before->operations[i], *now = find(after, operation);
        if (now)
            diff_operation(diff, operation, now);
        else
            diff_add(diff, RULE_OPERATION_REMOVED, SIDE_REQUEST, operation->source, false, "%s %.*s is gone",
                     method_name(operation->method), STR_ARG(operation->path));
    }
    for (unsigned i = 0; i < after->operation_count; i++) {
        const struct operation *operation = &after->operations[i];
        if (!find(before, operation))
            diff_add(diff, RULE_OPERATION_ADDED, SIDE_REQUEST, operation->source, true, "%s %.*s is new",
                     method_name(operation->method), STR_ARG(operation->path));
    }
}

struct str contract_diff_json(struct arena *arena, const struct contract *before, const struct contract *after)
{
    static const char *const levels[CHANGE_LEVELS] = {
        [CHANGE_BREAKING] = "breaking", [CHANGE_COMPATIBLE] = "compatible", [CHANGE_EDITORIAL] = "editorial"};
    struct changes changes;
    contract_diff(arena, before, after, &changes);
    struct text text = text_open(arena, 1024);
    struct json_out out = json_write(&text);
    json_object(&out);
    for (size_t i = 0; i < CHANGE_LEVELS; i++)
        json_field_i64(&out, levels[i], (int64_t)changes.of_level[i]);
    json_key(&out, "changes");
    json_array(&out);
    for (size_t i = 0; i < changes.count; i++) {
        json_object(&out);
        json_field_c(&out, "level", levels[changes.list[i].level]);
        json_field_c(&out, "kind", changes.list[i].kind);
        json_field(&out, "pointer", changes.list[i].pointer);
        json_field(&out, "detail", changes.list[i].detail);
        json_end(&out);
    }
    json_end_all(&out);
    return text_str(&text);
}
