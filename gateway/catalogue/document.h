/* The catalogue's document as Postgres gives it: a department's services at a time, seen at one moment. */
#ifndef SHIMIN_CATALOGUE_DOCUMENT_H
#define SHIMIN_CATALOGUE_DOCUMENT_H

#include <shimin/arena.h>
#include <shimin/str.h>

struct catalogue_document {
    struct str frame;     /* everything but the services: a JSON object */
    struct str *portions; /* services as JSON texts, with commas between */
    size_t portion_count;
    int64_t version, services;
    struct str digests; /* of the contracts that it names: a JSON array */
};

/* Reads it in a transaction of its own, so that nobody's statement waits behind it. Waits. false: not all of it came. */
MUST_CHECK bool catalogue_document_read(struct arena *arena, struct catalogue_document *document);
/* One JSON text, in the arena. Long, when there are many services: not for a worker's thread. */
struct str catalogue_document_join(struct arena *arena, const struct catalogue_document *document);

#endif
