/* Request bodies and responses, and their content by media type. */
#include "contract/load.h"

/* `example`, or the value of the first of `examples`. */
static const struct json *example_of(struct loader *loader, const struct json *source)
{
    const struct json *example = json_get(source, "example");
    const struct json *examples = json_get(source, "examples");
    if (example || !examples || examples->type != JSON_OBJECT || examples->count == 0)
        return example;
    return json_get(load_resolve(loader, &examples->members[0].value), "value");
}

const struct media *load_content(struct loader *loader, const struct json *content, unsigned *count)
{
    struct media *list = arena_array(loader->arena, struct media, content->count + 1);
    for (uint32_t i = 0; i < content->count; i++) {
        const struct json_member *member = &content->members[i];
        const struct json *source = load_resolve(loader, &member->value);
        if (!source)
            continue;
        if (source->type != JSON_OBJECT || str_find(member->name, STR("/")) < 1) {
            load_fault(loader, &member->value, "content must be objects by media type");
            continue;
        }
        struct str rest = member->name;
        list[(*count)++] = (struct media){
            .type = str_trim(str_cut(&rest, ';')),
            .schema = load_schema(loader, json_get(source, "schema")),
            .example = example_of(loader, source),
            .source = source,
        };
    }
    return list;
}

void load_body(struct loader *loader, struct operation *operation)
{
    const struct json *member = json_get(operation->source, "requestBody");
    const struct json *source = member ? load_resolve(loader, member) : NULL;
    if (!source)
        return;
    if (source->type != JSON_OBJECT) {
        load_fault(loader, source, "requestBody must be an object");
        return;
    }
    const struct json *content = load_member(loader, source, "content", JSON_OBJECT);
    (void)load_member(loader, source, "required", JSON_BOOLEAN);
    operation->body_required = json_get_boolean(source, "required", false);
    if (content)
        operation->bodies = load_content(loader, content, &operation->body_count);
    else if (!json_get(source, "content"))
        load_fault(loader, source, "requestBody has no content");
}

/* "200", "2XX", "default"; -1 for anything else. */
static int status_of(struct str name)
{
    if (str_is(name, "default"))
        return 0;
    if (name.len != 3 || name.at[0] < '1' || name.at[0] > '5')
        return -1;
    if ((name.at[1] | 32) == 'x' && (name.at[2] | 32) == 'x')
        return name.at[0] - '0';
    int64_t status;
    return str_to_i64(name, &status) ? (int)status : -1;
}

void load_responses(struct loader *loader, struct operation *operation)
{
    const struct json *responses = load_member(loader, operation->source, "responses", JSON_OBJECT);
    if (!responses) {
        if (!json_get(operation->source, "responses") && !loader->contract->is_3_1)
            load_fault(loader, operation->source, "the operation has no responses");
        return;
    }
    struct response *list = arena_array(loader->arena, struct response, responses->count + 1);
    for (uint32_t i = 0; i < responses->count; i++) {
        const struct json_member *member = &responses->members[i];
        int status = status_of(member->name);
        if (str_starts(member->name, STR("x-")))
            continue;
        if (status < 0) {
            load_fault(loader, &member->value, "a response is named by its status (\"200\", \"2XX\") or default");
            continue;
        }
        const struct json *source = load_resolve(loader, &member->value);
        if (!source)
            continue;
        if (source->type != JSON_OBJECT) {
            load_fault(loader, source, "a response must be an object");
            continue;
        }
        struct response *response = &list[operation->response_count++];
        *response = (struct response){.status = (unsigned)status, .source = source};
        const struct json *content = load_member(loader, source, "content", JSON_OBJECT);
        if (content)
            response->media = load_content(loader, content, &response->media_count);
    }
    operation->responses = list;
}
