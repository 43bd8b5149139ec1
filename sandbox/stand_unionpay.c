/* UnionPay (acp 5.1.0), played. */
#include "stand.h"

/* The answer begins with what was asked, as UnionPay echoes it. */
static void echo(struct stand_call *call)
{
    static const char *const names[] = {"version", "encoding",   "signMethod", "txnType", "txnSubType", "bizType",
                                        "merId",   "accessType", "orderId",    "txnTime", "txnAmt",     "currencyCode"};
    call->reply.count = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        payment_form_add(&call->reply, names[i], payment_form_get(&call->form, names[i]));
}

static void say(struct stand_call *call, const char *code, const char *message)
{
    payment_form_add(&call->reply, "respCode", str_of(code));
    payment_form_add(&call->reply, "respMsg", str_of(message));
}

static void sign(struct arena *arena, struct payment_form *form, bool spoilt)
{
    payment_form_add(form, "signPubKeyCert", stand.unionpay_certificate);
    unionpay_form_sign(arena, form, stand.unionpay);
    if (spoilt)
        form->fields[form->count - 1].value = stand_spoil(arena, form->fields[form->count - 1].value);
}

static void send_answer(struct stand_call *call)
{
    if (call->page) {
        reply_bytes(call->request, 200, "text/html; charset=utf-8", STR("<!doctype html><title>UnionPay sandbox</title>"));
        return;
    }
    sign(call->arena, &call->reply, call->mood.answer == MOOD_BAD_SIGNATURE);
    reply_bytes(call->request, 200, "text/html;charset=UTF-8", unionpay_answer_write(call->arena, &call->reply));
}

/* ---- requests ---- */

static const char *fault_of(struct stand_call *call)
{
    const struct payment_form *form = &call->form;
    if (!str_is(payment_form_get(form, "version"), "5.1.0") || !str_is(payment_form_get(form, "signMethod"), "01"))
        return "version or signMethod";
    if (!str_equal(payment_form_get(form, "merId"), stand.unionpay_id))
        return "the merchant is unknown";
    if (!str_equal(payment_form_get(form, "certId"), payment_key_number(stand.unionpay_merchant)))
        return "certId is unknown";
    if (!unionpay_form_verify(call->arena, form, stand.unionpay_merchant))
        return "the signature does not hold";
    return stand_time(payment_form_get(form, "txnTime")) ? NULL : "txnTime";
}

static enum mood_operation operation_of(const struct stand_call *call)
{
    struct str type = payment_form_get(&call->form, "txnType");
    struct till_refund refund;
    if (str_is(type, "01"))
        return MOOD_ORDER;
    if (str_is(type, "04"))
        return MOOD_REFUND;
    if (str_is(type, "76"))
        return MOOD_BILL;
    return till_refund_find(TILL_UNIONPAY, payment_form_get(&call->form, "orderId"), &refund) ? MOOD_REFUND_QUERY : MOOD_QUERY;
}

static bool read_call(struct stand_call *call)
{
    bool read = payment_form_read(call->arena, call->request->body_bytes, &call->form);
    echo(call);
    const char *fault = read ? fault_of(call) : "the form cannot be read";
    call->operation = read ? operation_of(call) : MOOD_QUERY;
    call->page = str_ends(call->request->path, STR("/frontTransReq.do"));
    if (!fault)
        return true;
    say(call, "11", fault);
    send_answer(call);
    return false;
}

/* ---- orders ---- */

static const char *make(struct stand_call *call, struct till_order *order)
{
    const struct payment_form *form = &call->form;
    *order = (struct till_order){.provider = TILL_UNIONPAY};
    TILL_SET(order->number, payment_form_get(form, "orderId"));
    TILL_SET(order->time, payment_form_get(form, "txnTime"));
    TILL_SET(order->channel, payment_form_get(form, "bizType"));
    TILL_SET(order->notify_url, payment_form_get(form, "backUrl"));
    TILL_SET(order->subject, payment_form_get(form, "orderDesc"));
    TILL_SET(order->handle, stand_random(call->arena, 21));
    order->expires_at = stand_time(payment_form_get(form, "payTimeout"));
    if (!order->expires_at)
        order->expires_at = clock_wall() + seconds(3600);
    if (!str_to_i64(payment_form_get(form, "txnAmt"), &order->amount) || order->amount < 1 || strlen(order->number) < 8 ||
        strlen(order->number) > 40 || !str_is(payment_form_get(form, "currencyCode"), "156"))
        return "10";
    switch (till_order_make(order)) {
    case TILL_NEW:
        stand_order_made(call, order);
        return NULL;
    case TILL_SAME:
        return NULL;
    case TILL_FULL:
        return "02";
    default:
        return "12";
    }
}

