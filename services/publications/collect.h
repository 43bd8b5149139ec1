/* What a pull has gathered: batches of JSON, as the statements that keep them read them. */
#ifndef SERVICES_PUBLICATIONS_COLLECT_H
#define SERVICES_PUBLICATIONS_COLLECT_H

#include "coordinates.h"

#include <shimin/catalogue.h>

struct batch {
    struct batch *next;
    struct text json; /* an array */
    struct json_out out;
    size_t count;
};

struct collection {
    struct arena *arena;
    const struct json *fields;
    enum archetype archetype;
    enum coord_sys coord_sys;
    struct batch *first, *last;
    size_t count, skipped;
};

struct collection *collection_open(struct arena *arena, const struct service *service);
/* The items of a page, copied. */
void collection_add(struct collection *collection, const struct json *items);

#endif
