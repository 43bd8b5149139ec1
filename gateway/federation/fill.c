/* Filling a request template: the path, the query, the headers and the body of one call. */
#include "federation/template.h"
#include <shimin/citizen.h>
#include <stdio.h>

static const struct problem *invalid(struct arena *arena, struct str name, struct bilingual why)
{
    struct problem *problem =
        problem_new(arena, PROBLEM_INVALID_PARAMETER, BILINGUAL("参数有误", "A parameter is missing or wrong"));
    struct problem_error *error = arena_new(arena, struct problem_error);
    *error = (struct problem_error){.parameter = name, .detail = why};
    problem->errors = error;
    problem->error_count = 1;
    return problem;
}

/* Why a value that the operation requires is not there. */
static const struct problem *missing(const struct source *source, struct str name, struct arena *arena,
                                     const struct source_inputs *inputs)
{
    enum source_kind kind = source->identity ? source->identity : source->kind;
    if (!source_is_personal(kind))
        return invalid(arena, source->kind == SOURCE_QUERY ? source->name : name, BILINGUAL("缺少此参数", "is required"));
    if (!inputs->citizen)
        return problem_new(arena, PROBLEM_UNAUTHENTICATED, BILINGUAL("请先登录", "Please log in first"));
    return problem_new(arena, inputs->citizen->level < source_level(kind) ? PROBLEM_STEP_UP : PROBLEM_FORBIDDEN,
                       BILINGUAL("办理此服务需要先完成实名认证", "This service needs your verified identity"));
}

/* A scalar as text; false for null, arrays and objects. */
static bool scalar_text(struct arena *arena, const struct json *value, struct str *text)
{
    switch (value->type) {
    case JSON_STRING:
        *text = value->string;
        return true;
    case JSON_INTEGER:
        *text = str_printf(arena, "%lld", (long long)value->integer);
        return true;
    case JSON_NUMBER:
        *text = json_text(arena, value);
        return true;
    case JSON_BOOLEAN:
        *text = value->boolean ? STR("true") : STR("false");
        return true;
    default:
        return false;
    }
}

static bool add_encoded(struct text *out, const struct json *value)
{
    struct str text;
    if (!scalar_text(out->arena, value, &text))
        return false;
    text_add(out, str_percent_encode(out->arena, text));
    return true;
}

static const struct problem *fill_path(const struct template *template, struct arena *arena, const struct source_inputs *inputs,
                                       struct text *out)
{
    for (unsigned i = 0; i < template->path_count; i++) {
        const struct template_field *field = &template->path[i];
        struct json made;
        struct str text;
        const struct json *value = source_value(&field->source, inputs, &made);
        if (!value)
            return missing(&field->source, field->parameter->name, arena, inputs);
        text_add(out, field->prefix);
        /* An empty or a dot segment would make it another path (RFC 3986 §5.2.4), whatever is encoded. */
        if (!scalar_text(arena, value, &text) || !text.len || str_is(text, ".") || str_is(text, ".."))
            return invalid(arena, field->parameter->name, BILINGUAL("不能作为路径", "cannot stand in a path"));
        text_add(out, str_percent_encode(arena, text));
    }
    text_add(out, template->path_tail);
    return NULL;
}

static bool add_query_array(struct text *out, const struct template_field *field, const struct json *value, char *separator)
{
    for (uint32_t i = 0; i < value->count; i++) {
        if (i == 0 || field->parameter->explode) {
            text_add_char(out, *separator);
            text_add(out, field->prefix);
            *separator = '&';
        } else {
            text_add_char(out, ',');
        }
        if (!add_encoded(out, &value->items[i]))
            return false;
    }
    return true;
}

static const struct problem *fill_query(const struct template *template, struct arena *arena,
                                        const struct source_inputs *inputs, struct text *out)
{
    char separator = '?';
    for (unsigned i = 0; i < template->query_count; i++) {
        const struct template_field *field = &template->query[i];
        struct json made;
        const struct json *value = source_value(&field->source, inputs, &made);
        bool good = true;
        if (!value || value->type == JSON_NULL) {
            if (field->parameter->required)
                return missing(&field->source, field->parameter->name, arena, inputs);
        } else if (value->type == JSON_ARRAY) {
            good = add_query_array(out, field, value, &separator);
        } else {
            text_add_char(out, separator);
            text_add(out, field->prefix);
            separator = '&';
            good = add_encoded(out, value);
        }
        if (!good)
            return invalid(arena, field->parameter->name, BILINGUAL("类型不符", "has the wrong type"));
    }
    return NULL;
}

