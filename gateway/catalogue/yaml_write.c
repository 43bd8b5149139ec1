/* YAML in the layout of schema/catalogue. */
#include "catalogue/yaml_write.h"

#include <shimin/arena.h>

#include <stdlib.h>
#include <string.h>

enum { INDENT = 2, WIDTH = 140 };

/* The order in which members are written. */
static const char *const order[] = {
    "department", "services",  "slug",           "number",      "aliases",     "id",          "zh",          "en",
    "title",      "name",      "required",       "type",        "schema",      "summary",     "pinyin",      "category",
    "archetype",  "level",     "kind",           "area",        "needs",       "switch",      "position",    "reason",
    "personal",   "contract",  "backend",        "address",     "credentials", "concurrency", "deadline_ms", "breaker",
    "ratio",      "minimum",   "request",        "page",        "items",       "masks",       "cache",       "fresh",
    "stale",      "parameter", "size_parameter", "size",        "first",       "fields",      "coord_sys",   "refresh",
    "operation",  "confirm",   "parameters",     "description", "minLength",   "maxLength",   "pattern",     "maximum",
};

static size_t rank_of(struct str name)
{
    size_t i = 0;
    while (i < COUNT_OF(order) && !str_is(name, order[i]))
        i++;
    return i;
}

static int compare_members(const void *a, const void *b)
{
    const struct json_member *const *left = a, *const *right = b;
    size_t x = rank_of((*left)->name), y = rank_of((*right)->name);
    return x != y ? (x > y) - (x < y) : str_compare((*left)->name, (*right)->name);
}

static const struct json_member **sorted(struct arena *arena, const struct json *object)
{
    const struct json_member **members = arena_array(arena, const struct json_member *, object->count);
    for (uint32_t i = 0; i < object->count; i++)
        members[i] = &object->members[i];
    if (object->count)
        qsort(members, object->count, sizeof *members, compare_members);
    return members;
}

/* Words that some reader of YAML takes for something else than themselves. */
static bool is_keyword(struct str text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal_nocase(text, str_of(words[i])))
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Plain where nobody can misread it: a letter or a slash first, and nothing that means something further on. */
static bool is_plain(struct str text, bool flow)
{
    if (!text.len || is_keyword(text) || !(is_letter(text.at[0]) || text.at[0] == '/') || text.at[text.len - 1] == ' ' ||
        text.at[text.len - 1] == ':')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if ((unsigned char)c < ' ' || c == '"' || c == '\\' || c == 0x7f || strchr("#{}[]&*!|>%@`'", c))
            return false;
        if (c == ':' && (flow || text.at[i + 1] == ' '))
            return false;
        if (c == ',' && flow)
            return false;
    }
    return true;
}

/* The code point of what JSON writes as it is and YAML takes for a line's end or does not take at all: DEL, the C1 controls
 * with NEL, LS, PS and the byte order mark. 0: none begins here. Text is valid UTF-8, so what follows a first byte is there. */
static unsigned odd_character(const char *at, size_t *len)
{
    const unsigned char *byte = (const unsigned char *)at;
    *len = byte[0] == 0x7f ? 1 : byte[0] == 0xc2 ? 2 : 3;
    if (byte[0] == 0x7f)
        return 0x7f;
    if (byte[0] == 0xc2 && byte[1] < 0xa0)
        return byte[1];
    if (byte[0] == 0xe2 && byte[1] == 0x80 && (byte[2] == 0xa8 || byte[2] == 0xa9))
        return byte[2] == 0xa8 ? 0x2028 : 0x2029;
    return byte[0] == 0xef && byte[1] == 0xbb && byte[2] == 0xbf ? 0xfeff : 0;
}

static bool has_odd_character(struct str value)
{
    size_t len;
    for (size_t i = 0; i < value.len; i++)
        if (odd_character(value.at + i, &len))
            return true;
    return false;
}

/* A JSON string is one of YAML, but for the odd characters. */
static void write_quoted(struct text *text, struct str value)
{
    struct text quoted = text_open(text->arena, value.len + 16);
    struct json_out out = json_write(&quoted);
    json_put(&out, value);
    for (size_t i = 0, len; i < quoted.len; i += len) {
        unsigned odd = odd_character(quoted.at + i, &len);
        if (odd) {
            text_printf(text, "\\u%04x", odd);
        } else {
            len = 1;
            text_add_char(text, quoted.at[i]);
        }
    }
}

