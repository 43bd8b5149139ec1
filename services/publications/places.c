/* GET /v1/services/{slug}/places: from Postgres, or from the copy in memory while it is away. */
#include "answer.h"
#include "handlers.h"
#include "mirror.h"
#include "publications_queries.h"

#include <shimin/clock.h>
#include <shimin/cursor.h>

#include <stdio.h>
#include <string.h>

enum { RADIUS_DEFAULT = 2000 };

#define PURPOSE "places"
#define JSON_TYPE "application/json"
#define GEOJSON_TYPE "application/geo+json"

/* ---- the question ---- */

/* "30.6586,104.0648", whose form the contract has checked. */
static bool read_near(struct request *request, struct place_search *search)
{
    struct str rest = request_string(request, "near");
    if (!rest.at)
        return true;
    enum coord_sys system = COORD_SYS_WGS84;
    struct str latitude = str_cut(&rest, ',');
    if (!coord_sys_named(request_string(request, "coord_sys"), &system) || !str_to_double(latitude, &search->from.latitude) ||
        !str_to_double(rest, &search->from.longitude) || !position_is_valid(search->from)) {
        reply_bad_parameter(
            request, STR("near"),
            BILINGUAL("应为“纬度,经度”，如 30.6586,104.0648", "must be latitude,longitude such as 30.6586,104.0648"));
        return false;
    }
    search->near = true;
    search->from = position_to_wgs84(search->from, system);
    return true;
}

static bool read_open_at(struct request *request, struct place_search *search)
{
    struct str text = request_string(request, "open_at");
    int64_t moment = clock_wall();
    if (text.at && !str_is(text, "now") && !time_parse_rfc3339(text, &moment)) {
        reply_bad_parameter(request, STR("open_at"),
                            BILINGUAL("应为 now 或 RFC 3339 时间", "must be now or an RFC 3339 date-time"));
        return false;
    }
    search->answer_minute = week_minute(moment);
    search->open_minute = text.at ? search->answer_minute : MINUTE_ANY;
    return true;
}

/* Words with one space between them. */
static struct str normalise_words(struct arena *arena, struct str text)
{
    struct text words = text_open(arena, text.len + 1);
    struct str rest = text.at ? str_fold(arena, text) : STR_NONE;
    while (rest.at) {
        struct str word = str_cut(&rest, ' ');
        if (words.len && word.len)
            text_add_char(&words, ' ');
        text_add(&words, word);
    }
    return words.len ? text_str(&words) : STR_NONE;
}

/* A cursor goes on with the question that it was given for, and with no other. */
static struct str digest_of_question(struct request *request, const struct place_search *search)
{
    static const char *const names[] = {"near", "coord_sys", "open_at", "category", "text"};
    struct arena *arena = request_arena(request);
    struct text all = text_open(arena, 128);
    text_add(&all, search->slug);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        text_add_char(&all, '\0');
        text_add(&all, request_string(request, names[i]));
    }
    text_printf(&all, "|%.3f", search->radius);
    return str_printf(arena, "%016llx", (unsigned long long)str_hash(text_str(&all)));
}

/* digest, NUL, distance or name, NUL, id */
static bool read_cursor(struct request *request, struct place_search *search)
{
    struct str cursor = request_string(request, "cursor"), rest;
    search->after_distance = -1;
    search->after_name = search->after_id = STR("");
    if (!cursor.at)
        return true;
    if (cursor_read(request_arena(request), PURPOSE, cursor, &rest) &&
        str_equal(str_cut(&rest, '\0'), digest_of_question(request, search)) && rest.at) {
        struct str key = str_cut(&rest, '\0');
        search->after_name = key;
        search->after_id = rest;
        if (rest.at && (!search->near || str_to_double(key, &search->after_distance)))
            return true;
    }
    reply_bad_cursor(request);
    return false;
}

static struct str make_cursor(struct request *request, const struct place_search *search, const struct place *last)
{
    struct text state = text_open(request_arena(request), 128);
    text_add(&state, digest_of_question(request, search));
    text_add_char(&state, '\0');
    if (search->near)
        text_printf(&state, "%.17g", last->distance);
    else
        text_add(&state, last->name);
    text_add_char(&state, '\0');
    text_add(&state, last->id);
    return cursor_make(request_arena(request), PURPOSE, text_str(&state));
}

