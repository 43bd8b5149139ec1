/* A merchant with the engine's providers and nothing else: POST /call calls them, /notices/{provider} takes their notices.
 * Usage: merchant CONFIGURATION PORT. */
#include "payments/provider.h"

#include <shimin/log.h>
#include <shimin/worker.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "config_keys.h"
#include "edge/settings.h"
#include "http/server.h"
#include "runtime/offload.h"

static struct http_settings settings;
static struct http_listener listener;
static const char *const outcomes[] = {"ok", "refused", "unknown"};

/* Notices that were read, as JSON texts; and whether they are taken. */
static struct arena *kept;
static struct text notices;
static bool takes = true;

static void write_payment(struct json_out *out, const struct provider_payment *payment)
{
    json_field_c(out, "state", provider_payment_state_name(payment->state));
    json_field(out, "transaction_id", payment->transaction_id);
    json_field_i64(out, "amount_fen", payment->amount_fen);
    json_field_i64(out, "paid_at", payment->paid_at);
}

static void write_refund(struct json_out *out, const struct provider_refund_state *refund)
{
    json_field_c(out, "state", provider_refund_progress_name(refund->state));
    json_field(out, "refund_id", refund->refund_id);
    json_field_i64(out, "amount_fen", refund->amount_fen);
    json_field_i64(out, "ended_at", refund->ended_at);
}

static void take_notice(struct request *request, const struct provider *provider)
{
    struct provider_notice notice;
    struct provider_fault fault = {.code = STR("")};
    bool ignored;
    enum provider_outcome outcome = provider->notice_read(request, &notice, &ignored, &fault);
    struct json_out out = json_write(&notices);
    json_object(&out);
    json_field_c(&out, "provider", provider->name);
    json_field_c(&out, "outcome", outcomes[outcome]);
    json_field(&out, "code", fault.code);
    if (outcome == PROVIDER_OK) {
        json_field(&out, "id", notice.id);
        json_field(&out, "kind", notice.kind);
        json_field_bool(&out, "ignored", ignored);
        json_field_bool(&out, "is_refund", notice.is_refund);
        json_field(&out, "out_trade_no", notice.out_trade_no);
        json_field(&out, "out_refund_no", notice.out_refund_no);
        if (notice.is_refund)
            write_refund(&out, &notice.refund);
        else
            write_payment(&out, &notice.payment);
    }
    json_end_all(&out);
    text_add_char(&notices, ',');
    provider->notice_reply(request, outcome == PROVIDER_OK && takes);
}

static bool take_line(const struct provider_line *line, void *argument)
{
    struct json_out *out = argument;
    json_object(out);
    json_field_bool(out, "is_refund", line->is_refund);
    json_field(out, "transaction_id", line->transaction_id);
    json_field(out, "out_trade_no", line->out_trade_no);
    json_field(out, "refund_id", line->refund_id);
    json_field(out, "out_refund_no", line->out_refund_no);
    json_field_i64(out, "amount_fen", line->amount_fen);
    json_field_i64(out, "fee_fen", line->fee_fen);
    json_field_i64(out, "occurred_at", line->occurred_at);
    json_field(out, "status", line->status);
    json_end(out);
    return true;
}

static const char *const channels[] = {"app", "h5", "native", "jsapi"};

static struct provider_order order_of(const struct json *body)
{
    struct provider_order order = {
        .trade = {json_get_string(body, "out_trade_no", STR("")), json_get_integer(body, "ordered_at", 0)},
        .description = json_get_string(body, "description", STR("水费 & 电费")),
        .amount_fen = json_get_integer(body, "amount_fen", 0),
        .expires_at = json_get_integer(body, "expires_at", clock_wall() + seconds(600)),
        .payer = json_get_string(body, "payer", STR("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")),
        .payer_address = STR("203.0.113.7"),
    };
    for (size_t i = 0; i < COUNT_OF(channels); i++)
        if (str_is(json_get_string(body, "channel", STR("app")), channels[i]))
            order.channel = (enum provider_channel)i;
    return order;
}