static void make_order(struct stand_call *call)
{
    struct till_order order;
    const char *fault = make(call, &order);
    bool app = str_ends(call->request->path, STR("/appTransReq.do"));
    say(call, fault ? fault : "00", fault ? "重复交易或报文错误" : "成功[0000000]");
    if (!fault)
        payment_form_add(&call->reply, app ? "tn" : "qrCode",
                         app ? str_copy(call->arena, str_of(order.handle))
                             : str_printf(call->arena, "https://qr.95516.com/00010000/%s", order.handle));
}

static struct str traced(struct arena *arena, int64_t wall)
{
    struct str packed = stand_packed(arena, wall);
    return str_slice(packed, 4, packed.len);
}

static void add_transaction(struct arena *arena, struct payment_form *form, const char *id, int64_t amount, int64_t at)
{
    struct str time = traced(arena, at);
    struct str kept = str_copy(arena, str_of(id));
    payment_form_add(form, "queryId", kept);
    payment_form_add(form, "traceNo", str_slice(kept, kept.len - 6, kept.len));
    payment_form_add(form, "traceTime", time);
    payment_form_add(form, "settleDate", str_slice(time, 0, 4));
    payment_form_add(form, "settleAmt", str_printf(arena, "%lld", (long long)amount));
    payment_form_add(form, "settleCurrencyCode", STR("156"));
}

static void set_amount(struct stand_call *call, int64_t amount)
{
    payment_form_add(&call->reply, "txnAmt", str_printf(call->arena, "%lld", (long long)amount));
    payment_form_add(&call->reply, "currencyCode", STR("156"));
}

/* An order that nobody has paid is not known to queries. */
static void query(struct stand_call *call)
{
    struct till_order order;
    struct str number = payment_form_get(&call->form, "orderId"), time = payment_form_get(&call->form, "txnTime");
    if (!till_order_find(TILL_UNIONPAY, number, &order) || !str_is(time, order.time) || order.state != TILL_PAID) {
        say(call, "34", "查无此交易");
        return;
    }
    say(call, "00", "成功[0000000]");
    payment_form_add(&call->reply, "origRespCode", STR("00"));
    set_amount(call, order.amount);
    add_transaction(call->arena, &call->reply, order.transaction, order.amount, order.paid_at);
}

static void close_order(struct stand_call *call)
{
    say(call, "10", "UnionPay closes no order");
}

/* ---- refunds ---- */

/* The paid order with that queryId. */
static bool find_paid(struct arena *arena, struct str query_id, struct till_order *order)
{
    struct till_order *list;
    size_t count = till_orders(arena, TILL_UNIONPAY, &list);
    for (size_t i = count; i-- > 0;)
        if (query_id.len && str_is(query_id, list[i].transaction)) {
            *order = list[i];
            return true;
        }
    return false;
}

static void make_refund(struct stand_call *call)
{
    struct till_refund refund = {.provider = TILL_UNIONPAY};
    struct till_order order;
    if (!find_paid(call->arena, payment_form_get(&call->form, "origQryId"), &order)) {
        say(call, "34", "查无此交易");
        return;
    }
    TILL_SET(refund.number, payment_form_get(&call->form, "orderId"));
    TILL_SET(refund.time, payment_form_get(&call->form, "txnTime"));
    TILL_SET(refund.order, str_of(order.number));
    TILL_SET(refund.notify_url, payment_form_get(&call->form, "backUrl"));
    if (!str_to_i64(payment_form_get(&call->form, "txnAmt"), &refund.amount))
        refund.amount = 0;
    switch (till_refund_make(&refund)) {
    case TILL_NEW:
        say(call, "00", "成功[0000000]");
        payment_form_add(&call->reply, "queryId", str_copy(call->arena, str_of(refund.id)));
        stand_refund_made(call, &refund);
        break;
    case TILL_SAME:
    case TILL_USED:
        say(call, "12", "重复交易");
        break;
    case TILL_FULL:
        say(call, "02", "系统未开放或暂时关闭");
        break;
    default:
        say(call, "36", "交易金额超限");
    }
}

/* ABNORMAL is a failure here: UnionPay knows no other word for it. */
static void query_refund(struct stand_call *call)
{
    static const char *const codes[] = {"05", "00", "61", "61"};
    struct till_refund refund;
    struct str number = payment_form_get(&call->form, "orderId"), time = payment_form_get(&call->form, "txnTime");
    if (!till_refund_find(TILL_UNIONPAY, number, &refund) || !str_is(time, refund.time)) {
        say(call, "34", "查无此交易");
        return;
    }
    say(call, "00", "成功[0000000]");
    payment_form_add(&call->reply, "origRespCode", str_of(codes[refund.state]));
    set_amount(call, refund.amount);
    add_transaction(call->arena, &call->reply, refund.id, refund.amount, refund.ended_at ? refund.ended_at : refund.made_at);
}

/* ---- bill files ---- */

