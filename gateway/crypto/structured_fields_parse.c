/* Structured field values for HTTP: parsing (RFC 9651 §4.2). */
#include "crypto/structured_fields.h"

#include <shimin/arena.h>
#include <shimin/id.h>
#include <string.h>

struct parser {
    struct arena *arena;
    const char *at, *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static bool is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool peek(const struct parser *parser, char c)
{
    return parser->at < parser->end && *parser->at == c;
}

static bool take(struct parser *parser, char c)
{
    if (!peek(parser, c))
        return false;
    parser->at++;
    return true;
}

static void skip_spaces(struct parser *parser)
{
    while (take(parser, ' '))
        ;
}

/* OWS: spaces and tabs. */
static void skip_blanks(struct parser *parser)
{
    while (take(parser, ' ') || take(parser, '\t'))
        ;
}

/* Makes room for one element more, doubling from 4. */
static void *grow(struct parser *parser, void *array, size_t count, size_t size)
{
    if (count == 0)
        return arena_alloc_array(parser->arena, size, 4);
    if (count < 4 || (count & (count - 1)) != 0)
        return array;
    return arena_grow(parser->arena, array, count * size, 2 * count * size);
}

/* §4.2.3.3 */
static bool parse_key(struct parser *parser, struct str *key)
{
    const char *start = parser->at;

    if (start == parser->end || !(is_lower(*start) || *start == '*'))
        return false;
    while (parser->at < parser->end && sf_is_key_char(*parser->at))
        parser->at++;
    *key = (struct str){start, (size_t)(parser->at - start)};
    return true;
}

/* §4.2.4: 15 digits, or 12 and 1 to 3 after the point. */
static bool parse_number(struct parser *parser, struct sf_value *value)
{
    bool negative = take(parser, '-');
    int64_t number = 0;
    int whole = 0;

    for (; parser->at < parser->end && is_digit(*parser->at); parser->at++) {
        if (++whole > 15)
            return false;
        number = number * 10 + (*parser->at - '0');
    }
    value->type = SF_INTEGER;
    if (whole == 0)
        return false;
    if (take(parser, '.')) {
        int fraction = 0;
        value->type = SF_DECIMAL;
        for (; parser->at < parser->end && is_digit(*parser->at); parser->at++) {
            if (++fraction > 3)
                return false;
            number = number * 10 + (*parser->at - '0');
        }
        if (whole > 12 || fraction == 0)
            return false;
        for (; fraction < 3; fraction++)
            number *= 10;
    }
    value->integer = negative ? -number : number;
    return true;
}

/* §4.2.5. Borrows from the input unless there is an escape. */
static bool parse_string(struct parser *parser, struct sf_value *value)
{
    const char *start = ++parser->at;
    size_t escapes = 0;

    for (;; parser->at++) {
        if (parser->at == parser->end || *parser->at < ' ' || *parser->at == 0x7f)
            return false;
        if (*parser->at == '"')
            break;
        if (*parser->at == '\\') {
            parser->at++;
            escapes++;
            if (!peek(parser, '"') && !peek(parser, '\\'))
                return false;
        }
    }
    value->type = SF_STRING;
    value->text = (struct str){start, (size_t)(parser->at++ - start)};
    if (escapes == 0)
        return true;
    char *plain = arena_alloc(parser->arena, value->text.len);
    size_t len = 0;
    for (size_t i = 0; i < value->text.len; i++) {
        if (start[i] == '\\')
            i++;
        plain[len++] = start[i];
    }
    value->text = (struct str){plain, len};
    return true;
}

/* §4.2.6 */
static void parse_token(struct parser *parser, struct sf_value *value)
{
    const char *start = parser->at++;

    while (parser->at < parser->end && sf_is_token_char(*parser->at))
        parser->at++;
    value->type = SF_TOKEN;
    value->text = (struct str){start, (size_t)(parser->at - start)};
}

/* §4.2.7. Strict: unpadded base64 is refused, as that section allows, so that a signature has one text only. */
static bool parse_bytes(struct parser *parser, struct sf_value *value)
{
    const char *start = ++parser->at;
    const char *close = memchr(start, ':', (size_t)(parser->end - start));

    if (!close)
        return false;
    parser->at = close + 1;
    value->type = SF_BYTES;
    return base64_decode(parser->arena, (struct str){start, (size_t)(close - start)}, &value->text);
}

/* §4.2.8 */
static bool parse_boolean(struct parser *parser, struct sf_value *value)
{
    parser->at++;
    value->type = SF_BOOLEAN;
    value->boolean = peek(parser, '1');
    return take(parser, '1') || take(parser, '0');
}

/* §4.2.9 */
static bool parse_date(struct parser *parser, struct sf_value *value)
{
    parser->at++;
    if (!parse_number(parser, value) || value->type != SF_INTEGER)
        return false;
    value->type = SF_DATE;
    return true;
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* lower case only */
}

/* §4.2.10 */
static bool parse_display_string(struct parser *parser, struct sf_value *value)
{
    size_t len = 0;

    parser->at++;
    if (!take(parser, '"'))
        return false;
    char *plain = arena_alloc(parser->arena, (size_t)(parser->end - parser->at) + 1);
    while (!peek(parser, '"')) {
        if (parser->at == parser->end || *parser->at < ' ' || *parser->at == 0x7f)
            return false;
        char c = *parser->at++;
        if (c == '%') {
            int high = parser->end - parser->at >= 2 ? hex_digit(parser->at[0]) : -1;
            int low = high >= 0 ? hex_digit(parser->at[1]) : -1;
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            parser->at += 2;
        }
        plain[len++] = c;
    }
    parser->at++;
    value->type = SF_DISPLAY_STRING;
    value->text = (struct str){plain, len};
    return str_is_utf8(value->text);
}

/* §4.2.3.1 */
static bool parse_value(struct parser *parser, struct sf_value *value)
{
    char c = '\0';

    if (parser->at < parser->end)
        c = *parser->at;
    if (c == '-' || is_digit(c))
        return parse_number(parser, value);
    if (is_alpha(c) || c == '*') {
        parse_token(parser, value);
        return true;
    }
    switch (c) {
    case '"':
        return parse_string(parser, value);
    case ':':
        return parse_bytes(parser, value);
    case '?':
        return parse_boolean(parser, value);
    case '@':
        return parse_date(parser, value);
    case '%':
        return parse_display_string(parser, value);
    default:
        return false;
    }
}

static struct sf_parameter *find_parameter(struct sf_item *item, struct str key)
{
    for (size_t i = 0; i < item->parameter_count; i++) {
        if (str_equal(item->parameters[i].key, key))
            return &item->parameters[i];
    }
    return NULL;
}

/* §4.2.3.2 */
static bool parse_parameters(struct parser *parser, struct sf_item *item)
{
    while (take(parser, ';')) {
        struct sf_parameter parameter = {.value = {.type = SF_BOOLEAN, .boolean = true}};

        skip_spaces(parser);
        if (!parse_key(parser, &parameter.key) || (take(parser, '=') && !parse_value(parser, &parameter.value)))
            return false;
        struct sf_parameter *old = find_parameter(item, parameter.key);
        if (old) {
            old->value = parameter.value;
            continue;
        }
        if (item->parameter_count == SF_PARAMETERS_MAX)
            return false;
        item->parameters = grow(parser, item->parameters, item->parameter_count, sizeof(parameter));
        item->parameters[item->parameter_count++] = parameter;
    }
    return true;
}

static bool parse_item(struct parser *parser, struct sf_item *item)
{
    *item = (struct sf_item){.parameters = NULL};
    return parse_value(parser, &item->value) && parse_parameters(parser, item);
}

/* §4.2.1.2, after the '(' */
static bool parse_inner_list(struct parser *parser, struct sf_member *member)
{
    member->is_inner_list = true;
    for (;;) {
        skip_spaces(parser);
        if (take(parser, ')'))
            return parse_parameters(parser, &member->item);
        if (member->item_count == SF_ITEMS_MAX)
            return false;
        member->items = grow(parser, member->items, member->item_count, sizeof(*member->items));
        if (!parse_item(parser, &member->items[member->item_count++]))
            return false;
        if (!peek(parser, ' ') && !peek(parser, ')'))
            return false;
    }
}

/* §4.2.1.1 */
static bool parse_member(struct parser *parser, struct sf_member *member)
{
    return take(parser, '(') ? parse_inner_list(parser, member) : parse_item(parser, &member->item);
}

/* §4.2.2: a key without a value is true. */
static bool parse_dictionary_member(struct parser *parser, struct sf_member *member)
{
    if (!parse_key(parser, &member->key))
        return false;
    if (take(parser, '='))
        return parse_member(parser, member);
    member->item.value = (struct sf_value){.type = SF_BOOLEAN, .boolean = true};
    return parse_parameters(parser, &member->item);
}

static bool add_member(struct parser *parser, struct sf_members *members, const struct sf_member *member)
{
    for (size_t i = 0; member->key.at && i < members->count; i++) {
        if (str_equal(members->members[i].key, member->key)) {
            members->members[i] = *member;
            return true;
        }
    }
    if (members->count == SF_MEMBERS_MAX)
        return false;
    members->members = grow(parser, members->members, members->count, sizeof(*member));
    members->members[members->count++] = *member;
    return true;
}

static struct parser parser_open(struct arena *arena, struct str text)
{
    const char *start = text.len > 0 ? text.at : "";
    struct parser parser = {arena, start, start + text.len};

