/* Writes a tree as YAML in the layout of schema/catalogue: the same tree always gives the same bytes, whatever the order of its
 * members, and a small change a small difference. */
#ifndef SHIMIN_YAML_WRITE_H
#define SHIMIN_YAML_WRITE_H

#include <shimin/json.h>

/* Members of an object known to this page come in its order, others after them by the alphabet. `value` is an object. */
void yaml_write(struct text *text, const struct json *value);

#endif
