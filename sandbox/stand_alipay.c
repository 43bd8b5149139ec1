/* Alipay (RSA2, the gateway's form), played. */
#include <stdio.h>

#include "stand.h"

static void fail(struct stand_call *call, const char *code, const char *sub_code, const char *message)
{
    call->body = str_printf(call->arena, "{\"code\":\"%s\",\"msg\":\"Business Failed\",\"sub_code\":\"%s\",\"sub_msg\":\"%s\"}",
                            code, sub_code, message);
}

/* "alipay.trade.query" is answered by "alipay_trade_query_response"; the sign is over that object's bytes. */
static void send_answer(struct stand_call *call)
{
    struct arena *arena = call->arena;
    char *name = str_to_c(arena, str_printf(arena, "%.*s_response", STR_ARG(call->method.len ? call->method : STR("error"))));
    for (char *at = name; *at; at++)
        if (*at == '.')
            *at = '_';
    struct str sign = payment_sign(arena, stand.alipay, call->body);
    if (call->mood.answer == MOOD_BAD_SIGNATURE)
        sign = stand_spoil(arena, sign);
    reply_bytes(call->request, 200, "application/json",
                str_printf(arena, "{\"%s\":%.*s,\"sign\":\"%.*s\"}", name, STR_ARG(call->body), STR_ARG(sign)));
}

/* ---- requests ---- */

static const struct {
    const char *method;
    enum mood_operation operation;
    bool page;
} methods[] = {
    {"alipay.trade.app.pay", MOOD_ORDER, true},
    {"alipay.trade.wap.pay", MOOD_ORDER, true},
    {"alipay.trade.precreate", MOOD_ORDER, false},
    {"alipay.trade.create", MOOD_ORDER, false},
    {"alipay.trade.query", MOOD_QUERY, false},
    {"alipay.trade.close", MOOD_CLOSE, false},
    {"alipay.trade.refund", MOOD_REFUND, false},
    {"alipay.trade.fastpay.refund.query", MOOD_REFUND_QUERY, false},
    {"alipay.data.dataservice.bill.downloadurl.query", MOOD_BILL, false},
};

static const char *fault_of(const struct payment_form *form, struct arena *arena)
{
    struct str text = payment_form_text(arena, form, "sign", NULL);
    if (!str_equal(payment_form_get(form, "app_id"), stand.alipay_app_id))
        return "isv.invalid-app-id";
    if (!str_is(payment_form_get(form, "sign_type"), "RSA2") || !str_is(payment_form_get(form, "version"), "1.0") ||
        !stand_time(payment_form_get(form, "timestamp")))
        return "isv.missing-parameter";
    if (!payment_verify(stand.alipay_app, text, payment_form_get(form, "sign")))
        return "isv.invalid-signature";
    return NULL;
}

/* Of a form that is complete; the fault, or NULL. */
static const char *understand(struct stand_call *call)
{
    struct json_error error;
    const char *fault = fault_of(&call->form, call->arena);
    call->method = payment_form_get(&call->form, "method");
    if (fault)
        return fault;
    call->json = json_parse(call->arena, payment_form_get(&call->form, "biz_content"), &json_limits_request, &error);
    for (size_t i = 0; call->json && i < COUNT_OF(methods); i++)
        if (str_is(call->method, methods[i].method)) {
            call->operation = methods[i].operation;
            call->page = methods[i].page;
            return NULL;
        }
    return "isv.invalid-method";
}

/* The form stands in the query, in the body, or in both: the SDK puts biz_content alone into the body. */
static bool read_form(struct request *request, struct arena *arena, struct payment_form *form)
{
    struct payment_form body;
    if (!payment_form_read(arena, request->query, form) || !payment_form_read(arena, request->body_bytes, &body))
        return false;
    for (size_t i = 0; i < body.count; i++) {
        bool has = false;
        for (size_t j = 0; j < form->count && !has; j++)
            has = str_equal(form->fields[j].name, body.fields[i].name);
        if (!has && form->count < PAYMENT_FIELDS_MOST)
            form->fields[form->count++] = body.fields[i];
    }
    return true;
}

static bool read_call(struct stand_call *call)
{
    if (str_starts(call->request->path, STR("/downloadBillFile"))) {
        call->operation = MOOD_BILL;
        return true;
    }
    const char *fault = read_form(call->request, call->arena, &call->form) ? understand(call) : "isv.invalid-encoding";
    if (!fault)
        return true;
    fail(call, "40002", fault, "");
    send_answer(call);
    return false;
}

