/* Submissions: what waits for an administrator, and his decision. */
#include "registry.h"

#include "registry_queries.h"

#include <math.h>

void list_submissions(struct request *request)
{
    const struct pg_result *rows;
    if (!store_failed(request, pg_query(request_arena(request), &sql_list_submissions, PG_NO_ARGS, &rows)))
        reply_row(request, 200, rows);
}

/* *rows is empty when none waits. false after a reply. */
static bool find(struct request *request, const struct pg_result **rows)
{
    return !store_failed(request, pg_query(request_arena(request), &sql_read_submission,
                                           PG_ARGS(pg_text(request_string(request, "service"))), rows));
}

void read_submission(struct request *request)
{
    const struct pg_result *rows;
    if (!find(request, &rows))
        return;
    if (pg_rows(rows))
        reply_edition(request, pg_int(rows, 0, 4));
    reply_row(request, 200, rows);
}

/* What the document changes against the one that is live; 404 when nothing is, or nothing waits. */
void compare_submission(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct pg_result *rows;
    struct str json;
    if (store_failed(request,
                     pg_query(arena, &sql_submission_documents, PG_ARGS(pg_text(request_string(request, "service"))), &rows)))
        return;
    if (!pg_rows(rows)) {
        reply_missing(request);
        return;
    }
    const struct problem *problem = draft_contract_compare(arena, pg_bin(arena, rows, 0, 0), pg_bin(arena, rows, 0, 1), &json);
    if (problem)
        reply_problem(request, problem);
    else
        reply_bytes(request, 200, "application/json", json);
}

static void reply_version(struct request *request, struct str service, int64_t number)
{
    const struct pg_result *rows;
    if (!store_failed(
            request, pg_query(request_arena(request), &sql_read_version, PG_ARGS(pg_text(service), pg_integer(number)), &rows)))
        reply_row(request, 200, rows);
}

static void refuse(struct request *request, struct str service, int64_t number, struct str reason, int64_t edition)
{
    const struct pg_result *rows;
    if (store_failed(request, pg_query(request_arena(request), &sql_refuse_submission,
                                       PG_ARGS(pg_text(service), pg_integer(number), pg_text(label_of(request)),
                                               pg_text(reason), pg_integer(edition)),
                                       &rows)))
        return;
    if (pg_rows(rows))
        reply_row(request, 200, rows);
    else
        reply_stale(request, edition);
}

/* One transaction: the decision and what follows of it. share 0: for everybody. */
static void approve(struct request *request, struct str service, int64_t number, struct str reason, int64_t share,
                    int64_t edition)
{
    struct arena *arena = request_arena(request);
    CLEANUP(pg_rollback) struct pg_transaction *tx = NULL;
    const struct pg_result *rows;
    struct pg_value name = pg_text(service), version = pg_integer(number), by = pg_text(label_of(request));
    if (store_failed(request, pg_begin(arena, &tx)) ||
        store_failed(request, pg_in(tx, &sql_approve_submission,
                                    PG_ARGS(name, version, by, pg_text(reason), pg_integer(edition)), &rows)))
        return;
    if (!pg_rows(rows)) {
        reply_stale(request, edition);
        return;
    }
    enum pg_status status = share ? pg_in(tx, &sql_go_on_trial, PG_ARGS(name, version, pg_integer(share), by), &rows)
                                  : pg_in(tx, &sql_go_live, PG_ARGS(name, version, by, pg_text(STR("live"))), &rows);
    if (store_failed(request, status))
        return;
    if (!pg_rows(rows) || (!share && !pg_bool(rows, 0, 0))) {
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("没有在用的版本，不能只给一部分市民试行",
                              "There is no live version beside which it could be tried by some"));
        return;
    }
    if (!store_failed(request, pg_commit(&tx)))
        reply_version(request, service, number);
}

void decide_submission(struct request *request)
{
    const struct json *body = request_body(request), *share = json_get(body, "share");
    struct str service = request_string(request, "service"), reason = json_get_string(body, "reason", STR(""));
    bool approved = str_is(json_get_string(body, "decision", STR("")), "approve");
    const struct pg_result *rows;
    request_audit(request, str_printf(request_arena(request), "service:%.*s", STR_ARG(service)),
                  approved ? STR("approve") : STR("refuse"));
    if (!find(request, &rows))
        return;
    if (!pg_rows(rows)) {
        reply_missing(request);
        return;
    }
    int64_t number = pg_int(rows, 0, 1), edition = edition_asked(request);
    if (str_equal(pg_str(rows, 0, 2), label_of(request)))
        reply_fault(request, PROBLEM_FORBIDDEN, BILINGUAL("送审的人不能自己批准", "Who submitted it does not decide on it"));
    else if (edition != pg_int(rows, 0, 4)) /* what is decided on is what was looked at */
        reply_stale(request, edition);
    else if (approved && share && pg_bool(rows, 0, 5)) /* the gateway keeps one list of it for all */
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("网点、动态与文章由网关统一保存，不能只给一部分市民试行",
                              "Places, feeds and texts are kept as one list for all, and cannot be tried by some"));
    else if (approved && version_is_unfit(request, service, number))
        return;
    else if (approved)
        approve(request, service, number, reason, share ? (int64_t)lround(json_as_double(share) * 100) : 0, edition);
    else
        refuse(request, service, number, reason, edition);
}
