/* Formats that are asserted: RFC 3339, 5321, 3986, 1123, 4122 and the Chinese numbers. Each is a function over the text. */
#include "contract/schema_node.h"

#include <arpa/inet.h>
#include <shimin/id.h>
#include <string.h>

struct format {
    const char *name;
    unsigned types;
    bool (*accepts)(const struct json *value);
    const char *zh, *en; /* what it should be */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* n digits at *at, as a number; -1 without them. Moves *at. */
static int digits(struct str s, size_t *at, size_t n)
{
    int value = 0;
    for (size_t end = *at + n; *at < end; ++*at) {
        if (*at >= s.len || !is_digit(s.at[*at]))
            return -1;
        value = value * 10 + (s.at[*at] - '0');
    }
    return value;
}

static bool one_of(struct str s, size_t *at, const char *allowed)
{
    if (*at >= s.len || s.at[*at] == '\0' || !strchr(allowed, s.at[*at]))
        return false;
    ++*at;
    return true;
}

static bool read_date(struct str s, size_t *at)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits(s, at, 4);
    if (year < 0 || !one_of(s, at, "-"))
        return false;
    int month = digits(s, at, 2);
    if (month < 1 || month > 12 || !one_of(s, at, "-"))
        return false;
    int day = digits(s, at, 2);
    bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= days[month - 1] + leap;
}

/* RFC 3339 §5.6 full-time; a second 60 only where a leap second can be: at 23:59 UTC. */
static bool read_time(struct str s, size_t *at)
{
    int hour = digits(s, at, 2);
    if (hour < 0 || hour > 23 || !one_of(s, at, ":"))
        return false;
    int minute = digits(s, at, 2);
    if (minute < 0 || minute > 59 || !one_of(s, at, ":"))
        return false;
    int second = digits(s, at, 2), offset = 0;
    if (second < 0 || second > 60)
        return false;
    if (one_of(s, at, ".")) {
        if (digits(s, at, 1) < 0)
            return false;
        while (*at < s.len && is_digit(s.at[*at]))
            ++*at;
    }
    if (!one_of(s, at, "Zz")) {
        int sign = *at < s.len && s.at[*at] == '-' ? 1 : -1;
        if (!one_of(s, at, "+-"))
            return false;
        int hours = digits(s, at, 2);
        if (hours < 0 || hours > 23 || !one_of(s, at, ":"))
            return false;
        int minutes = digits(s, at, 2);
        if (minutes < 0 || minutes > 59)
            return false;
        offset = sign * (hours * 60 + minutes);
    }
    return second < 60 || (hour * 60 + minute + offset + 2 * 1440) % 1440 == 1439;
}

static bool is_date(const struct json *value)
{
    size_t at = 0;
    return read_date(value->string, &at) && at == value->string.len;
}

static bool is_time(const struct json *value)
{
    size_t at = 0;
    return read_time(value->string, &at) && at == value->string.len;
}

static bool is_date_time(const struct json *value)
{
    size_t at = 0;
    return read_date(value->string, &at) && one_of(value->string, &at, "Tt") && read_time(value->string, &at) &&
           at == value->string.len;
}

/* ISO 8601 as RFC 3339 appendix A has it: P1Y2M3DT4H5M6S with each part following its neighbour, or P3W. */
static bool is_duration(const struct json *value)
{
    struct str s = value->string;
    size_t at = 0;
    if (!one_of(s, &at, "P"))
        return false;
    bool time = false, any = false, week = false;
    const char *units = "YMDW";
    int last = -1;
    while (at < s.len) {
        if (!time && one_of(s, &at, "T")) {
            if (week)
                return false;
            time = true;
            any = false;
            last = -1;
            units = "HMS";
            continue;
        }
        size_t start = at;
        while (at < s.len && is_digit(s.at[at]))
            at++;
        const char *unit = at > start && at < s.len && s.at[at] ? strchr(units, s.at[at]) : NULL;
        if (!unit || week || (*unit == 'W' && last >= 0))
            return false;
        int rank = (int)(unit - units);
        if (last >= 0 && rank != last + 1)
            return false;
        week = *unit == 'W';
        last = rank;
        any = true;
        at++;
    }
    return any;
}

