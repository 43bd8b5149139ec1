/* Alipay: orders, queries, closing, refunds. */
#include "alipay.h"

#define CODES_COMMON                                                                                                           \
    {"ACQ.SYSTEM_ERROR", .unknown = true}, {"aop.ACQ.SYSTEM_ERROR", .unknown = true},                                          \
        {"ACQ.TRADE_NOT_EXIST", .reason = PROVIDER_REASON_NO_ORDER},                                                           \
        {"ACQ.TRADE_HAS_SUCCESS", .reason = PROVIDER_REASON_PAID}, {"ACQ.TRADE_HAS_CLOSE", .reason = PROVIDER_REASON_CLOSED},  \
        {"ACQ.CONTEXT_INCONSISTENT", .reason = PROVIDER_REASON_USED},                                                          \
        {"ACQ.SELLER_BALANCE_NOT_ENOUGH", .reason = PROVIDER_REASON_NO_BALANCE},                                               \
        {"ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", .reason = PROVIDER_REASON_TOO_MUCH},                                                \
        {"ACQ.TRADE_HAS_FINISHED", .reason = PROVIDER_REASON_CLOSED},                                                          \
    {                                                                                                                          \
        "ACQ.ACCESS_FORBIDDEN", .reason = PROVIDER_REASON_CONFIGURATION                                                        \
    }

static const struct provider_code codes[] = {CODES_COMMON, {NULL}};
/* Closing what is no longer waiting: paid, or closed already; the query tells. */
static const struct provider_code close_codes[] = {
    CODES_COMMON,
    {"ACQ.TRADE_STATUS_ERROR", .reason = PROVIDER_REASON_NOT_CLOSABLE},
    {"ACQ.REASON_TRADE_STATUS_INVALID", .reason = PROVIDER_REASON_NOT_CLOSABLE},
    {"ACQ.REASON_ILLEGAL_STATUS", .reason = PROVIDER_REASON_NOT_CLOSABLE},
    {NULL},
};

/* ---- orders ---- */

/* How each channel is ordered: `member` of the answer, or a form that goes by the payer's phone. */
static const struct channel {
    const char *name, *method, *product;
    const char *member; /* NULL: nothing is sent from here */
    const char *cashier;
} channels[] = {
    [PROVIDER_APP] = {"app", "alipay.trade.app.pay", "QUICK_MSECURITY_PAY", NULL, "order"},
    [PROVIDER_H5] = {"h5", "alipay.trade.wap.pay", "QUICK_WAP_WAY", NULL, "url"},
    [PROVIDER_NATIVE] = {"native", "alipay.trade.precreate", "FACE_TO_FACE_PAYMENT", "qr_code", "code"},
    [PROVIDER_JSAPI] = {"jsapi", "alipay.trade.create", "JSAPI_PAY", "trade_no", "trade_no"},
};

static struct str order_content(struct arena *arena, const struct provider_order *order)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "out_trade_no", order->trade.out_trade_no);
    json_field(&out, "total_amount", payment_yuan(arena, order->amount_fen));
    json_field(&out, "subject", provider_words(arena, order->description));
    json_field_c(&out, "product_code", channels[order->channel].product);
    json_field(&out, "time_expire", provider_time_spaced(arena, order->expires_at));
    json_field(&out, "seller_id", alipay.merchant);
    if (order->channel == PROVIDER_JSAPI) {
        json_field(&out, "buyer_id", order->payer);
        json_field(&out, "op_app_id", alipay.app_id);
    }
    if (order->channel == PROVIDER_H5)
        json_field(&out, "quit_url", provider_return_url());
    json_end_all(&out);
    return text_str(&text);
}

static struct str cashier_text(struct arena *arena, const struct channel *channel, struct str value)
{
    struct text text = text_open(arena, 1024);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_c(&out, "channel", channel->name);
    json_field(&out, channel->cashier, value);
    json_end_all(&out);
    return text_str(&text);
}

