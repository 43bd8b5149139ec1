/* HTTP message signatures: the signature base (RFC 9421 §2). */
#include "crypto/message_signature.h"

#include <shimin/arena.h>
#include <shimin/id.h>
#include <string.h>

struct base {
    struct arena *arena;
    const struct message *message;
    struct text *out;
    const char *reason;
};

static bool fault(struct base *base, const char *reason)
{
    base->reason = reason;
    return false;
}

static char to_lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

static void add_lower(struct text *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        text_add_char(out, to_lower(s.at[i]));
}

static bool add_method(struct base *base)
{
    text_add(base->out, base->message->method);
    return true;
}

static bool add_scheme(struct base *base)
{
    add_lower(base->out, base->message->scheme);
    return true;
}

/* §2.2.3: lower case, without the scheme's default port. */
static bool add_authority(struct base *base)
{
    struct str authority = base->message->authority;
    struct str port = str_equal_nocase(base->message->scheme, STR("https")) ? STR(":443") : STR(":80");

    if (str_ends(authority, port))
        authority.len -= port.len;
    add_lower(base->out, authority);
    return true;
}

/* §2.2.6: an empty path is "/". */
static bool add_path(struct base *base)
{
    text_add(base->out, base->message->path.len > 0 ? base->message->path : STR("/"));
    return true;
}

static bool add_request_target(struct base *base)
{
    add_path(base);
    if (base->message->query.at) {
        text_add_char(base->out, '?');
        text_add(base->out, base->message->query);
    }
    return true;
}

static bool add_target_uri(struct base *base)
{
    add_scheme(base);
    text_add_c(base->out, "://");
    add_authority(base);
    return add_request_target(base);
}

/* §2.2.7: an absent query is "?", too. */
static bool add_query(struct base *base)
{
    text_add_char(base->out, '?');
    text_add(base->out, base->message->query);
    return true;
}

/* The percent-encode set of application/x-www-form-urlencoded, with a space as %20 (§2.2.8). */
static void add_form_encoded(struct text *out, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i], lower = to_lower(c);
        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c && strchr("*-._", c))) {
            text_add_char(out, c);
            continue;
        }
        text_add_char(out, '%');
        text_add_char(out, digits[(uint8_t)c >> 4]);
        text_add_char(out, digits[(uint8_t)c & 15]);
    }
}

/* §2.2.8: the value of the one parameter of that name. */
static bool add_query_param(struct base *base, const struct sf_item *component)
{
    const struct sf_value *name = sf_parameter(component, "name");
    struct str wanted, value = STR_NONE, rest = base->message->query;

    if (!name || name->type != SF_STRING || !str_percent_decode(base->arena, name->text, true, &wanted))
        return fault(base, "@query-param needs a parameter \"name\"");
    while (rest.at) {
        struct str pair = str_cut(&rest, '&'), key, decoded;
        struct str encoded = str_cut(&pair, '=');

        if (!str_percent_decode(base->arena, encoded, true, &key) ||
            !str_percent_decode(base->arena, pair.at ? pair : STR(""), true, &decoded))
            return fault(base, "the query has a broken percent escape");
        if (!str_equal(key, wanted))
            continue;
        if (value.at)
            return fault(base, "a query parameter that occurs twice cannot be covered by @query-param");
        value = decoded.at ? decoded : STR("");
    }
    if (!value.at)
        return fault(base, "a covered query parameter is not in the request");
    add_form_encoded(base->out, value);
    return true;
}

static const struct {
    const char *name;
    bool (*add)(struct base *base);
} derived[] = {
    {"@method", add_method}, {"@target-uri", add_target_uri},         {"@authority", add_authority},
    {"@scheme", add_scheme}, {"@request-target", add_request_target}, {"@path", add_path},
    {"@query", add_query},
};

static bool add_derived(struct base *base, const struct sf_item *component)
{
    if (str_is(component->value.text, "@query-param"))
        return add_query_param(base, component);
    for (size_t i = 0; i < COUNT_OF(derived); i++) {
        if (!str_is(component->value.text, derived[i].name))
            continue;
        return component->parameter_count == 0 ? derived[i].add(base) : fault(base, "a derived component has a parameter");
    }
    return fault(base, "an unknown derived component is covered");
}

enum field_kind { KIND_ITEM, KIND_LIST, KIND_DICTIONARY };

/* The fields whose type is known, which the parameter `sf` needs (§2.1.1). */
static const struct {
    const char *name;
    enum field_kind kind;
} structured[] = {
    {"accept-signature", KIND_DICTIONARY}, {"cache-status", KIND_LIST},          {"client-cert", KIND_ITEM},
    {"content-digest", KIND_DICTIONARY},   {"deprecation", KIND_ITEM},           {"idempotency-key", KIND_ITEM},
    {"priority", KIND_DICTIONARY},         {"proxy-status", KIND_LIST},          {"repr-digest", KIND_DICTIONARY},
    {"signature", KIND_DICTIONARY},        {"signature-input", KIND_DICTIONARY}, {"want-content-digest", KIND_DICTIONARY},
};

