/* W3C Trace Context, level 2: the fields traceparent and tracestate. */
#include "http/trace.h"

#include <shimin/id.h>
#include <string.h>

/* version-format of the specification: 2 hex, 32 hex, 16 hex, 2 hex, between dashes */
enum { AT_ID = 3, AT_PARENT = 36, AT_FLAGS = 53, LENGTH = 55 };

static const char digits[] = "0123456789abcdef";

/* Upper case is not valid in a traceparent. */
static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.at[i] >= '0' && s.at[i] <= '9') || (s.at[i] >= 'a' && s.at[i] <= 'f')))
            return false;
    return true;
}

static bool is_all_zero(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] != '0')
            return false;
    return true;
}

static void copy(char *out, struct str s)
{
    memcpy(out, s.at, s.len);
    out[s.len] = 0;
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

bool trace_parse(struct str s, struct trace *trace)
{
    s = str_trim(s);
    if (s.len < LENGTH || s.at[2] != '-' || s.at[AT_PARENT - 1] != '-' || s.at[AT_FLAGS - 1] != '-')
        return false;
    struct str version = str_slice(s, 0, 2), id = str_slice(s, AT_ID, AT_ID + 32);
    struct str parent = str_slice(s, AT_PARENT, AT_PARENT + 16), flags = str_slice(s, AT_FLAGS, LENGTH);
    if (!is_hex(version) || !is_hex(id) || !is_hex(parent) || !is_hex(flags))
        return false;
    if (str_is(version, "ff") || is_all_zero(id) || is_all_zero(parent))
        return false;
    /* Version 00 ends here; a higher one may go on after a dash. */
    if (s.len > LENGTH && (str_is(version, "00") || s.at[LENGTH] != '-'))
        return false;
    copy(trace->id, id);
    copy(trace->parent, parent);
    trace->flags = (uint8_t)((hex_value(flags.at[0]) << 4 | hex_value(flags.at[1])) & (TRACE_SAMPLED | TRACE_RANDOM));
    return true;
}

static void fill_random(char *out, size_t bytes)
{
    uint8_t random[16];
    random_bytes(random, bytes);
    random[0] |= random[0] == 0; /* never all zero, which would be invalid */
    for (size_t i = 0; i < bytes; i++) {
        out[2 * i] = digits[random[i] >> 4];
        out[2 * i + 1] = digits[random[i] & 15];
    }
    out[2 * bytes] = 0;
}

void trace_begin(struct trace *trace, struct str traceparent)
{
    if (!traceparent.at || !trace_parse(traceparent, trace)) {
        fill_random(trace->id, 16);
        trace->parent[0] = 0;
        trace->flags = TRACE_SAMPLED | TRACE_RANDOM;
    }
    fill_random(trace->span, 8);
}

/* ---- tracestate ---- */

enum { STATE_MEMBERS = 32, STATE_KEY = 256, STATE_VALUE = 256, STATE_LONG = 128, STATE_TOTAL = 512 };

static bool is_key(struct str key)
{
    if (!key.len || key.len > STATE_KEY)
        return false;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.at[i];
        bool lead = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!lead && (!i || (c != '_' && c != '-' && c != '*' && c != '/' && c != '@')))
            return false;
    }
    return true;
}

static bool is_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] < ' ' || value.at[i] > '~' || value.at[i] == '=')
            return false;
    return value.len && value.len <= STATE_VALUE && value.at[value.len - 1] != ' ';
}

/* The members of the list; -1 when one is malformed, appears twice, or there are too many. An empty one says nothing. */
static int read_members(struct str list, struct str members[STATE_MEMBERS])
{
    struct str keys[STATE_MEMBERS];
    int count = 0;
    while (list.at) {
        struct str member = str_trim(str_cut(&list, ',')), value = member, key = str_cut(&value, '=');
        if (!member.len)
            continue;
        if (count == STATE_MEMBERS || !is_key(key) || !value.at || !is_value(value))
            return -1;
        for (int i = 0; i < count; i++)
            if (str_equal(keys[i], key))
                return -1;
        keys[count] = key;
        members[count++] = member;
    }
    return count;
}

static size_t length_of(const struct str *members, int count, size_t longest)
{
    size_t length = 0;
    for (int i = 0; i < count; i++)
        if (members[i].len <= longest)
            length += members[i].len + 1;
    return length ? length - 1 : 0;
}

struct str trace_state(struct arena *arena, struct str tracestate)
{
    struct str members[STATE_MEMBERS];
    int count = read_members(tracestate, members);
    if (count <= 0)
        return STR_NONE;
    size_t longest = length_of(members, count, SIZE_MAX) <= STATE_TOTAL ? SIZE_MAX : STATE_LONG;
    while (length_of(members, count, longest) > STATE_TOTAL)
        count--;
    struct text out = text_open(arena, STATE_TOTAL);
    for (int i = 0; i < count; i++)
        if (members[i].len <= longest)
            text_printf(&out, "%s%.*s", out.len ? "," : "", STR_ARG(members[i]));
    return out.len ? text_str(&out) : STR_NONE;
}

void trace_format(const struct trace *trace, char out[TRACE_PARENT_SIZE])
{
    memcpy(out, "00-", AT_ID);
    memcpy(out + AT_ID, trace->id, 32);
    out[AT_PARENT - 1] = '-';
    memcpy(out + AT_PARENT, trace->span, 16);
    out[AT_FLAGS - 1] = '-';
    out[AT_FLAGS] = '0';
    out[AT_FLAGS + 1] = digits[trace->flags & 15];
    out[LENGTH] = 0;
}
