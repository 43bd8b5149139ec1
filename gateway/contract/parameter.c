/* Parameters: from texts to values of the type that their schema asks for. */
#include "contract/contract.h"

#include <math.h>

#define TYPE_BIT(type) (1u << (type))
#define TYPES_ALL 0x7fu
/* 2^53: up to here a double tells every whole number from its neighbours. */
#define EXACT_MOST 0x1p53

static const struct json *refuse(struct schema_errors *errors, const struct parameter *parameter, const char *keyword,
                                 struct bilingual detail)
{
    if (!errors)
        return NULL;
    errors->list = arena_new(errors->arena, struct schema_error);
    errors->list[0] =
        (struct schema_error){.pointer = STR(""), .parameter = parameter->name, .keyword = str_of(keyword), .detail = detail};
    errors->count = 1;
    return NULL;
}

/* Moves *at over digits; false without any. */
static bool skip_digits(struct str s, size_t *at)
{
    size_t start = *at;
    while (*at < s.len && s.at[*at] >= '0' && s.at[*at] <= '9')
        ++*at;
    return *at > start;
}

/* JSON's grammar of numbers: no "+1", " 1", "01", "1." or "0x1". */
static bool is_number(struct str s)
{
    size_t at = s.len > 0 && s.at[0] == '-', start = at;
    if (!skip_digits(s, &at) || (at > start + 1 && s.at[start] == '0'))
        return false;
    if (at < s.len && s.at[at] == '.' && (at++, !skip_digits(s, &at)))
        return false;
    if (at < s.len && (s.at[at] | 32) == 'e') {
        at++;
        at += at < s.len && (s.at[at] == '+' || s.at[at] == '-');
        if (!skip_digits(s, &at))
            return false;
    }
    return at == s.len;
}

static struct json *number_value(struct arena *arena, struct str raw)
{
    struct json value = {.type = JSON_INTEGER};
    if (!is_number(raw))
        return NULL;
    if (!str_to_i64(raw, &value.integer)) {
        double number;
        if (!str_to_double(raw, &number))
            return NULL;
        /* "5.0" and "1e2" are integers to a schema (JSON Schema core §4.2.3), so they are to a handler as well */
        if (fabs(number) <= EXACT_MOST && trunc(number) == number)
            value.integer = (int64_t)number;
        else
            value = (struct json){.type = JSON_NUMBER, .number = number};
    }
    return arena_copy(arena, &value, sizeof value);
}

static struct json *boolean_value(struct arena *arena, struct str raw)
{
    bool is_true = str_is(raw, "true");
    return is_true || str_is(raw, "false") ? json_make_boolean(arena, is_true) : NULL;
}

/* The value that a text stands for where a schema of these types is asked. A text that can be read as a narrower type is,
 * unless the schema says nothing of types. */
static struct json *plain_value(struct arena *arena, unsigned types, struct str raw)
{
    struct json *value = NULL;
    bool is_any = (types & TYPES_ALL) == TYPES_ALL;
    if (!is_any && types & (TYPE_BIT(JSON_INTEGER) | TYPE_BIT(JSON_NUMBER)))
        value = number_value(arena, raw);
    if (!value && !is_any && types & TYPE_BIT(JSON_BOOLEAN))
        value = boolean_value(arena, raw);
    return value ? value : json_make_string(arena, raw);
}

static unsigned types_of(const struct schema *schema)
{
    return schema ? schema_types(schema) : TYPES_ALL;
}

static struct json *array_value(struct arena *arena, const struct parameter *parameter, const struct str *raws, size_t count,
                                bool split)
{
    unsigned types = types_of(parameter->schema ? schema_items(parameter->schema) : NULL);
    struct json *array = json_make_array(arena);
    for (size_t i = 0; i < count; i++) {
        struct str rest = raws[i];
        if (!split) {
            json_append(arena, array, plain_value(arena, types, rest));
            continue;
        }
        while (rest.at && raws[i].len > 0)
            json_append(arena, array, plain_value(arena, types, str_cut(&rest, ',')));
    }
    return array;
}

static const struct json *json_value(struct arena *arena, const struct parameter *parameter, struct str raw,
                                     struct schema_errors *errors)
{
    struct json_error error;
    const struct json *value = json_parse(arena, raw, &json_limits_request, &error);
    return value ? value : refuse(errors, parameter, "content", BILINGUAL("应为 JSON", "must be JSON"));
}

static bool is_valid(const struct parameter *parameter, const struct json *value, struct schema_errors *errors)
{
    if (!parameter->schema || schema_validate(parameter->schema, value, errors))
        return true;
    for (size_t i = 0; errors && i < errors->count; i++)
        errors->list[i].parameter = parameter->name;
    return false;
}

static const struct json *read_texts(struct arena *arena, const struct parameter *parameter, const struct str *raws,
                                     size_t count, bool split, struct schema_errors *errors)
{
    for (size_t i = 0; i < count; i++)
        if (!str_is_utf8(raws[i]))
            return refuse(errors, parameter, "encoding", BILINGUAL("应为 UTF-8 文本", "must be UTF-8 text"));
    unsigned types = types_of(parameter->schema);
    bool is_array = !parameter->is_json && types & TYPE_BIT(JSON_ARRAY) && (types & TYPES_ALL) != TYPES_ALL;
    bool may_repeat = is_array && parameter->explode;
    if (count == 0 || (count > 1 && !may_repeat))
        return refuse(errors, parameter, "type", BILINGUAL("只能出现一次", "must be given once"));

    const struct json *value;
    if (parameter->is_json) {
        value = json_value(arena, parameter, raws[0], errors);
        return value && is_valid(parameter, value, errors) ? value : NULL;
    }
    if (is_array) {
        /* Where a plain value is allowed as well, a single text may be one. */
        value = types & ~TYPE_BIT(JSON_ARRAY) && count == 1 ? plain_value(arena, types, raws[0]) : NULL;
        if (value && is_valid(parameter, value, NULL))
            return value;
        value = array_value(arena, parameter, raws, count, split);
        return is_valid(parameter, value, errors) ? value : NULL;
    }
    /* An absent `str` and an empty one are the same text here. */
    struct str raw = raws[0].at ? raws[0] : STR("");
    value = plain_value(arena, types, raw);
    if (is_valid(parameter, value, value->type == JSON_STRING ? errors : NULL))
        return value;
    if (value->type == JSON_STRING)
        return NULL;
    /* "123" where strings are allowed too, and 123 is not what the schema wants. */
    const struct json *string = json_make_string(arena, raw);
    if (types & TYPE_BIT(JSON_STRING) && is_valid(parameter, string, NULL))
        return string;
    return is_valid(parameter, value, errors) ? value : NULL;
}

const struct json *parameter_read(struct arena *arena, const struct parameter *parameter, struct str raw,
                                  struct schema_errors *errors)
{
    return read_texts(arena, parameter, &raw, 1, true, errors);
}

const struct json *parameter_read_all(struct arena *arena, const struct parameter *parameter, const struct str *raws,
                                      size_t count, struct schema_errors *errors)
{
    return read_texts(arena, parameter, raws, count, !parameter->explode, errors);
}
