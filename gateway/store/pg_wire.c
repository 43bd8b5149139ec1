/* The frontend/backend protocol of Postgres (manual, chapter 55 "Frontend/Backend Protocol", "Message Formats"). */
#include "store/pg_wire.h"

#include <assert.h>
#include <shimin/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIGITS_MAX = 40, EXECUTE_ALL_ROWS = 0 };

static char *encode_16(char *at, size_t value)
{
    at[0] = (char)(value >> 8);
    at[1] = (char)value;
    return at + 2;
}

static char *encode_32(char *at, size_t value)
{
    at[0] = (char)(value >> 24);
    at[1] = (char)(value >> 16);
    at[2] = (char)(value >> 8);
    at[3] = (char)value;
    return at + 4;
}

static void put_16(struct wire_buffer *out, size_t value)
{
    encode_16(wire_reserve(out, 2), value);
    out->end += 2;
}

static void put_32(struct wire_buffer *out, size_t value)
{
    encode_32(wire_reserve(out, 4), value);
    out->end += 4;
}

static void put_string(struct wire_buffer *out, const char *text)
{
    wire_put(out, text, strlen(text) + 1);
}

/* Starts a message; its length is filled in by end(). The mark counts from the start, which reserve may move. */
static size_t begin(struct wire_buffer *out, char type)
{
    char *at = wire_reserve(out, 5);
    at[0] = type;
    out->end += 5;
    return out->end - 4 - out->start;
}

static void end(struct wire_buffer *out, size_t mark)
{
    encode_32(out->at + out->start + mark, out->end - out->start - mark);
}

void wire_put_parse(struct wire_buffer *out, const char *name, const char *sql)
{
    size_t mark = begin(out, 'P');
    put_string(out, name);
    put_string(out, sql);
    put_16(out, 0); /* the server works out the types */
    end(out, mark);
}

void wire_put_close(struct wire_buffer *out, const char *name)
{
    size_t mark = begin(out, 'C');
    wire_put(out, "S", 1);
    put_string(out, name);
    end(out, mark);
}

/* Decimal digits, last first, into the end of `room`. */
static struct str integer_text(char room[DIGITS_MAX], int64_t value)
{
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *at = room + DIGITS_MAX;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    return (struct str){at, (size_t)(room + DIGITS_MAX - at)};
}

static struct str double_text(char room[DIGITS_MAX], double value)
{
    int n = snprintf(room, DIGITS_MAX, "%.17g", value); /* nan, inf and -inf are Postgres' words too */
    return (struct str){room, (size_t)n};
}

/* "2026-03-01 01:00:00.000000+00" */
static struct str time_text(char room[DIGITS_MAX], int64_t wall)
{
    int64_t micro = ((wall % 1000000) + 1000000) % 1000000;
    time_t second = (time_t)((wall - micro) / 1000000);
    struct tm utc;
    gmtime_r(&second, &utc);
    size_t n = strftime(room, DIGITS_MAX, "%Y-%m-%d %H:%M:%S", &utc);
    int m = snprintf(room + n, DIGITS_MAX - n, ".%06d+00", (int)micro);
    return (struct str){room, n + (size_t)m};
}

static struct str value_text(char room[DIGITS_MAX], const struct pg_value *value)
{
    switch (value->type) {
    case PG_VALUE_TEXT:
    case PG_VALUE_BYTES:
        return value->text;
    case PG_VALUE_INTEGER:
        return integer_text(room, value->integer);
    case PG_VALUE_DOUBLE:
        return double_text(room, value->number);
    case PG_VALUE_BOOLEAN:
        return value->boolean ? STR("t") : STR("f");
    case PG_VALUE_TIME:
        return time_text(room, value->integer);
    case PG_VALUE_NULL:
        break;
    }
    return STR_NONE;
}

void wire_put_bind(struct wire_buffer *out, const char *name, const struct pg_value *values, size_t count)
{
    size_t mark = begin(out, 'B');
    put_string(out, "");
    put_string(out, name);
    put_16(out, count);
    for (size_t i = 0; i < count; i++)
        put_16(out, values[i].type == PG_VALUE_BYTES);
    put_16(out, count);
    for (size_t i = 0; i < count; i++) {
        char room[DIGITS_MAX];
        struct str text = value_text(room, &values[i]);
        if (values[i].type == PG_VALUE_NULL) {
            put_32(out, UINT32_MAX);
            continue;
        }
        put_32(out, text.len);
        wire_put(out, text.at, text.len);
    }
    put_16(out, 0); /* every column as text */
    end(out, mark);
}

void wire_put_execute(struct wire_buffer *out)
{
    size_t mark = begin(out, 'E');
    put_string(out, "");
    put_32(out, EXECUTE_ALL_ROWS);
    end(out, mark);
}

void wire_put_sync(struct wire_buffer *out)
{
    end(out, begin(out, 'S'));
}

uint16_t wire_take_16(struct str *body)
{
    if (body->len < 2) {
        body->len = 0;
        return 0;
    }
    const unsigned char *at = (const unsigned char *)body->at;
    *body = (struct str){body->at + 2, body->len - 2};
    return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t wire_take_32(struct str *body)
{
    uint32_t high = wire_take_16(body);
    return high << 16 | wire_take_16(body);
}

struct str wire_take_string(struct str *body)
{
    const char *nul = body->len ? memchr(body->at, 0, body->len) : NULL;
    size_t len = nul ? (size_t)(nul - body->at) : body->len;
    struct str text = {body->at, len};
    size_t taken = nul ? len + 1 : len;
    *body = (struct str){body->at + taken, body->len - taken};
    return text;
}

struct str wire_error_field(struct str body, char field)
{
    while (body.len && body.at[0]) {
        char code = body.at[0];
        body = (struct str){body.at + 1, body.len - 1};
        struct str text = wire_take_string(&body);
        if (code == field)
            return text;
    }
    return STR_NONE;
}

enum wire_step wire_next(const struct wire_buffer *in, size_t offset, struct wire_message *message)
{
    size_t have = in->end - in->start - offset;
    const char *at = in->at + in->start + offset;
    if (have < 5)
        return WIRE_PARTIAL;
    struct str length_bytes = {at + 1, 4};
    uint32_t length = wire_take_32(&length_bytes);
    if (length < 4 || length > WIRE_MESSAGE_MAX)
        return WIRE_BROKEN;
    if (have < (size_t)length + 1)
        return WIRE_PARTIAL;
    *message = (struct wire_message){.type = at[0], .body = {at + 5, length - 4}, .size = (size_t)length + 1};
    return WIRE_MESSAGE;
}
