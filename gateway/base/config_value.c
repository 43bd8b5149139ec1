/* One value of the configuration: units, bounds, choices, and what a misspelt key was meant to be. */
#include "base/config_value.h"

#include <shimin/arena.h>

#include <string.h>

const char *const config_type_names[] = {
    [CONFIG_STRING] = "string", [CONFIG_INTEGER] = "integer", [CONFIG_BOOLEAN] = "boolean", [CONFIG_DURATION] = "duration",
    [CONFIG_SIZE] = "size",     [CONFIG_PATH] = "path",       [CONFIG_LIST] = "list",       [CONFIG_MAP] = "map",
};

struct unit {
    struct str name;
    int64_t factor;
};

/* Largest first: the description uses the largest that divides. */
static const struct unit durations[] = {
    {{"d", 1}, INT64_C(86400000000)},
    {{"h", 1}, INT64_C(3600000000)},
    {{"m", 1}, 60000000},
    {{"s", 1}, 1000000},
    {{"ms", 2}, 1000},
    {{"us", 2}, 1},
};
static const struct unit sizes[] = {{{"GiB", 3}, 1 << 30}, {{"MiB", 3}, 1 << 20}, {{"KiB", 3}, 1 << 10}, {{"B", 1}, 1}};

static const char *const expectations[] = {
    [CONFIG_STRING] = "must be a text (put a number or true and false in quotes)",
    [CONFIG_INTEGER] = "must be a whole number",
    [CONFIG_BOOLEAN] = "must be true or false",
    [CONFIG_DURATION] = "must be a duration with its unit, as 250us, 500ms, 2s, 5m, 1h or 7d",
    [CONFIG_SIZE] = "must be a size, as 512B, 64KiB, 1MiB or 2GiB",
    [CONFIG_PATH] = "must be the path of a file or folder",
    [CONFIG_LIST] = "must be a list of texts",
    [CONFIG_MAP] = "must be a map",
};

static bool fail(struct str *fault, struct str reason)
{
    *fault = reason;
    return false;
}

static bool expected(const struct config_key *key, struct str *fault)
{
    return fail(fault, str_of(expectations[key->type]));
}

/* ---- numbers with units ---- */

static bool with_unit(struct str text, const struct unit *units, size_t count, int64_t *value)
{
    size_t digits = 0;
    while (digits < text.len && ((text.at[digits] >= '0' && text.at[digits] <= '9') || text.at[digits] == '-'))
        digits++;
    int64_t number;
    if (!str_to_i64(str_slice(text, 0, digits), &number))
        return false;
    struct str unit = str_slice(text, digits, text.len);
    for (size_t i = 0; i < count; i++)
        if (str_equal(unit, units[i].name))
            return !__builtin_mul_overflow(number, units[i].factor, value);
    return false;
}

static struct str in_unit(struct arena *arena, const struct config_key *key, int64_t number)
{
    const struct unit *units = key->type == CONFIG_DURATION ? durations : sizes;
    size_t count = key->type == CONFIG_DURATION ? COUNT_OF(durations) : key->type == CONFIG_SIZE ? COUNT_OF(sizes) : 0;
    for (size_t i = 0; i < count; i++)
        if (number != 0 && number % units[i].factor == 0)
            return str_printf(arena, "%lld%s", (long long)(number / units[i].factor), units[i].name.at);
    return str_printf(arena, "%lld", (long long)number);
}

static bool is_number(const struct config_key *key)
{
    return key->type == CONFIG_INTEGER || key->type == CONFIG_DURATION || key->type == CONFIG_SIZE;
}

struct str config_bounds(struct arena *arena, const struct config_key *key)
{
    if (!is_number(key) || (key->max == 0 && key->min == 0))
        return STR("");
    struct str min = in_unit(arena, key, key->min), max = in_unit(arena, key, key->max);
    if (key->max == 0)
        return str_printf(arena, "at least %.*s", STR_ARG(min));
    return str_printf(arena, "%.*s to %.*s", STR_ARG(min), STR_ARG(max));
}

static bool set_number(struct arena *arena, const struct config_key *key, int64_t number, struct config_value *value,
                       struct str *fault)
{
    bool bounded = key->min != 0 || key->max != 0;
    int64_t min = bounded || key->type != CONFIG_INTEGER ? key->min : INT64_MIN;
    int64_t max = key->max != 0 ? key->max : INT64_MAX;
    if (number < min || number > max) {
        struct str bounds = bounded ? config_bounds(arena, key) : STR("not negative");
        return fail(fault, str_printf(arena, "must be %.*s", STR_ARG(bounds)));
    }
    value->integer = number;
    return true;
}

static bool set_quantity(struct arena *arena, const struct config_key *key, struct str text, struct config_value *value,
                         struct str *fault)
{
    int64_t number;
    bool plain = str_to_i64(text, &number);
    if (key->type == CONFIG_DURATION && !(plain && number == 0))
        plain = false; /* two what? */
    if (!plain && !(key->type == CONFIG_DURATION && with_unit(text, durations, COUNT_OF(durations), &number)) &&
        !(key->type == CONFIG_SIZE && with_unit(text, sizes, COUNT_OF(sizes), &number)))
        return expected(key, fault);
    return set_number(arena, key, number, value, fault);
}

/* ---- texts ---- */

