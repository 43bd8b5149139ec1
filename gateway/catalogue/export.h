/* The catalogue of Postgres as files, in the form that is read back. */
#ifndef SHIMIN_CATALOGUE_EXPORT_H
#define SHIMIN_CATALOGUE_EXPORT_H

#include <shimin/json.h>

struct catalogue_export {
    const char *directory; /* gets catalogue/, contracts/ and areas/; made where they are missing */
    const char *areas;     /* the name of the file in areas/ */
    struct str schema;     /* the bytes of catalogue.schema.json, which goes with the files */
    /* A contract's bytes; at == NULL when there are none. */
    struct str (*contract)(void *context, struct arena *arena, struct str sha256);
    void *context;
};

/* Writes what `document` (as catalogue_document() gives it) has from files; what departments registered stays theirs. The same
 * document gives the same bytes. *files: how many were written. false after saying why in *faults. */
MUST_CHECK bool catalogue_export(struct arena *arena, const struct json *document, const struct catalogue_export *to,
                                 size_t *files, struct text *faults);
/* A registered service carries its version; others come from the files. */
bool catalogue_is_from_files(const struct json *service);

#endif
