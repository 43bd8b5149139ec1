/* W3C Trace Context, level 2: the traceparent field. */
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
