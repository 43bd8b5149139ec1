/* WeChat Pay (API v3), played. */
#include <shimin/id.h>
#include <stdlib.h>

#include "stand.h"

enum { SKEW = 300, NO_CONTENT = 204 };

static void fail(struct stand_call *call, unsigned status, const char *code, const char *message)
{
    call->status = status;
    call->body = str_printf(call->arena, "{\"code\":\"%s\",\"message\":\"%s\"}", code, message);
}

static void send_answer(struct stand_call *call)
{
    struct arena *arena = call->arena;
    struct str timestamp = str_printf(arena, "%lld", (long long)(clock_wall() / seconds(1))), nonce = stand_random(arena, 32);
    struct str signature = payment_sign(arena, stand.wechat, wechat_answer_text(arena, timestamp, nonce, call->body));
    if (call->mood.answer == MOOD_BAD_SIGNATURE)
        signature = stand_spoil(arena, signature);
    if (call->body.len)
        reply_bytes(call->request, call->status, "application/json", call->body);
    else
        reply_empty(call->request, call->status);
    reply_header(call->request, "wechatpay-timestamp", timestamp);
    reply_header(call->request, "wechatpay-nonce", nonce);
    reply_header(call->request, "wechatpay-signature", signature);
    reply_header(call->request, "wechatpay-serial", payment_key_serial(stand.wechat_certificate));
}

/* ---- requests ---- */

/* name="value" of the Authorization field. */
static struct str part(struct str field, const char *name)
{
    ptrdiff_t at = str_find(field, str_of(name));
    if (at < 0)
        return STR("");
    struct str rest = str_slice(field, (size_t)at + strlen(name), field.len);
    return str_cut(&rest, '"');
}

static const char *fault_of(struct stand_call *call)
{
    struct request *request = call->request;
    struct str field = request_field(request, STR("authorization")), query = request->query;
    struct str timestamp = part(field, "timestamp=\""), target = request->path;
    int64_t at;
    if (query.len)
        target = str_printf(call->arena, "%.*s?%.*s", STR_ARG(request->path), STR_ARG(query));
    if (!str_starts(field, STR("WECHATPAY2-SHA256-RSA2048 ")))
        return "the Authorization field is missing";
    if (!str_equal(part(field, "mchid=\""), stand.wechat_id))
        return "the merchant is unknown";
    if (!str_equal_nocase(part(field, "serial_no=\""), payment_key_serial(stand.wechat_merchant)))
        return "the serial number is unknown";
    if (!str_to_i64(timestamp, &at) || llabs(clock_wall() / seconds(1) - at) > SKEW)
        return "the timestamp is too old";
    if (!payment_verify(stand.wechat_merchant,
                        wechat_request_text(call->arena, request->method, target, timestamp, part(field, "nonce_str=\""),
                                            request->body_bytes),
                        part(field, "signature=\"")))
        return "the signature does not hold";
    if (!request_field(request, STR("user-agent")).len || !request_field(request, STR("accept")).len)
        return "User-Agent and Accept are required";
    return NULL;
}

static enum mood_operation operation_of(struct str method, struct str path)
{
    bool post = str_is(method, "POST");
    if (str_starts(path, STR("/v3/refund/")))
        return post ? MOOD_REFUND : MOOD_REFUND_QUERY;
    if (str_starts(path, STR("/v3/bill")))
        return MOOD_BILL;
    if (str_ends(path, STR("/close")))
        return MOOD_CLOSE;
    return post ? MOOD_ORDER : MOOD_QUERY;
}

static bool read_call(struct stand_call *call)
{
    struct json_error error;
    struct str body = call->request->body_bytes;
    const char *fault = fault_of(call);
    if (!fault && body.len && !(call->json = json_parse(call->arena, body, &json_limits_request, &error)))
        fault = "the body is no JSON";
    call->operation = operation_of(call->request->method, call->request->path);
    if (!fault)
        return true;
    fail(call, 401, "SIGN_ERROR", fault);
    send_answer(call);
    return false;
}

/* ---- orders ---- */

static struct till_order order_of(const struct json *json, const char *channel, struct arena *arena)
{
    struct till_order order = {.provider = TILL_WECHAT, .amount = json_get_integer(json_get(json, "amount"), "total", 0)};
    TILL_SET(order.number, json_get_string(json, "out_trade_no", STR("")));
    TILL_SET(order.channel, str_of(channel));
    TILL_SET(order.notify_url, json_get_string(json, "notify_url", STR("")));
    TILL_SET(order.subject, json_get_string(json, "description", STR("")));
    TILL_SET(order.handle, str_printf(arena, "wx%.*s", STR_ARG(stand_random(arena, 32))));
    if (!time_parse_rfc3339(json_get_string(json, "time_expire", STR("")), &order.expires_at))
        order.expires_at = clock_wall() + seconds(7200);
    return order;
}