/* settleDate has no year: it is the latest such day. */
static struct str date_of(struct arena *arena, struct str day)
{
    struct civil now = time_civil(clock_wall());
    int64_t month = 0, number = 0;
    if (day.len != 4 || !str_to_i64(str_slice(day, 0, 2), &month) || !str_to_i64(str_slice(day, 2, 4), &number))
        return STR("");
    int year = month > now.month || (month == now.month && number > now.day) ? now.year - 1 : now.year;
    return str_printf(arena, "%04d-%02d-%02d", year, (int)month, (int)number);
}

static void bill(struct stand_call *call)
{
    struct str day = payment_form_get(&call->form, "settleDate"), date = date_of(call->arena, day);
    struct str content = stand_unionpay_bill(call->arena, date, call->mood.lies);
    if (!content.at) {
        say(call, "98", "文件不存在");
        return;
    }
    if (call->mood.lies & (LIE_CUT | LIE_HASH))
        content.len = content.len / 8 * 4;
    say(call, "00", "成功[0000000]");
    payment_form_add(&call->reply, "fileName",
                     str_printf(call->arena, "%.*s_%.*s.zip", STR_ARG(stand.unionpay_id), STR_ARG(day)));
    payment_form_add(&call->reply, "fileContent", content);
}

static void perform(struct stand_call *call)
{
    static void (*const all[])(struct stand_call *) = {make_order, query, close_order, make_refund, query_refund, bill};
    all[call->operation](call);
}

static void refuse(struct stand_call *call)
{
    say(call, call->operation == MOOD_REFUND ? "64" : "60", "the sandbox was told to refuse");
}

/* ---- notices ---- */

static void make_notice(struct arena *arena, const struct till_order *order, const struct till_refund *refund,
                        enum mood_notice how, struct peer_request *request)
{
    struct payment_form form = {.count = 0};
    bool good = !refund || refund->state == TILL_SUCCESS;
    int64_t amount = refund ? refund->amount : order->amount;
    payment_form_add(&form, "version", STR("5.1.0"));
    payment_form_add(&form, "encoding", STR("UTF-8"));
    payment_form_add(&form, "signMethod", STR("01"));
    payment_form_add(&form, "txnType", refund ? STR("04") : STR("01"));
    payment_form_add(&form, "txnSubType", refund ? STR("00") : STR("01"));
    payment_form_add(&form, "bizType", STR("000201"));
    payment_form_add(&form, "accessType", STR("0"));
    payment_form_add(&form, "merId", stand.unionpay_id);
    payment_form_add(&form, "orderId", str_of(refund ? refund->number : order->number));
    payment_form_add(&form, "txnTime", str_of(refund ? refund->time : order->time));
    payment_form_add(&form, "txnAmt", str_printf(arena, "%lld", (long long)amount));
    payment_form_add(&form, "currencyCode", STR("156"));
    payment_form_add(&form, "respCode", good ? STR("00") : STR("61"));
    payment_form_add(&form, "respMsg", good ? STR("Success!") : STR("失败"));
    if (refund) {
        payment_form_add(&form, "origQryId", str_of(refund->transaction));
        payment_form_add(&form, "origOrderId", str_of(refund->order));
    }
    add_transaction(arena, &form, refund ? refund->id : order->transaction, amount, refund ? refund->ended_at : order->paid_at);
    sign(arena, &form, how == NOTICE_BAD_SIGNATURE);
    *request = (struct peer_request){
        .fields = {{STR("content-type"), STR("application/x-www-form-urlencoded;charset=UTF-8")}},
        .body = payment_form_write(arena, &form),
    };
}

static bool took(const struct peer_answer *answer)
{
    return answer->status == 200;
}

/* A page's form is the order itself; a tn or a code is of one that is known. */
static const char *open_cashier(struct arena *arena, const struct json *cashier, struct till_order *order)
{
    struct stand_call call = {.arena = arena, .provider = TILL_UNIONPAY, .mood = mood_of(TILL_UNIONPAY)};
    const struct json *fields = json_get(cashier, "fields");
    if (!fields) {
        struct str handle = json_get_string(cashier, "tn", json_get_string(cashier, "code", STR("")));
        while (handle.len && str_find(handle, STR("/")) >= 0)
            str_cut(&handle, '/');
        return till_order_by_handle(TILL_UNIONPAY, handle, order) ? NULL : "there is no such order";
    }
    for (uint32_t i = 0; fields->type == JSON_OBJECT && i < fields->count && i < PAYMENT_FIELDS_MOST; i++)
        if (fields->members[i].value.type == JSON_STRING)
            payment_form_add(&call.form, str_to_c(arena, fields->members[i].name), fields->members[i].value.string);
    const char *fault = fault_of(&call);
    return fault ? fault : make(&call, order);
}

const struct stand_provider stand_unionpay = {.read = read_call,
                                              .perform = perform,
                                              .refuse = refuse,
                                              .send = send_answer,
                                              .notice = make_notice,
                                              .took = took,
                                              .open = open_cashier};
