/* The JSON parser: one pass, no recursion, strings without escapes borrowed from the text. */
#include <shimin/json.h>

#include "base/json_builder.h"
#include "base/json_scan.h"
#include "base/number.h"
#include "base/utf8.h"

#include <math.h>

struct parser {
    const char *at, *end;
    uint32_t line;
    struct arena *arena;
};

static void skip_blanks(struct parser *parser)
{
    const char *at = parser->at;
    for (; at < parser->end; at++) {
        if (*at == '\n')
            parser->line++;
        else if (*at != ' ' && *at != '\t' && *at != '\r')
            break;
    }
    parser->at = at;
}

/* Four hexadecimal digits after \u; moves past them. -1 when there are none. */
static int32_t take_hex4(struct parser *parser)
{
    int32_t value = 0;
    if (parser->end - parser->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = *parser->at;
        int32_t digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
        parser->at++;
    }
    return value;
}

static enum json_fault take_unicode_escape(struct parser *parser, char *out, size_t *written)
{
    int32_t unit = take_hex4(parser);
    if (unit < 0)
        return JSON_FAULT_ESCAPE;
    uint32_t code_point = (uint32_t)unit;
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return JSON_FAULT_SURROGATE;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        if (parser->end - parser->at < 2 || parser->at[0] != '\\' || parser->at[1] != 'u')
            return JSON_FAULT_SURROGATE;
        parser->at += 2;
        int32_t low = take_hex4(parser);
        if (low < 0)
            return JSON_FAULT_ESCAPE;
        if (low < 0xDC00 || low > 0xDFFF)
            return JSON_FAULT_SURROGATE;
        code_point = 0x10000 + ((uint32_t)(unit - 0xD800) << 10 | (uint32_t)(low - 0xDC00));
    }
    *written = utf8_write(out, code_point);
    return JSON_FAULT_NONE;
}