static const char *fault_of_order(const struct json *json, const struct till_order *order, const char *channel)
{
    if (!str_equal(json_get_string(json, "mchid", STR("")), stand.wechat_id) ||
        !str_equal(json_get_string(json, "appid", STR("")), stand.wechat_app))
        return "appid and mchid do not match";
    if (strlen(order->number) < 6 || strlen(order->number) > 32 || order->amount < 1 || !order->subject[0] ||
        !order->notify_url[0])
        return "out_trade_no, amount, description or notify_url";
    if (str_is(str_of(channel), "jsapi") && !json_get_string(json_get(json, "payer"), "openid", STR("")).len)
        return "payer.openid";
    if (str_is(str_of(channel), "h5") && !json_get(json, "scene_info"))
        return "scene_info";
    return order->expires_at <= clock_wall() ? "time_expire" : NULL;
}

static void make_order(struct stand_call *call)
{
    struct arena *arena = call->arena;
    struct str path = call->request->path;
    const char *channel = str_to_c(arena, str_slice(path, sizeof "/v3/pay/transactions", path.len));
    struct till_order order = order_of(call->json, channel, arena);
    const char *fault = fault_of_order(call->json, &order, channel);
    if (fault) {
        fail(call, 400, "PARAM_ERROR", fault);
        return;
    }
    switch (till_order_make(&order)) {
    case TILL_NEW:
        stand_order_made(call, &order);
        break;
    case TILL_SAME:
        break;
    case TILL_IS_PAID:
        fail(call, 400, "ORDERPAID", "the order is paid");
        return;
    case TILL_IS_CLOSED:
        fail(call, 400, "ORDER_CLOSED", "the order is closed");
        return;
    case TILL_FULL:
        fail(call, 500, "SYSTEM_ERROR", "the sandbox holds no more orders");
        return;
    default:
        fail(call, 403, "OUT_TRADE_NO_USED", "the number is of another order");
        return;
    }
    if (str_is(str_of(channel), "native"))
        call->body = str_printf(arena, "{\"code_url\":\"weixin://wxpay/bizpayurl?pr=%s\"}", order.handle);
    else if (str_is(str_of(channel), "h5"))
        call->body = str_printf(arena, "{\"h5_url\":\"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=%s\"}",
                                order.handle);
    else
        call->body = str_printf(arena, "{\"prepay_id\":\"%s\"}", order.handle);
}

static void write_amount(struct json_out *out, int64_t amount)
{
    json_key(out, "amount");
    json_object(out);
    json_field_i64(out, "total", amount);
    json_field_i64(out, "payer_total", amount);
    json_field_c(out, "currency", "CNY");
    json_field_c(out, "payer_currency", "CNY");
    json_end(out);
}

static struct str order_text(struct arena *arena, const struct till_order *order)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    bool paid = order->state == TILL_PAID;
    json_object(&out);
    json_field(&out, "appid", stand.wechat_app);
    json_field(&out, "mchid", stand.wechat_id);
    json_field_c(&out, "out_trade_no", order->number);
    json_field_c(&out, "trade_state",
                 !paid             ? order->state == TILL_CLOSED ? "CLOSED" : "NOTPAY"
                 : order->refunded ? "REFUND"
                                   : "SUCCESS");
    json_field_c(&out, "trade_state_desc", paid ? "支付成功" : "订单未支付");
    if (paid) {
        json_field_c(&out, "transaction_id", order->transaction);
        json_field_c(&out, "trade_type", "APP");
        json_field_c(&out, "bank_type", "OTHERS");
        json_field(&out, "success_time", time_rfc3339(arena, order->paid_at));
        json_key(&out, "payer");
        json_object(&out);
        json_field_c(&out, "openid", order->payer);
        json_end(&out);
    }
    write_amount(&out, order->amount);
    json_end_all(&out);
    return text_str(&text);
}

/* What stands behind the prefix, up to a slash. */
static struct str number_in(struct str path, struct str prefix)
{
    struct str rest = str_starts(path, prefix) ? str_slice(path, prefix.len, path.len) : STR("");
    return str_cut(&rest, '/');
}

#define BY_NUMBER STR("/v3/pay/transactions/out-trade-no/")
#define BY_REFUND STR("/v3/refund/domestic/refunds/")

static void query(struct stand_call *call)
{
    struct till_order order;
    if (till_order_find(TILL_WECHAT, number_in(call->request->path, BY_NUMBER), &order))
        call->body = order_text(call->arena, &order);
    else
        fail(call, 404, "ORDER_NOT_EXIST", "there is no such order");
}

