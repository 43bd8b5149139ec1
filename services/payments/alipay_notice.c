/* Alipay: notices. */
#include "alipay.h"

/* It sends the same notice for 25 hours with the time of the first: what is older proves nothing, and what is from the future
 * neither. */
#define AGE_MOST seconds(26 * 3600)
#define SKEW seconds(300)

static bool is_current(struct str text)
{
    int64_t at, now = clock_wall();
    return provider_time_read_spaced(text, &at) && at < now + SKEW && at > now - AGE_MOST;
}

/* Of a trade; a refund of it is told by the same notice, with the sum of its refunds. */
static bool fill(const struct payment_form *form, struct provider_notice *notice)
{
    struct str paid_at = payment_form_get(form, "gmt_payment"), refunded = payment_form_get(form, "refund_fee");
    notice->out_trade_no = payment_form_get(form, "out_trade_no");
    notice->payment.transaction_id = payment_form_get(form, "trade_no");
    if (!notice->out_trade_no.len || !alipay_state_named(notice->kind, paid_at.len > 0, &notice->payment.state) ||
        !payment_fen(payment_form_get(form, "total_amount"), false, &notice->payment.amount_fen))
        return false;
    if (refunded.len) {
        notice->is_refund = true;
        notice->out_refund_no = payment_form_get(form, "out_biz_no");
        notice->refund = (struct provider_refund_state){.state = PROVIDER_REFUND_SUCCESS, .amount_fen = -1};
        return notice->out_refund_no.len > 0;
    }
    if (notice->payment.state == PROVIDER_PAID || notice->payment.state == PROVIDER_REFUNDED)
        return notice->payment.transaction_id.len && provider_time_read_spaced(paid_at, &notice->payment.paid_at);
    return true;
}

enum provider_outcome alipay_notice_read(struct request *request, struct provider_notice *notice, bool *ignored,
                                         struct provider_fault *fault)
{
    struct arena *arena = request_arena(request);
    struct payment_form form;
    *notice = (struct provider_notice){.is_refund = false};
    *ignored = false;
    if (!payment_form_read(arena, request_raw_body(request), &form) || !str_is(payment_form_get(&form, "sign_type"), "RSA2") ||
        !alipay_form_verify(arena, &form, alipay.platform) || !is_current(payment_form_get(&form, "notify_time")))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("signature"), STR("not signed by Alipay, or too old"));
    if (!str_equal(payment_form_get(&form, "app_id"), alipay.app_id) ||
        !str_equal(payment_form_get(&form, "seller_id"), alipay.merchant))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("foreign"), STR("not of this app and seller"));
    notice->id = payment_form_get(&form, "notify_id");
    notice->kind = payment_form_get(&form, "trade_status");
    if (!notice->id.len || !fill(&form, notice))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("garbage"), STR("the notice is not understood"));
    *ignored = !notice->is_refund && notice->payment.state == PROVIDER_NOT_PAID;
    return PROVIDER_OK;
}

void alipay_notice_reply(struct request *request, bool taken)
{
    reply_bytes(request, 200, "text/plain", taken ? STR("success") : STR("fail"));
}
