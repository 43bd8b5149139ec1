/* Copies of what was pulled, in memory: one immutable copy a service, shared by the workers, and kept on disk so that a gateway
 * answers though Postgres is away, even if it was started so. */
#ifndef SERVICES_PUBLICATIONS_MIRROR_H
#define SERVICES_PUBLICATIONS_MIRROR_H

#include "opening_hours.h"
#include "place.h"

#include <shimin/arena.h>

struct mirror_place {
    struct place place;
    const struct opening_span *spans; /* NULL: nobody knows when it is open */
    unsigned span_count;
};

struct document {
    struct str id, title, body;
    int64_t version;
    int64_t updated_at, received_at; /* wall microseconds */
};

struct mirror {
    struct arena *arena;
    unsigned references; /* by worker; atomic */
    struct str slug, source;
    int64_t as_of, pulled_at;    /* wall microseconds */
    struct mirror_place *places; /* by name and id */
    struct document *documents;  /* newest first */
    size_t count;
};

/* The calling worker's copy of a service, or NULL. It may be replaced whenever the fiber waits: use it before. */
const struct mirror *mirror_find(struct str slug);
/* Places of the copy that match, at most search->limit + 1 of them. Does not wait. */
size_t mirror_search(struct arena *arena, const struct mirror *mirror, const struct place_search *search,
                     const struct place **places);
const struct document *mirror_document(const struct mirror *mirror, struct str id);

/* ---- for the job that keeps the copies ---- */

/* The text of a copy: what is on disk, and what mirror_parse reads. `items` is a JSON array. */
struct str mirror_text(struct arena *arena, int64_t as_of, int64_t pulled_at, struct str source, struct str items);
/* A copy of its own arena, or NULL when the text is not what mirror_text makes. Burns CPU: any thread. */
struct mirror *mirror_parse(struct str slug, struct str text) MUST_CHECK;
/* Gives the copy (and the caller's reference) to every worker. */
void mirror_publish(struct mirror *mirror);

/* The file of a service; false or STR_NONE without a directory or a file. Blocks: any thread. */
MUST_CHECK bool mirror_save(struct str slug, struct str text);
struct str mirror_load(struct arena *arena, struct str slug);

#endif
