/* Refunds: a department gives back what was paid of its bills; above a limit a second person of the city approves. And the
 * operators' overview. */
#include "handlers.h"
#include "page.h"
#include "payments_queries.h"

#include <shimin/actor.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/settings.h>

static void audit_refund(struct request *request, struct str id)
{
    request_audit(request, str_printf(request_arena(request), "refund:%.*s", STR_ARG(id)), STR(""));
}

static void reply_accepted(struct request *request, struct str id, struct str outcome, const struct json *said)
{
    struct problem *problem;
    if (str_is(outcome, "absent")) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这笔缴费", "There is no such payment"));
    } else if (str_is(outcome, "not_paid")) {
        reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("这笔缴费没有成功，无可退还", "Nothing was paid that could go back"));
    } else if (str_is(outcome, "too_much")) {
        problem = problem_new(request_arena(request), PROBLEM_AMOUNT_DIFFERS,
                              BILINGUAL("超过可退金额", "More than what is left of the payment"));
        problem->extension = str_printf(request_arena(request), "\"refundable_fen\":%lld",
                                        (long long)json_get_integer(said, "refundable_fen", 0));
        reply_problem(request, problem);
    } else {
        struct json_out *out = reply_json(request, 202);
        json_object(out);
        json_field(out, "id", id);
        json_field(out, "state", outcome);
    }
}

void begin_refund(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request);
    const struct actor *actor = request_actor(request);
    struct str id = id_new(arena);
    struct json_error error;
    const struct pg_result *rows;
    audit_refund(request, id);
    if (pg_query(arena, &sql_begin_refund,
                 PG_ARGS(pg_text(id), pg_text(json_get_string(body, "payment", STR(""))),
                         pg_text(json_get_string(body, "bill", STR(""))), pg_integer(json_get_integer(body, "amount_fen", 0)),
                         pg_text(json_get_string(body, "reason", STR(""))), pg_text(actor_label(arena, actor)),
                         pg_integer(setting_integer("payments.refund_alone_fen")), pg_text(actor->department)),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return;
    }
    const struct json *said = json_parse(arena, pg_str(rows, 0, 0), &json_limits_request, &error);
    reply_accepted(request, id, json_get_string(said, "outcome", STR("")), said);
}

static void reply_list(struct request *request, struct str department)
{
    struct arena *arena = request_arena(request);
    struct page page;
    const struct pg_result *rows;
    if (!page_read(request, "refunds", &page))
        return;
    if (pg_query(arena, &sql_list_refunds,
                 PG_ARGS(pg_text(department), pg_text(request_string(request, "state")), pg_time(page_time(&page)),
                         pg_text(page.id), pg_integer(page.limit + 1)),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    page_write(out, arena, &page, rows);
}

void list_own_refunds(struct request *request)
{
    reply_list(request, request_actor(request)->department);
}

void list_all_refunds(struct request *request)
{
    reply_list(request, request_string(request, "department"));
}

void decide_refund(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str id;
    const struct pg_result *rows;
    if (!payments_id_of(request, &id))
        return;
    audit_refund(request, id);
    if (pg_query(arena, &sql_decide_refund,
                 PG_ARGS(pg_text(id),
                         pg_boolean(str_is(json_get_string(request_body(request), "decision", STR("")), "approve")),
                         pg_text(actor_label(arena, request_actor(request)))),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return;
    }
    struct str outcome = pg_str(rows, 0, 0);
    if (str_is(outcome, "own")) {
        reply_fault(request, PROBLEM_FORBIDDEN, BILINGUAL("须由另一人审批", "Another person has to decide"));
    } else if (str_is(outcome, "late")) {
        reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("没有待审批的这笔退款", "No such refund waits for a decision"));
    } else {
        struct json_out *out = reply_json(request, 200);
        json_object(out);
        json_field(out, "state", outcome);
    }
}

void read_overview(struct request *request)
{
    const struct pg_result *rows;
    if (pg_query(request_arena(request), &sql_read_overview, PG_NO_ARGS, &rows) != PG_OK)
        payments_reply_unavailable(request);
    else
        reply_bytes(request, 200, "application/json", pg_str(rows, 0, 0));
}
