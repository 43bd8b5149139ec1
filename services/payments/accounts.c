/* Bill accounts: a citizen binds a household's or their own number at a department, which must confirm it. */
#include "bill.h"
#include "handlers.h"
#include "payments_queries.h"

#include <shimin/id.h>
#include <shimin/personal.h>

enum { ACCOUNTS_MOST = 50 };

/* What of a number may be shown: its last four. */
static struct str shown_number(struct arena *arena, struct str number)
{
    return mask_apply(arena, MASK_BANK_CARD, number);
}

static void reply_account(struct request *request, struct str id, unsigned status)
{
    const struct pg_result *rows;
    if (pg_query(request_arena(request), &sql_read_bill_account, PG_ARGS(pg_text(id), pg_text(request_citizen(request)->id)),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return;
    }
    if (!pg_rows(rows)) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个户号", "There is no such account"));
        return;
    }
    reply_bytes(request, status, "application/json", pg_str(rows, 0, 0));
    reply_etag(request, pg_str(rows, 0, 1));
    if (status == 201)
        reply_header(request, "location", str_printf(request_arena(request), "/v1/bill-accounts/%.*s", STR_ARG(id)));
}

/* false after a reply: there are too many, or no database. */
static bool has_room(struct request *request)
{
    const struct pg_result *rows;
    if (pg_query(request_arena(request), &sql_count_accounts, PG_ARGS(pg_text(request_citizen(request)->id)), &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return false;
    }
    if (pg_int(rows, 0, 0) < ACCOUNTS_MOST)
        return true;
    reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("每人至多五十个户号", "A citizen may have fifty accounts at most"));
    return false;
}

/* The department says whose it is: it gets the number with what the service's mapping takes of the citizen's identity. */
void bind_account(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct service *service = request_service(request);
    const struct citizen *citizen = request_citizen(request);
    const struct json *body = request_body(request);
    const struct bill_question question = {
        .arena = arena,
        .snapshot = request_snapshot(request),
        .service = service,
        .citizen = citizen,
        .request = request,
        .account_number = str_trim(json_get_string(body, "number", STR(""))),
    };
    struct department_answer answer;
    if (!has_room(request))
        return;
    const struct problem *problem = bills_ask(&question, &answer);
    if (problem) {
        reply_problem(request, problem);
        return;
    }
    struct str id = id_new(arena), index = bill_account_index(arena, service, question.account_number);
    const struct pg_result *rows;
    if (pg_query(arena, &sql_add_account,
                 PG_ARGS(pg_text(id), pg_text(citizen->id), pg_text(service->slug), pg_text(service->department->slug),
                         pg_bytes(personal_seal(arena, "bill_account.number", id, question.account_number)), pg_bytes(index),
                         pg_text(shown_number(arena, question.account_number)), pg_text(bills_holder(service, &answer)),
                         pg_text(json_get_string(body, "nickname", STR("")))),
                 &rows) != PG_OK ||
        bills_keep(arena, service, index, &answer) != PG_OK)
        payments_reply_unavailable(request);
    else if (!pg_rows(rows))
        reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("此户号已绑定", "This account is bound already"));
    else
        reply_account(request, id, 201);
}

void list_accounts(struct request *request)
{
    const struct pg_result *rows;
    if (pg_query(request_arena(request), &sql_list_accounts, PG_ARGS(pg_text(request_citizen(request)->id)), &rows) != PG_OK)
        payments_reply_unavailable(request);
    else
        reply_bytes(request, 200, "application/json", pg_str(rows, 0, 0));
}

void change_account(struct request *request)
{
    struct str id;
    int64_t version;
    const struct pg_result *rows;
    if (!payments_id_of(request, &id) || !request_if_match(request, &version))
        return;
    struct str citizen = request_citizen(request)->id;
    enum pg_status status =
        pg_query(request_arena(request), &sql_read_bill_account, PG_ARGS(pg_text(id), pg_text(citizen)), &rows);
    if (status == PG_OK && !pg_rows(rows)) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个户号", "There is no such account"));
        return;
    }
    struct str nickname = json_get_string(request_body(request), "nickname", STR(""));
    if (status != PG_OK ||
        pg_query(request_arena(request), &sql_change_account,
                 PG_ARGS(pg_text(id), pg_text(citizen), pg_integer(version), pg_text(nickname)), &rows) != PG_OK)
        payments_reply_unavailable(request);
    else if (!pg_rows(rows))
        reply_fault(request, PROBLEM_PRECONDITION_FAILED, (struct bilingual){0});
    else
        reply_account(request, id, 200);
}

void end_account(struct request *request)
{
    struct str id;
    const struct pg_result *rows;
    if (!payments_id_of(request, &id))
        return;
    if (pg_query(request_arena(request), &sql_end_account, PG_ARGS(pg_text(id), pg_text(request_citizen(request)->id)),
                 &rows) != PG_OK)
        payments_reply_unavailable(request);
    else if (!pg_rows(rows))
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个户号", "There is no such account"));
    else
        reply_empty(request, 204);
}
