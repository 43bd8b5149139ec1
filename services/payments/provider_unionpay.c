/* UnionPay (acp 5.1.0): orders, queries, refunds. It closes nothing: an order expires. */
#include "unionpay.h"

#define PAY "01"
#define REFUND "04"
#define QUERY "00"
#define GATEWAY "000201" /* bizType */
#define CODE "000000"

static const struct provider_code codes[] = {
    {"03", .unknown = true},
    {"04", .unknown = true},
    {"05", .unknown = true}, /* under way, or timed out behind it */
    {"01", .unknown = true},
    {"02", .unknown = true},
    {"06", .unknown = true}, /* it is busy */
    {"10", .reason = PROVIDER_REASON_CONFIGURATION},
    {"11", .reason = PROVIDER_REASON_CONFIGURATION},
    {"12", .reason = PROVIDER_REASON_USED},
    {"13", .reason = PROVIDER_REASON_CONFIGURATION},
    {"33", .reason = PROVIDER_REASON_TOO_MUCH},
    {"34", .reason = PROVIDER_REASON_NO_ORDER},
    {"36", .reason = PROVIDER_REASON_TOO_MUCH},
    {NULL},
};

/* ---- orders ---- */

static void add_payment(struct arena *arena, struct payment_form *form, const struct provider_order *order)
{
    unionpay_form_name(arena, form, order->trade.out_trade_no, order->trade.ordered_at);
    payment_form_add(form, "txnAmt", str_printf(arena, "%lld", (long long)order->amount_fen));
    payment_form_add(form, "currencyCode", STR("156"));
    payment_form_add(form, "orderDesc", provider_words(arena, order->description));
    payment_form_add(form, "backUrl", provider_notify_url(arena, "unionpay"));
    payment_form_add(form, "payTimeout", provider_time_packed(arena, order->expires_at));
}

static struct str cashier_text(struct arena *arena, const char *channel, const char *name, struct str value)
{
    struct text text = text_open(arena, 1024);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_c(&out, "channel", channel);
    json_field(&out, name, value);
    if (str_is(str_of(name), "tn"))
        json_field_c(&out, "mode", "00");
    json_end_all(&out);
    return text_str(&text);
}

/* The page is opened by a form that the payer's browser posts. */
static struct str page_text(struct arena *arena, const struct payment_form *form)
{
    struct text text = text_open(arena, 2048);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_c(&out, "channel", "h5");
    json_field(&out, "url", str_printf(arena, "%.*s/frontTransReq.do", STR_ARG(unionpay->address)));
    json_key(&out, "fields");
    json_object(&out);
    for (size_t i = 0; i < form->count; i++) {
        json_key_str(&out, form->fields[i].name);
        json_put(&out, form->fields[i].value);
    }
    json_end_all(&out);
    return text_str(&text);
}

static enum provider_outcome order_page(struct arena *arena, const struct provider_order *order, struct str *cashier)
{
    struct payment_form form;
    unionpay_form(&form, PAY, "01", GATEWAY);
    payment_form_add(&form, "channelType", STR("08"));
    payment_form_add(&form, "frontUrl", provider_return_url());
    add_payment(arena, &form, order);
    unionpay_form_sign(arena, &form, unionpay->key);
    *cashier = page_text(arena, &form);
    return PROVIDER_OK;
}

static enum provider_outcome order_called(struct arena *arena, const struct provider_order *order, struct str *cashier,
                                          struct provider_fault *fault)
{
    struct payment_form form, answer;
    bool app = order->channel == PROVIDER_APP;
    unionpay_form(&form, PAY, app ? "01" : "07", app ? GATEWAY : CODE);
    payment_form_add(&form, "channelType", STR("08"));
    add_payment(arena, &form, order);
    enum provider_outcome outcome =
        unionpay_call(arena, unionpay->peer, app ? "appTransReq.do" : "backTransReq.do", &form, codes, &answer, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    struct str got = payment_form_get(&answer, app ? "tn" : "qrCode");
    if (!got.len || !str_equal(payment_form_get(&answer, "orderId"), order->trade.out_trade_no))
        return provider_unknown(fault, "garbage", STR("the answer is not of this order"));
    *cashier = app ? cashier_text(arena, "app", "tn", got) : cashier_text(arena, "native", "code", got);
    return PROVIDER_OK;
}

static enum provider_outcome make_order(struct arena *arena, const struct provider_order *order, struct str *cashier,
                                        struct provider_fault *fault)
{
    if (order->channel == PROVIDER_JSAPI)
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("channel"), STR("UnionPay has no such channel"));
    if (order->channel == PROVIDER_H5)
        return order_page(arena, order, cashier);
    return order_called(arena, order, cashier, fault);
}

/* ---- queries ---- */

enum state { STATE_NONE, STATE_DONE, STATE_RUNNING, STATE_FAILED };

/* Of a payment or a refund, by its number and time; *answer is to be read when it is done. */
static enum provider_outcome ask(struct arena *arena, struct str number, int64_t at, enum state *state,
                                 struct payment_form *answer, struct provider_fault *fault)
{
    struct payment_form form;
    unionpay_form(&form, QUERY, "00", CODE);
    payment_form_add(&form, "channelType", STR("07"));
    unionpay_form_name(arena, &form, number, at);
    enum provider_outcome outcome = unionpay_call(arena, unionpay->peer, "queryTrans.do", &form, codes, answer, fault);
    *state = STATE_NONE;
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_NO_ORDER)
        return PROVIDER_OK;
    if (outcome != PROVIDER_OK)
        return outcome;
    if (!str_equal(payment_form_get(answer, "orderId"), number))
        return provider_unknown(fault, "garbage", STR("the answer is of something else"));
    struct str code = payment_form_get(answer, "origRespCode");
    bool done = str_is(code, "00") || str_is(code, "A6"),
         running = str_is(code, "03") || str_is(code, "04") || str_is(code, "05");
    *state = done ? STATE_DONE : running || !code.len ? STATE_RUNNING : STATE_FAILED;
    return PROVIDER_OK;
}

