/* Wire buffers: they grow at the end, and give up what was consumed at the start. */
#include "store/wire_buffer.h"

#include <shimin/arena.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_AT_FIRST = 16384 };

char *wire_reserve(struct wire_buffer *buffer, size_t n)
{
    if (buffer->room - buffer->end < n && buffer->start > 0) {
        if (buffer->end != buffer->start)
            memmove(buffer->at, buffer->at + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->room - buffer->end < n) {
        size_t room = buffer->room ? buffer->room * 2 : ROOM_AT_FIRST;
        while (room - buffer->end < n)
            room *= 2;
        buffer->at = memory_grow(buffer->at, room);
        buffer->room = room;
    }
    return buffer->at + buffer->end;
}

void wire_reset(struct wire_buffer *buffer, size_t keep)
{
    if (buffer->room > keep)
        wire_free(buffer);
    buffer->start = buffer->end = 0;
}

void wire_free(struct wire_buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct wire_buffer){0};
}

void wire_put(struct wire_buffer *buffer, const void *bytes, size_t n)
{
    char *at = wire_reserve(buffer, n);
    if (n)
        memcpy(at, bytes, n);
    buffer->end += n;
}
