/* WeChat Pay: orders, queries, closing, refunds (API v3). */
#include "wechat.h"

enum { NO_CONTENT = 204 };

#define CODES_COMMON                                                                                                           \
    {"SYSTEM_ERROR", .unknown = true}, {"SYSTEMERROR", .unknown = true}, {"FREQUENCY_LIMITED", .unknown = true},               \
        {"FREQUENCY_LIMIT_EXCEED", .unknown = true}, {"RATELIMIT_EXCEEDED", .unknown = true}, {"BANK_ERROR", .unknown = true}, \
        {"BIZERR_NEED_RETRY", .unknown = true}, {"SIGN_ERROR", .reason = PROVIDER_REASON_CONFIGURATION},                       \
        {"NO_AUTH", .reason = PROVIDER_REASON_CONFIGURATION}, {"MCH_NOT_EXISTS", .reason = PROVIDER_REASON_CONFIGURATION},     \
        {"APPID_MCHID_NOT_MATCH", .reason = PROVIDER_REASON_CONFIGURATION}, {"ORDERPAID", .reason = PROVIDER_REASON_PAID},     \
        {"ORDER_CLOSED", .reason = PROVIDER_REASON_CLOSED}, {"ORDERCLOSED", .reason = PROVIDER_REASON_CLOSED},                 \
        {"OUT_TRADE_NO_USED", .reason = PROVIDER_REASON_USED}, {"ORDER_NOT_EXIST", .reason = PROVIDER_REASON_NO_ORDER},        \
        {"ORDERNOTEXIST", .reason = PROVIDER_REASON_NO_ORDER},                                                                 \
    {                                                                                                                          \
        "NOT_ENOUGH", .reason = PROVIDER_REASON_NO_BALANCE                                                                     \
    }

static const struct provider_code order_codes[] = {
    CODES_COMMON,
    {"RESOURCE_NOT_EXISTS", .reason = PROVIDER_REASON_NO_ORDER},
    {NULL},
};
static const struct provider_code refund_codes[] = {
    CODES_COMMON,
    {"RESOURCE_NOT_EXISTS", .reason = PROVIDER_REASON_NO_REFUND},
    {"INVALID_REQUEST", .reason = PROVIDER_REASON_TOO_MUCH}, /* what it says of an amount above what is left */
    {NULL},
};

/* ---- orders ---- */

static const char *const channels[] = {
    [PROVIDER_APP] = "app", [PROVIDER_H5] = "h5", [PROVIDER_NATIVE] = "native", [PROVIDER_JSAPI] = "jsapi"};

static struct str order_body(struct arena *arena, const struct provider_order *order)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "appid", wechat->app_id);
    json_field(&out, "mchid", wechat->merchant);
    json_field(&out, "description", provider_words(arena, order->description));
    json_field(&out, "out_trade_no", order->trade.out_trade_no);
    json_field(&out, "time_expire", time_rfc3339(arena, order->expires_at));
    json_field(&out, "notify_url", provider_notify_url(arena, "wechat"));
    json_key(&out, "amount");
    json_object(&out);
    json_field_i64(&out, "total", order->amount_fen);
    json_field_c(&out, "currency", "CNY");
    json_end(&out);
    if (order->channel == PROVIDER_JSAPI) {
        json_key(&out, "payer");
        json_object(&out);
        json_field(&out, "openid", order->payer);
        json_end(&out);
    }
    if (order->channel == PROVIDER_H5) {
        json_key(&out, "scene_info");
        json_object(&out);
        json_field(&out, "payer_client_ip", order->payer_address);
        json_key(&out, "h5_info");
        json_object(&out);
        json_field_c(&out, "type", "Wap");
    }
    json_end_all(&out);
    return text_str(&text);
}

static void write_app(struct json_out *out, struct arena *arena, struct str prepay_id)
{
    struct str nonce = provider_nonce(arena), timestamp = str_printf(arena, "%lld", (long long)(clock_wall() / seconds(1)));
    struct str text = wechat_bridge_text(arena, wechat->app_id, timestamp, nonce, prepay_id);
    json_field(out, "appid", wechat->app_id);
    json_field(out, "partnerid", wechat->merchant);
    json_field(out, "prepayid", prepay_id);
    json_field_c(out, "package", "Sign=WXPay");
    json_field(out, "noncestr", nonce);
    json_field(out, "timestamp", timestamp);
    json_field(out, "sign", payment_sign(arena, wechat->key, text));
}

