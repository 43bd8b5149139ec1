/* WeChat Pay: keys, signed calls, verified answers. */
#include "wechat.h"

#include <shimin/log.h>
#include <shimin/settings.h>
#include <stdlib.h>

enum { KEY = 32, SKEW = 300, MULTIPLE = 100, CLIENT_ERROR = 400, TOO_MANY = 429, SERVER_ERROR = 500 };

_Thread_local struct wechat *wechat;

/* Each certificate in the file; a bare public key goes by the id that the configuration gives it. */
static bool read_platform(struct wechat *one)
{
    static const struct str begin = {"-----BEGIN ", 11};
    struct str pem = provider_file(one->arena, "payments.wechat.platform", false), id = STR("");
    const char *reason = "no key";
    ptrdiff_t at;
    while (pem.at && (at = str_find(pem, begin)) >= 0 && one->platform_count < WECHAT_PLATFORM_KEYS) {
        pem = str_slice(pem, (size_t)at, pem.len);
        struct payment_key *key = payment_key_read(pem, &reason);
        if (!key)
            break;
        struct str serial = payment_key_serial(key);
        if (!serial.len && provider_text("payments.wechat.platform_id", &id))
            serial = id;
        one->platform[one->platform_count].serial = serial;
        one->platform[one->platform_count++].key = key;
        if (!serial.len)
            return false;
        pem = str_slice(pem, begin.len, pem.len);
    }
    if (!one->platform_count)
        log_error("payments.wechat.platform: %s", reason);
    return one->platform_count > 0;
}

static void close_wechat(void)
{
    if (!wechat)
        return;
    peer_close(wechat->peer);
    payment_key_free(wechat->key);
    payment_key_free(wechat->certificate);
    for (size_t i = 0; i < wechat->platform_count; i++)
        payment_key_free(wechat->platform[i].key);
    arena_close(wechat->arena);
    wechat = NULL;
}

static bool open_wechat(void)
{
    struct arena *arena = arena_open();
    struct wechat *one = wechat = arena_new(arena, struct wechat);
    one->arena = arena;
    bool good = provider_text("payments.wechat.merchant", &one->merchant) &&
                provider_text("payments.wechat.app_id", &one->app_id) &&
                (one->peer = provider_peer("payments.wechat.address")) &&
                (one->key = provider_key("payments.wechat.private_key", true)) &&
                (one->certificate = provider_key("payments.wechat.certificate", false)) && read_platform(one);
    if (good)
        one->v3_key = str_trim(provider_file(arena, "payments.wechat.v3_key", true));
    if (good && one->v3_key.len != KEY) {
        log_error("payments.wechat.v3_key: a key has %d bytes", KEY);
        good = false;
    }
    if (!good)
        close_wechat();
    return good;
}

struct str wechat_authorization(struct arena *arena, struct str method, struct str target, struct str body)
{
    struct str nonce = provider_nonce(arena), timestamp = str_printf(arena, "%lld", (long long)(clock_wall() / seconds(1)));
    struct str text = wechat_request_text(arena, method, target, timestamp, nonce, body);
    return str_printf(arena,
                      "WECHATPAY2-SHA256-RSA2048 mchid=\"%.*s\",nonce_str=\"%.*s\",timestamp=\"%.*s\",serial_no=\"%.*s\","
                      "signature=\"%.*s\"",
                      STR_ARG(wechat->merchant), STR_ARG(nonce), STR_ARG(timestamp),
                      STR_ARG(payment_key_serial(wechat->certificate)), STR_ARG(payment_sign(arena, wechat->key, text)));
}

bool wechat_is_genuine(struct arena *arena, struct str timestamp, struct str nonce, struct str serial, struct str signature,
                       struct str body)
{
    int64_t at;
    if (!str_to_i64(timestamp, &at) || llabs(clock_wall() / seconds(1) - at) >= SKEW || !nonce.len)
        return false;
    struct str text = wechat_answer_text(arena, timestamp, nonce, body);
    for (size_t i = 0; i < wechat->platform_count; i++)
        if (str_equal(serial, wechat->platform[i].serial))
            return payment_verify(wechat->platform[i].key, text, signature);
    return false;
}

static bool is_signed(struct arena *arena, const struct peer_answer *answer)
{
    return wechat_is_genuine(arena, peer_field(answer, "wechatpay-timestamp"), peer_field(answer, "wechatpay-nonce"),
                             peer_field(answer, "wechatpay-serial"), peer_field(answer, "wechatpay-signature"), answer->body);
}

enum provider_outcome wechat_call(struct arena *arena, struct str method, struct str target, struct str body,
                                  const struct provider_code *codes, struct wechat_answer *answer, struct provider_fault *fault)
{
    struct json_error error;
    struct str full = str_printf(arena, "%.*s%.*s", STR_ARG(peer_prefix(wechat->peer)), STR_ARG(target));
    const struct peer_request request = {
        .method = method,
        .target = full,
        .fields = {{STR("authorization"), wechat_authorization(arena, method, full, body)},
                   {STR("accept"), STR("application/json")},
                   {STR("user-agent"), STR("shimin")},
                   {body.len ? STR("content-type") : STR(""), STR("application/json")}},
        .body = body,
        .deadline = provider_deadline(),
    };
    struct peer_answer got;
    if (!peer_call(wechat->peer, arena, &request, &got) || got.status >= SERVER_ERROR || got.status == TOO_MANY)
        return provider_no_answer(arena, &got, fault);
    if (!is_signed(arena, &got))
        return provider_unknown(fault, "signature", str_printf(arena, "status %u, not signed by WeChat Pay", got.status));
    *answer = (struct wechat_answer){.status = got.status, .body = got.body};
    answer->json = got.body.len ? json_parse(arena, got.body, &json_limits_answer, &error) : NULL;
    if (got.body.len && !answer->json)
        return provider_unknown(fault, "garbage", STR("no JSON"));
    if (got.status / MULTIPLE == 2)
        return PROVIDER_OK;
    if (got.status < CLIENT_ERROR || !answer->json)
        return provider_no_answer(arena, &got, fault);
    return provider_judge(codes, json_get_string(answer->json, "code", STR("none")),
                          json_get_string(answer->json, "message", STR("")), fault);
}

extern const struct provider wechat_provider;
const struct provider_part provider_wechat = {.provider = &wechat_provider, .open = open_wechat, .close = close_wechat};
