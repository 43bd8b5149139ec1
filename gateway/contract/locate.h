/* JSON Pointers (RFC 6901) made: of a value in its document, and token by token. */
#ifndef SHIMIN_CONTRACT_LOCATE_H
#define SHIMIN_CONTRACT_LOCATE_H

#include <shimin/json.h>

/* Adds '/' and a member's name, with ~ and / escaped. */
void pointer_add(struct text *pointer, struct str name);
void pointer_add_index(struct text *pointer, uint32_t index);
/* The pointer of a value, which is found by its address; STR_NONE when it is not in the document. Slow: for faults only. */
struct str json_locate(struct arena *arena, const struct json *root, const struct json *where);

#endif
