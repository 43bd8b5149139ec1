/* UnionPay (acp 5.1.0): keys, signed calls, answers verified by the certificate that they bring. */
#include "unionpay.h"

enum { MONTHS_HALF = 6, TRACE_TIME = 10 };

_Thread_local struct unionpay *unionpay;

static void close_unionpay(void)
{
    if (!unionpay)
        return;
    peer_close(unionpay->peer);
    peer_close(unionpay->files);
    payment_key_free(unionpay->key);
    payment_key_free(unionpay->certificate);
    payment_key_free(unionpay->known);
    arena_close(unionpay->arena);
    unionpay = NULL;
}

static bool open_unionpay(void)
{
    struct arena *arena = arena_open();
    struct unionpay *one = unionpay = arena_new(arena, struct unionpay);
    one->arena = arena;
    bool good = provider_text("payments.unionpay.merchant", &one->merchant) &&
                provider_text("payments.unionpay.address", &one->address) &&
                provider_text("payments.unionpay.signer", &one->signer) &&
                (one->peer = provider_peer("payments.unionpay.address")) &&
                (one->files = provider_peer("payments.unionpay.file_address")) &&
                (one->key = provider_key("payments.unionpay.private_key", true)) &&
                (one->certificate = provider_key("payments.unionpay.certificate", false)) &&
                (one->authority = provider_file(arena, "payments.unionpay.authority", false)).at;
    if (!good)
        close_unionpay();
    return good;
}

void unionpay_form(struct payment_form *form, const char *type, const char *subtype, const char *business)
{
    form->count = 0;
    payment_form_add(form, "version", STR("5.1.0"));
    payment_form_add(form, "encoding", STR("UTF-8"));
    payment_form_add(form, "signMethod", STR("01"));
    payment_form_add(form, "certId", payment_key_number(unionpay->certificate));
    payment_form_add(form, "txnType", str_of(type));
    payment_form_add(form, "txnSubType", str_of(subtype));
    payment_form_add(form, "bizType", str_of(business));
    payment_form_add(form, "accessType", STR("0"));
    payment_form_add(form, "merId", unionpay->merchant);
}

void unionpay_form_name(struct arena *arena, struct payment_form *form, struct str number, int64_t at)
{
    payment_form_add(form, "orderId", number);
    payment_form_add(form, "txnTime", provider_time_packed(arena, at));
}

/* The chain of a certificate is checked once; they change once a year. */
static const struct payment_key *key_of(struct str pem)
{
    const char *reason;
    if (unionpay->known && str_equal(pem, unionpay->known_pem))
        return unionpay->known;
    struct payment_key *key = payment_key_vouched(pem, unionpay->authority, unionpay->signer, &reason);
    if (!key)
        return NULL;
    payment_key_free(unionpay->known);
    unionpay->known = key;
    unionpay->known_pem = str_copy(unionpay->arena, pem);
    return key;
}

bool unionpay_is_genuine(struct arena *arena, const struct payment_form *form)
{
    const struct payment_key *key = key_of(payment_form_get(form, "signPubKeyCert"));
    return key && str_is(payment_form_get(form, "signMethod"), "01") && unionpay_form_verify(arena, form, key);
}

enum provider_outcome unionpay_call(struct arena *arena, struct peer *peer, const char *path, struct payment_form *form,
                                    const struct provider_code *codes, struct payment_form *answer,
                                    struct provider_fault *fault)
{
    struct peer_answer got;
    unionpay_form_sign(arena, form, unionpay->key);
    const struct peer_request request = {
        .method = STR("POST"),
        .target = str_printf(arena, "%.*s/%s", STR_ARG(peer_prefix(peer)), path),
        .fields = {{STR("content-type"), STR("application/x-www-form-urlencoded;charset=UTF-8")}},
        .body = payment_form_write(arena, form),
        .most = peer == unionpay->files ? BILL_PACKED_MOST : 0,
        .deadline = peer == unionpay->files ? provider_bill_deadline() : provider_deadline(),
    };
    if (!peer_call(peer, arena, &request, &got) || got.status != 200)
        return provider_no_answer(arena, &got, fault);
    if (!unionpay_answer_read(got.body, answer) || !unionpay_is_genuine(arena, answer))
        return provider_unknown(fault, "signature", STR("the answer is not signed by UnionPay"));
    if (!str_equal(payment_form_get(answer, "merId"), unionpay->merchant))
        return provider_unknown(fault, "garbage", STR("the answer is not of this merchant"));
    struct str code = payment_form_get(answer, "respCode");
    if (str_is(code, "00"))
        return PROVIDER_OK;
    return provider_judge(codes, code, payment_form_get(answer, "respMsg"), fault);
}

int64_t unionpay_traced_at(struct arena *arena, const struct payment_form *form)
{
    struct str time = payment_form_get(form, "txnTime"), trace = payment_form_get(form, "traceTime");
    int64_t first, traced;
    if (!provider_time_read_packed(time, &first))
        return 0;
    if (trace.len != TRACE_TIME)
        return first;
    struct civil at = time_civil(first);
    struct str year = str_printf(arena, "%04d%.*s", at.year, STR_ARG(trace));
    if (!provider_time_read_packed(year, &traced))
        return first;
    if (time_civil(traced).month + MONTHS_HALF < at.month) /* ordered in December, paid in January */
        year = str_printf(arena, "%04d%.*s", at.year + 1, STR_ARG(trace));
    return provider_time_read_packed(year, &traced) ? traced : first;
}

extern const struct provider unionpay_provider;
const struct provider_part provider_unionpay = {.provider = &unionpay_provider, .open = open_unionpay, .close = close_unionpay};
