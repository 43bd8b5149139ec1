/* Sources of a request's values. */
#include "federation/source.h"
#include <shimin/citizen.h>

static const struct {
    const char *text;
    const char *parameter;
    enum level level;
    size_t offset;
} identity[SOURCE_KINDS] = {
    [SOURCE_ID_NUMBER] = {"citizen.id_number", "id_number", LEVEL_REAL_NAME, offsetof(struct citizen, id_number)},
    [SOURCE_NAME] = {"citizen.name", "name", LEVEL_REAL_NAME, offsetof(struct citizen, name)},
    [SOURCE_PHONE_NUMBER] = {"citizen.phone_number", "phone_number", LEVEL_PHONE, offsetof(struct citizen, phone_number)},
};

bool source_is_personal(enum source_kind kind)
{
    return identity[kind].text != NULL;
}

enum level source_level(enum source_kind kind)
{
    return identity[kind].level;
}

bool source_parse(struct arena *arena, struct str text, struct source *source)
{
    *source = (struct source){.kind = SOURCE_KINDS};
    for (enum source_kind kind = 0; kind < SOURCE_KINDS; kind++)
        if (identity[kind].text && str_is(text, identity[kind].text)) {
            source->kind = kind;
            return true;
        }
    if (str_starts(text, STR("query.")) && text.len > 6) {
        source->kind = SOURCE_QUERY;
        source->name = str_slice(text, 6, text.len);
        return true;
    }
    if (str_starts(text, STR("const:"))) {
        source->kind = SOURCE_CONST;
        source->literal = json_make_string(arena, str_slice(text, 6, text.len));
        return true;
    }
    return false;
}

bool source_of_identity(struct str name, enum source_kind *kind)
{
    for (*kind = 0; *kind < SOURCE_KINDS; (*kind)++)
        if (identity[*kind].parameter && str_is(name, identity[*kind].parameter))
            return true;
    return false;
}

static const struct json *made_string(struct str value, struct json *made)
{
    if (!value.len)
        return NULL;
    *made = (struct json){.type = JSON_STRING, .string = value};
    return made;
}

/* Departments of the mainland know mainland numbers by their eleven digits. */
static struct str national(struct str phone_number)
{
    return str_starts(phone_number, STR("+86")) ? str_slice(phone_number, 3, phone_number.len) : phone_number;
}

static const struct json *citizen_value(enum source_kind kind, const struct citizen *citizen, struct json *made)
{
    if (!citizen)
        return NULL;
    struct str value = *(const struct str *)((const char *)citizen + identity[kind].offset);
    return made_string(kind == SOURCE_PHONE_NUMBER ? national(value) : value, made);
}

/* Pages that are counted are numbers, also in a body. */
static const struct json *page_value(const struct source *source, struct str page, struct json *made)
{
    int64_t number;
    if (!page.len)
        return source->literal;
    if (!source->literal || source->literal->type != JSON_INTEGER || !str_to_i64(page, &number))
        return made_string(page, made);
    *made = (struct json){.type = JSON_INTEGER, .integer = number};
    return made;
}

const struct json *source_value(const struct source *source, const struct source_inputs *inputs, struct json *made)
{
    if (source_is_personal(source->kind))
        return citizen_value(source->kind, inputs->citizen, made);
    const struct json *value;
    switch (source->kind) {
    case SOURCE_CONST:
        return source->literal;
    case SOURCE_QUERY:
        return inputs->query ? inputs->query[source->index] : NULL;
    case SOURCE_PAGE:
        return page_value(source, inputs->page, made);
    case SOURCE_VALUE:
        value = json_get_str(inputs->values, source->name);
        return value || !source->identity ? value : citizen_value(source->identity, inputs->citizen, made);
    default:
        return NULL;
    }
}
