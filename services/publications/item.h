/* A department's item, read by the pointers of the catalogue (operation.fields). */
#ifndef SERVICES_PUBLICATIONS_ITEM_H
#define SERVICES_PUBLICATIONS_ITEM_H

#include <shimin/catalogue.h>

/* "operation" of the service's definition, and members of it. */
const struct json *operation_of(const struct service *service);
int64_t refresh_seconds(const struct service *service);

struct item {
    const struct json *value;
    const struct json *fields; /* name → JSON Pointer */
};

/* A field as text: strings trimmed, numbers and booleans as written. STR_NONE when it is absent, empty, null or no scalar. */
struct str item_text(struct arena *arena, const struct item *item, const char *name);
/* A number, or a string that is one. */
MUST_CHECK bool item_number(struct arena *arena, const struct item *item, const char *name, double *number);
/* An RFC 3339 time as wall microseconds; 0 when it is absent or anything else. */
int64_t item_time(struct arena *arena, const struct item *item, const char *name);
/* At most `most` bytes, cut between characters. */
struct str text_cut(struct str text, size_t most);
/* Postgres holds no NUL in text or jsonb. */
bool item_has_nul(struct arena *arena, const struct item *item);

#endif