static void close_order(struct stand_call *call)
{
    enum till_result result = till_order_close(TILL_WECHAT, number_in(call->request->path, BY_NUMBER));
    if (result == TILL_NONE)
        fail(call, 404, "ORDER_NOT_EXIST", "there is no such order");
    else if (result == TILL_IS_PAID)
        fail(call, 400, "ORDERPAID", "the order is paid");
    else
        call->status = NO_CONTENT;
}

/* ---- refunds ---- */

static const char *const refund_states[] = {"PROCESSING", "SUCCESS", "ABNORMAL", "CLOSED"};

/* A notice calls the state otherwise than an answer, and names the merchant. */
static struct str refund_text(struct arena *arena, const struct till_refund *refund, bool notice)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    if (notice)
        json_field(&out, "mchid", stand.wechat_id);
    json_field_c(&out, "refund_id", refund->id);
    json_field_c(&out, "out_refund_no", refund->number);
    json_field_c(&out, "transaction_id", refund->transaction);
    json_field_c(&out, "out_trade_no", refund->order);
    json_field_c(&out, "channel", "ORIGINAL");
    json_field_c(&out, "user_received_account", "支付用户零钱");
    json_field(&out, "create_time", time_rfc3339(arena, refund->made_at));
    if (refund->state == TILL_SUCCESS)
        json_field(&out, "success_time", time_rfc3339(arena, refund->ended_at));
    json_field_c(&out, notice ? "refund_status" : "status", refund_states[refund->state]);
    json_key(&out, "amount");
    json_object(&out);
    json_field_i64(&out, "total", refund->total);
    json_field_i64(&out, "refund", refund->amount);
    json_field_i64(&out, "payer_total", refund->total);
    json_field_i64(&out, "payer_refund", refund->amount);
    if (!notice)
        json_field_c(&out, "currency", "CNY");
    json_end_all(&out);
    return text_str(&text);
}

static void make_refund(struct stand_call *call)
{
    struct till_refund refund = {.provider = TILL_WECHAT,
                                 .amount = json_get_integer(json_get(call->json, "amount"), "refund", 0)};
    TILL_SET(refund.number, json_get_string(call->json, "out_refund_no", STR("")));
    TILL_SET(refund.order, json_get_string(call->json, "out_trade_no", STR("")));
    TILL_SET(refund.notify_url, json_get_string(call->json, "notify_url", STR("")));
    switch (till_refund_make(&refund)) {
    case TILL_NEW:
        stand_refund_made(call, &refund);
        break;
    case TILL_SAME:
        break;
    case TILL_NONE:
        fail(call, 404, "RESOURCE_NOT_EXISTS", "there is no such order");
        return;
    case TILL_FULL:
        fail(call, 500, "SYSTEM_ERROR", "the sandbox holds no more refunds");
        return;
    default:
        fail(call, 400, "INVALID_REQUEST", "more than what is left, another amount than before, or not paid");
        return;
    }
    call->body = refund_text(call->arena, &refund, false);
}

static void query_refund(struct stand_call *call)
{
    struct till_refund refund;
    if (till_refund_find(TILL_WECHAT, number_in(call->request->path, BY_REFUND), &refund))
        call->body = refund_text(call->arena, &refund, false);
    else
        fail(call, 404, "RESOURCE_NOT_EXISTS", "there is no such refund");
}

/* ---- bill files ---- */

static struct str parameter(struct str query, const char *name)
{
    for (struct str rest = query; rest.at && rest.len;) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        if (str_is(key, name))
            return value;
    }
    return STR("");
}

static void bill(struct stand_call *call)
{
    struct arena *arena = call->arena;
    struct str date = parameter(call->request->query, "bill_date");
    struct str csv = stand_wechat_bill(arena, date, call->mood.lies);
    if (!csv.at) {
        fail(call, 400, "NO_STATEMENT_EXIST", "there is no bill of that day");
        return;
    }
    struct str hash = payment_sha1(arena, call->mood.lies & LIE_HASH ? STR("another") : csv);
    call->body = str_printf(arena,
                            "{\"hash_type\":\"SHA1\",\"hash_value\":\"%.*s\",\"download_url\":\"http://%.*s/v3/billdownload/"
                            "file?token=%.*s\"}",
                            STR_ARG(hash), STR_ARG(request_field(call->request, STR("host"))), STR_ARG(date));
}

static void perform(struct stand_call *call)
{
    static void (*const all[])(struct stand_call *) = {make_order, query, close_order, make_refund, query_refund, bill};
    all[call->operation](call);
}

static void refuse(struct stand_call *call)
{
    fail(call, 403, call->operation == MOOD_REFUND ? "NOT_ENOUGH" : "RULE_LIMIT", "the sandbox was told to refuse");
}