static bool read_amount(const struct payment_form *form, int64_t *fen)
{
    struct str currency = payment_form_get(form, "currencyCode");
    return str_to_i64(payment_form_get(form, "txnAmt"), fen) && *fen > 0 && (!currency.len || str_is(currency, "156"));
}

/* A failed attempt is no end: until the order expires its payer may try again. */
static enum provider_outcome query(struct arena *arena, const struct provider_trade *trade, struct provider_payment *payment,
                                   struct provider_fault *fault)
{
    static const enum provider_payment_state states[] = {[STATE_NONE] = PROVIDER_NOT_FOUND,
                                                         [STATE_DONE] = PROVIDER_PAID,
                                                         [STATE_RUNNING] = PROVIDER_PAYING,
                                                         [STATE_FAILED] = PROVIDER_NOT_PAID};
    struct payment_form answer;
    enum state state;
    enum provider_outcome outcome = ask(arena, trade->out_trade_no, trade->ordered_at, &state, &answer, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    *payment = (struct provider_payment){.state = states[state], .transaction_id = STR("")};
    if (state != STATE_DONE)
        return PROVIDER_OK;
    payment->transaction_id = payment_form_get(&answer, "queryId");
    payment->paid_at = unionpay_traced_at(arena, &answer);
    if (!payment->transaction_id.len || !read_amount(&answer, &payment->amount_fen) || !payment->paid_at)
        return provider_unknown(fault, "garbage", STR("the answer does not say what was paid"));
    return PROVIDER_OK;
}

static enum provider_outcome close_order(struct arena *arena, const struct provider_trade *trade, struct provider_fault *fault)
{
    struct provider_payment payment;
    enum provider_outcome outcome = query(arena, trade, &payment, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    if (payment.state == PROVIDER_PAID)
        return provider_refused(fault, PROVIDER_REASON_PAID, STR("paid"), STR("the order is paid"));
    return provider_refused(fault, PROVIDER_REASON_NOT_CLOSABLE, STR("expires"),
                            STR("an order of UnionPay ends when it expires"));
}

/* ---- refunds ---- */

static enum provider_outcome query_refund(struct arena *arena, const struct provider_refund *refund,
                                          struct provider_refund_state *state, struct provider_fault *fault)
{
    static const enum provider_refund_progress states[] = {[STATE_NONE] = PROVIDER_REFUND_NOT_FOUND,
                                                           [STATE_DONE] = PROVIDER_REFUND_SUCCESS,
                                                           [STATE_RUNNING] = PROVIDER_REFUND_PROCESSING,
                                                           [STATE_FAILED] = PROVIDER_REFUND_CLOSED};
    struct payment_form answer;
    enum state found;
    enum provider_outcome outcome = ask(arena, refund->out_refund_no, refund->requested_at, &found, &answer, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    *state = (struct provider_refund_state){.state = states[found], .refund_id = STR(""), .amount_fen = refund->amount_fen};
    if (found == STATE_NONE)
        return PROVIDER_OK;
    state->refund_id = payment_form_get(&answer, "queryId");
    if (found == STATE_DONE)
        state->ended_at = unionpay_traced_at(arena, &answer);
    if (found == STATE_DONE && (!read_amount(&answer, &state->amount_fen) || !state->refund_id.len))
        return provider_unknown(fault, "garbage", STR("the answer does not say what was refunded"));
    return PROVIDER_OK;
}

static enum provider_outcome make_refund(struct arena *arena, const struct provider_refund *refund,
                                         struct provider_refund_state *state, struct provider_fault *fault)
{
    struct payment_form form, answer;
    unionpay_form(&form, REFUND, "00", GATEWAY);
    payment_form_add(&form, "channelType", STR("07"));
    unionpay_form_name(arena, &form, refund->out_refund_no, refund->requested_at);
    payment_form_add(&form, "txnAmt", str_printf(arena, "%lld", (long long)refund->amount_fen));
    payment_form_add(&form, "origQryId", refund->transaction_id);
    payment_form_add(&form, "backUrl", provider_notify_url(arena, "unionpay"));
    enum provider_outcome outcome = unionpay_call(arena, unionpay->peer, "backTransReq.do", &form, codes, &answer, fault);
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_USED) /* asked for before */
        return query_refund(arena, refund, state, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    if (!str_equal(payment_form_get(&answer, "orderId"), refund->out_refund_no))
        return provider_unknown(fault, "garbage", STR("the answer is not of this refund"));
    *state = (struct provider_refund_state){.state = PROVIDER_REFUND_PROCESSING,
                                            .refund_id = payment_form_get(&answer, "queryId"),
                                            .amount_fen = refund->amount_fen};
    return PROVIDER_OK;
}

const struct provider unionpay_provider = {
    .name = "unionpay",
    .title = BILINGUAL("云闪付", "UnionPay"),
    .order = make_order,
    .query = query,
    .close = close_order,
    .refund = make_refund,
    .refund_query = query_refund,
    .notice_read = unionpay_notice_read,
    .notice_reply = unionpay_notice_reply,
    .bill_file = unionpay_bill_file,
};
