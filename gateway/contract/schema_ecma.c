/* Patterns of ECMA-262 (with the u flag) put into PCRE2's words. What the two read alike passes through; what only Perl has
 * is refused, so that a contract means the same here and in the departments' tools. */
#include "contract/schema_node.h"

#include <string.h>

struct translation {
    struct str in;
    size_t at;
    struct text out;
    bool in_class;
    const char *reason;
};

/* ECMA-262's WhiteSpace and LineTerminator, as members of a class, and what lies between them. */
#define SPACES "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NOT_SPACES                                                                                                             \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"     \
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{d7ff}\\x{e000}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define ANY_BUT_LINE_ENDS "[^\\n\\r\\x{2028}\\x{2029}]"

/* General categories by their long names, which PCRE2 does not know (Unicode's PropertyValueAliases). */
static const char *const categories[][2] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

static int peek(const struct translation *t, size_t ahead)
{
    return t->at + ahead < t->in.len ? (unsigned char)t->in.at[t->at + ahead] : -1;
}

static bool refuse(struct translation *t, const char *reason)
{
    t->reason = reason;
    return false;
}

static int hex_value(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Exactly `digits` hexadecimal digits at the current place. */
static bool read_hex(struct translation *t, unsigned digits, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < digits; i++) {
        int digit = hex_value(peek(t, i));
        if (digit < 0)
            return refuse(t, "an escape lacks hexadecimal digits");
        *value = *value * 16 + (uint32_t)digit;
    }
    t->at += digits;
    return true;
}

static bool put_code_point(struct translation *t, uint32_t code)
{
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return refuse(t, "an escape is no code point");
    text_printf(&t->out, "\\x{%x}", code);
    return true;
}