static enum provider_outcome call(const struct provider *provider, const struct json *body, struct arena *arena,
                                  struct json_out *out, struct provider_fault *fault)
{
    struct str what = json_get_string(body, "call", STR("")), cashier;
    struct provider_order order = order_of(body);
    struct provider_refund refund = {
        .trade = order.trade,
        .transaction_id = json_get_string(body, "transaction_id", STR("")),
        .out_refund_no = json_get_string(body, "out_refund_no", STR("")),
        .requested_at = json_get_integer(body, "requested_at", 0),
        .reason = STR("重复缴费"),
        .amount_fen = json_get_integer(body, "refund_fen", 0),
        .total_fen = order.amount_fen,
    };
    struct provider_payment payment;
    struct provider_refund_state state;
    struct provider_bill bill;
    enum provider_outcome outcome = PROVIDER_REFUSED;
    if (str_is(what, "order")) {
        outcome = provider->order(arena, &order, &cashier, fault);
        if (outcome == PROVIDER_OK)
            json_field_raw(out, "cashier", cashier);
    } else if (str_is(what, "query")) {
        outcome = provider->query(arena, &order.trade, &payment, fault);
        if (outcome == PROVIDER_OK)
            write_payment(out, &payment);
    } else if (str_is(what, "close")) {
        outcome = provider->close(arena, &order.trade, fault);
    } else if (str_is(what, "refund") || str_is(what, "refund_query")) {
        outcome = (str_is(what, "refund") ? provider->refund : provider->refund_query)(arena, &refund, &state, fault);
        if (outcome == PROVIDER_OK)
            write_refund(out, &state);
    } else if (str_is(what, "bill")) {
        json_key(out, "lines");
        json_array(out);
        outcome = provider->bill_file(arena, json_get_string(body, "date", STR("")), take_line, out, &bill, fault);
        json_end(out);
        if (outcome == PROVIDER_OK)
            json_field_i64(out, "paid_fen", bill.paid_fen);
    }
    return outcome;
}

static void handle_call(struct request *request)
{
    struct json_error error;
    struct provider_fault fault = {.code = STR("")};
    const struct json *body = json_parse(request->arena, request->body_bytes, &json_limits_request, &error);
    const struct provider *provider = provider_named(json_get_string(body, "provider", STR("")));
    if (!provider) {
        reply_empty(request, 404);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    enum provider_outcome outcome = call(provider, body, request->arena, out, &fault);
    json_field_c(out, "outcome", outcomes[outcome]);
    json_field_c(out, "reason", provider_reason_name(fault.reason));
    json_field(out, "code", fault.code);
    json_field(out, "message", fault.message);
}

static void handle(struct request *request)
{
    static const struct str prefix = {"/notices/", 9};
    const struct provider *provider =
        str_starts(request->path, prefix) ? provider_named(str_slice(request->path, prefix.len, request->path.len)) : NULL;
    if (provider) {
        take_notice(request, provider);
    } else if (str_is(request->path, "/call")) {
        handle_call(request);
    } else if (str_is(request->path, "/notices")) {
        takes = str_find(request->query, STR("refuse")) < 0;
        reply_bytes(request, 200, "application/json", str_printf(request->arena, "[%.*snull]", STR_ARG(text_str(&notices))));
    } else {
        reply_empty(request, 404);
    }
}

static bool open_worker(void *argument)
{
    (void)argument;
    kept = arena_open();
    notices = text_open(kept, 4096);
    return providers_open() && http_open();
}

static void stop_worker(void *argument)
{
    (void)argument;
    providers_close();
    http_drain(deadline_in(seconds(1)));
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_open();
    struct text faults = text_open(arena, 256);
    int64_t port;
    struct config *config = argc == 3 ? config_load(argv[1], config_keys, config_key_count, &faults) : NULL;
    if (!config || !str_to_i64(str_of(argv[2]), &port)) {
        fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
        return EXIT_FAILURE;
    }
    sigset_t signals;
    int received;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    settings_prepare(config);
    listener = (struct http_listener){.address = "127.0.0.1", .port = (uint16_t)port, .internal = true, .handle = handle};
    settings = http_settings_default;
    settings.listeners = &listener;
    settings.listener_count = 1;
    settings.request_time = seconds(120);
    offload_start(1);
    if (!http_prepare(&settings) || !workers_start(1, open_worker, NULL))
        return EXIT_FAILURE;
    sigwait(&signals, &received);
    workers_stop(stop_worker, NULL, deadline_in(seconds(2)));
    log_flush();
    return EXIT_SUCCESS;
}