/* ---- orders ---- */

static const char *make(struct stand_call *call, struct till_order *order)
{
    const struct json *json = call->json;
    *order = (struct till_order){.provider = TILL_ALIPAY};
    TILL_SET(order->number, json_get_string(json, "out_trade_no", STR("")));
    TILL_SET(order->channel, call->method);
    TILL_SET(order->notify_url, payment_form_get(&call->form, "notify_url"));
    TILL_SET(order->subject, json_get_string(json, "subject", STR("")));
    TILL_SET(order->handle, stand_random(call->arena, 28));
    order->expires_at = stand_time(json_get_string(json, "time_expire", STR("")));
    if (!order->expires_at)
        order->expires_at = clock_wall() + seconds(15 * 86400);
    if (!payment_fen(json_get_string(json, "total_amount", STR("")), false, &order->amount) || order->amount < 1 ||
        !order->number[0] || !order->subject[0])
        return "ACQ.INVALID_PARAMETER";
    switch (till_order_make(order)) {
    case TILL_NEW:
        stand_order_made(call, order);
        return NULL;
    case TILL_SAME:
        return NULL;
    case TILL_IS_PAID:
        return "ACQ.TRADE_HAS_SUCCESS";
    case TILL_IS_CLOSED:
        return "ACQ.TRADE_HAS_CLOSE";
    case TILL_FULL:
        return "ACQ.SYSTEM_ERROR";
    default:
        return "ACQ.CONTEXT_INCONSISTENT";
    }
}

static void make_order(struct stand_call *call)
{
    struct till_order order;
    const char *fault = make(call, &order);
    if (fault)
        fail(call, "40004", fault, "");
    else if (str_is(call->method, "alipay.trade.precreate"))
        call->body = str_printf(call->arena,
                                "{\"code\":\"10000\",\"msg\":\"Success\",\"out_trade_no\":\"%s\",\"qr_code\":\"https:\\/\\/"
                                "qr.alipay.com\\/%s\"}",
                                order.number, order.handle);
    else
        call->body =
            str_printf(call->arena, "{\"code\":\"10000\",\"msg\":\"Success\",\"out_trade_no\":\"%s\",\"trade_no\":\"%s\"}",
                       order.number, order.handle);
}

static struct str number_of(const struct stand_call *call)
{
    return json_get_string(call->json, "out_trade_no", STR(""));
}

static const char *status_of(const struct till_order *order)
{
    if (order->state == TILL_PAID)
        return order->refunded == order->amount ? "TRADE_CLOSED" : "TRADE_SUCCESS";
    return order->state == TILL_CLOSED || order->expires_at <= clock_wall() ? "TRADE_CLOSED" : "WAIT_BUYER_PAY";
}

