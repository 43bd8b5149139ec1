/* WeChat Pay: notices. */
#include "wechat.h"

enum { TAKEN = 204, AGAIN = 500 };

/* The sealed resource as JSON text; STR_NONE when it does not open. */
static struct str open_resource(struct arena *arena, const struct json *notice)
{
    const struct json *resource = json_get(notice, "resource");
    struct str plain;
    bool good = str_is(json_get_string(resource, "algorithm", STR("")), "AEAD_AES_256_GCM") &&
                wechat_open(arena, wechat->v3_key, json_get_string(resource, "nonce", STR("")),
                            json_get_string(resource, "associated_data", STR("")),
                            json_get_string(resource, "ciphertext", STR("")), &plain);
    return good ? plain : STR_NONE;
}

static bool fill(const struct json *json, struct provider_notice *notice)
{
    notice->out_trade_no = json_get_string(json, "out_trade_no", STR(""));
    notice->is_refund = str_starts(notice->kind, STR("REFUND."));
    if (!notice->out_trade_no.len || !str_equal(json_get_string(json, "mchid", STR("")), wechat->merchant))
        return false;
    if (!notice->is_refund)
        return wechat_payment_read(json, &notice->payment);
    notice->out_refund_no = json_get_string(json, "out_refund_no", STR(""));
    return notice->out_refund_no.len && wechat_refund_read(json, &notice->refund);
}

enum provider_outcome wechat_notice_read(struct request *request, struct provider_notice *notice, bool *ignored,
                                         struct provider_fault *fault)
{
    struct arena *arena = request_arena(request);
    struct str body = request_raw_body(request);
    struct json_error error;
    *notice = (struct provider_notice){.is_refund = false};
    *ignored = false;
    if (!wechat_is_genuine(arena, request_header(request, "wechatpay-timestamp"), request_header(request, "wechatpay-nonce"),
                           request_header(request, "wechatpay-serial"), request_header(request, "wechatpay-signature"), body))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("signature"), STR("not signed by WeChat Pay, or too old"));
    const struct json *outer = json_parse(arena, body, &json_limits_request, &error);
    struct str plain = outer ? open_resource(arena, outer) : STR_NONE;
    const struct json *inner = plain.at ? json_parse(arena, plain, &json_limits_request, &error) : NULL;
    if (!inner)
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("garbage"), STR("the resource cannot be opened"));
    notice->id = json_get_string(outer, "id", STR(""));
    notice->kind = json_get_string(outer, "event_type", STR(""));
    if (!notice->id.len || !fill(inner, notice))
        return provider_refused(fault, PROVIDER_REASON_OTHER, STR("foreign"), STR("not of this merchant, or not understood"));
    return PROVIDER_OK;
}

/* It judges by the status alone; what is not taken comes again for a day. */
void wechat_notice_reply(struct request *request, bool taken)
{
    if (taken)
        reply_empty(request, TAKEN);
    else
        reply_bytes(request, AGAIN, "application/json", STR("{\"code\":\"FAIL\",\"message\":\"again\"}"));
}
