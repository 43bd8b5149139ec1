/* Alipay: keys, signed calls (RSA2, the gateway's form), verified answers. */
#include "alipay.h"

#include <stdio.h>

enum { METHOD_MOST = 96 };

_Thread_local struct alipay alipay;

static void close_alipay(void)
{
    peer_close(alipay.peer);
    peer_close(alipay.bills);
    payment_key_free(alipay.key);
    payment_key_free(alipay.platform);
    alipay = (struct alipay){.peer = NULL};
}

static bool open_alipay(void)
{
    bool good = provider_text("payments.alipay.merchant", &alipay.merchant) &&
                provider_text("payments.alipay.app_id", &alipay.app_id) &&
                provider_text("payments.alipay.address", &alipay.address) &&
                (alipay.peer = provider_peer("payments.alipay.address")) &&
                (alipay.bills = provider_peer("payments.alipay.bill_address")) &&
                (alipay.key = provider_key("payments.alipay.private_key", true)) &&
                (alipay.platform = provider_key("payments.alipay.platform", false));
    if (!good)
        close_alipay();
    return good;
}

void alipay_form(struct arena *arena, const char *method, struct str content, bool told, struct payment_form *form)
{
    form->count = 0;
    payment_form_add(form, "app_id", alipay.app_id);
    payment_form_add(form, "method", str_of(method));
    payment_form_add(form, "format", STR("JSON"));
    payment_form_add(form, "charset", STR("utf-8"));
    payment_form_add(form, "sign_type", STR("RSA2"));
    payment_form_add(form, "timestamp", provider_time_spaced(arena, clock_wall()));
    payment_form_add(form, "version", STR("1.0"));
    if (told)
        payment_form_add(form, "notify_url", provider_notify_url(arena, "alipay"));
    payment_form_add(form, "biz_content", content);
    alipay_form_sign(arena, form, alipay.key);
}

/* "alipay.trade.query" is answered by "alipay_trade_query_response". */
static struct str member_of(struct arena *arena, const char *method)
{
    char name[METHOD_MOST];
    snprintf(name, sizeof name, "%s_response", method);
    for (char *at = name; *at; at++)
        if (*at == '.')
            *at = '_';
    return str_copy(arena, str_of(name));
}

/* The signed object of the answer, parsed from the very bytes that were signed; NULL when nobody signed it. */
static const struct json *read_signed(struct arena *arena, struct str body, struct str member)
{
    struct json_error error;
    struct str text = alipay_answer_text(body, member);
    const struct json *whole = text.at ? json_parse(arena, body, &json_limits_answer, &error) : NULL;
    if (!whole || !payment_verify(alipay.platform, text, json_get_string(whole, "sign", STR(""))))
        return NULL;
    return json_get_str(whole, member);
}

enum provider_outcome alipay_call(struct arena *arena, const char *method, struct str content, bool told,
                                  const struct provider_code *codes, const struct json **answer, struct provider_fault *fault)
{
    struct payment_form form;
    struct peer_answer got;
    alipay_form(arena, method, content, told, &form);
    const struct peer_request request = {
        .method = STR("POST"),
        .target = str_printf(arena, "%.*s?charset=utf-8", STR_ARG(peer_prefix(alipay.peer))),
        .fields = {{STR("content-type"), STR("application/x-www-form-urlencoded;charset=utf-8")}},
        .body = payment_form_write(arena, &form),
        .deadline = provider_deadline(),
    };
    if (!peer_call(alipay.peer, arena, &request, &got) || got.status != 200)
        return provider_no_answer(arena, &got, fault);
    *answer = read_signed(arena, got.body, member_of(arena, method));
    if (!*answer)
        return provider_unknown(fault, "signature", STR("the answer is not signed by Alipay"));
    struct str code = json_get_string(*answer, "code", STR("")), detail = json_get_string(*answer, "sub_code", code);
    if (str_is(code, "10000"))
        return PROVIDER_OK;
    if (str_is(code, "20000") || str_is(code, "10003"))
        return provider_unknown(fault, "busy", detail);
    if (!str_is(code, "40004"))
        return provider_refused(fault, PROVIDER_REASON_CONFIGURATION, detail, json_get_string(*answer, "sub_msg", STR("")));
    return provider_judge(codes, detail, json_get_string(*answer, "sub_msg", STR("")), fault);
}

extern const struct provider alipay_provider;
const struct provider_part provider_alipay = {.provider = &alipay_provider, .open = open_alipay, .close = close_alipay};
