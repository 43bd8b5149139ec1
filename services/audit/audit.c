/* The audit for those who hold the role audit: searched, and exported signed. Each use is audited itself. */
#include "audit_queries.h"

#include <shimin/actor.h>
#include <shimin/audit.h>
#include <shimin/clock.h>
#include <shimin/cursor.h>
#include <shimin/module.h>
#include <shimin/pg.h>

MODULE_CONTRACT(audit);

#define DAY INT64_C(86400000000)
enum { SPAN_DAYS = 31, SPAN_MOST_DAYS = 366, PAGE_MOST = 100, EXPORT_PAGE = 1000, EXPORT_SECONDS = 3600, RETRY_SECONDS = 2 };

static void reply_unavailable(struct request *request)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = RETRY_SECONDS;
    reply_problem(request, problem);
}

static void reply_bad(struct request *request, const char *name, struct bilingual why)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_INVALID_PARAMETER, (struct bilingual){0});
    struct problem_error *error = arena_new(request_arena(request), struct problem_error);
    *error = (struct problem_error){.parameter = str_of(name), .detail = why};
    problem->errors = error;
    problem->error_count = 1;
    reply_problem(request, problem);
}

static bool read_time(struct request *request, const char *name, int64_t fallback, int64_t *wall)
{
    struct str given = request_string(request, name);
    *wall = fallback;
    if (!given.at || time_parse_rfc3339(given, wall))
        return true;
    reply_bad(request, name, BILINGUAL("须为 RFC 3339 时间，+ 写作 %2B", "must be a time of RFC 3339, with + as %2B"));
    return false;
}

static bool read_span(struct request *request, int64_t *from, int64_t *to)
{
    if (!read_time(request, "to", clock_wall(), to) || !read_time(request, "from", *to - SPAN_DAYS * DAY, from))
        return false;
    if (*from < *to && *to - *from <= SPAN_MOST_DAYS * DAY)
        return true;
    reply_bad(request, "from", BILINGUAL("须早于 to，且不超过 366 天", "must be before `to`, by 366 days at most"));
    return false;
}

/* ---- search ---- */

/* What was asked is in the audit: values that name systems, staff, services and accounts' ids; of an address only that it was
 * given. */
static void audit_search(struct request *request)
{
    static const char *const names[] = {"actor", "object", "action", "result"};
    struct text detail = text_open(request_arena(request), 128);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str value = request_string(request, names[i]);
        if (value.at)
            text_printf(&detail, "%s%s=%.*s", detail.len ? " " : "", names[i], STR_ARG(value));
    }
    if (request_string(request, "address").at)
        text_add_c(&detail, detail.len ? " address" : "address");
    request_audit(request, STR("audit"), text_str(&detail));
}

/* Where the page before ended: "microseconds id". */
static bool read_cursor(struct request *request, int64_t *at, int64_t *id)
{
    struct str cursor = request_string(request, "cursor"), state;
    *id = 0;
    if (!cursor.at)
        return true;
    if (cursor_read(request_arena(request), "searchAudit", cursor, &state) && str_to_i64(str_cut(&state, ' '), at) &&
        str_to_i64(state, id))
        return true;
    reply_fault(request, PROBLEM_INVALID_CURSOR, (struct bilingual){0});
    return false;
}

static void reply_page(struct request *request, const struct pg_result *rows, size_t limit)
{
    size_t count = pg_rows(rows), shown = count < limit ? count : limit;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < shown; i++)
        json_put_raw(out, pg_str(rows, i, 0));
    json_end(out);
    json_key(out, "next_cursor");
    if (count > limit)
        json_put(out, cursor_make(request_arena(request), "searchAudit", pg_str(rows, limit - 1, 1)));
    else
        json_put_null(out);
}

static void search_audit(struct request *request)
{
    int64_t from, to, id, limit = request_integer(request, "limit", 20);
    const struct pg_result *rows;
    audit_search(request);
    if (!read_span(request, &from, &to) || !read_cursor(request, &to, &id))
        return;
    limit = limit < PAGE_MOST ? limit : PAGE_MOST;
    if (pg_query(request_arena(request), &sql_search_audit,
                 PG_ARGS(pg_time(from), pg_time(to), pg_integer(id), pg_text(request_string(request, "actor")),
                         pg_text(request_string(request, "object")), pg_text(request_string(request, "action")),
                         pg_text(request_string(request, "result")), pg_text(request_string(request, "address")),
                         pg_integer(limit + 1)),
                 &rows) == PG_OK)
        reply_page(request, rows, (size_t)limit);
    else
        reply_unavailable(request);
}

/* ---- checkpoints ---- */

static void list_checkpoints(struct request *request)
{
    const struct pg_result *rows;
    request_audit(request, STR("audit"), STR("checkpoints"));
    if (pg_query(request_arena(request), &sql_list_checkpoints, PG_NO_ARGS, &rows) == PG_OK)
        reply_bytes(request, 200, "application/json", pg_str(rows, 0, 0));
    else
        reply_unavailable(request);
}

/* ---- export ---- */

struct span {
    int64_t from, to, at, id, head;
};

/* One page: a statement of its own, so that a slow client holds no connection, in an arena of its own. False at the end, or
 * when it cannot go on: then the last line is missing, and the file is known to be torn. */
static bool send_page(struct request *request, struct audit_export_job *job, struct span *span, bool *done)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *page;
    if (pg_query(arena, &sql_export_audit,
                 PG_ARGS(pg_time(span->from), pg_time(span->to), pg_time(span->at), pg_integer(span->id),
                         pg_integer(span->head), pg_integer(EXPORT_PAGE)),
                 &page) != PG_OK)
        return false;
    int64_t count = pg_int(page, 0, 1);
    *done = count < EXPORT_PAGE;
    if (!count)
        return false;
    audit_export_add(job, pg_str(page, 0, 0), (size_t)count);
    span->at = pg_wall(page, 0, 2);
    span->id = pg_int(page, 0, 3);
    return reply_stream_write(request, pg_str(page, 0, 0)) && !*done;
}

static void export_audit(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct pg_result *end;
    struct span span = {0};
    bool done = false;
    request_audit(request, STR("audit"), STR_NONE);
    if (!read_span(request, &span.from, &span.to))
        return;
    span.at = span.from;
    if (pg_query(arena, &sql_audit_end, PG_NO_ARGS, &end) != PG_OK || pg_rows(end) != 1) {
        reply_unavailable(request);
        return;
    }
    span.head = pg_int(end, 0, 0);
    struct audit_export_job *job = audit_export_open(arena, span.from, span.to, span.head, pg_bin(arena, end, 0, 1),
                                                     actor_label(arena, request_actor(request)));
    if (!job) {
        reply_fault(request, PROBLEM_STORE_UNAVAILABLE,
                    BILINGUAL("本网关没有签名密钥", "This gateway has no key to sign with"));
        return;
    }
    reply_stream_open(request, 200, "application/jsonl", deadline_in(seconds(EXPORT_SECONDS)));
    while (send_page(request, job, &span, &done))
        ;
    struct str last = done ? audit_export_end(job, arena) : STR_NONE;
    if (last.at && !reply_stream_write(request, last))
        return;
}

const struct module audit_module = {
    .name = "audit",
    .contract = audit_contract,
    .contract_size = &audit_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"searchAudit", search_audit}, {"exportAudit", export_audit}, {"listAuditCheckpoints", list_checkpoints}, {0}},
};
