/* The control API of the payment providers: what they took, the payer's hand, notices, moods. */
#include "inputs.h"
#include "stand.h"

#define PAYER STR("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")

/* ---- what they took ---- */

static void write_order(struct json_out *out, struct arena *arena, const struct till_order *order)
{
    json_object(out);
    json_field_c(out, "provider", till_provider_name(order->provider));
    json_field_c(out, "out_trade_no", order->number);
    json_field_c(out, "state", till_state_name(order->state));
    json_field_c(out, "transaction_id", order->transaction);
    json_field_i64(out, "amount_fen", order->amount);
    json_field_i64(out, "refunded_fen", order->refunded);
    json_field_c(out, "notify_url", order->notify_url);
    json_field(out, "made_at", time_rfc3339_micro(arena, order->made_at));
    json_field(out, "expires_at", time_rfc3339(arena, order->expires_at));
    if (order->paid_at)
        json_field(out, "paid_at", time_rfc3339(arena, order->paid_at));
    json_field_bool(out, "told", order->told);
    json_end(out);
}

static void write_refund(struct json_out *out, const struct till_refund *refund)
{
    json_object(out);
    json_field_c(out, "provider", till_provider_name(refund->provider));
    json_field_c(out, "out_refund_no", refund->number);
    json_field_c(out, "out_trade_no", refund->order);
    json_field_c(out, "refund_id", refund->id);
    json_field_c(out, "state", till_refund_state_name(refund->state));
    json_field_i64(out, "amount_fen", refund->amount);
    json_field_bool(out, "told", refund->told);
    json_end(out);
}

void stand_list(struct request *request, const struct inputs *inputs)
{
    const struct json *number = inputs_find(inputs, STR("out_trade_no"));
    struct till_order *orders;
    struct till_refund *refunds;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "orders");
    json_array(out);
    for (int p = 0; p < TILL_PROVIDERS; p++) {
        size_t count = till_orders(request->arena, (enum till_provider)p, &orders);
        for (size_t i = 0; i < count; i++)
            if (!number || str_is(number->string, orders[i].number))
                write_order(out, request->arena, &orders[i]);
    }
    json_end(out);
    json_key(out, "refunds");
    json_array(out);
    for (int p = 0; p < TILL_PROVIDERS; p++) {
        size_t count = till_refunds(request->arena, (enum till_provider)p, &refunds);
        for (size_t i = 0; i < count; i++)
            if (!number || str_is(number->string, refunds[i].order))
                write_refund(out, &refunds[i]);
    }
    json_end(out);
}

void stand_clear(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    till_clear();
    reply_empty(request, 204);
}

/* ---- the payer ---- */

static bool provider_of(struct request *request, const struct inputs *inputs, enum till_provider *provider)
{
    const struct json *named = inputs_find(inputs, STR("provider"));
    struct str name = named && named->type == JSON_STRING ? named->string : json_get_string(inputs->body, "provider", STR(""));
    if (till_provider_named(name, provider))
        return true;
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个支付渠道", "No such provider is played"));
    return false;
}

static void refuse(struct request *request, const char *why)
{
    reply_fault(request, PROBLEM_VALIDATION, (struct bilingual){.en = str_of(why)});
}

static bool find_order(struct request *request, const struct inputs *inputs, enum till_provider provider,
                       struct till_order *order)
{
    const struct json *cashier = json_get(inputs->body, "cashier");
    const char *why = NULL;
    if (cashier && cashier->type == JSON_OBJECT)
        why = stand_provider(provider)->open(request->arena, cashier, order);
    else if (!till_order_find(provider, json_get_string(inputs->body, "out_trade_no", STR("")), order))
        why = "there is no such order";
    if (why)
        refuse(request, why);
    return !why;
}

void stand_pay(struct request *request, const struct inputs *inputs)
{
    enum till_provider provider;
    struct till_order order, paid;
    if (!provider_of(request, inputs, &provider) || !find_order(request, inputs, provider, &order))
        return;
    struct str payer = json_get_string(inputs->body, "payer", PAYER);
    enum till_result result = till_order_pay(provider, str_of(order.number), payer, &paid);
    if (result != TILL_NEW) {
        refuse(request, result == TILL_IS_PAID ? "it is paid already" : "it is closed, or has expired");
        return;
    }
    struct mood mood = mood_of(provider);
    stand_tell(&paid, NULL, mood.notice, mood.delay);
    write_order(reply_json(request, 200), request->arena, &paid);
}

void stand_end_refund(struct request *request, const struct inputs *inputs)
{
    enum till_provider provider;
    enum till_refund_state state;
    struct till_refund refund;
    struct till_order order;
    if (!provider_of(request, inputs, &provider))
        return;
    if (!till_refund_state_named(json_get_string(inputs->body, "state", STR("success")), &state) ||
        !till_refund_end(provider, json_get_string(inputs->body, "out_refund_no", STR("")), state, &refund) ||
        !till_order_find(provider, str_of(refund.order), &order)) {
        refuse(request, "there is no such refund, or no such state");
        return;
    }
    struct mood mood = mood_of(provider);
    stand_tell(&order, &refund, mood.notice, mood.delay);
    write_refund(reply_json(request, 200), &refund);
}

/* ---- notices ---- */

void stand_notify(struct request *request, const struct inputs *inputs)
{
    enum till_provider provider;
    enum mood_notice how = NOTICE_NORMAL;
    struct till_order order;
    struct till_refund refund;
    struct str number = json_get_string(inputs->body, "out_refund_no", STR_NONE), body = STR("");
    if (!provider_of(request, inputs, &provider))
        return;
    bool known =
        mood_notice_named(json_get_string(inputs->body, "notice", STR("normal")), &how) &&
        (!number.at || till_refund_find(provider, number, &refund)) &&
        till_order_find(provider, number.at ? str_of(refund.order) : json_get_string(inputs->body, "out_trade_no", STR("")),
                        &order);
    if (!known) {
        refuse(request, "there is no such order, or no such notice");
        return;
    }
    unsigned status = stand_tell_once(request->arena, &order, number.at ? &refund : NULL, how, &body);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field_i64(out, "status", status);
    json_field(out, "body", str_is_utf8(body) ? body : STR(""));
}

/* ---- moods ---- */

void stand_list_moods(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (int p = 0; p < TILL_PROVIDERS; p++)
        mood_write(out, (enum till_provider)p);
}

void stand_set_mood(struct request *request, const struct inputs *inputs)
{
    enum till_provider provider;
    const char *reason;
    if (!provider_of(request, inputs, &provider))
        return;
    if (mood_set(provider, inputs->body, &reason))
        mood_write(reply_json(request, 200), provider);
    else
        refuse(request, reason);
}

void stand_reset_moods(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    mood_reset();
    reply_empty(request, 204);
}
