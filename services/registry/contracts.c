/* Contracts: OpenAPI documents that departments hand in, kept as they came. */
#include "registry.h"

#include "registry_queries.h"

#include <shimin/cursor.h>

enum { PAGE_MOST = 100 };

static void reply_contract(struct request *request, struct str sha256, struct str system, bool made)
{
    const struct pg_result *rows;
    if (store_failed(request, pg_query(request_arena(request), &sql_read_contract,
                                       PG_ARGS(pg_text(department_of(request)), pg_text(sha256)), &rows)))
        return;
    if (system.at && (!pg_rows(rows) || !str_equal(pg_str(rows, 0, 1), system))) {
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("这份文档已登记在别的系统下", "This very document is registered as another system's already"));
        return;
    }
    reply_header(request, "location", str_printf(request_arena(request), "/department/v1/contracts/%.*s", STR_ARG(sha256)));
    reply_row(request, made ? 201 : 200, rows);
}

/* Documents are kept for good, and each costs a thread some time. false after a reply. Two that come at once may both fit. */
static bool has_room(struct request *request, struct str bytes)
{
    struct arena *arena = request_arena(request);
    struct draft_quota quota = draft_quota();
    const struct pg_result *rows;
    if (store_failed(request,
                     pg_query(arena, &sql_contract_room, PG_ARGS(pg_text(department_of(request)), pg_bytes(bytes)), &rows)))
        return false;
    int64_t size = (int64_t)bytes.len, day = pg_int(rows, 0, 0), ever = pg_int(rows, 0, 2);
    if (pg_bool(rows, 0, 3) || (day + size <= quota.bytes_a_day && ever + size <= quota.bytes))
        return true;
    if (ever + size > quota.bytes) {
        reply_fault(request, PROBLEM_CONFLICT,
                    (struct bilingual){
                        str_printf(arena, "部门的文档合计不能超过 %lld 字节", (long long)quota.bytes),
                        str_printf(arena, "The department's documents may have %lld bytes together", (long long)quota.bytes)});
        return false;
    }
    struct problem *problem = problem_new(
        arena, PROBLEM_TOO_MANY_REQUESTS,
        (struct bilingual){str_printf(arena, "部门一天内登记的文档不能超过 %lld 字节", (long long)quota.bytes_a_day),
                           str_printf(arena, "A department may hand in %lld bytes a day", (long long)quota.bytes_a_day)});
    problem->retry_after = pg_int(rows, 0, 1);
    reply_problem(request, problem);
    return false;
}

void register_contract(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str system = request_string(request, "system"), bytes = request_raw_body(request);
    struct draft_contract contract;
    const struct pg_result *made;
    audit_object(request, "system", system);
    if (!has_room(request, bytes))
        return;
    const struct problem *problem = draft_contract_check(arena, system, bytes, &contract);
    if (problem) {
        reply_problem(request, problem);
        return;
    }
    request_audit(request, str_printf(arena, "contract:%.*s", STR_ARG(contract.sha256)), system);
    struct pg_value department = pg_text(department_of(request)), by = pg_text(label_of(request));
    /* a department with as many systems as it may have fails at the reference to the one that is not there */
    if (store_failed(request, pg_query(arena, &sql_make_system,
                                       PG_ARGS(department, pg_text(system),
                                               pg_text(STR("{\"concurrency\":16,\"deadline_ms\":3000}")), by),
                                       NULL)) ||
        store_failed(request, pg_query(arena, &sql_register_contract,
                                       PG_ARGS(department, pg_text(system), pg_text(contract.name), pg_text(contract.version),
                                               pg_text(contract.title), pg_bytes(bytes), pg_text(contract.operations), by),
                                       &made)))
        return;
    reply_contract(request, contract.sha256, system, pg_affected(made) > 0);
}

void read_contract(struct request *request)
{
    reply_contract(request, request_string(request, "sha256"), STR_NONE, false);
}

/* false after a reply. */
static bool fetch_document(struct request *request, struct str sha256, struct str *bytes)
{
    const struct pg_result *rows;
    if (store_failed(request, pg_query(request_arena(request), &sql_contract_document,
                                       PG_ARGS(pg_text(department_of(request)), pg_text(sha256)), &rows)))
        return false;
    if (!pg_rows(rows)) {
        reply_missing(request);
        return false;
    }
    *bytes = pg_bin(request_arena(request), rows, 0, 0);
    return true;
}

void read_contract_document(struct request *request)
{
    struct str bytes;
    if (fetch_document(request, request_string(request, "sha256"), &bytes))
        reply_bytes(request, 200, "application/octet-stream", bytes);
}

void compare_contracts(struct request *request)
{
    struct str before, after, json;
    if (!fetch_document(request, request_string(request, "from"), &before) ||
        !fetch_document(request, request_string(request, "sha256"), &after))
        return;
    const struct problem *problem = draft_contract_compare(request_arena(request), before, after, &json);
    if (problem)
        reply_problem(request, problem);
    else
        reply_bytes(request, 200, "application/json", json);
}

/* "<microseconds>.<sha256>" of the last of the page before. */
static bool read_position(struct request *request, int64_t *time, struct str *sha256)
{
    struct str cursor = request_string(request, "cursor"), state;
    *time = INT64_MAX / 2;
    *sha256 = STR("");
    if (!cursor.at)
        return true;
    if (cursor_read(request_arena(request), "contracts", cursor, &state)) {
        struct str first = str_cut(&state, '.');
        *sha256 = state;
        if (state.at && str_to_i64(first, time))
            return true;
    }
    reply_fault(request, PROBLEM_INVALID_CURSOR,
                BILINGUAL("cursor 无效，请从第一页重新开始", "The cursor is invalid; start again from the first page"));
    return false;
}

void list_contracts(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str sha256;
    int64_t time, limit = request_integer(request, "limit", 20);
    const struct pg_result *rows;
    limit = limit > PAGE_MOST ? PAGE_MOST : limit;
    if (!read_position(request, &time, &sha256) ||
        store_failed(request, pg_query(arena, &sql_list_contracts,
                                       PG_ARGS(pg_text(department_of(request)), pg_text(request_string(request, "system")),
                                               pg_integer(time), pg_text(sha256), pg_integer(limit + 1)),
                                       &rows)))
        return;
    size_t count = pg_rows(rows);
    bool more = count > (size_t)limit;
    count = more ? (size_t)limit : count;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++)
        json_put_raw(out, pg_str(rows, i, 0));
    json_end(out);
    json_key(out, "next_cursor");
    if (more)
        json_put(out, cursor_make(arena, "contracts",
                                  str_printf(arena, "%.*s.%.*s", STR_ARG(pg_str(rows, count - 1, 1)),
                                             STR_ARG(pg_str(rows, count - 1, 2)))));
    else
        json_put_null(out);
}