/* After \u: {1F600}, four digits, or two surrogates as two escapes. */
static bool unicode_escape(struct translation *t)
{
    uint32_t code = 0, low = 0;
    if (peek(t, 0) == '{') {
        size_t digits = 0;
        for (t->at++; hex_value(peek(t, 0)) >= 0 && digits < 8; t->at++, digits++)
            code = code * 16 + (uint32_t)hex_value(peek(t, 0));
        if (digits == 0 || digits == 8 || peek(t, 0) != '}')
            return refuse(t, "an escape is not \\u{…}");
        t->at++;
        return put_code_point(t, code);
    }
    if (!read_hex(t, 4, &code))
        return false;
    if (code >= 0xd800 && code <= 0xdbff && peek(t, 0) == '\\' && peek(t, 1) == 'u') {
        t->at += 2;
        if (!read_hex(t, 4, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return refuse(t, "an escape is half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_code_point(t, code);
}

/* After \p or \P. */
static bool property_escape(struct translation *t, int letter)
{
    if (peek(t, 0) != '{')
        return refuse(t, "a property escape lacks its braces");
    size_t start = ++t->at;
    while (peek(t, 0) != '}') {
        if (peek(t, 0) < 0)
            return refuse(t, "a property escape lacks its braces");
        t->at++;
    }
    struct str name = str_slice(t->in, start, t->at++);
    static const char *const prefixes[][2] = {
        {"General_Category=", ""},      {"gc=", ""},     {"Script=", "sc:"}, {"sc=", "sc:"},
        {"Script_Extensions=", "scx:"}, {"scx=", "scx:"}};
    const char *prefix = "";
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (str_starts(name, str_of(prefixes[i][0]))) {
            name = str_slice(name, strlen(prefixes[i][0]), name.len);
            prefix = prefixes[i][1];
            break;
        }
    }
    for (size_t i = 0; i < COUNT_OF(categories); i++)
        if (str_is(name, categories[i][0]))
            name = str_of(categories[i][1]);
    if (name.len == 0 || name.at[0] == '^')
        return refuse(t, "a property escape names nothing");
    text_printf(&t->out, "\\%c{%s%.*s}", letter, prefix, STR_ARG(name));
    return true;
}

static bool control_escape(struct translation *t)
{
    int letter = peek(t, 0);
    if (!((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')))
        return refuse(t, "\\c needs a letter");
    t->at++;
    return put_code_point(t, (uint32_t)letter & 31);
}

static bool escape(struct translation *t)
{
    t->at++;
    int c = peek(t, 0);
    uint32_t code = 0;
    if (c < 0)
        return refuse(t, "ends in a backslash");
    t->at++;
    switch (c) {
    case 's':
        text_add_c(&t->out, t->in_class ? SPACES : "[" SPACES "]");
        return true;
    case 'S':
        text_add_c(&t->out, t->in_class ? NOT_SPACES : "[^" SPACES "]");
        return true;
    case 'u':
        return unicode_escape(t);
    case 'x':
        return read_hex(t, 2, &code) && put_code_point(t, code);
    case 'p':
    case 'P':
        return property_escape(t, c);
    case 'c':
        return control_escape(t);
    case '0':
        if (peek(t, 0) >= '0' && peek(t, 0) <= '9')
            return refuse(t, "octal escapes are not ECMA-262's");
        return put_code_point(t, 0);
    case 'v':
        return put_code_point(t, 0x0b);
    case 'b':
        if (t->in_class)
            return put_code_point(t, 8);
        text_add_c(&t->out, "\\b");
        return true;
    default:
        break;
    }
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool is_digit = c >= '0' && c <= '9';
    if (is_letter && !strchr(t->in_class ? "dDwWtnrf" : "dDwWBtnrfk", c))
        return refuse(t, "an escape that ECMA-262 does not have");
    if (is_digit && t->in_class)
        return refuse(t, "a back reference in a class");
    if (c < 0x80)
        text_add_char(&t->out, '\\');
    text_add_char(&t->out, (char)c);
    return true;
}

/* "(?" must go on as ECMA-262 says; modifiers as in (?i) are common in what Java tools write, and are taken too. */
static bool group(struct translation *t)
{
    if (peek(t, 1) == '*')
        return refuse(t, "nothing to repeat");
    if (peek(t, 1) != '?') {
        text_add_char(&t->out, '(');
        t->at++;
        return true;
    }
    int c = peek(t, 2);
    size_t length = 3;
    if (c == '<') {
        length = 4;
    } else if (c != ':' && c != '=' && c != '!') {
        while (peek(t, length - 1) >= 0 && strchr("ims-", peek(t, length - 1)))
            length++;
        int last = peek(t, length - 1);
        if (length == 3 || (last != ':' && last != ')'))
            return refuse(t, "a group that ECMA-262 does not have");
    }
    if (t->at + length > t->in.len)
        return refuse(t, "a group is not closed");
    text_add(&t->out, str_slice(t->in, t->at, t->at + length));
    t->at += length;
    return true;
}

static bool step(struct translation *t)
{
    char c = t->in.at[t->at];
    if (c == '\\')
        return escape(t);
    if (c == '\0') { /* the translation ends at a NUL */
        t->at++;
        return put_code_point(t, 0);
    }
    if (t->in_class) {
        if (c == ']')
            t->in_class = false;
        if (c == '[') /* a plain character there; PCRE2 would look for [:alpha:] */
            text_add_char(&t->out, '\\');
    } else if (c == '[') {
        t->in_class = true;
        if (peek(t, 1) == '^') {
            text_add_c(&t->out, "[");
            t->at++;
            c = '^';
        }
    } else if (c == '(') {
        return group(t);
    } else if (c == '.') {
        text_add_c(&t->out, ANY_BUT_LINE_ENDS);
        t->at++;
        return true;
    }
    text_add_char(&t->out, c);
    t->at++;
    return true;
}

const char *ecma_translate(struct arena *arena, struct str pattern, const char **reason)
{
    struct translation t = {.in = pattern, .out = text_open(arena, pattern.len * 2 + 16)};
    while (t.at < t.in.len) {
        if (!step(&t)) {
            *reason = t.reason;
            return NULL;
        }
    }
    return t.out.len > 0 ? t.out.at : "";
}
