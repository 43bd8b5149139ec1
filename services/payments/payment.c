/* Payments: made, shown, cancelled. What is kept here comes first: the provider hears of a payment after its commit. */
#include "handlers.h"
#include "page.h"
#include "payment.h"
#include "payments_queries.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>

enum { LIFETIME_SECONDS = 900 };

static void reply_unknown(struct request *request)
{
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这笔缴费", "There is no such payment"));
}

/* ---- making ---- */

/* What shimin.payment_create says, and how it is told. */
static const struct refusal {
    const char *outcome;
    enum problem_type type;
    struct bilingual detail;
} refusals[] = {
    {"bill_unknown", PROBLEM_NOT_FOUND,
     BILINGUAL("没有这张账单，或它不在您绑定的户号下", "There is no such bill among your accounts")},
    {"bill_held", PROBLEM_BILL_HELD,
     BILINGUAL("此账单正在缴纳，请先等待上一笔的结果", "The bill is being paid; wait for the outcome of that attempt")},
    {"bill_paid", PROBLEM_BILL_PAID, BILINGUAL("此账单已缴清", "The bill is paid")},
    {"bill_withdrawn", PROBLEM_BILL_ENDED, BILINGUAL("收费单位已撤回此账单", "The department has withdrawn the bill")},
    {"bill_expired", PROBLEM_BILL_ENDED, BILINGUAL("已过缴费期限", "The bill can no longer be paid here")},
    {"amount_differs", PROBLEM_AMOUNT_DIFFERS,
     BILINGUAL("金额与应缴不符，请刷新账单", "The amount is not what is due; refresh the bill")},
};

static void reply_refusal(struct request *request, const struct json *said)
{
    struct str outcome = json_get_string(said, "outcome", STR(""));
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (!str_is(outcome, refusals[i].outcome))
            continue;
        struct problem *problem = problem_new(request_arena(request), refusals[i].type, refusals[i].detail);
        struct str members = json_text(request_arena(request), said);
        problem->extension = str_slice(members, 1, members.len - 1); /* without the braces */
        reply_problem(request, problem);
        return;
    }
    log_error("a payment was refused for a reason that has no answer: %.*s", STR_ARG(outcome));
    reply_fault(request, PROBLEM_INTERNAL, (struct bilingual){0});
}

static void reply_payment(struct request *request, const struct pg_result *rows, struct str cashier, unsigned status)
{
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field_raw(out, "payment", pg_str(rows, 0, 6));
    if (cashier.at)
        json_field_raw(out, "cashier", cashier);
}

/* The payment as it is now, the citizen's own. false after a reply. */
static bool read_own(struct request *request, struct str id, const struct pg_result **rows)
{
    if (pg_query(request_arena(request), &sql_read_payment, PG_ARGS(pg_text(id), pg_text(request_citizen(request)->id)),
                 rows) != PG_OK) {
        payments_reply_unavailable(request);
        return false;
    }
    if (pg_rows(*rows))
        return true;
    reply_unknown(request);
    return false;
}

static enum provider_channel channel_of(const struct json *body)
{
    static const char *const names[] = {
        [PROVIDER_APP] = "app", [PROVIDER_H5] = "h5", [PROVIDER_NATIVE] = "native", [PROVIDER_JSAPI] = "jsapi"};
    struct str name = json_get_string(body, "channel", STR("app"));
    for (unsigned i = 0; i < COUNT_OF(names); i++)
        if (str_is(name, names[i]))
            return (enum provider_channel)i;
    return PROVIDER_APP;
}

/* Tells the provider of a payment that is committed, and keeps what it said. *cashier is what the app needs; at == NULL: the
 * provider did not take it, or did not answer, and the payment's state says which. */
static bool place_order(struct request *request, const struct provider *provider, struct str id, const struct pg_result *rows,
                        struct str *cashier)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request);
    const struct provider_order order = {
        .trade = {.out_trade_no = pg_str(rows, 0, 1), .ordered_at = pg_wall(rows, 0, 2)},
        .channel = channel_of(body),
        .description = STR("天府市民云缴费"),
        .amount_fen = pg_int(rows, 0, 4),
        .expires_at = pg_wall(rows, 0, 3),
        .payer = json_get_string(body, "payer", STR("")),
        .payer_address = request_client_address(request),
    };
    struct provider_fault fault = {0};
    *cashier = STR_NONE;
    switch (provider->order(arena, &order, cashier, &fault)) {
    case PROVIDER_OK:
        return payment_advance(arena, id, "pending", "order", STR(""));
    case PROVIDER_REFUSED:
        *cashier = STR_NONE;
        return payment_advance(arena, id, fault.reason == PROVIDER_REASON_PAID ? "unknown" : "failed", "order", fault.code);
    default:
        *cashier = STR_NONE;
        return payment_advance(arena, id, "unknown", "order", fault.code);
    }
}

