/* Providers' notices: verified over the raw body, taken once, acknowledged after the commit. */
#include "handlers.h"
#include "payment.h"
#include "payments_queries.h"

#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/metrics.h>

static struct metric *notices;

__attribute__((constructor)) static void register_metrics(void)
{
    notices = metric_register(METRIC_COUNTER, "payment_notices_total", "provider,outcome", "Notices of payment providers.");
}

/* NULL: it could not be kept, and must come again. */
static const char *take_payment_notice(struct arena *arena, const struct provider *provider,
                                       const struct provider_notice *notice)
{
    const struct pg_result *rows;
    if (notice->payment.state != PROVIDER_PAID && notice->payment.state != PROVIDER_REFUNDED)
        return "no_money"; /* what did not come to pass is asked for, not told */
    if (pg_query(arena, &sql_take_notice,
                 PG_ARGS(pg_text(str_of(provider->name)), pg_text(notice->id), pg_text(notice->out_trade_no),
                         pg_text(notice->payment.transaction_id), pg_integer(notice->payment.amount_fen),
                         pg_time(notice->payment.paid_at)),
                 &rows) != PG_OK)
        return NULL;
    return str_to_c(arena, pg_str(rows, 0, 0));
}

static const char *take_refund_notice(struct arena *arena, const struct provider *provider,
                                      const struct provider_notice *notice)
{
    const struct pg_result *rows;
    if (pg_query(arena, &sql_refund_of_number, PG_ARGS(pg_text(notice->out_refund_no), pg_text(str_of(provider->name))),
                 &rows) != PG_OK)
        return NULL;
    if (!pg_rows(rows))
        return "absent";
    return refund_told(arena, pg_str(rows, 0, 0), pg_int(rows, 0, 1), &notice->refund) ? "refund" : NULL;
}

void take_notice(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct provider *provider = provider_named(request_string(request, "provider"));
    struct provider_notice notice;
    struct provider_fault fault = {0};
    bool ignored = false;
    if (!provider) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个支付渠道", "There is no such payment provider"));
        return;
    }
    const char *outcome = "refused";
    fiber_shield();
    if (provider->notice_read(request, &notice, &ignored, &fault) == PROVIDER_OK)
        outcome = ignored            ? "ignored"
                  : notice.is_refund ? take_refund_notice(arena, provider, &notice)
                                     : take_payment_notice(arena, provider, &notice);
    fiber_unshield();
    if (!outcome)
        outcome = "not_kept";
    metric_count(notices, str_of(provider->name), str_of(outcome));
    struct str told = str_of(outcome);
    bool is_taken = !str_is(told, "refused") && !str_is(told, "not_kept") && !str_is(told, "absent");
    if (!is_taken)
        log_warning("a notice of %s was not taken: %s %.*s", provider->name, outcome, STR_ARG(fault.code));
    provider->notice_reply(request, is_taken);
}