static void write_jsapi(struct json_out *out, struct arena *arena, struct str prepay_id)
{
    struct str nonce = provider_nonce(arena), timestamp = str_printf(arena, "%lld", (long long)(clock_wall() / seconds(1)));
    struct str package = str_printf(arena, "prepay_id=%.*s", STR_ARG(prepay_id));
    struct str text = wechat_bridge_text(arena, wechat->app_id, timestamp, nonce, package);
    json_field(out, "appId", wechat->app_id);
    json_field(out, "timeStamp", timestamp);
    json_field(out, "nonceStr", nonce);
    json_field(out, "package", package);
    json_field_c(out, "signType", "RSA");
    json_field(out, "paySign", payment_sign(arena, wechat->key, text));
}

/* The member of the answer that each channel waits for. */
static const char *const members[] = {
    [PROVIDER_APP] = "prepay_id", [PROVIDER_H5] = "h5_url", [PROVIDER_NATIVE] = "code_url", [PROVIDER_JSAPI] = "prepay_id"};

static struct str cashier_text(struct arena *arena, enum provider_channel channel, struct str got)
{
    struct text text = text_open(arena, 1024);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_c(&out, "channel", channels[channel]);
    if (channel == PROVIDER_APP)
        write_app(&out, arena, got);
    else if (channel == PROVIDER_JSAPI)
        write_jsapi(&out, arena, got);
    else
        json_field(&out, channel == PROVIDER_H5 ? "url" : "code", got);
    json_end_all(&out);
    return text_str(&text);
}

static enum provider_outcome make_order(struct arena *arena, const struct provider_order *order, struct str *cashier,
                                        struct provider_fault *fault)
{
    struct wechat_answer answer;
    struct str target = str_printf(arena, "/v3/pay/transactions/%s", channels[order->channel]);
    enum provider_outcome outcome =
        wechat_call(arena, STR("POST"), target, order_body(arena, order), order_codes, &answer, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    struct str got = json_get_string(answer.json, members[order->channel], STR(""));
    if (!got.len)
        return provider_unknown(fault, "garbage", STR("the answer has nothing for the app"));
    *cashier = cashier_text(arena, order->channel, got);
    return PROVIDER_OK;
}

static const struct {
    const char *name;
    enum provider_payment_state state;
} trade_states[] = {
    {"SUCCESS", PROVIDER_PAID},   {"REFUND", PROVIDER_REFUNDED},   {"NOTPAY", PROVIDER_NOT_PAID}, {"CLOSED", PROVIDER_CLOSED},
    {"REVOKED", PROVIDER_CLOSED}, {"USERPAYING", PROVIDER_PAYING}, {"PAYERROR", PROVIDER_FAILED},
};

/* Without an amount where nothing was paid; otherwise in CNY. */
static bool read_amount(const struct json *json, const char *name, int64_t *fen)
{
    const struct json *amount = json_get(json, "amount");
    *fen = json_get_integer(amount, name, -1);
    return *fen >= 0 && str_is(json_get_string(amount, "currency", STR("CNY")), "CNY");
}

bool wechat_payment_read(const struct json *json, struct provider_payment *payment)
{
    struct str state = json_get_string(json, "trade_state", STR(""));
    *payment = (struct provider_payment){.transaction_id = json_get_string(json, "transaction_id", STR(""))};
    size_t i = 0;
    while (i < COUNT_OF(trade_states) && !str_is(state, trade_states[i].name))
        i++;
    if (i == COUNT_OF(trade_states) || !str_equal(json_get_string(json, "mchid", STR("")), wechat->merchant))
        return false;
    payment->state = trade_states[i].state;
    bool paid = payment->state == PROVIDER_PAID || payment->state == PROVIDER_REFUNDED;
    if (!read_amount(json, "total", &payment->amount_fen)) {
        payment->amount_fen = 0;
        return !paid && !json_get(json, "amount");
    }
    return !paid || (payment->transaction_id.len && payment->amount_fen > 0 &&
                     time_parse_rfc3339(json_get_string(json, "success_time", STR("")), &payment->paid_at));
}

static enum provider_outcome query(struct arena *arena, const struct provider_trade *trade, struct provider_payment *payment,
                                   struct provider_fault *fault)
{
    struct wechat_answer answer;
    struct str target = str_printf(arena, "/v3/pay/transactions/out-trade-no/%.*s?mchid=%.*s", STR_ARG(trade->out_trade_no),
                                   STR_ARG(wechat->merchant));
    enum provider_outcome outcome = wechat_call(arena, STR("GET"), target, STR(""), order_codes, &answer, fault);
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_NO_ORDER) {
        *payment = (struct provider_payment){.state = PROVIDER_NOT_FOUND};
        return PROVIDER_OK;
    }
    if (outcome == PROVIDER_OK && !(str_equal(json_get_string(answer.json, "out_trade_no", STR("")), trade->out_trade_no) &&
                                    wechat_payment_read(answer.json, payment)))
        return provider_unknown(fault, "garbage", STR("the answer is not of this order"));
    return outcome;
}

