/* What providers say, kept: whether it came as an answer or as a notice. */
#include "payment.h"

#include "payments_queries.h"

#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/pg.h>

static struct metric *taken, *refunded;

__attribute__((constructor)) static void register_metrics(void)
{
    taken = metric_register(METRIC_COUNTER, "payments_told_total", "by,outcome",
                            "What providers said of payments: paid, known, or what somebody must look at.");
    refunded = metric_register(METRIC_COUNTER, "refunds_told_total", "outcome", "What providers said of refunds.");
}

struct str payment_number(struct arena *arena, struct str id)
{
    struct text text = text_open(arena, id.len);
    while (id.at)
        text_add(&text, str_cut(&id, '-'));
    return text_str(&text);
}

bool payment_advance(struct arena *arena, struct str id, const char *state, const char *by, struct str detail)
{
    return pg_query(arena, &sql_advance_payment,
                    PG_ARGS(pg_text(id), pg_text(str_of(state)), pg_text(str_of(by)), pg_text(detail.at ? detail : STR(""))),
                    NULL) == PG_OK;
}

bool payment_told(struct arena *arena, struct str id, const struct provider_payment *said, const char *by)
{
    const struct pg_result *rows;
    switch (said->state) {
    case PROVIDER_PAID:
    case PROVIDER_REFUNDED:
        if (pg_query(arena, &sql_take_payment,
                     PG_ARGS(pg_text(id), pg_text(said->transaction_id), pg_integer(said->amount_fen), pg_time(said->paid_at),
                             pg_text(str_of(by))),
                     &rows) != PG_OK)
            return false;
        metric_count(taken, str_of(by), pg_str(rows, 0, 0));
        return true;
    case PROVIDER_FAILED:
        return payment_advance(arena, id, "failed", by, STR(""));
    case PROVIDER_CLOSED:
        return payment_advance(arena, id, "closed", by, STR(""));
    default:
        return true;
    }
}

bool refund_told(struct arena *arena, struct str id, int64_t amount_fen, const struct provider_refund_state *said)
{
    static const char *const ends[] = {
        [PROVIDER_REFUND_SUCCESS] = "done", [PROVIDER_REFUND_CLOSED] = "refused", [PROVIDER_REFUND_ABNORMAL] = "abnormal"};
    const char *end = (size_t)said->state < COUNT_OF(ends) ? ends[said->state] : NULL;
    if (!end)
        return true;
    if (said->state == PROVIDER_REFUND_SUCCESS && said->amount_fen >= 0 && said->amount_fen != amount_fen) {
        log_error("a provider gave back another amount than refund %.*s asks for: somebody has to look at it", STR_ARG(id));
        end = "abnormal";
    }
    metric_count(refunded, str_of(end));
    return pg_query(arena, &sql_end_refund, PG_ARGS(pg_text(id), pg_text(str_of(end))), NULL) == PG_OK;
}