static struct str signed_order(struct arena *arena, const struct provider_order *order)
{
    struct payment_form form;
    alipay_form(arena, channels[order->channel].method, order_content(arena, order), true, &form);
    struct str query = payment_form_write(arena, &form);
    if (order->channel == PROVIDER_APP)
        return query;
    return str_printf(arena, "%.*s?%.*s", STR_ARG(alipay.address), STR_ARG(query));
}

static enum provider_outcome make_order(struct arena *arena, const struct provider_order *order, struct str *cashier,
                                        struct provider_fault *fault)
{
    const struct channel *channel = &channels[order->channel];
    const struct json *answer;
    if (!channel->member) {
        *cashier = cashier_text(arena, channel, signed_order(arena, order));
        return PROVIDER_OK;
    }
    enum provider_outcome outcome =
        alipay_call(arena, channel->method, order_content(arena, order), true, codes, &answer, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    struct str got = json_get_string(answer, channel->member, STR(""));
    if (!got.len || !str_equal(json_get_string(answer, "out_trade_no", STR("")), order->trade.out_trade_no))
        return provider_unknown(fault, "garbage", STR("the answer is not of this order"));
    *cashier = cashier_text(arena, channel, got);
    return PROVIDER_OK;
}

static const struct {
    const char *name;
    enum provider_payment_state state;
} states[] = {
    {"WAIT_BUYER_PAY", PROVIDER_NOT_PAID},
    {"TRADE_CLOSED", PROVIDER_CLOSED},
    {"TRADE_SUCCESS", PROVIDER_PAID},
    {"TRADE_FINISHED", PROVIDER_PAID},
};

bool alipay_state_named(struct str name, bool was_paid, enum provider_payment_state *state)
{
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        if (!str_is(name, states[i].name))
            continue;
        *state = states[i].state == PROVIDER_CLOSED && was_paid ? PROVIDER_REFUNDED : states[i].state;
        return true;
    }
    return false;
}

static struct str trade_content(struct arena *arena, const struct provider_trade *trade)
{
    return str_printf(arena, "{\"out_trade_no\":\"%.*s\"}", STR_ARG(trade->out_trade_no));
}

static bool read_payment(const struct json *answer, struct provider_payment *payment)
{
    struct str at = json_get_string(answer, "send_pay_date", STR(""));
    *payment = (struct provider_payment){.transaction_id = json_get_string(answer, "trade_no", STR(""))};
    if (!alipay_state_named(json_get_string(answer, "trade_status", STR("")), at.len > 0, &payment->state) ||
        !payment_fen(json_get_string(answer, "total_amount", STR("")), false, &payment->amount_fen))
        return false;
    if (payment->state != PROVIDER_PAID && payment->state != PROVIDER_REFUNDED)
        return true;
    return payment->transaction_id.len && payment->amount_fen > 0 && provider_time_read_spaced(at, &payment->paid_at);
}

static enum provider_outcome query(struct arena *arena, const struct provider_trade *trade, struct provider_payment *payment,
                                   struct provider_fault *fault)
{
    const struct json *answer;
    enum provider_outcome outcome =
        alipay_call(arena, "alipay.trade.query", trade_content(arena, trade), false, codes, &answer, fault);
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_NO_ORDER) {
        *payment = (struct provider_payment){.state = PROVIDER_NOT_FOUND};
        return PROVIDER_OK;
    }
    if (outcome == PROVIDER_OK &&
        !(str_equal(json_get_string(answer, "out_trade_no", STR("")), trade->out_trade_no) && read_payment(answer, payment)))
        return provider_unknown(fault, "garbage", STR("the answer is not of this order"));
    return outcome;
}

static enum provider_outcome close_order(struct arena *arena, const struct provider_trade *trade, struct provider_fault *fault)
{
    const struct json *answer;
    struct provider_payment payment;
    enum provider_outcome outcome =
        alipay_call(arena, "alipay.trade.close", trade_content(arena, trade), false, close_codes, &answer, fault);
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_CLOSED)
        return PROVIDER_OK;
    if (outcome != PROVIDER_REFUSED || fault->reason != PROVIDER_REASON_NOT_CLOSABLE)
        return outcome;
    struct provider_fault refusal = *fault;
    outcome = query(arena, trade, &payment, fault);
    if (outcome != PROVIDER_OK || payment.state == PROVIDER_CLOSED)
        return outcome;
    *fault = refusal;
    if (payment.state == PROVIDER_PAID || payment.state == PROVIDER_REFUNDED)
        fault->reason = PROVIDER_REASON_PAID;
    return PROVIDER_REFUSED;
}