/* A download is not signed. */
static void send_reply(struct stand_call *call)
{
    if (!str_starts(call->request->path, STR("/v3/billdownload/"))) {
        send_answer(call);
        return;
    }
    struct str csv = stand_wechat_bill(call->arena, parameter(call->request->query, "token"), call->mood.lies);
    struct str packed = stand_gzip(call->arena, csv.at ? csv : STR(""));
    if (call->mood.lies & LIE_CUT)
        packed.len /= 2;
    reply_bytes(call->request, 200, "application/octet-stream", packed);
}

/* ---- notices ---- */

static const char *event_of(const struct till_refund *refund)
{
    static const char *const events[] = {"REFUND.PROCESSING", "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"};
    return refund ? events[refund->state] : "TRANSACTION.SUCCESS";
}

static void make_notice(struct arena *arena, const struct till_order *order, const struct till_refund *refund,
                        enum mood_notice how, struct peer_request *request)
{
    int64_t at = clock_wall() / seconds(1) - (how == NOTICE_STALE ? 3600 : 0);
    struct str plain = refund ? refund_text(arena, refund, true) : order_text(arena, order), sealing = stand_random(arena, 12);
    struct str aad = refund ? STR("refund") : STR("transaction");
    struct str body = str_printf(
        arena,
        "{\"id\":\"%.*s\",\"create_time\":\"%.*s\",\"resource_type\":\"encrypt-resource\",\"event_type\":\"%s\",\"summary\":"
        "\"通知\",\"resource\":{\"original_type\":\"%.*s\",\"algorithm\":\"AEAD_AES_256_GCM\",\"ciphertext\":\"%.*s\","
        "\"associated_data\":\"%.*s\",\"nonce\":\"%.*s\"}}",
        STR_ARG(id_new(arena)), STR_ARG(time_rfc3339(arena, clock_wall())), event_of(refund), STR_ARG(aad),
        STR_ARG(wechat_seal(arena, stand.wechat_v3_key, sealing, aad, plain)), STR_ARG(aad), STR_ARG(sealing));
    struct str timestamp = str_printf(arena, "%lld", (long long)at), nonce = stand_random(arena, 32);
    struct str signature = payment_sign(arena, stand.wechat, wechat_answer_text(arena, timestamp, nonce, body));
    *request = (struct peer_request){
        .fields = {{STR("content-type"), STR("application/json")},
                   {STR("user-agent"), STR("Mozilla/4.0")},
                   {STR("wechatpay-timestamp"), timestamp},
                   {STR("wechatpay-nonce"), nonce},
                   {STR("wechatpay-signature"), how == NOTICE_BAD_SIGNATURE ? stand_spoil(arena, signature) : signature},
                   {STR("wechatpay-signature-type"), STR("WECHATPAY2-SHA256-RSA2048")},
                   {STR("wechatpay-serial"), payment_key_serial(stand.wechat_certificate)}},
        .body = body,
    };
}

static bool took(const struct peer_answer *answer)
{
    return answer->status == 200 || answer->status == NO_CONTENT;
}

/* The app's signature is checked as the SDK would; h5 and native carry the handle in their address. */
static const char *open_cashier(struct arena *arena, const struct json *cashier, struct till_order *order)
{
    bool app = json_get(cashier, "prepayid") != NULL, jsapi = json_get(cashier, "paySign") != NULL;
    struct str package = json_get_string(cashier, "package", STR(""));
    struct str handle = app ? json_get_string(cashier, "prepayid", STR("")) : package;
    if (jsapi && !str_starts(package, STR("prepay_id=")))
        return "package";
    struct str text =
        wechat_bridge_text(arena, stand.wechat_app, json_get_string(cashier, app ? "timestamp" : "timeStamp", STR("")),
                           json_get_string(cashier, app ? "noncestr" : "nonceStr", STR("")), handle);
    if ((app || jsapi) &&
        !payment_verify(stand.wechat_merchant, text, json_get_string(cashier, app ? "sign" : "paySign", STR(""))))
        return "the app's signature does not hold";
    if (jsapi)
        handle = str_slice(package, sizeof "prepay_id=" - 1, package.len);
    if (!app && !jsapi) {
        struct str rest = json_get_string(cashier, "code", json_get_string(cashier, "url", STR("")));
        while (rest.at)
            handle = str_cut(&rest, '=');
    }
    return till_order_by_handle(TILL_WECHAT, handle, order) ? NULL : "there is no such order";
}

const struct stand_provider stand_wechat = {.read = read_call,
                                            .perform = perform,
                                            .refuse = refuse,
                                            .send = send_reply,
                                            .notice = make_notice,
                                            .took = took,
                                            .open = open_cashier};
