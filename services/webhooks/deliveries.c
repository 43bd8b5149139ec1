/* The log of deliveries; events sent again, and on demand. */
#include "handlers.h"
#include "webhooks_queries.h"

#include <shimin/clock.h>
#include <shimin/cursor.h>

enum { PAGE_MOST = 100, REPLAYS_MOST = 1000 };

/* 202 with the row's id under a name, 404 without a row. */
static void reply_queued(struct request *request, struct str id, enum pg_status status, const struct pg_result *rows,
                         const char *name)
{
    if (status != PG_OK) {
        webhook_reply_unavailable(request);
    } else if (!pg_rows(rows)) {
        webhook_reply_absent(request);
    } else {
        webhook_audit(request, id, pg_str(rows, 0, 0));
        struct json_out *out = reply_json(request, 202);
        json_object(out);
        json_field(out, name, pg_str(rows, 0, 0));
    }
}

void send_test(struct request *request)
{
    struct str id, message = json_get_string(request_body(request), "message", STR("测试 / test"));
    const struct pg_result *rows;
    if (!webhook_id_of(request, &id))
        return;
    enum pg_status status =
        pg_query(request_arena(request), &sql_add_test,
                 PG_ARGS(pg_text(id), pg_text(request_actor(request)->department), pg_text(message)), &rows);
    reply_queued(request, id, status, rows, "event");
}

void replay_delivery(struct request *request)
{
    struct str id;
    const struct pg_result *rows;
    if (!webhook_id_of(request, &id))
        return;
    enum pg_status status = pg_query(request_arena(request), &sql_replay_delivery,
                                     PG_ARGS(pg_text(id), pg_text(request_actor(request)->department),
                                             pg_integer(request_integer(request, "delivery", 0)),
                                             pg_text(actor_label(request_arena(request), request_actor(request)))),
                                     &rows);
    reply_queued(request, id, status, rows, "delivery");
}

static bool read_time(struct request *request, const char *name, int64_t *wall)
{
    if (time_parse_rfc3339(json_get_string(request_body(request), name, STR("")), wall))
        return true;
    webhook_reply_bad(request, str_printf(request_arena(request), "/%s", name),
                      BILINGUAL("须为 RFC 3339 时间", "must be a time of RFC 3339"));
    return false;
}

void replay_events(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct actor *actor = request_actor(request);
    bool failed_only = json_get_boolean(request_body(request), "undelivered_only", true);
    struct str id;
    int64_t from, to;
    const struct pg_result *rows;
    if (!webhook_id_of(request, &id) || !read_time(request, "from", &from) || !read_time(request, "to", &to))
        return;
    enum pg_status status = pg_query(arena, &sql_read_webhook, PG_ARGS(pg_text(id), pg_text(actor->department)), &rows);
    if (status == PG_OK && !pg_rows(rows)) {
        webhook_reply_absent(request);
        return;
    }
    if (status != PG_OK ||
        pg_query(arena, &sql_replay_events,
                 PG_ARGS(pg_text(id), pg_text(actor->department), pg_time(from), pg_time(to), pg_boolean(failed_only),
                         pg_text(actor_label(arena, actor)), pg_integer(REPLAYS_MOST)),
                 &rows) != PG_OK) {
        webhook_reply_unavailable(request);
        return;
    }
    webhook_audit(request, id, str_printf(arena, "%lld events", (long long)pg_affected(rows)));
    struct json_out *out = reply_json(request, 202);
    json_object(out);
    json_field_i64(out, "count", pg_affected(rows));
}

static bool read_position(struct request *request, int64_t *below)
{
    struct str cursor = request_string(request, "cursor"), state;
    *below = INT64_MAX;
    if (!cursor.at || (cursor_read(request_arena(request), "deliveries", cursor, &state) && str_to_i64(state, below)))
        return true;
    reply_fault(request, PROBLEM_INVALID_CURSOR,
                BILINGUAL("cursor 无效，请从第一页重新开始", "The cursor is invalid; start again from the first page"));
    return false;
}

void list_deliveries(struct request *request)
{
    struct arena *arena = request_arena(request);
    int64_t below, limit = request_integer(request, "limit", 20);
    struct str id, department = request_actor(request)->department;
    const struct pg_result *rows;
    limit = limit > PAGE_MOST ? PAGE_MOST : limit;
    if (!webhook_id_of(request, &id) || !read_position(request, &below))
        return;
    enum pg_status status = pg_query(arena, &sql_read_webhook, PG_ARGS(pg_text(id), pg_text(department)), &rows);
    if (status == PG_OK && !pg_rows(rows)) {
        webhook_reply_absent(request);
        return;
    }
    if (status != PG_OK || pg_query(arena, &sql_list_deliveries,
                                    PG_ARGS(pg_text(id), pg_text(department), pg_text(request_string(request, "state")),
                                            pg_integer(below), pg_integer(limit + 1)),
                                    &rows) != PG_OK) {
        webhook_reply_unavailable(request);
        return;
    }
    bool more = pg_rows(rows) > (size_t)limit;
    size_t count = more ? (size_t)limit : pg_rows(rows);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++)
        json_put_raw(out, pg_str(rows, i, 1));
    json_end(out);
    json_key(out, "next_cursor");
    if (more)
        json_put(out, cursor_make(arena, "deliveries", pg_str(rows, count - 1, 0)));
    else
        json_put_null(out);
}