/* ---- refunds ---- */

static enum provider_outcome query_refund(struct arena *arena, const struct provider_refund *refund,
                                          struct provider_refund_state *state, struct provider_fault *fault)
{
    const struct json *answer;
    struct str content =
        str_printf(arena, "{\"out_trade_no\":\"%.*s\",\"out_request_no\":\"%.*s\",\"query_options\":[\"gmt_refund_pay\"]}",
                   STR_ARG(refund->trade.out_trade_no), STR_ARG(refund->out_refund_no));
    enum provider_outcome outcome =
        alipay_call(arena, "alipay.trade.fastpay.refund.query", content, false, codes, &answer, fault);
    *state = (struct provider_refund_state){.state = PROVIDER_REFUND_NOT_FOUND};
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_NO_ORDER)
        return PROVIDER_OK;
    struct str amount = outcome == PROVIDER_OK ? json_get_string(answer, "refund_amount", STR("")) : STR("");
    if (outcome != PROVIDER_OK || !amount.len) /* a refund that it does not know has no amount */
        return outcome;
    if (!str_equal(json_get_string(answer, "out_request_no", STR("")), refund->out_refund_no) ||
        !payment_fen(amount, false, &state->amount_fen))
        return provider_unknown(fault, "garbage", STR("the answer is not of this refund"));
    bool done = str_is(json_get_string(answer, "refund_status", STR("")), "REFUND_SUCCESS");
    state->state = done ? PROVIDER_REFUND_SUCCESS : PROVIDER_REFUND_PROCESSING;
    if (done && !provider_time_read_spaced(json_get_string(answer, "gmt_refund_pay", STR("")), &state->ended_at))
        state->ended_at = 0;
    return PROVIDER_OK;
}

static struct str refund_content(struct arena *arena, const struct provider_refund *refund)
{
    struct text text = text_open(arena, 256);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "out_trade_no", refund->trade.out_trade_no);
    json_field(&out, "out_request_no", refund->out_refund_no);
    json_field(&out, "refund_amount", payment_yuan(arena, refund->amount_fen));
    if (refund->reason.len)
        json_field(&out, "refund_reason", provider_words(arena, refund->reason));
    json_end_all(&out);
    return text_str(&text);
}

/* fund_change says Y only the first time: a refund that is asked for again, and one that goes slowly, say N; the query knows.
 * The amount of the answer is the sum of all refunds of the trade. */
static enum provider_outcome make_refund(struct arena *arena, const struct provider_refund *refund,
                                         struct provider_refund_state *state, struct provider_fault *fault)
{
    const struct json *answer;
    enum provider_outcome outcome =
        alipay_call(arena, "alipay.trade.refund", refund_content(arena, refund), false, codes, &answer, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    if (!str_equal(json_get_string(answer, "out_trade_no", STR("")), refund->trade.out_trade_no))
        return provider_unknown(fault, "garbage", STR("the answer is not of this order"));
    if (!str_is(json_get_string(answer, "fund_change", STR("")), "Y"))
        return query_refund(arena, refund, state, fault);
    *state = (struct provider_refund_state){
        .state = PROVIDER_REFUND_SUCCESS, .refund_id = STR(""), .amount_fen = refund->amount_fen, .ended_at = clock_wall()};
    return PROVIDER_OK;
}

const struct provider alipay_provider = {
    .name = "alipay",
    .title = BILINGUAL("支付宝", "Alipay"),
    .order = make_order,
    .query = query,
    .close = close_order,
    .refund = make_refund,
    .refund_query = query_refund,
    .notice_read = alipay_notice_read,
    .notice_reply = alipay_notice_reply,
    .bill_file = alipay_bill_file,
};
