/* Records: what a department knows, asked for on demand; and the footprints that such reads leave. */
#include "records_queries.h"

#include <shimin/clock.h>
#include <shimin/cursor.h>
#include <shimin/department.h>
#include <shimin/module.h>
#include <shimin/pg.h>

MODULE_CONTRACT(records);

enum { PAGE_MOST = 100, STORE_RETRY_SECONDS = 2 };

static void read_records(struct request *request)
{
    const struct service *service = request_service(request);
    const struct citizen *citizen = request_citizen(request);
    const struct department_question question = {
        .arena = request_arena(request),
        .snapshot = request_snapshot(request),
        .service = service,
        .citizen = citizen,
        .request = request,
    };
    struct department_answer answer;
    const struct problem *problem = department_ask(&question, &answer);
    if (problem) {
        reply_problem(request, problem);
        return;
    }
    if (service->personal && citizen)
        footprint_record(citizen, service, STR("citizen"), STR("own_query"), request_trace_id(request));
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    department_answer_write(out, request_arena(request), service, &answer);
}

/* "<microseconds>.<id>" of the last footprint of the page before. */
static bool read_position(struct request *request, int64_t *before_time, int64_t *before_id)
{
    struct str cursor = request_string(request, "cursor"), state;
    *before_time = INT64_MAX / 2;
    *before_id = INT64_MAX;
    if (!cursor.at)
        return true;
    if (cursor_read(request_arena(request), "footprints", cursor, &state)) {
        struct str time = str_cut(&state, '.');
        if (state.at && str_to_i64(time, before_time) && str_to_i64(state, before_id))
            return true;
    }
    reply_fault(request, PROBLEM_INVALID_CURSOR,
                BILINGUAL("cursor 无效，请从第一页重新开始", "The cursor is invalid; start again from the first page"));
    return false;
}

static void write_footprint(struct json_out *out, struct request *request, const struct pg_result *rows, size_t row)
{
    struct str slug = pg_str(rows, row, 2);
    const struct service *service = snapshot_service(request_snapshot(request), slug);
    json_object(out);
    json_field(out, "read_at", time_rfc3339(request_arena(request), pg_int(rows, row, 1)));
    json_field(out, "service", slug);
    json_key(out, "service_name");
    if (service) {
        json_object(out);
        json_field(out, "zh", service->name.zh);
        json_field(out, "en", service->name.en);
        json_end(out);
    } else {
        json_put_null(out);
    }
    json_field(out, "department", pg_str(rows, row, 3));
    json_field(out, "reader", pg_str(rows, row, 4));
    json_field(out, "purpose", pg_str(rows, row, 5));
    json_field(out, "trace_id", pg_str(rows, row, 6));
    json_end(out);
}

static void list_footprints(struct request *request)
{
    struct arena *arena = request_arena(request);
    int64_t before_time, before_id, limit = request_integer(request, "limit", 20);
    limit = limit > PAGE_MOST ? PAGE_MOST : limit;
    if (!read_position(request, &before_time, &before_id))
        return;
    const struct pg_result *rows;
    if (pg_query(
            arena, &sql_list_footprints,
            PG_ARGS(pg_text(request_citizen(request)->id), pg_time(before_time), pg_integer(before_id), pg_integer(limit + 1)),
            &rows) != PG_OK) {
        struct problem *problem = problem_new(arena, PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
        problem->retry_after = STORE_RETRY_SECONDS;
        reply_problem(request, problem);
        return;
    }
    size_t count = pg_rows(rows);
    bool more = count > (size_t)limit;
    count = more ? (size_t)limit : count;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++)
        write_footprint(out, request, rows, i);
    json_end(out);
    json_key(out, "next_cursor");
    if (more)
        json_put(out, cursor_make(arena, "footprints",
                                  str_printf(arena, "%.*s.%.*s", STR_ARG(pg_str(rows, count - 1, 1)),
                                             STR_ARG(pg_str(rows, count - 1, 0)))));
    else
        json_put_null(out);
}

const struct module records_module = {
    .name = "records",
    .contract = records_contract,
    .contract_size = &records_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"readRecords", read_records},
            {"listFootprints", list_footprints},
            {0},
        },
};