/* §2.1.1: the field in its strict serialisation. */
static bool add_structured(struct base *base, struct str name, struct str value)
{
    struct sf_members members;
    struct sf_item item;

    for (size_t i = 0; i < COUNT_OF(structured); i++) {
        if (!str_is(name, structured[i].name))
            continue;
        bool good = structured[i].kind == KIND_ITEM
                        ? sf_parse_item(base->arena, value, &item) && sf_write_item(base->out, &item)
                    : structured[i].kind == KIND_LIST
                        ? sf_parse_list(base->arena, value, &members) && sf_write_list(base->out, &members)
                        : sf_parse_dictionary(base->arena, value, &members) && sf_write_dictionary(base->out, &members);
        return good || fault(base, "a field covered with ;sf is no structured field");
    }
    return fault(base, "a field covered with ;sf is of no type that is known here");
}

/* §2.1.2: one member of a dictionary. */
static bool add_dictionary_member(struct base *base, const struct sf_value *key, struct str value)
{
    struct sf_members members;

    if (key->type != SF_STRING || !sf_parse_dictionary(base->arena, value, &members))
        return fault(base, "a field covered with ;key is no dictionary");
    for (size_t i = 0; i < members.count; i++) {
        if (str_equal(members.members[i].key, key->text))
            return sf_write_member(base->out, &members.members[i]) || fault(base, "a covered member cannot be serialised");
    }
    return fault(base, "a covered member is not in its dictionary");
}

/* §2.1.3: each line wrapped as a byte sequence. */
static void add_wrapped(struct base *base, struct str name)
{
    const char *separator = "";

    for (size_t i = 0; i < base->message->field_count; i++) {
        const struct message_field *field = &base->message->fields[i];

        if (!str_equal_nocase(field->name, name))
            continue;
        struct str value = str_trim(field->value);
        text_printf(base->out, "%s:%.*s:", separator, STR_ARG(base64_encode(base->arena, value.at, value.len)));
        separator = ", ";
    }
}

static bool add_field(struct base *base, const struct sf_item *component)
{
    struct str name = component->value.text, value = message_field_value(base->arena, base->message, name);
    const struct sf_value *parameter;

    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] != to_lower(name.at[i]))
            return fault(base, "a covered field's name is not in lower case");
    }
    if (!value.at)
        return fault(base, "a covered field is not in the request");
    if (component->parameter_count == 0) {
        text_add(base->out, value);
        return true;
    }
    if (component->parameter_count > 1)
        return fault(base, "a covered field has more than one parameter");
    if ((parameter = sf_parameter(component, "key")))
        return add_dictionary_member(base, parameter, value);
    parameter = &component->parameters[0].value;
    if (parameter->type != SF_BOOLEAN || !parameter->boolean)
        return fault(base, "a covered field has a parameter of a wrong type");
    if (sf_parameter(component, "sf"))
        return add_structured(base, name, value);
    if (!sf_parameter(component, "bs"))
        return fault(base, "a covered field has a parameter that is not supported");
    add_wrapped(base, name);
    return true;
}

/* Whether the component at out->at[line…] was named by an earlier line. */
static bool is_repeated(const struct text *out, size_t start, size_t line)
{
    size_t len = out->len - line;

    for (size_t at = start; at < line;) {
        const char *end = memchr(out->at + at, '\n', line - at);
        size_t next = end ? (size_t)(end - out->at) + 1 : line;

        if (next - at > len && memcmp(out->at + at, out->at + line, len) == 0)
            return true;
        at = next;
    }
    return false;
}

static bool add_line(struct base *base, const struct sf_item *component, size_t start)
{
    size_t line = base->out->len;

    if (component->value.type != SF_STRING || component->value.text.len == 0)
        return fault(base, "a covered component is no string");
    if (!sf_write_item(base->out, component))
        return fault(base, "a covered component cannot be serialised");
    text_add_c(base->out, ": ");
    if (is_repeated(base->out, start, line))
        return fault(base, "a component is covered twice");
    size_t value = base->out->len;
    if (!(component->value.text.at[0] == '@' ? add_derived(base, component) : add_field(base, component)))
        return false;
    if (memchr(base->out->at + value, '\n', base->out->len - value) ||
        memchr(base->out->at + value, '\r', base->out->len - value))
        return fault(base, "a covered component has a line break in its value");
    text_add_char(base->out, '\n');
    return true;
}

struct str message_field_value(struct arena *arena, const struct message *message, struct str name)
{
    struct str value = STR_NONE;
    struct text joined = {.arena = NULL};

    for (size_t i = 0; i < message->field_count; i++) {
        if (!str_equal_nocase(message->fields[i].name, name))
            continue;
        struct str line = str_trim(message->fields[i].value);
        if (!value.at) { /* most fields have one line, which is borrowed */
            value = line.at ? line : STR("");
            continue;
        }
        if (!joined.arena) {
            joined = text_open(arena, value.len + line.len + 2);
            text_add(&joined, value);
        }
        text_add_c(&joined, ", ");
        text_add(&joined, line);
        value = text_str(&joined);
    }
    return value;
}

bool message_signature_base(struct arena *arena, const struct message *message, const struct sf_member *covered,
                            struct text *out, const char **reason)
{
    struct base base = {arena, message, out, NULL};
    size_t start = out->len;

    for (size_t i = 0; i < covered->item_count; i++) {
        if (!add_line(&base, &covered->items[i], start)) {
            *reason = base.reason;
            return false;
        }
    }
    text_add_c(out, "\"@signature-params\": ");
    *reason = "the signature's parameters cannot be serialised";
    return covered->is_inner_list && sf_write_member(out, covered);
}