static bool is_field_value(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
            return false;
    return text.len > 0 && str_trim(text).len == text.len;
}

static const struct problem *fill_headers(const struct template *template, struct arena *arena,
                                          const struct source_inputs *inputs, struct filled *filled)
{
    if (!template->header_count)
        return NULL;
    struct filled_header *headers = arena_array(arena, struct filled_header, template->header_count);
    for (unsigned i = 0; i < template->header_count; i++) {
        const struct template_field *field = &template->headers[i];
        struct json made;
        struct str text;
        const struct json *value = source_value(&field->source, inputs, &made);
        if (!value) {
            if (field->parameter->required)
                return missing(&field->source, field->parameter->name, arena, inputs);
            continue;
        }
        if (!scalar_text(arena, value, &text) || !is_field_value(text))
            return invalid(arena, field->parameter->name, BILINGUAL("不能作为报文头", "cannot stand in a header"));
        headers[filled->header_count++] = (struct filled_header){.name = field->prefix, .value = text};
    }
    filled->headers = headers;
    return NULL;
}

/* The mapped members as a tree; members without a value are left out, and validation says whether they may be. */
static struct json *body_tree(struct arena *arena, const struct template_member *members, const struct source_inputs *inputs)
{
    struct json *object = json_make_object(arena);
    for (const struct template_member *member = members; member; member = member->next) {
        struct json made;
        const struct json *value =
            member->children ? body_tree(arena, member->children, inputs) : source_value(&member->source, inputs, &made);
        if (value && !(member->children && value->count == 0))
            json_set(arena, object, member->name, value);
    }
    return object;
}

static bool names_parameter(const struct operation *operation, struct str name)
{
    for (unsigned i = 0; i < operation->parameter_count; i++)
        if (str_equal(operation->parameters[i].name, name))
            return true;
    return false;
}

static struct json *values_tree(struct arena *arena, const struct operation *operation, const struct json *values)
{
    struct json *object = json_make_object(arena);
    for (uint32_t i = 0; values && values->type == JSON_OBJECT && i < values->count; i++)
        if (!names_parameter(operation, values->members[i].name))
            json_set(arena, object, values->members[i].name, &values->members[i].value);
    return object;
}

static const struct problem *body_invalid(struct arena *arena, const struct schema_errors *errors)
{
    struct problem *problem = problem_new(
        arena, PROBLEM_VALIDATION, BILINGUAL("提交的内容不符合部门的要求", "The department's contract refuses this content"));
    struct problem_error *list = arena_array(arena, struct problem_error, errors->count + 1);
    for (size_t i = 0; i < errors->count; i++)
        list[i] = (struct problem_error){.pointer = errors->list[i].pointer, .detail = errors->list[i].detail};
    problem->errors = list;
    problem->error_count = errors->count;
    return problem;
}

static const struct problem *fill_body(const struct template *template, struct arena *arena, const struct source_inputs *inputs,
                                       struct filled *filled)
{
    if (!template->media)
        return NULL;
    const struct json *body = !template->body_of_values ? body_tree(arena, template->body, inputs)
                              : inputs->body            ? inputs->body
                                                        : values_tree(arena, template->operation, inputs->values);
    if (template->body_of_values && !inputs->body && body->count == 0 && !template->operation->body_required)
        return NULL;
    struct schema_errors errors = {.arena = arena};
    if (template->media->schema && !schema_validate(template->media->schema, body, &errors))
        return body_invalid(arena, &errors);
    filled->content_type = str_ends(template->media->type, STR("+json")) ? template->media->type : STR("application/json");
    filled->body = json_text(arena, body);
    return NULL;
}

const struct problem *template_fill(const struct template *template, struct arena *arena, const struct source_inputs *inputs,
                                    struct filled *filled)
{
    *filled = (struct filled){.operation = template->operation, .accept = template->accept, .safe = template->safe};
    struct text target = text_open(arena, 256);
    const struct problem *problem;
    if ((problem = fill_path(template, arena, inputs, &target)) || (problem = fill_query(template, arena, inputs, &target)) ||
        (problem = fill_headers(template, arena, inputs, filled)) || (problem = fill_body(template, arena, inputs, filled)))
        return problem;
    filled->target = text_str(&target);
    return NULL;
}