static bool is_hostname_text(struct str s)
{
    size_t label = 0;
    if (s.len == 0 || s.len > 253)
        return false;
    for (size_t i = 0; i <= s.len; i++) {
        if (i == s.len || s.at[i] == '.') {
            if (label == 0 || label > 63 || s.at[i - 1] == '-')
                return false;
            label = 0;
        } else if (is_alnum(s.at[i]) || (s.at[i] == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

static bool is_hostname(const struct json *value)
{
    return is_hostname_text(value->string);
}

static bool is_address(struct str s, int family)
{
    char text[64];
    unsigned char address[16];
    if (s.len >= sizeof text || memchr(s.at ? s.at : "", '\0', s.len))
        return false;
    memcpy(text, s.at ? s.at : "", s.len);
    text[s.len] = '\0';
    return inet_pton(family, text, address) == 1;
}

static bool is_ipv4(const struct json *value)
{
    return is_address(value->string, AF_INET);
}

static bool is_ipv6(const struct json *value)
{
    return is_address(value->string, AF_INET6);
}

/* RFC 5321 §4.1.2: Local-part "@" (Domain / address-literal). */
static bool is_email(const struct json *value)
{
    struct str s = value->string;
    ptrdiff_t found = -1;
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] == '@')
            found = (ptrdiff_t)i;
    if (found < 1 || found > 64)
        return false;
    struct str local = str_slice(s, 0, (size_t)found), domain = str_slice(s, (size_t)found + 1, s.len);
    if (local.len >= 2 && local.at[0] == '"' && local.at[local.len - 1] == '"') {
        for (size_t i = 1; i + 1 < local.len; i++) {
            if (local.at[i] < ' ' || local.at[i] > '~' || local.at[i] == '"' || (local.at[i] == '\\' && ++i + 1 >= local.len))
                return false;
        }
    } else {
        for (size_t i = 0; i < local.len; i++) {
            bool dot = local.at[i] == '.';
            if (dot ? i == 0 || i + 1 == local.len || local.at[i - 1] == '.'
                    : !is_alnum(local.at[i]) && (local.at[i] == '\0' || !strchr("!#$%&'*+-/=?^_`{|}~", local.at[i])))
                return false;
        }
    }
    if (domain.len > 2 && domain.at[0] == '[' && domain.at[domain.len - 1] == ']') {
        struct str literal = str_slice(domain, 1, domain.len - 1);
        return str_starts(literal, STR("IPv6:")) ? is_address(str_slice(literal, 5, literal.len), AF_INET6)
                                                 : is_address(literal, AF_INET);
    }
    return is_hostname_text(domain);
}

/* Only characters that RFC 3986 allows in a path, query or user information, and whole percent escapes. */
static bool has_uri_characters(struct str s, const char *besides)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        unsigned char byte;
        if (c == '%') {
            if (i + 2 >= s.len || !hex_decode(str_slice(s, i + 1, i + 3), &byte, 1))
                return false;
            i += 2;
        } else if (!is_alnum(c) && (c == '\0' || !strchr("-._~!$&'()*+,;=", c)) && (c == '\0' || !strchr(besides, c))) {
            return false;
        }
    }
    return true;
}

/* §3.2: [user@]host[:port], the host a name or an address in brackets. */
static bool is_authority(struct str s)
{
    ptrdiff_t at_sign = str_find(s, STR("@"));
    if (at_sign >= 0) {
        if (!has_uri_characters(str_slice(s, 0, (size_t)at_sign), ":"))
            return false;
        s = str_slice(s, (size_t)at_sign + 1, s.len);
    }
    struct str port = s;
    if (str_starts(s, STR("["))) {
        ptrdiff_t end = str_find(s, STR("]"));
        struct str literal = end < 0 ? s : str_slice(s, 1, (size_t)end);
        if (end < 0 || (!str_starts(literal, STR("v")) && !is_address(literal, AF_INET6)))
            return false;
        port = str_slice(s, (size_t)end + 1, s.len);
        if (port.len > 0 && port.at[0] != ':')
            return false;
        if (port.len > 0)
            port = str_slice(port, 1, port.len);
    } else {
        struct str host = str_cut(&port, ':');
        if (!has_uri_characters(host, ""))
            return false;
    }
    for (size_t i = 0; port.at && i < port.len; i++)
        if (!is_digit(port.at[i]))
            return false;
    return true;
}

/* The length of "scheme" in "scheme:…", or 0. */
static size_t scheme_length(struct str s)
{
    size_t n = 0;
    while (n < s.len && (is_alnum(s.at[n]) || s.at[n] == '+' || s.at[n] == '-' || s.at[n] == '.'))
        n++;
    return n > 0 && n < s.len && s.at[n] == ':' && (s.at[0] | 32) >= 'a' ? n : 0;
}

/* RFC 3986 §3 when `absolute`, else §4.1. */
static bool is_uri_text(struct str s, bool absolute)
{
    size_t scheme = scheme_length(s);
    if (absolute && scheme == 0)
        return false;
    struct str rest = scheme ? str_slice(s, scheme + 1, s.len) : s, fragment = rest;
    rest = str_cut(&fragment, '#');
    struct str query = rest;
    struct str path = str_cut(&query, '?');
    if (str_starts(path, STR("//"))) {
        path = str_slice(path, 2, path.len);
        ptrdiff_t slash = str_find(path, STR("/"));
        if (!is_authority(slash < 0 ? path : str_slice(path, 0, (size_t)slash)))
            return false;
        path = slash < 0 ? STR("") : str_slice(path, (size_t)slash, path.len);
    } else if (scheme == 0) {
        struct str after = path, first = str_cut(&after, '/');
        if (str_find(first, STR(":")) >= 0) /* would be taken for a scheme (§4.2) */
            return false;
    }
    return has_uri_characters(path, ":@/") && has_uri_characters(query, ":@/?") && has_uri_characters(fragment, ":@/?");
}