    skip_spaces(&parser);
    while (parser.end > parser.at && parser.end[-1] == ' ')
        parser.end--;
    return parser;
}

static bool parse_members(struct arena *arena, struct str text, bool (*parse)(struct parser *, struct sf_member *),
                          struct sf_members *members)
{
    struct parser parser = parser_open(arena, text);

    *members = (struct sf_members){NULL, 0};
    while (parser.at < parser.end) {
        struct sf_member member = {.is_inner_list = false};

        if (!parse(&parser, &member) || !add_member(&parser, members, &member))
            return false;
        skip_blanks(&parser);
        if (parser.at == parser.end)
            return true;
        if (!take(&parser, ','))
            return false;
        skip_blanks(&parser);
        if (parser.at == parser.end)
            return false; /* a trailing comma */
    }
    return true;
}

bool sf_parse_item(struct arena *arena, struct str text, struct sf_item *item)
{
    struct parser parser = parser_open(arena, text);

    return parse_item(&parser, item) && parser.at == parser.end;
}

bool sf_parse_list(struct arena *arena, struct str text, struct sf_members *list)
{
    return parse_members(arena, text, parse_member, list);
}

bool sf_parse_dictionary(struct arena *arena, struct str text, struct sf_members *dictionary)
{
    return parse_members(arena, text, parse_dictionary_member, dictionary);
}

const struct sf_member *sf_get(const struct sf_members *dictionary, const char *key)
{
    for (size_t i = 0; i < dictionary->count; i++) {
        if (str_is(dictionary->members[i].key, key))
            return &dictionary->members[i];
    }
    return NULL;
}

const struct sf_value *sf_parameter(const struct sf_item *item, const char *key)
{
    for (size_t i = 0; i < item->parameter_count; i++) {
        if (str_is(item->parameters[i].key, key))
            return &item->parameters[i].value;
    }
    return NULL;
}