static void query(struct stand_call *call)
{
    struct till_order order;
    if (!till_order_find(TILL_ALIPAY, number_of(call), &order)) {
        fail(call, "40004", "ACQ.TRADE_NOT_EXIST", "交易不存在");
        return;
    }
    struct text text = text_open(call->arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_c(&out, "code", "10000");
    json_field_c(&out, "msg", "Success");
    json_field_c(&out, "out_trade_no", order.number);
    json_field_c(&out, "trade_no", order.transaction);
    json_field_c(&out, "trade_status", status_of(&order));
    json_field(&out, "total_amount", payment_yuan(call->arena, order.amount));
    if (order.state == TILL_PAID)
        json_field(&out, "send_pay_date", stand_spaced(call->arena, order.paid_at));
    json_end_all(&out);
    call->body = text_str(&text);
}

static void close_order(struct stand_call *call)
{
    enum till_result result = till_order_close(TILL_ALIPAY, number_of(call));
    if (result == TILL_NONE)
        fail(call, "40004", "ACQ.TRADE_NOT_EXIST", "交易不存在");
    else if (result != TILL_NEW)
        fail(call, "40004", "ACQ.REASON_TRADE_STATUS_INVALID", "交易状态异常");
    else
        call->body = str_printf(call->arena, "{\"code\":\"10000\",\"msg\":\"Success\",\"out_trade_no\":\"%.*s\"}",
                                STR_ARG(number_of(call)));
}

/* ---- refunds ---- */

/* Only what took money away just now says so; the amount is the sum of all refunds. */
static void say_refund(struct stand_call *call, const struct till_refund *refund, bool changed)
{
    struct till_order order = {.refunded = 0};
    (void)!till_order_find(TILL_ALIPAY, str_of(refund->order), &order);
    call->body =
        str_printf(call->arena,
                   "{\"code\":\"10000\",\"msg\":\"Success\",\"trade_no\":\"%s\",\"out_trade_no\":\"%s\",\"fund_change\":\"%s\","
                   "\"refund_fee\":\"%.*s\"}",
                   refund->transaction, refund->order, changed ? "Y" : "N", STR_ARG(payment_yuan(call->arena, order.refunded)));
}

static void make_refund(struct stand_call *call)
{
    struct till_refund refund = {.provider = TILL_ALIPAY};
    struct till_order order;
    TILL_SET(refund.number, json_get_string(call->json, "out_request_no", number_of(call)));
    TILL_SET(refund.order, number_of(call));
    if (till_order_find(TILL_ALIPAY, number_of(call), &order))
        TILL_SET(refund.notify_url, str_of(order.notify_url));
    if (!payment_fen(json_get_string(call->json, "refund_amount", STR("")), false, &refund.amount))
        refund.amount = 0;
    switch (till_refund_make(&refund)) {
    case TILL_NEW:
        stand_refund_made(call, &refund);
        say_refund(call, &refund, call->mood.refund == TILL_SUCCESS);
        break;
    case TILL_SAME:
        say_refund(call, &refund, false);
        break;
    case TILL_NONE:
        fail(call, "40004", "ACQ.TRADE_NOT_EXIST", "交易不存在");
        break;
    case TILL_IS_CLOSED:
        fail(call, "40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法");
        break;
    case TILL_FULL:
        fail(call, "40004", "ACQ.SYSTEM_ERROR", "");
        break;
    case TILL_USED:
        fail(call, "40004", "ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求");
        break;
    default:
        fail(call, "40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限");
    }
}

static void query_refund(struct stand_call *call)
{
    struct arena *arena = call->arena;
    struct till_refund refund;
    struct till_order order;
    struct str number = json_get_string(call->json, "out_request_no", STR(""));
    if (!till_order_find(TILL_ALIPAY, number_of(call), &order)) {
        fail(call, "40004", "ACQ.TRADE_NOT_EXIST", "交易不存在");
        return;
    }
    bool known = till_refund_find(TILL_ALIPAY, number, &refund) && refund.state != TILL_REFUND_CLOSED;
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_c(&out, "code", "10000");
    json_field_c(&out, "msg", "Success");
    if (known) {
        json_field_c(&out, "trade_no", refund.transaction);
        json_field_c(&out, "out_trade_no", refund.order);
        json_field_c(&out, "out_request_no", refund.number);
        json_field(&out, "total_amount", payment_yuan(arena, refund.total));
        json_field(&out, "refund_amount", payment_yuan(arena, refund.amount));
        if (refund.state == TILL_SUCCESS) {
            json_field_c(&out, "refund_status", "REFUND_SUCCESS");
            json_field(&out, "gmt_refund_pay", stand_spaced(arena, refund.ended_at));
        }
    }
    json_end_all(&out);
    call->body = text_str(&text);
}

/* ---- bill files ---- */

static void bill(struct stand_call *call)
{
    if (!call->json)
        return; /* the download: send_reply */
    struct str date = json_get_string(call->json, "bill_date", STR(""));
    if (!stand_alipay_bill(call->arena, date, 0).at) {
        fail(call, "40004", "isp.bill_not_exist", "账单不存在");
        return;
    }
    call->body = str_printf(call->arena,
                            "{\"code\":\"10000\",\"msg\":\"Success\",\"bill_download_url\":\"http:\\/\\/%.*s\\/"
                            "downloadBillFile.resource?bizType=trade&bizDates=%.*s\"}",
                            STR_ARG(request_field(call->request, STR("host"))), STR_ARG(date));
}

static void send_reply(struct stand_call *call)
{
    if (call->page) {
        reply_bytes(call->request, 200, "text/html; charset=utf-8", STR("<!doctype html><title>Alipay sandbox</title>"));
        return;
    }
    if (call->json) {
        send_answer(call);
        return;
    }
    struct payment_form query;
    struct str zip = STR_NONE;
    if (payment_form_read(call->arena, call->request->query, &query))
        zip = stand_alipay_bill(call->arena, payment_form_get(&query, "bizDates"), call->mood.lies);
    if (call->mood.lies & (LIE_CUT | LIE_HASH))
        zip.len /= 2;
    reply_bytes(call->request, zip.at ? 200 : 404, "application/zip", zip.at ? zip : STR(""));
}

static void perform(struct stand_call *call)
{
    static void (*const all[])(struct stand_call *) = {make_order, query, close_order, make_refund, query_refund, bill};
    all[call->operation](call);
}

static void refuse(struct stand_call *call)
{
    fail(call, "40004", call->operation == MOOD_REFUND ? "ACQ.SELLER_BALANCE_NOT_ENOUGH" : "ACQ.PAYMENT_FAIL",
         "the sandbox was told to refuse");
}

/* ---- notices ---- */

static void make_notice(struct arena *arena, const struct till_order *order, const struct till_refund *refund,
                        enum mood_notice how, struct peer_request *request)
{
    struct payment_form form = {.count = 0};
    int64_t at = clock_wall() - (how == NOTICE_STALE ? seconds(48 * 3600) : 0);
    struct str sum = payment_yuan(arena, order->amount);
    payment_form_add(&form, "notify_time", stand_spaced(arena, at));
    payment_form_add(&form, "notify_type", STR("trade_status_sync"));
    /* the same notice sent again has the same id */
    payment_form_add(&form, "notify_id", str_printf(arena, "%s00222%s", order->transaction, refund ? refund->number : ""));
    payment_form_add(&form, "charset", STR("utf-8"));
    payment_form_add(&form, "version", STR("1.0"));
    payment_form_add(&form, "sign_type", STR("RSA2"));
    payment_form_add(&form, "app_id", stand.alipay_app_id);
    payment_form_add(&form, "auth_app_id", stand.alipay_app_id);
    payment_form_add(&form, "trade_no", str_of(order->transaction));
    payment_form_add(&form, "out_trade_no", str_of(order->number));
    payment_form_add(&form, "buyer_id", str_of(order->payer));
    payment_form_add(&form, "seller_id", stand.alipay_seller);
    payment_form_add(&form, "trade_status", str_of(status_of(order)));
    payment_form_add(&form, "total_amount", sum);
    payment_form_add(&form, "receipt_amount", sum);
    payment_form_add(&form, "subject", str_of(order->subject));
    payment_form_add(&form, "gmt_create", stand_spaced(arena, order->made_at));
    payment_form_add(&form, "gmt_payment", stand_spaced(arena, order->paid_at));
    if (refund) {
        payment_form_add(&form, "out_biz_no", str_of(refund->number));
        payment_form_add(&form, "refund_fee", payment_yuan(arena, order->refunded));
        payment_form_add(&form, "gmt_refund", stand_spaced(arena, refund->ended_at));
    }
    struct str sign = payment_sign(arena, stand.alipay, payment_form_text(arena, &form, "sign", "sign_type"));
    payment_form_add(&form, "sign", how == NOTICE_BAD_SIGNATURE ? stand_spoil(arena, sign) : sign);
    *request = (struct peer_request){
        .fields = {{STR("content-type"), STR("application/x-www-form-urlencoded; charset=utf-8")}},
        .body = payment_form_write(arena, &form),
    };
}

static bool took(const struct peer_answer *answer)
{
    return answer->status == 200 && str_is(answer->body, "success");
}

/* What the app hands over is the order itself, signed; a code or a number is of one that is known. */
static const char *open_cashier(struct arena *arena, const struct json *cashier, struct till_order *order)
{
    struct stand_call call = {.arena = arena, .provider = TILL_ALIPAY, .mood = mood_of(TILL_ALIPAY)};
    struct str text = json_get_string(cashier, "order", json_get_string(cashier, "url", STR("")));
    struct str code = json_get_string(cashier, "trade_no", json_get_string(cashier, "code", STR("")));
    if (!text.len) {
        while (code.len && str_find(code, STR("/")) >= 0)
            str_cut(&code, '/');
        return till_order_by_handle(TILL_ALIPAY, code, order) ? NULL : "there is no such order";
    }
    ptrdiff_t query = json_get(cashier, "url") ? str_find(text, STR("?")) : -1;
    if (!payment_form_read(arena, str_slice(text, (size_t)(query + 1), text.len), &call.form))
        return "the order cannot be read";
    const char *fault = understand(&call);
    if (!fault && call.page)
        fault = make(&call, order);
    return fault;
}

const struct stand_provider stand_alipay = {.read = read_call,
                                            .perform = perform,
                                            .refuse = refuse,
                                            .send = send_reply,
                                            .notice = make_notice,
                                            .took = took,
                                            .open = open_cashier};
