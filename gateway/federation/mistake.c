/* Making a request wrong on purpose: a path that nobody has, a parameter left out, a resource that does not exist. */
#include "federation/mistake.h"
#include <shimin/arena.h>

#define NOWHERE "/no-such-path-of-the-publish-gate"

/* A required parameter of the query or the header; NULL: none is sent. */
static const struct template_field *required(const struct template_field *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (fields[i].parameter->required)
            return &fields[i];
    return NULL;
}

/* Whether {} is no body that the contract takes. */
static bool empty_body_is_wrong(const struct template *template)
{
    struct json nothing = {.type = JSON_OBJECT};
    return template->media && template->media->schema && !schema_validate(template->media->schema, &nothing, NULL);
}

bool mistake_is_possible(const struct template *template, enum department_mistake mistake)
{
    if (mistake == MISTAKE_RESOURCE)
        return template->path_count > 0;
    return mistake != MISTAKE_PARAMETER || required(template->query, template->query_count) ||
           required(template->headers, template->header_count) || empty_body_is_wrong(template);
}

/* Path and query without the values of one parameter; its prefix is "name=". */
static struct str without(struct arena *arena, struct str target, const struct template_field *field)
{
    struct str query = target, path = str_cut(&query, '?');
    struct text text = text_open(arena, target.len);
    text_add(&text, path);
    char separator = '?';
    while (query.at && query.len) {
        struct str pair = str_cut(&query, '&');
        if (str_starts(pair, field->prefix))
            continue;
        text_add_char(&text, separator);
        text_add(&text, pair);
        separator = '&';
    }
    return text_str(&text);
}

static void leave_header_out(struct arena *arena, const struct template_field *field, struct filled *filled)
{
    struct filled_header *headers = arena_array(arena, struct filled_header, filled->header_count + 1);
    unsigned count = 0;
    for (unsigned i = 0; i < filled->header_count; i++)
        if (!str_equal(filled->headers[i].name, field->prefix))
            headers[count++] = filled->headers[i];
    filled->headers = headers;
    filled->header_count = count;
}

static void leave_parameter_out(struct arena *arena, const struct template *template, struct filled *filled)
{
    const struct template_field *field = required(template->query, template->query_count);
    if (field) {
        filled->target = without(arena, filled->target, field);
        return;
    }
    field = required(template->headers, template->header_count);
    if (field)
        leave_header_out(arena, field, filled);
    else
        filled->body = STR("{}");
}

/* A name in the form that the parameter asks for, so that it is looked for rather than found malformed. */
static struct str nobody(const struct parameter *parameter)
{
    const struct json *schema = parameter->schema ? schema_source(parameter->schema) : NULL;
    struct str type = json_get_string(schema, "type", STR(""));
    if (str_is(type, "integer") || str_is(type, "number"))
        return STR("2147483647");
    return str_is(json_get_string(schema, "format", STR("")), "uuid") ? STR("00000000-0000-4000-8000-000000000000")
                                                                      : STR("no-such-resource-of-the-publish-gate");
}

static void name_nobody(struct arena *arena, const struct template *template, struct filled *filled)
{
    struct str query = filled->target;
    (void)str_cut(&query, '?');
    struct text text = text_open(arena, filled->target.len + 64);
    for (unsigned i = 0; i < template->path_count; i++) {
        text_add(&text, template->path[i].prefix);
        text_add(&text, nobody(template->path[i].parameter));
    }
    text_add(&text, template->path_tail);
    if (query.at) {
        text_add_char(&text, '?');
        text_add(&text, query);
    }
    filled->target = text_str(&text);
}

void mistake_make(struct arena *arena, const struct template *template, enum department_mistake mistake, struct filled *filled)
{
    if (!mistake_is_possible(template, mistake))
        return;
    switch (mistake) {
    case MISTAKE_NONE:
        break;
    case MISTAKE_PATH: /* nothing of the mapping goes there */
        filled->target = STR(NOWHERE);
        filled->header_count = 0;
        filled->content_type = filled->body = STR_NONE;
        break;
    case MISTAKE_PARAMETER:
        leave_parameter_out(arena, template, filled);
        break;
    case MISTAKE_RESOURCE:
        name_nobody(arena, template, filled);
        break;
    }
}