static bool is_uri(const struct json *value)
{
    return is_uri_text(value->string, true);
}

static bool is_uri_reference(const struct json *value)
{
    return is_uri_text(value->string, false);
}

static bool is_uuid(const struct json *value)
{
    return id_is_uuid(value->string);
}

static bool is_json_pointer(const struct json *value)
{
    struct str s = value->string;
    if (s.len > 0 && s.at[0] != '/')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] == '~' && (i + 1 == s.len || (s.at[i + 1] != '0' && s.at[i + 1] != '1')))
            return false;
    return true;
}

static bool is_int32(const struct json *value)
{
    return value->type == JSON_INTEGER ? value->integer >= INT32_MIN && value->integer <= INT32_MAX
                                       : value->number >= INT32_MIN && value->number <= INT32_MAX;
}

static bool is_int64(const struct json *value)
{
    return value->type == JSON_INTEGER || (value->number >= -0x1p63 && value->number < 0x1p63);
}

static bool is_cn_id(const struct json *value)
{
    return cn_id_is_valid(value->string);
}

static bool is_cn_uscc(const struct json *value)
{
    return cn_uscc_is_valid(value->string);
}

/* The rule makes its normal form in an arena; one of the thread's pool costs no more than a list operation. */
static bool is_cn_mobile(const struct json *value)
{
    struct arena *arena = arena_open();
    struct str e164;
    bool good = cn_mobile_normalise(arena, value->string, &e164);
    arena_close(arena);
    return good;
}

static bool is_cn_area(const struct json *value)
{
    return cn_area_is_valid(value->string);
}

static const struct format formats[] = {
    {"date", TYPES_STRING, is_date, "应为日期，如 2026-01-31", "must be a date such as 2026-01-31"},
    {"time", TYPES_STRING, is_time, "应为时刻，如 08:30:00+08:00", "must be a time such as 08:30:00+08:00"},
    {"date-time", TYPES_STRING, is_date_time, "应为日期和时刻，如 2026-01-31T08:30:00+08:00",
     "must be a date and time such as 2026-01-31T08:30:00+08:00"},
    {"duration", TYPES_STRING, is_duration, "应为时长，如 P1DT12H", "must be a duration such as P1DT12H"},
    {"email", TYPES_STRING, is_email, "应为电子邮件地址", "must be an e-mail address"},
    {"hostname", TYPES_STRING, is_hostname, "应为主机名", "must be a host name"},
    {"ipv4", TYPES_STRING, is_ipv4, "应为 IPv4 地址", "must be an IPv4 address"},
    {"ipv6", TYPES_STRING, is_ipv6, "应为 IPv6 地址", "must be an IPv6 address"},
    {"uri", TYPES_STRING, is_uri, "应为完整的网址（URI）", "must be a URI"},
    {"uri-reference", TYPES_STRING, is_uri_reference, "应为 URI 引用", "must be a URI reference"},
    {"uuid", TYPES_STRING, is_uuid, "应为 UUID", "must be a UUID"},
    {"json-pointer", TYPES_STRING, is_json_pointer, "应为 JSON Pointer", "must be a JSON Pointer"},
    {"int32", TYPES_NUMBER, is_int32, "超出 32 位整数的范围", "must fit in 32 bits"},
    {"int64", TYPES_NUMBER, is_int64, "超出 64 位整数的范围", "must fit in 64 bits"},
    {"cn-id", TYPES_STRING, is_cn_id, "应为有效的公民身份号码", "must be a valid citizen identity number"},
    {"cn-uscc", TYPES_STRING, is_cn_uscc, "应为有效的统一社会信用代码", "must be a valid unified social credit code"},
    {"cn-mobile", TYPES_STRING, is_cn_mobile, "应为手机号码", "must be a mobile phone number"},
    {"cn-area", TYPES_STRING, is_cn_area, "应为行政区划代码", "must be a division code"},
};

const struct format *format_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (str_is(name, formats[i].name))
            return &formats[i];
    return NULL;
}

unsigned format_types(const struct format *format)
{
    return format->types;
}

bool format_accepts(const struct format *format, const struct json *value)
{
    return format->accepts(value);
}

struct bilingual format_detail(const struct format *format)
{
    return (struct bilingual){str_of(format->zh), str_of(format->en)};
}
