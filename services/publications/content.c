/* GET /v1/services/{slug}/content…: documents as they are now from memory, older versions from Postgres. */
#include "answer.h"
#include "handlers.h"
#include "mirror.h"
#include "publications_queries.h"

#include <shimin/clock.h>
#include <shimin/cursor.h>

#include <limits.h>

#define PURPOSE_DOCUMENTS "documents"
#define PURPOSE_VERSIONS "document-versions"

/* ---- lists ---- */

static void write_cursor(struct json_out *out, struct str cursor)
{
    json_key(out, "next_cursor");
    if (cursor.at)
        json_put(out, cursor);
    else
        json_put_null(out);
}

/* A list's cursor is of one service (and document): `of`, NUL, then where the page ended. */
static bool read_position(struct request *request, const char *purpose, struct str of, struct str *position)
{
    struct str cursor = request_string(request, "cursor"), state;
    *position = STR_NONE;
    if (!cursor.at)
        return true;
    if (cursor_read(request_arena(request), purpose, cursor, &state) && str_equal(str_cut(&state, '\0'), of) && state.at) {
        *position = state;
        return true;
    }
    reply_bad_cursor(request);
    return false;
}

static struct str make_cursor(struct request *request, const char *purpose, struct str of, struct str position)
{
    struct text state = text_open(request_arena(request), 64);
    text_add(&state, of);
    text_add_char(&state, '\0');
    text_add(&state, position);
    return cursor_make(request_arena(request), purpose, text_str(&state));
}

static bool is_after(const struct document *document, int64_t updated_at, struct str id)
{
    if (document->updated_at != updated_at)
        return document->updated_at < updated_at;
    return str_compare(document->id, id) > 0;
}

/* The index of the first document after "<updated_at>.<id>". */
static size_t first_after(const struct mirror *mirror, struct str position)
{
    int64_t updated_at = INT64_MAX;
    struct str id = position, time = str_cut(&id, '.');
    size_t i = 0;
    if (position.at && str_to_i64(time, &updated_at))
        while (i < mirror->count && !is_after(&mirror->documents[i], updated_at, id))
            i++;
    return i;
}

static void write_head(struct json_out *out, struct arena *arena, const struct document *document)
{
    json_field(out, "id", document->id);
    json_field(out, "title", document->title);
    json_field(out, "updated_at", time_rfc3339(arena, document->updated_at));
    json_field_i64(out, "version", document->version);
}

static void reply_documents(struct request *request, const struct mirror *mirror, size_t first)
{
    struct arena *arena = request_arena(request);
    size_t last = first + page_limit(request), count = mirror->documents ? mirror->count : 0;
    last = last < count ? last : count;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = first; i < last; i++) {
        json_object(out);
        write_head(out, arena, &mirror->documents[i]);
        json_end(out);
    }
    json_end(out);
    struct str cursor = STR_NONE;
    if (last < count && last > first) {
        const struct document *end = &mirror->documents[last - 1];
        cursor = make_cursor(request, PURPOSE_DOCUMENTS, mirror->slug,
                             str_printf(arena, "%lld.%.*s", (long long)end->updated_at, STR_ARG(end->id)));
    }
    write_cursor(out, cursor);
    json_field(out, "as_of", time_rfc3339(arena, mirror->as_of));
    json_field(out, "source", mirror->source);
    json_field_bool(out, "stale", is_stale(request_service(request), mirror->pulled_at));
}

void list_documents(struct request *request)
{
    const struct mirror *mirror = mirror_find(request_service(request)->slug);
    struct str position;
    if (!read_position(request, PURPOSE_DOCUMENTS, request_service(request)->slug, &position))
        return;
    if (mirror)
        reply_documents(request, mirror, first_after(mirror, position));
    else
        reply_not_yet(request);
}

/* ---- a document ---- */

static void reply_no_document(struct request *request)
{
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这份文档或这个版本", "There is no such document or version"));
}

