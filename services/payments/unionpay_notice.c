/* UnionPay: notices (backUrl). */
#include "unionpay.h"

/* A notice has no time of its own and no number: it is of a transaction, and comes for an hour or two after it. What is
 * replayed says what was said before, so its id is made of what it says. */
static bool fill(struct arena *arena, const struct payment_form *form, struct provider_notice *notice)
{
    struct str number = payment_form_get(form, "orderId"), id = payment_form_get(form, "queryId");
    struct str currency = payment_form_get(form, "currencyCode");
    int64_t amount, at = unionpay_traced_at(arena, form);
    bool refund = str_is(payment_form_get(form, "txnType"), "04"), pay = str_is(payment_form_get(form, "txnType"), "01");
    if ((!refund && !pay) || !number.len || !id.len || !at || !str_to_i64(payment_form_get(form, "txnAmt"), &amount) ||
        amount <= 0 || (currency.len && !str_is(currency, "156")))
        return false;
    notice->id = str_printf(arena, "%.*s-%.*s", STR_ARG(id), STR_ARG(payment_form_get(form, "respCode")));
    notice->kind = refund ? STR("refund") : STR("payment");
    notice->is_refund = refund;
    if (refund) {
        notice->out_refund_no = number;
        notice->out_trade_no = payment_form_get(form, "origOrderId");
        notice->refund = (struct provider_refund_state){
            .state = PROVIDER_REFUND_SUCCESS, .refund_id = id, .amount_fen = amount, .ended_at = at};
        return true;
    }
    notice->out_trade_no = number;
    notice->payment =
        (struct provider_payment){.state = PROVIDER_PAID, .transaction_id = id, .amount_fen = amount, .paid_at = at};
    return true;
}

enum provider_outcome unionpay_notice_read(struct request *request, struct provider_notice *notice, bool *ignored,
                                           struct provider_fault *fault)
{
    struct arena *arena = request_arena(request);
    struct payment_form form;
    *notice = (struct provider_notice){.is_refund = false};
    *ignored = false;
    if (!payment_form_read(arena, request_raw_body(request), &form) || !unionpay_is_genuine(arena, &form))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("signature"), STR("not signed by UnionPay"));
    if (!str_equal(payment_form_get(&form, "merId"), unionpay->merchant))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("foreign"), STR("not of this merchant"));
    struct str code = payment_form_get(&form, "respCode");
    if (!fill(arena, &form, notice))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("garbage"), STR("the notice is not understood"));
    /* what failed says nothing final of a payment; of a refund the query does */
    *ignored = !str_is(code, "00") && !str_is(code, "A6");
    return PROVIDER_OK;
}

void unionpay_notice_reply(struct request *request, bool taken)
{
    reply_bytes(request, taken ? 200 : 500, "text/plain", taken ? STR("ok") : STR("again"));
}