static void write_string(struct text *text, struct str value, bool flow)
{
    if (is_plain(value, flow) && !has_odd_character(value))
        text_add(text, value);
    else
        write_quoted(text, value);
}

static void write_flow(struct text *text, const struct json *value)
{
    if (value->type == JSON_STRING) {
        write_string(text, value->string, true);
    } else if (value->type == JSON_OBJECT) {
        const struct json_member **members = sorted(text->arena, value);
        text_add_c(text, "{");
        for (uint32_t i = 0; i < value->count; i++) {
            text_add_c(text, i ? ", " : "");
            write_string(text, members[i]->name, true);
            text_add_c(text, ": ");
            write_flow(text, &members[i]->value);
        }
        text_add_c(text, "}");
    } else if (value->type == JSON_ARRAY) {
        text_add_c(text, "[");
        for (uint32_t i = 0; i < value->count; i++) {
            text_add_c(text, i ? ", " : "");
            write_flow(text, &value->items[i]);
        }
        text_add_c(text, "]");
    } else {
        text_add(text, json_text(text->arena, value));
    }
}

/* What is short is written in one line; these never are, so that their lines differ one by one. */
static bool is_always_block(struct str name)
{
    static const char *const names[] = {"department", "services", "summary",    "backend", "operation",
                                        "request",    "fields",   "parameters", "reason",  "categories"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static bool holds_block(const struct json *value)
{
    for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++)
        if (is_always_block(value->members[i].name) && value->members[i].value.count)
            return true;
    return false;
}

/* The value in one line, or at == NULL where it takes more. */
static struct str one_line(struct arena *arena, struct str name, const struct json *value, size_t column)
{
    struct text line = text_open(arena, 128);
    if (value->type == JSON_STRING) {
        write_string(&line, value->string, false);
        return text_str(&line);
    }
    if (value->count && (value->type == JSON_OBJECT || value->type == JSON_ARRAY) &&
        (is_always_block(name) || holds_block(value)))
        return STR_NONE;
    write_flow(&line, value);
    return (value->type == JSON_OBJECT || value->type == JSON_ARRAY) && column + line.len > WIDTH ? STR_NONE : text_str(&line);
}

static void indent(struct text *text, size_t by)
{
    for (size_t i = 0; i < by; i++)
        text_add_char(text, ' ');
}

static void write_block(struct text *text, const struct json *value, size_t column, bool spaced);

static void write_member(struct text *text, const struct json_member *member, size_t column)
{
    write_string(text, member->name, false);
    text_add_char(text, ':');
    struct str line = one_line(text->arena, member->name, &member->value, column + member->name.len + 2);
    if (line.at) {
        text_add_char(text, ' ');
        text_add(text, line);
        text_add_char(text, '\n');
        return;
    }
    text_add_char(text, '\n');
    write_block(text, &member->value, column + INDENT, str_is(member->name, "services"));
}

static void write_object(struct text *text, const struct json *object, size_t column, bool begun)
{
    const struct json_member **members = sorted(text->arena, object);
    for (uint32_t i = 0; i < object->count; i++) {
        if (i || !begun)
            indent(text, column);
        write_member(text, members[i], column);
    }
}

/* Nesting is that of what was parsed, which is bounded. */
static void write_block(struct text *text, const struct json *value, size_t column, bool spaced)
{
    if (value->type == JSON_OBJECT) {
        write_object(text, value, column, false);
        return;
    }
    for (uint32_t i = 0; i < value->count; i++) {
        const struct json *item = &value->items[i];
        text_add_c(text, spaced && i ? "\n" : "");
        indent(text, column);
        text_add_c(text, "- ");
        if (item->type == JSON_OBJECT && item->count) {
            write_object(text, item, column + INDENT, true);
        } else {
            write_flow(text, item);
            text_add_char(text, '\n');
        }
    }
}

void yaml_write(struct text *text, const struct json *value)
{
    const struct json_member **members = sorted(text->arena, value);
    for (uint32_t i = 0; i < value->count; i++) {
        text_add_c(text, i ? "\n" : "");
        write_member(text, members[i], 0);
    }
}
