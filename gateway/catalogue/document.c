/* Reads the catalogue from Postgres in portions, none of which is long enough to hold up the loop that receives it. */
#include "catalogue/document.h"

#include "catalogue_queries.h"

#include <shimin/pg.h>

#include <string.h>

static bool read_frame(struct pg_transaction *tx, struct catalogue_document *document)
{
    const struct pg_result *row;
    if (pg_in(tx, &sql_catalogue_frame, PG_NO_ARGS, &row) != PG_OK || pg_rows(row) != 1)
        return false;
    document->frame = pg_str(row, 0, 0);
    document->services = pg_int(row, 0, 1);
    document->digests = pg_str(row, 0, 2);
    document->version = pg_int(row, 0, 3);
    return true;
}

static bool read_portions(struct arena *arena, struct pg_transaction *tx, struct catalogue_document *document)
{
    const struct pg_result *departments, *services;
    if (pg_in(tx, &sql_catalogue_departments, PG_NO_ARGS, &departments) != PG_OK)
        return false;
    document->portions = arena_array(arena, struct str, pg_rows(departments));
    for (size_t i = 0; i < pg_rows(departments); i++) {
        if (pg_in(tx, &sql_catalogue_services, PG_ARGS(pg_text(pg_str(departments, i, 0))), &services) != PG_OK ||
            pg_rows(services) != 1)
            return false;
        if (!pg_is_null(services, 0, 0))
            document->portions[document->portion_count++] = pg_str(services, 0, 0);
    }
    return true;
}

bool catalogue_document_read(struct arena *arena, struct catalogue_document *document)
{
    CLEANUP(pg_rollback) struct pg_transaction *tx = NULL;
    *document = (struct catalogue_document){0};
    return pg_begin(arena, &tx) == PG_OK && pg_in(tx, &sql_catalogue_as_of_now, PG_NO_ARGS, NULL) == PG_OK &&
           read_frame(tx, document) && read_portions(arena, tx, document) && pg_commit(&tx) == PG_OK;
}

static char *put(char *at, struct str part)
{
    memcpy(at, part.at, part.len);
    return at + part.len;
}

struct str catalogue_document_join(struct arena *arena, const struct catalogue_document *document)
{
    const struct str services = STR(",\"services\":["), end = STR("]}");
    size_t size = document->frame.len + services.len + document->portion_count + end.len;
    for (size_t i = 0; i < document->portion_count; i++)
        size += document->portions[i].len;
    char *text = arena_alloc_raw(arena, size);
    /* without its closing brace */
    char *at = put(put(text, str_slice(document->frame, 0, document->frame.len - 1)), services);
    for (size_t i = 0; i < document->portion_count; i++) {
        if (i)
            *at++ = ',';
        at = put(at, document->portions[i]);
    }
    return (struct str){text, (size_t)(put(at, end) - text)};
}
