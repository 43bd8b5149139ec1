/* Finding by its look what names a person. */
#ifndef REGISTRY_LOOK_H
#define REGISTRY_LOOK_H

#include <shimin/json.h>

/* "identity number" or "phone number" when some text or number in the value, or part of it, is one; *pointer says where. NULL
 * when nothing does. */
const char *look_for_person(struct arena *arena, const struct json *value, struct str *pointer);

#endif