static bool set_string(struct arena *arena, const struct config_key *key, struct str text, struct config_value *value,
                       struct str *fault)
{
    if (memchr(text.at ? text.at : "", '\0', text.len))
        return fail(fault, STR("must not contain a NUL"));
    if (key->type == CONFIG_PATH && text.len == 0)
        return expected(key, fault);
    for (struct str rest = str_of(key->choices); rest.at;) {
        if (str_equal(str_cut(&rest, ','), text))
            break;
        if (!rest.at)
            return fail(fault, str_printf(arena, "must be one of %s", key->choices));
    }
    value->string = str_to_c(arena, text);
    return true;
}

static bool set_boolean(const struct config_key *key, struct str text, struct config_value *value, struct str *fault)
{
    value->boolean = str_is(text, "true");
    return value->boolean || str_is(text, "false") || expected(key, fault);
}

static bool list_from_json(struct arena *arena, const struct config_key *key, const struct json *json,
                           struct config_value *value, struct str *fault)
{
    const char **list = arena_array(arena, const char *, (size_t)json->count + 1);
    for (uint32_t i = 0; i < json->count; i++) {
        if (json->items[i].type != JSON_STRING)
            return expected(key, fault);
        list[i] = str_to_c(arena, json->items[i].string);
    }
    value->list = list;
    value->count = json->count;
    return true;
}

static void list_from_text(struct arena *arena, struct str text, struct config_value *value)
{
    size_t room = 2;
    for (size_t i = 0; i < text.len; i++)
        room += text.at[i] == ',';
    const char **list = arena_array(arena, const char *, room);
    for (struct str rest = text; rest.at;) {
        struct str item = str_trim(str_cut(&rest, ','));
        if (item.len > 0)
            list[value->count++] = str_to_c(arena, item);
    }
    value->list = list;
}

/* ---- both ways in ---- */

static bool from_text(struct arena *arena, const struct config_key *key, struct str text, struct config_value *value,
                      struct str *fault)
{
    *value = (struct config_value){.present = true};
    switch (key->type) {
    case CONFIG_STRING:
    case CONFIG_PATH:
        return set_string(arena, key, text, value, fault);
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return set_quantity(arena, key, text, value, fault);
    case CONFIG_BOOLEAN:
        return set_boolean(key, text, value, fault);
    case CONFIG_LIST:
        list_from_text(arena, text, value);
        return true;
    case CONFIG_MAP:
        value->json = yaml_parse(arena, str_copy(arena, text), &json_limits_document, NULL);
        return (value->json && value->json->type == JSON_OBJECT) || expected(key, fault);
    }
    return false;
}

static bool from_json(struct arena *arena, const struct config_key *key, const struct json *json, struct config_value *value,
                      struct str *fault)
{
    *value = (struct config_value){.present = true};
    if (json->type == JSON_STRING && key->type != CONFIG_LIST && key->type != CONFIG_MAP && key->type != CONFIG_INTEGER &&
        key->type != CONFIG_BOOLEAN)
        return from_text(arena, key, json->string, value, fault);
    if (json->type == JSON_INTEGER && is_number(key))
        return set_quantity(arena, key, json_text(arena, json), value, fault);
    if (json->type == JSON_BOOLEAN && key->type == CONFIG_BOOLEAN) {
        value->boolean = json->boolean;
        return true;
    }
    if (json->type == JSON_ARRAY && key->type == CONFIG_LIST)
        return list_from_json(arena, key, json, value, fault);
    if (json->type == JSON_OBJECT && key->type == CONFIG_MAP) {
        value->json = json;
        return true;
    }
    return expected(key, fault);
}

static bool is_right(struct arena *arena, const struct config_key *key, const struct config_value *value, struct str *fault)
{
    *fault = STR_NONE;
    if (key->refuse && key->type == CONFIG_STRING)
        *fault = key->refuse(arena, str_of(value->string));
    for (size_t i = 0; key->refuse && key->type == CONFIG_LIST && i < value->count && !fault->at; i++)
        *fault = key->refuse(arena, str_of(value->list[i]));
    return !fault->at;
}

bool config_value_from_json(struct arena *arena, const struct config_key *key, const struct json *json,
                            struct config_value *value, struct str *fault)
{
    return from_json(arena, key, json, value, fault) && is_right(arena, key, value, fault);
}

bool config_value_from_text(struct arena *arena, const struct config_key *key, struct str text, struct config_value *value,
                            struct str *fault)
{
    return from_text(arena, key, text, value, fault) && is_right(arena, key, value, fault);
}

/* ---- names ---- */

const char *config_variable(struct arena *arena, const char *path)
{
    char *variable = str_to_c(arena, str_printf(arena, "SHIMIN_%s", path));
    for (char *c = variable; *c; c++)
        *c = *c == '.' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    return variable;
}

#define SPELLED_MAX 63
/* More changed letters than this are no slip of the pen. */
#define SLIPS 2

/* Levenshtein distance with the exchange of neighbours, row by row. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][SPELLED_MAX + 1];
    if (a.len > SPELLED_MAX || b.len > SPELLED_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = above[j - 1] + (a.at[i - 1] != b.at[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a.len % 3][b.len];
}

const struct config_key *config_nearest(const struct config_key *keys, size_t count, struct str spelled, bool variable)
{
    struct arena *arena CLEANUP(arena_close_at) = arena_open();
    const struct config_key *nearest = NULL;
    size_t least = SLIPS + 1;
    for (size_t i = 0; i < count; i++) {
        const char *name = variable ? config_variable(arena, keys[i].path) : keys[i].path;
        size_t slips = distance(spelled, str_of(name));
        if (slips < least) {
            least = slips;
            nearest = &keys[i];
        }
    }
    return nearest;
}