/* Each bill's service must be open for what is new, and ask for no higher level than the citizen proves. false after a reply.
 */
static bool may_pay(struct request *request, const struct json *bills)
{
    const struct snapshot *snapshot = request_snapshot(request);
    const struct pg_result *rows;
    if (pg_query(request_arena(request), &sql_services_of_bills, PG_ARGS(pg_text(json_text(request_arena(request), bills))),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return false;
    }
    for (size_t i = 0; i < pg_rows(rows); i++) {
        const struct service *service = snapshot_service(snapshot, pg_str(rows, i, 0));
        const struct problem *problem = payments_closed(request, service, SWITCH_OPEN);
        if (problem) {
            reply_problem(request, problem);
            return false;
        }
    }
    return true;
}

/* A client that leaves does not stop it: from here on there may be money. */
void create_payment(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request);
    const struct provider *provider = provider_named(json_get_string(body, "provider", STR("")));
    struct str id = id_new(arena), number = payment_number(arena, id), cashier;
    struct json_error error;
    const struct pg_result *rows;
    if (!provider) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个支付渠道", "There is no such payment provider"));
        return;
    }
    if (!may_pay(request, json_get(body, "bills")))
        return;
    fiber_shield();
    if (pg_query(arena, &sql_create_payment,
                 PG_ARGS(pg_text(id), pg_text(request_citizen(request)->id), pg_text(str_of(provider->name)), pg_text(number),
                         pg_text(json_text(arena, json_get(body, "bills"))), pg_double(LIFETIME_SECONDS)),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
    } else {
        const struct json *said = json_parse(arena, pg_str(rows, 0, 0), &json_limits_request, &error);
        if (!str_is(json_get_string(said, "outcome", STR("")), "created")) {
            reply_refusal(request, said);
        } else if (read_own(request, id, &rows)) {
            if (!place_order(request, provider, id, rows, &cashier))
                log_warning("what a provider said of a payment could not be kept; it will be asked again");
            if (read_own(request, id, &rows)) {
                reply_payment(request, rows, cashier, 201);
                reply_header(request, "location", str_printf(arena, "/v1/payments/%.*s", STR_ARG(id)));
            }
        }
    }
    fiber_unshield();
}

/* ---- showing ---- */

void read_payment(struct request *request)
{
    struct str id;
    const struct pg_result *rows;
    if (payments_id_of(request, &id) && read_own(request, id, &rows))
        reply_payment(request, rows, STR_NONE, 200);
}

void list_payments(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct page page;
    const struct pg_result *rows;
    if (!page_read(request, "payments", &page))
        return;
    if (pg_query(arena, &sql_list_payments,
                 PG_ARGS(pg_text(request_citizen(request)->id), pg_time(page_time(&page)), pg_text(page.id),
                         pg_integer(page.limit + 1)),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    page_write(out, arena, &page, rows);
}

/* ---- cancelling ---- */

/* Only the provider's word that nobody can pay it any more closes a payment. */
void cancel_payment(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str id;
    const struct pg_result *rows;
    struct provider_fault fault = {0};
    if (!payments_id_of(request, &id) || !read_own(request, id, &rows))
        return;
    const struct provider *provider = provider_named(pg_str(rows, 0, 0));
    const struct provider_trade trade = {.out_trade_no = pg_str(rows, 0, 1), .ordered_at = pg_wall(rows, 0, 2)};
    struct str state = pg_str(rows, 0, 5);
    if (!str_is(state, "created") && !str_is(state, "pending") && !str_is(state, "unknown")) {
        reply_payment(request, rows, STR_NONE, 200);
        return;
    }
    fiber_shield();
    if (provider && provider->close(arena, &trade, &fault) == PROVIDER_OK &&
        !payment_advance(arena, id, "closed", "citizen", STR("")))
        log_warning("a payment was closed by its provider, which could not be kept; it will be asked again");
    if (read_own(request, id, &rows))
        reply_payment(request, rows, STR_NONE, 200);
    fiber_unshield();
}
