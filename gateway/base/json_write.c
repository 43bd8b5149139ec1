/* The JSON writer: commas, quotes and escapes (RFC 8259 §7). */
#include <shimin/json.h>

#include "base/json_scan.h"
#include "base/number.h"

#include <shimin/arena.h>

#include <assert.h>
#include <math.h>
#include <string.h>

struct json_out json_write(struct text *text)
{
    return (struct json_out){.text = text};
}

static bool in_object(const struct json_out *out)
{
    return out->depth > 0 && (out->is_object[(out->depth - 1) / 64] >> (out->depth - 1) % 64 & 1);
}

/* Whether a comma must stand before the value that comes now. */
static bool takes_comma(struct json_out *out)
{
    bool comma = out->need_comma && !out->after_key;
    assert(out->after_key || !in_object(out));
    assert(out->depth > 0 || !comma); /* one value a text */
    out->after_key = false;
    out->need_comma = true;
    return comma;
}

static void before_value(struct json_out *out)
{
    if (takes_comma(out))
        text_add_char(out->text, ',');
}

static void begin(struct json_out *out, bool is_object)
{
    before_value(out);
    assert(out->depth < JSON_DEPTH_MAX);
    uint64_t bit = UINT64_C(1) << out->depth % 64;
    if (is_object)
        out->is_object[out->depth / 64] |= bit;
    else
        out->is_object[out->depth / 64] &= ~bit;
    out->depth++;
    out->need_comma = false;
    text_add_char(out->text, is_object ? '{' : '[');
}

void json_object(struct json_out *out)
{
    begin(out, true);
}

void json_array(struct json_out *out)
{
    begin(out, false);
}

void json_end(struct json_out *out)
{
    assert(out->depth > 0 && !out->after_key);
    text_add_char(out->text, in_object(out) ? '}' : ']');
    out->depth--;
    out->need_comma = true;
}

void json_end_all(struct json_out *out)
{
    while (out->depth > 0)
        json_end(out);
}

static size_t write_escape(char *out, unsigned char c)
{
    static const char brief[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    if (c >= 0x20 || brief[c]) {
        out[1] = c >= 0x20 ? (char)c : brief[c];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = digits[c >> 4];
    out[5] = digits[c & 15];
    return 6;
}

static void add_escaped(struct text *text, struct str string)
{
    for (const char *from = string.at, *end = from + string.len; from < end;) {
        const char *plain_end = json_scan(from, end);
        size_t plain = (size_t)(plain_end - from);
        char *to = text_reserve(text, (size_t)(end - from) + 7);
        memcpy(to, from, plain);
        text->len += plain;
        from = plain_end;
        if (from < end)
            text->len += write_escape(to + plain, (unsigned char)*from++);
    }
}

/* The string, with what stands around it: most of what is written is names and short strings, and room is looked for once. */
static void add_string(struct text *text, bool comma, struct str string, bool colon)
{
    const char *end = string.len > 0 ? string.at + string.len : string.at;
    char *to = text_reserve(text, string.len + 4);
    if (comma)
        *to++ = ',';
    *to++ = '"';
    if (json_scan(string.at, end) == end) {
        if (string.len > 0)
            memcpy(to, string.at, string.len);
        to += string.len;
    } else {
        text->len = (size_t)(to - text->at);
        add_escaped(text, string);
        to = text_reserve(text, 2);
    }
    *to++ = '"';
    if (colon)
        *to++ = ':';
    *to = '\0';
    text->len = (size_t)(to - text->at);
}

void json_key_str(struct json_out *out, struct str name)
{
    assert(in_object(out) && !out->after_key);
    add_string(out->text, out->need_comma, name, true);
    out->after_key = true;
}

void json_put(struct json_out *out, struct str string)
{
    add_string(out->text, takes_comma(out), string, false);
}

void json_put_i64(struct json_out *out, int64_t value)
{
    before_value(out);
    text_add_i64(out->text, value);
}

static void add_double(struct text *text, double value)
{
    if (!isfinite(value)) {
        text_add(text, STR("null"));
        return;
    }
    char number[NUMBER_TEXT_MAX];
    size_t n = number_write(number, value);
    text_add(text, (struct str){number, n});
}

void json_put_double(struct json_out *out, double value)
{
    before_value(out);
    add_double(out->text, value);
}

static struct str boolean_text(bool value)
{
    return value ? STR("true") : STR("false");
}

void json_put_bool(struct json_out *out, bool value)
{
    before_value(out);
    text_add(out->text, boolean_text(value));
}

void json_put_null(struct json_out *out)
{
    before_value(out);
    text_add(out->text, STR("null"));
}

void json_put_raw(struct json_out *out, struct str json)
{
    before_value(out);
    text_add(out->text, json);
}

/* Recursion as deep as the tree, which its parser bounded. */
static void add_value(struct text *text, const struct json *value)
{
    if (value->source.at) {
        text_add(text, value->source);
        return;
    }
    switch (value->type) {
    case JSON_NULL:
        text_add(text, STR("null"));
        return;
    case JSON_BOOLEAN:
        text_add(text, boolean_text(value->boolean));
        return;
    case JSON_INTEGER:
        text_add_i64(text, value->integer);
        return;
    case JSON_NUMBER:
        add_double(text, value->number);
        return;
    case JSON_STRING:
        add_string(text, false, value->string, false);
        return;
    case JSON_ARRAY:
        text_add_char(text, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            if (i > 0)
                text_add_char(text, ',');
            add_value(text, &value->items[i]);
        }
        text_add_char(text, ']');
        return;
    case JSON_OBJECT:
        text_add_char(text, '{');
        for (uint32_t i = 0; i < value->count; i++) {
            add_string(text, i > 0, value->members[i].name, true);
            add_value(text, &value->members[i].value);
        }
        text_add_char(text, '}');
        return;
    }
}

void json_put_value(struct json_out *out, const struct json *value)
{
    before_value(out);
    add_value(out->text, value);
}

struct str json_text(struct arena *arena, const struct json *value)
{
    if (value->source.at)
        return value->source;
    struct text text = text_open(arena, 256);
    add_value(&text, value);
    return text_str(&text);
}
