/* Wire buffers: bytes on their way to a server or from it. */
#ifndef SHIMIN_WIRE_BUFFER_H
#define SHIMIN_WIRE_BUFFER_H

#include <stddef.h>

/* Bytes between start and end are waiting: to be written, or to be read by us. Owned by a connection. */
struct wire_buffer {
    char *at;
    size_t start, end, room;
};

/* Room for n more bytes at the end; what was consumed at the start is given up first. */
char *wire_reserve(struct wire_buffer *buffer, size_t n);
/* Adds n bytes. */
void wire_put(struct wire_buffer *buffer, const void *bytes, size_t n);
/* Forgets everything, and gives back the memory of a buffer that has grown beyond `keep`. */
void wire_reset(struct wire_buffer *buffer, size_t keep);
void wire_free(struct wire_buffer *buffer);

#endif
