/* The frontend/backend protocol of Postgres, version 3: messages put into one buffer and taken out of another. */
#ifndef SHIMIN_PG_WIRE_H
#define SHIMIN_PG_WIRE_H

#include "store/wire_buffer.h"

#include <shimin/pg.h>

void wire_put_parse(struct wire_buffer *out, const char *name, const char *sql);
void wire_put_close(struct wire_buffer *out, const char *name);
/* Binds the unnamed portal: text for every value but bytes, text for every column. */
void wire_put_bind(struct wire_buffer *out, const char *name, const struct pg_value *values, size_t count);
void wire_put_execute(struct wire_buffer *out);
void wire_put_sync(struct wire_buffer *out);

/* No answer is larger than this. */
#define WIRE_MESSAGE_MAX ((size_t)256 << 20)

enum wire_step { WIRE_MESSAGE, WIRE_PARTIAL, WIRE_BROKEN };
struct wire_message {
    char type;
    struct str body;
    size_t size; /* of the whole message */
};
/* The message that begins `offset` bytes after the start of `in`. */
enum wire_step wire_next(const struct wire_buffer *in, size_t offset, struct wire_message *message);

/* A big-endian number at the front of *body, which moves on; 0 when the body ends first. */
uint16_t wire_take_16(struct str *body);
uint32_t wire_take_32(struct str *body);
/* A NUL-terminated string at the front of *body. */
struct str wire_take_string(struct str *body);
/* A field of an ErrorResponse or NoticeResponse, or STR_NONE: 'C' SQLSTATE, 'M' message, 'V' severity, 'n' constraint. */
struct str wire_error_field(struct str body, char field);

#endif