static enum provider_outcome close_order(struct arena *arena, const struct provider_trade *trade, struct provider_fault *fault)
{
    struct wechat_answer answer;
    struct str target = str_printf(arena, "/v3/pay/transactions/out-trade-no/%.*s/close", STR_ARG(trade->out_trade_no));
    struct str body = str_printf(arena, "{\"mchid\":\"%.*s\"}", STR_ARG(wechat->merchant));
    enum provider_outcome outcome = wechat_call(arena, STR("POST"), target, body, order_codes, &answer, fault);
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_CLOSED)
        return PROVIDER_OK;
    if (outcome == PROVIDER_OK && answer.status != NO_CONTENT)
        return provider_unknown(fault, "garbage", STR("closing is answered by 204"));
    return outcome;
}

/* ---- refunds ---- */

static struct str refund_body(struct arena *arena, const struct provider_refund *refund)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "out_trade_no", refund->trade.out_trade_no);
    json_field(&out, "out_refund_no", refund->out_refund_no);
    if (refund->reason.len)
        json_field(&out, "reason", provider_words(arena, refund->reason));
    json_field(&out, "notify_url", provider_notify_url(arena, "wechat"));
    json_key(&out, "amount");
    json_object(&out);
    json_field_i64(&out, "refund", refund->amount_fen);
    json_field_i64(&out, "total", refund->total_fen);
    json_field_c(&out, "currency", "CNY");
    json_end_all(&out);
    return text_str(&text);
}

static const struct {
    const char *name;
    enum provider_refund_progress state;
} refund_states[] = {
    {"SUCCESS", PROVIDER_REFUND_SUCCESS},
    {"CLOSED", PROVIDER_REFUND_CLOSED},
    {"PROCESSING", PROVIDER_REFUND_PROCESSING},
    {"ABNORMAL", PROVIDER_REFUND_ABNORMAL},
};

/* Answers say `status`, notices `refund_status`. */
bool wechat_refund_read(const struct json *json, struct provider_refund_state *state)
{
    struct str name = json_get_string(json, "status", json_get_string(json, "refund_status", STR("")));
    struct str at = json_get_string(json, "success_time", STR(""));
    *state = (struct provider_refund_state){.refund_id = json_get_string(json, "refund_id", STR(""))};
    size_t i = 0;
    while (i < COUNT_OF(refund_states) && !str_is(name, refund_states[i].name))
        i++;
    if (i == COUNT_OF(refund_states) || !read_amount(json, "refund", &state->amount_fen))
        return false;
    state->state = refund_states[i].state;
    return !at.len || time_parse_rfc3339(at, &state->ended_at);
}

static enum provider_outcome read_refund(enum provider_outcome outcome, const struct wechat_answer *answer,
                                         const struct provider_refund *refund, struct provider_refund_state *state,
                                         struct provider_fault *fault)
{
    if (outcome == PROVIDER_OK && !(str_equal(json_get_string(answer->json, "out_refund_no", STR("")), refund->out_refund_no) &&
                                    wechat_refund_read(answer->json, state)))
        return provider_unknown(fault, "garbage", STR("the answer is not of this refund"));
    return outcome;
}

static enum provider_outcome make_refund(struct arena *arena, const struct provider_refund *refund,
                                         struct provider_refund_state *state, struct provider_fault *fault)
{
    struct wechat_answer answer;
    enum provider_outcome outcome = wechat_call(arena, STR("POST"), STR("/v3/refund/domestic/refunds"),
                                                refund_body(arena, refund), refund_codes, &answer, fault);
    return read_refund(outcome, &answer, refund, state, fault);
}

static enum provider_outcome query_refund(struct arena *arena, const struct provider_refund *refund,
                                          struct provider_refund_state *state, struct provider_fault *fault)
{
    struct wechat_answer answer;
    struct str target = str_printf(arena, "/v3/refund/domestic/refunds/%.*s", STR_ARG(refund->out_refund_no));
    enum provider_outcome outcome = wechat_call(arena, STR("GET"), target, STR(""), refund_codes, &answer, fault);
    if (outcome == PROVIDER_REFUSED && fault->reason == PROVIDER_REASON_NO_REFUND) {
        *state = (struct provider_refund_state){.state = PROVIDER_REFUND_NOT_FOUND};
        return PROVIDER_OK;
    }
    return read_refund(outcome, &answer, refund, state, fault);
}

const struct provider wechat_provider = {
    .name = "wechat",
    .title = BILINGUAL("微信支付", "WeChat Pay"),
    .order = make_order,
    .query = query,
    .close = close_order,
    .refund = make_refund,
    .refund_query = query_refund,
    .notice_read = wechat_notice_read,
    .notice_reply = wechat_notice_reply,
    .bill_file = wechat_bill_file,
};
