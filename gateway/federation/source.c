/* Sources of a request's values. */
#include "federation/source.h"
#include <shimin/citizen.h>

static const struct {
    const char *text;
    enum level level;
    size_t offset;
} identity[SOURCE_KINDS] = {
    [SOURCE_ID_NUMBER] = {"citizen.id_number", LEVEL_REAL_NAME, offsetof(struct citizen, id_number)},
    [SOURCE_NAME] = {"citizen.name", LEVEL_REAL_NAME, offsetof(struct citizen, name)},
    [SOURCE_PHONE_NUMBER] = {"citizen.phone_number", LEVEL_PHONE, offsetof(struct citizen, phone_number)},
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

/* Names under which departments ask for a person, without case, '-', '_' and a leading X-. A plain "name" is not among them:
 * it is as often a place's. */
static const struct {
    const char *name;
    enum source_kind kind;
} identity_names[] = {
    {"idnumber", SOURCE_ID_NUMBER},       {"idno", SOURCE_ID_NUMBER},         {"idcard", SOURCE_ID_NUMBER},
    {"idcardno", SOURCE_ID_NUMBER},       {"idcardnumber", SOURCE_ID_NUMBER}, {"certno", SOURCE_ID_NUMBER},
    {"citizenid", SOURCE_ID_NUMBER},      {"personid", SOURCE_ID_NUMBER},     {"holderid", SOURCE_ID_NUMBER},
    {"sfzh", SOURCE_ID_NUMBER},           {"sfzhm", SOURCE_ID_NUMBER},        {"gmsfhm", SOURCE_ID_NUMBER},
    {"sfzmhm", SOURCE_ID_NUMBER},         {"zjhm", SOURCE_ID_NUMBER},         {"personname", SOURCE_NAME},
    {"citizenname", SOURCE_NAME},         {"realname", SOURCE_NAME},          {"xm", SOURCE_NAME},
    {"phonenumber", SOURCE_PHONE_NUMBER}, {"phone", SOURCE_PHONE_NUMBER},     {"mobile", SOURCE_PHONE_NUMBER},
    {"mobilephone", SOURCE_PHONE_NUMBER}, {"mobileno", SOURCE_PHONE_NUMBER},  {"sjh", SOURCE_PHONE_NUMBER},
    {"sjhm", SOURCE_PHONE_NUMBER},
};

bool source_of_identity(struct str name, enum source_kind *kind)
{
    char plain[32];
    size_t len = 0;
    if (name.len > 2 && (name.at[0] == 'X' || name.at[0] == 'x') && name.at[1] == '-')
        name = str_slice(name, 2, name.len);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (c == '-' || c == '_')
            continue;
        if (len == sizeof plain)
            return false;
        plain[len++] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    for (size_t i = 0; i < COUNT_OF(identity_names); i++)
        if (str_is((struct str){plain, len}, identity_names[i].name)) {
            *kind = identity_names[i].kind;
            return true;
        }
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
