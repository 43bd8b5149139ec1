/* Structured field values for HTTP: serialising (RFC 9651 §4.1). */
#include "crypto/structured_fields.h"

#include <shimin/id.h>
#include <string.h>

#define DECIMAL_MAX 999999999999999 /* thousandths: 12 digits and 3 */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static bool is_alphanumeric(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
static bool is_printable(char c)
{
    return c >= ' ' && c < 0x7f;
}

bool sf_is_key_char(char c)
{
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '*';
}

bool sf_is_token_char(char c)
{
    return is_alphanumeric(c) || (c && strchr("!#$%&'*+-.^_`|~:/", c));
}

/* §4.1.1.3 */
static bool write_key(struct text *out, struct str key)
{
    if (key.len == 0 || !(is_lower(key.at[0]) || key.at[0] == '*'))
        return false;
    for (size_t i = 0; i < key.len; i++) {
        if (!sf_is_key_char(key.at[i]))
            return false;
    }
    text_add(out, key);
    return true;
}

/* §4.1.4 */
static bool write_integer(struct text *out, int64_t integer)
{
    if (integer > SF_INTEGER_MAX || integer < -SF_INTEGER_MAX)
        return false;
    text_add_i64(out, integer);
    return true;
}

/* §4.1.5: at least one digit after the point, no other trailing zero. */
static bool write_decimal(struct text *out, int64_t thousandths)
{
    if (thousandths > DECIMAL_MAX || thousandths < -DECIMAL_MAX)
        return false;
    int64_t size = thousandths < 0 ? -thousandths : thousandths;
    int fraction = (int)(size % 1000), digits = 3;
    for (; digits > 1 && fraction % 10 == 0; digits--)
        fraction /= 10;
    text_printf(out, "%s%lld.%0*d", thousandths < 0 ? "-" : "", (long long)(size / 1000), digits, fraction);
    return true;
}

/* §4.1.6 */
static bool write_string(struct text *out, struct str s)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (!is_printable(s.at[i]))
            return false;
        if (s.at[i] == '"' || s.at[i] == '\\')
            text_add_char(out, '\\');
        text_add_char(out, s.at[i]);
    }
    text_add_char(out, '"');
    return true;
}

/* §4.1.7 */
static bool write_token(struct text *out, struct str s)
{
    if (s.len == 0 || !(s.at[0] == '*' || (is_alphanumeric(s.at[0]) && s.at[0] > '9')))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!sf_is_token_char(s.at[i]))
            return false;
    }
    text_add(out, s);
    return true;
}

/* §4.1.8 */
static bool write_bytes(struct text *out, struct str s)
{
    text_add_char(out, ':');
    text_add(out, base64_encode(out->arena, s.at, s.len));
    text_add_char(out, ':');
    return true;
}

/* §4.1.11 */
static bool write_display_string(struct text *out, struct str s)
{
    static const char digits[] = "0123456789abcdef";

    if (!str_is_utf8(s))
        return false;
    text_add_c(out, "%\"");
    for (size_t i = 0; i < s.len; i++) {
        if (is_printable(s.at[i]) && s.at[i] != '%' && s.at[i] != '"') {
            text_add_char(out, s.at[i]);
            continue;
        }
        text_add_char(out, '%');
        text_add_char(out, digits[(uint8_t)s.at[i] >> 4]);
        text_add_char(out, digits[(uint8_t)s.at[i] & 15]);
    }
    text_add_char(out, '"');
    return true;
}

static bool is_true(const struct sf_value *value)
{
    return value->type == SF_BOOLEAN && value->boolean;
}

/* §4.1.1.2: true is written as the key alone. */
static bool write_parameters(struct text *out, const struct sf_item *item)
{
    for (size_t i = 0; i < item->parameter_count; i++) {
        const struct sf_parameter *parameter = &item->parameters[i];

        text_add_char(out, ';');
        if (!write_key(out, parameter->key))
            return false;
        if (is_true(&parameter->value))
            continue;
        text_add_char(out, '=');
        if (!sf_write_value(out, &parameter->value))
            return false;
    }
    return true;
}

bool sf_write_value(struct text *out, const struct sf_value *value)
{
    switch (value->type) {
    case SF_INTEGER:
        return write_integer(out, value->integer);
    case SF_DECIMAL:
        return write_decimal(out, value->integer);
    case SF_STRING:
        return write_string(out, value->text);
    case SF_TOKEN:
        return write_token(out, value->text);
    case SF_BYTES:
        return write_bytes(out, value->text);
    case SF_BOOLEAN:
        text_add_c(out, value->boolean ? "?1" : "?0");
        return true;
    case SF_DATE:
        text_add_char(out, '@');
        return write_integer(out, value->integer);
    case SF_DISPLAY_STRING:
        return write_display_string(out, value->text);
    }
    return false;
}

bool sf_write_item(struct text *out, const struct sf_item *item)
{
    return sf_write_value(out, &item->value) && write_parameters(out, item);
}

bool sf_write_member(struct text *out, const struct sf_member *member)
{
    if (!member->is_inner_list)
        return sf_write_item(out, &member->item);
    text_add_char(out, '(');
    for (size_t i = 0; i < member->item_count; i++) {
        if (i > 0)
            text_add_char(out, ' ');
        if (!sf_write_item(out, &member->items[i]))
            return false;
    }
    text_add_char(out, ')');
    return write_parameters(out, &member->item);
}

bool sf_write_list(struct text *out, const struct sf_members *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            text_add_c(out, ", ");
        if (!sf_write_member(out, &list->members[i]))
            return false;
    }
    return true;
}

bool sf_write_dictionary(struct text *out, const struct sf_members *dictionary)
{
    for (size_t i = 0; i < dictionary->count; i++) {
        const struct sf_member *member = &dictionary->members[i];

        if (i > 0)
            text_add_c(out, ", ");
        if (!write_key(out, member->key))
            return false;
        if (!member->is_inner_list && is_true(&member->item.value)) {
            if (!write_parameters(out, &member->item))
                return false;
            continue;
        }
        text_add_char(out, '=');
        if (!sf_write_member(out, member))
            return false;
    }
    return true;
}