/* The same version is the same bytes: its tag names it, and says as well whether it was called stale. */
static void reply_document(struct request *request, const struct document *document, struct str source, bool stale)
{
    struct arena *arena = request_arena(request);
    struct str tag = str_printf(arena, "%lld%s", (long long)document->version, stale ? "-stale" : "");
    reply_cache(request, request_service(request)->level == LEVEL_GUEST ? "public, no-cache" : "private, no-cache");
    if (reply_not_modified(request, tag))
        return;
    reply_etag(request, tag);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    write_head(out, arena, document);
    json_field(out, "body", document->body);
    json_field(out, "as_of", time_rfc3339(arena, document->received_at));
    json_field(out, "source", source);
    json_field_bool(out, "stale", stale);
}

static void read_older(struct request *request, struct str id, int64_t version, bool stale)
{
    const struct pg_result *rows;
    if (pg_query(request_arena(request), &sql_read_document_version,
                 PG_ARGS(pg_text(request_service(request)->slug), pg_text(id), pg_integer(version)), &rows) != PG_OK) {
        reply_store_unavailable(request);
        return;
    }
    if (!pg_rows(rows)) {
        reply_no_document(request);
        return;
    }
    const struct document document = {
        .id = id,
        .version = version,
        .title = pg_str(rows, 0, 0),
        .body = pg_str(rows, 0, 1),
        .updated_at = pg_wall(rows, 0, 2),
        .received_at = pg_wall(rows, 0, 3),
    };
    reply_document(request, &document, pg_str(rows, 0, 4), stale);
}

void read_document(struct request *request)
{
    const struct mirror *mirror = mirror_find(request_service(request)->slug);
    if (!mirror) {
        reply_not_yet(request);
        return;
    }
    struct str id = request_string(request, "id");
    const struct document *document = mirror_document(mirror, id);
    int64_t version = request_integer(request, "version", document ? document->version : 0);
    bool stale = is_stale(request_service(request), mirror->pulled_at);
    if (document && version == document->version)
        reply_document(request, document, mirror->source, stale);
    else if (version)
        read_older(request, id, version, stale);
    else
        reply_no_document(request);
}

/* ---- its versions ---- */

static void write_version(struct json_out *out, struct arena *arena, const struct pg_result *rows, size_t row)
{
    json_object(out);
    json_field_i64(out, "version", pg_int(rows, row, 0));
    json_field(out, "title", pg_str(rows, row, 1));
    json_field(out, "updated_at", time_rfc3339(arena, pg_wall(rows, row, 2)));
    json_field(out, "received_at", time_rfc3339(arena, pg_wall(rows, row, 3)));
    json_field(out, "sha256", pg_str(rows, row, 4));
    json_end(out);
}

static void reply_versions(struct request *request, struct str of, const struct pg_result *rows)
{
    struct arena *arena = request_arena(request);
    size_t limit = page_limit(request), count = pg_rows(rows);
    bool more = count > limit;
    count = more ? limit : count;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++)
        write_version(out, arena, rows, i);
    json_end(out);
    write_cursor(out, more ? make_cursor(request, PURPOSE_VERSIONS, of, pg_str(rows, count - 1, 0)) : STR_NONE);
}

void list_versions(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str id = request_string(request, "id"), position;
    struct str of = str_printf(arena, "%.*s/%.*s", STR_ARG(request_service(request)->slug), STR_ARG(id));
    int64_t before = INT_MAX;
    if (!read_position(request, PURPOSE_VERSIONS, of, &position))
        return;
    if (position.at && !str_to_i64(position, &before)) {
        reply_bad_cursor(request);
        return;
    }
    const struct pg_result *rows;
    if (pg_query(arena, &sql_list_document_versions,
                 PG_ARGS(pg_text(request_service(request)->slug), pg_text(id), pg_integer(before),
                         pg_integer((int64_t)page_limit(request) + 1)),
                 &rows) != PG_OK)
        reply_store_unavailable(request);
    else if (!pg_rows(rows) && !position.at)
        reply_no_document(request);
    else
        reply_versions(request, of, rows);
}