static bool read_search(struct request *request, struct place_search *search)
{
    *search = (struct place_search){
        .slug = request_service(request)->slug,
        .radius = request_number(request, "radius", RADIUS_DEFAULT),
        .category = request_string(request, "category"),
        .text = normalise_words(request_arena(request), request_string(request, "text")),
        .limit = page_limit(request),
    };
    return read_near(request, search) && read_open_at(request, search) && read_cursor(request, search);
}

/* ---- Postgres ---- */

static struct place read_row(const struct pg_result *rows, size_t row)
{
    struct place place = {
        .id = pg_str(rows, row, 0),
        .name = pg_str(rows, row, 1),
        .address = pg_str(rows, row, 2),
        .located = !pg_is_null(rows, row, 3),
        .distance = pg_is_null(rows, row, 5) ? -1 : pg_number(rows, row, 5),
        .opening_hours = pg_str(rows, row, 6),
        .open = pg_is_null(rows, row, 7) ? OPEN_UNKNOWN
                : pg_bool(rows, row, 7)  ? OPEN_YES
                                         : OPEN_NO,
        .phone_number = pg_str(rows, row, 8),
        .category = pg_str(rows, row, 9),
        .details = pg_str(rows, row, 10),
    };
    if (place.located)
        place.position = (struct position){pg_number(rows, row, 3), pg_number(rows, row, 4)};
    return place;
}

static enum pg_status search_store(struct arena *arena, const struct place_search *search, const struct place **places,
                                   size_t *count)
{
    const struct pg_result *rows;
    struct pg_value slug = pg_text(search->slug), category = pg_text(search->category), words = pg_text(search->text),
                    open = pg_integer(search->open_minute), answer = pg_integer(search->answer_minute),
                    id = pg_text(search->after_id), limit = pg_integer((int64_t)search->limit + 1);
    enum pg_status status =
        search->near ? pg_query(arena, &sql_read_places_near,
                                PG_ARGS(slug, pg_double(search->from.longitude), pg_double(search->from.latitude),
                                        pg_double(search->radius), open, category, words, pg_double(search->after_distance), id,
                                        answer, limit),
                                &rows)
                     : pg_query(arena, &sql_read_places_by_name,
                                PG_ARGS(slug, open, category, words, pg_text(search->after_name), id, answer, limit), &rows);
    if (status != PG_OK)
        return status;
    *count = pg_rows(rows);
    struct place *read = arena_array(arena, struct place, *count + 1);
    for (size_t i = 0; i < *count; i++)
        read[i] = read_row(rows, i);
    *places = read;
    return PG_OK;
}

/* ---- the answer ---- */

static const char *wanted_type(const struct request *request)
{
    return request_weighs(request, GEOJSON_TYPE) > request_weighs(request, JSON_TYPE) ? GEOJSON_TYPE : JSON_TYPE;
}

static void reply_page(struct request *request, const char *type, const struct place_page *page)
{
    struct text body = text_open(request_arena(request), 16384);
    struct json_out out = json_write(&body);
    if (strcmp(type, GEOJSON_TYPE) == 0)
        places_write_geojson(&out, page);
    else
        places_write_json(&out, page);
    char tag[17];
    snprintf(tag, sizeof tag, "%016llx", (unsigned long long)str_hash(text_str(&body)));
    reply_etag(request, str_of(tag));
    reply_cache(request, request_service(request)->level == LEVEL_GUEST ? "public, no-cache" : "private, no-cache");
    reply_header(request, "vary", STR("Accept"));
    reply_bytes(request, 200, type, text_str(&body));
}

void list_places(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct service *service = request_service(request);
    const struct mirror *mirror = mirror_find(service->slug);
    const char *type = wanted_type(request);
    struct place_search search;
    if (!read_search(request, &search))
        return;
    if (!mirror) {
        reply_not_yet(request);
        return;
    }
    struct place_page page = {.as_of = time_rfc3339(arena, mirror->as_of), .stale = is_stale(service, mirror->pulled_at)};
    page.source = str_copy(arena, mirror->source);
    if (search_store(arena, &search, &page.places, &page.count) != PG_OK) {
        mirror = mirror_find(service->slug); /* may be another one since the wait */
        page.count = mirror_search(arena, mirror, &search, &page.places);
        page.stale = true;
    }
    if (page.count > search.limit) {
        page.count = search.limit;
        page.next_cursor = make_cursor(request, &search, &page.places[page.count - 1]);
    }
    reply_page(request, type, &page);
}