/* parser->at stands behind the backslash. */
static enum json_fault take_escape(struct parser *parser, char *out, size_t *written)
{
    static const char meanings[256] = {
        ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    if (parser->at == parser->end)
        return JSON_FAULT_END;
    unsigned char c = (unsigned char)*parser->at;
    if (c == 'u') {
        parser->at++;
        return take_unicode_escape(parser, out, written);
    }
    if (!meanings[c])
        return JSON_FAULT_ESCAPE;
    parser->at++;
    *out = meanings[c];
    *written = 1;
    return JSON_FAULT_NONE;
}

/* The string that began at `start` and has its first escape at parser->at, decoded into the arena. */
static enum json_fault take_escaped_string(struct parser *parser, const char *start, struct str *string)
{
    /* No escape is shorter than what it stands for, so the closing quote bounds the room. */
    const char *close = parser->at;
    while (close < parser->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= parser->end)
        close = parser->end;
    char *decoded = arena_alloc_raw(parser->arena, (size_t)(close - start) + 4);
    size_t n = (size_t)(parser->at - start);
    memcpy(decoded, start, n);
    for (;;) {
        if (parser->at == parser->end)
            return JSON_FAULT_END;
        if (*parser->at == '"')
            break;
        if (*parser->at != '\\')
            return JSON_FAULT_CONTROL;
        parser->at++;
        size_t written = 0;
        enum json_fault fault = take_escape(parser, decoded + n, &written);
        if (fault)
            return fault;
        n += written;
        const char *plain = parser->at;
        parser->at = json_scan(plain, parser->end);
        memcpy(decoded + n, plain, (size_t)(parser->at - plain));
        n += (size_t)(parser->at - plain);
    }
    parser->at++;
    *string = (struct str){decoded, n};
    return JSON_FAULT_NONE;
}

/* parser->at stands on the opening quote. */
static enum json_fault take_string(struct parser *parser, struct str *string)
{
    const char *start = parser->at + 1;
    const char *at = json_scan(start, parser->end);
    parser->at = at;
    if (at == parser->end)
        return JSON_FAULT_END;
    if (*at != '"')
        return take_escaped_string(parser, start, string);
    *string = (struct str){start, (size_t)(at - start)};
    parser->at = at + 1;
    return JSON_FAULT_NONE;
}

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* RFC 8259 §6. */
static enum json_fault take_number(struct parser *parser, struct json *value)
{
    const char *start = parser->at, *at = start, *end = parser->end;
    bool negative = *at == '-';
    at += negative;
    if (!is_digit(at, end))
        return parser->at = at, JSON_FAULT_NUMBER;
    const char *first = at;
    int64_t sum = 0; /* negative, for INT64_MIN */
    bool fits = true;
    if (*at == '0') {
        at++;
        if (is_digit(at, end))
            return parser->at = at, JSON_FAULT_NUMBER;
    }
    for (; is_digit(at, end); at++) {
        if (at - first < 18)
            sum = sum * 10 - (*at - '0');
        else
            fits = fits && !__builtin_mul_overflow(sum, 10, &sum) && !__builtin_sub_overflow(sum, *at - '0', &sum);
    }
    bool whole = true;
    if (at < end && *at == '.') {
        whole = false;
        at++;
        if (!is_digit(at, end))
            return parser->at = at, JSON_FAULT_NUMBER;
        while (is_digit(at, end))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        whole = false;
        at++;
        at += at < end && (*at == '+' || *at == '-');
        if (!is_digit(at, end))
            return parser->at = at, JSON_FAULT_NUMBER;
        while (is_digit(at, end))
            at++;
    }
    parser->at = at;
    if (whole && fits && !(negative && sum == 0) && (negative || sum != INT64_MIN)) {
        value->type = JSON_INTEGER;
        value->integer = negative ? sum : -sum;
        return JSON_FAULT_NONE;
    }
    value->type = JSON_NUMBER;
    value->number = number_read((struct str){start, (size_t)(at - start)});
    if (isfinite(value->number))
        return JSON_FAULT_NONE;
    parser->at = start;
    return JSON_FAULT_RANGE;
}

static enum json_fault take_literal(struct parser *parser, struct json *value)
{
    static const struct {
        struct str text;
        enum json_type type;
        bool boolean;
    } literals[] = {{{"true", 4}, JSON_BOOLEAN, true}, {{"false", 5}, JSON_BOOLEAN, false}, {{"null", 4}, JSON_NULL, false}};
    struct str rest = {parser->at, (size_t)(parser->end - parser->at)};
    for (size_t i = 0; i < COUNT_OF(literals); i++) {
        if (str_starts(rest, literals[i].text)) {
            value->type = literals[i].type;
            value->integer = 0;
            value->boolean = literals[i].boolean;
            parser->at += literals[i].text.len;
            return JSON_FAULT_NONE;
        }
    }
    return JSON_FAULT_VALUE;
}

static enum json_fault take_scalar(struct parser *parser, struct json *value)
{
    char c = *parser->at;
    if (c == '"') {
        value->type = JSON_STRING;
        return take_string(parser, &value->string);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return take_number(parser, value);
    return take_literal(parser, value);
}

/* name, colon, and the blanks up to the value */
static enum json_fault take_name(struct parser *parser, struct str *name)
{
    skip_blanks(parser);
    if (parser->at == parser->end)
        return JSON_FAULT_END;
    if (*parser->at != '"')
        return JSON_FAULT_NAME;
    enum json_fault fault = take_string(parser, name);
    if (fault)
        return fault;
    skip_blanks(parser);
    if (parser->at == parser->end)
        return JSON_FAULT_END;
    if (*parser->at != ':')
        return JSON_FAULT_COLON;
    parser->at++;
    return JSON_FAULT_NONE;
}

/* One value, or the opening of a container, in a new slot. */
static enum json_fault take_value(struct parser *parser, struct json_builder *builder)
{
    struct str name = STR_NONE;
    enum json_fault fault;
    if (builder->depth > 0 && builder->frames[builder->depth - 1].is_object && (fault = take_name(parser, &name)))
        return fault;
    skip_blanks(parser);
    if (parser->at == parser->end)
        return JSON_FAULT_END;
    if ((fault = json_builder_count(builder, 1)))
        return fault;
    struct json_member *slot = json_builder_slot(builder);
    slot->name = name;
    struct json *value = &slot->value;
    value->line = parser->line;
    value->count = 0;
    const char *start = parser->at;
    if (*start == '{' || *start == '[') {
        if ((fault = json_builder_enter(builder, *start == '{', start)))
            return fault;
        parser->at++;
        return JSON_FAULT_NONE;
    }
    if ((fault = take_scalar(parser, value)))
        return fault;
    value->source = (struct str){start, (size_t)(parser->at - start)};
    return JSON_FAULT_NONE;
}

static enum json_fault leave(struct parser *parser, struct json_builder *builder)
{
    const struct json_frame *frame = &builder->frames[builder->depth - 1];
    uint32_t slot = frame->slot;
    const char *start = frame->start;
    const struct json_member *duplicate;
    enum json_fault fault = json_builder_leave(builder, &duplicate);
    if (fault) {
        parser->at = duplicate->value.source.at;
        return fault;
    }
    parser->at++;
    builder->stack[slot].value.source = (struct str){start, (size_t)(parser->at - start)};
    return JSON_FAULT_NONE;
}

static enum json_fault take_document(struct parser *parser, struct json_builder *builder)
{
    bool fresh = true; /* a container was just opened: it may end at once, and needs no comma */
    skip_blanks(parser);
    if (parser->at == parser->end)
        return JSON_FAULT_EMPTY;
    enum json_fault fault = take_value(parser, builder);
    if (fault)
        return fault;
    while (builder->depth > 0) {
        skip_blanks(parser);
        if (parser->at == parser->end)
            return JSON_FAULT_END;
        bool is_object = builder->frames[builder->depth - 1].is_object;
        if (*parser->at == (is_object ? '}' : ']')) {
            if ((fault = leave(parser, builder)))
                return fault;
            fresh = false;
            continue;
        }
        if (!fresh) {
            if (*parser->at != ',')
                return is_object ? JSON_FAULT_OBJECT : JSON_FAULT_ARRAY;
            parser->at++;
        }
        unsigned depth = builder->depth;
        if ((fault = take_value(parser, builder)))
            return fault;
        fresh = builder->depth > depth;
    }
    skip_blanks(parser);
    return parser->at < parser->end ? JSON_FAULT_AFTER : JSON_FAULT_NONE;
}

const struct json *json_parse(struct arena *arena, struct str text, const struct json_limits *limits, struct json_error *error)
{
    if (text.len == 0)
        return json_fail(error, JSON_FAULT_EMPTY, 1, 1);
    if (text.len > limits->bytes)
        return json_fail(error, JSON_FAULT_TOO_LONG, 1, 1);
    size_t valid = utf8_valid_bytes(text);
    if (valid < text.len)
        return json_fail_at(error, JSON_FAULT_UTF8, text, valid);

    struct parser parser = {.at = text.at, .end = text.at + text.len, .line = 1, .arena = arena};
    struct json_builder builder;
    json_builder_open(&builder, arena, limits);
    enum json_fault fault = take_document(&parser, &builder);
    const struct json *root = fault ? json_fail_at(error, fault, text, (size_t)(parser.at - text.at))
                                    : arena_copy(arena, &builder.stack[0].value, sizeof(struct json));
    json_builder_close(&builder);
    return root;
}
