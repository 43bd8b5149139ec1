/* Texts: buffers that grow in an arena, and what is formatted into them. */
#include <shimin/str.h>

#include "base/number.h"

#include <shimin/arena.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SMALLEST_ROOM 64

struct text text_open(struct arena *arena, size_t room)
{
    struct text text = {.arena = arena};
    if (room > 0) {
        text.at = arena_alloc_raw(arena, room + 1);
        text.at[0] = '\0';
        text.room = room + 1;
    }
    return text;
}

char *text_grow(struct text *text, size_t n)
{
    size_t needed = text->len + n + 1; /* one byte is the NUL's */
    size_t room = text->room < SMALLEST_ROOM / 2 ? SMALLEST_ROOM : text->room * 2;
    if (room < needed)
        room = needed;
    text->at = arena_grow_raw(text->arena, text->at, text->room, room);
    text->room = room;
    return text->at + text->len;
}

void text_add_i64(struct text *text, int64_t value)
{
    char *at = text_reserve(text, 20);
    size_t n = number_write_i64(at, value);
    at[n] = '\0';
    text->len += n;
}

static void add_formatted(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    char *at = text_reserve(text, SMALLEST_ROOM - 1);
    size_t room = text->room - text->len;
    int n = vsnprintf(at, room, format, arguments);
    if (n >= 0 && (size_t)n >= room) {
        at = text_reserve(text, (size_t)n);
        vsnprintf(at, (size_t)n + 1, format, again);
    }
    va_end(again);
    text->len += n > 0 ? (size_t)n : 0;
    text->at[text->len] = '\0';
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_formatted(text, format, arguments);
    va_end(arguments);
}

struct str str_printf(struct arena *arena, const char *format, ...)
{
    struct text text = text_open(arena, 0);
    va_list arguments;
    va_start(arguments, format);
    add_formatted(&text, format, arguments);
    va_end(arguments);
    return text_str(&text);
}

struct str text_str(const struct text *text)
{
    return (struct str){text->at ? text->at : "", text->len};
}
