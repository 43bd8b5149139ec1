/* Notices of the three providers, the kind by the first byte: as they come, which must be refused, since nobody signed them;
 * and signed here, so that what is behind the signature is reached. */
#include "payments/alipay.h"
#include "payments/unionpay.h"
#include "payments/wechat.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <shimin/log.h>

#include "http/request_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str v3_key = {"0123456789abcdef0123456789abcdef", 32};

static struct payment_key *make_key(void)
{
    const char *reason = "";
    char *pem;
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    if (!pkey || !bio || PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
        fatal("no key can be made");
    long length = BIO_get_mem_data(bio, &pem);
    struct payment_key *key = payment_key_read((struct str){pem, (size_t)length}, &reason);
    if (!key)
        fatal("the key cannot be read: %s", reason);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return key;
}

static void open_all(void)
{
    struct arena *arena = arena_open(); /* as long as the process */
    struct payment_key *key = make_key();
    wechat = arena_new(arena, struct wechat);
    wechat->platform[0].serial = STR("01");
    wechat->platform[0].key = key;
    wechat->platform_count = 1;
    wechat->merchant = STR("1900000109");
    wechat->v3_key = v3_key;
    alipay.platform = key;
    alipay.merchant = STR("2088000000000001");
    alipay.app_id = STR("2021000000000001");
    unionpay = arena_new(arena, struct unionpay);
    unionpay->arena = arena;
    unionpay->merchant = STR("777290058110048");
    unionpay->signer = STR("none");
    unionpay->known_pem = STR("K");
    unionpay->known = key;
}

static struct str sealed(struct arena *arena, struct str inner)
{
    struct text text = text_open(arena, 1024);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field_c(&out, "id", "n1");
    json_field_c(&out, "event_type", inner.len % 2 ? "TRANSACTION.SUCCESS" : "REFUND.SUCCESS");
    json_key(&out, "resource");
    json_object(&out);
    json_field_c(&out, "algorithm", "AEAD_AES_256_GCM");
    json_field_c(&out, "nonce", "0123456789ab");
    json_field_c(&out, "associated_data", "x");
    json_field(&out, "ciphertext", wechat_seal(arena, v3_key, STR("0123456789ab"), STR("x"), inner));
    json_end_all(&out);
    return text_str(&text);
}

/* The four header fields of a body that WeChat Pay sent now. */
static void sign_wechat(struct request *request, struct field fields[4])
{
    struct arena *arena = request->arena;
    struct str timestamp = str_printf(arena, "%lld", (long long)(clock_wall() / seconds(1))), nonce = STR("n");
    fields[0] = (struct field){STR("wechatpay-timestamp"), timestamp};
    fields[1] = (struct field){STR("wechatpay-nonce"), nonce};
    fields[2] = (struct field){STR("wechatpay-serial"), STR("01")};
    fields[3] = (struct field){
        STR("wechatpay-signature"),
        payment_sign(arena, wechat->platform[0].key, wechat_answer_text(arena, timestamp, nonce, request->body_bytes))};
    request->fields = fields;
    request->field_count = 4;
}

static bool sign_form(struct request *request, bool of_alipay)
{
    struct payment_form form;
    if (!payment_form_read(request->arena, request->body_bytes, &form) || form.count > PAYMENT_FIELDS_MOST - 4)
        return false;
    if (of_alipay) {
        payment_form_add(&form, "notify_time", provider_time_spaced(request->arena, clock_wall()));
        payment_form_add(&form, "sign_type", STR("RSA2"));
        alipay_form_sign(request->arena, &form, alipay.platform);
    } else {
        payment_form_add(&form, "signMethod", STR("01"));
        payment_form_add(&form, "signPubKeyCert", STR("K"));
        unionpay_form_sign(request->arena, &form, unionpay->known);
    }
    request->body_bytes = payment_form_write(request->arena, &form);
    return true;
}

typedef enum provider_outcome reader(struct request *request, struct provider_notice *notice, bool *ignored,
                                     struct provider_fault *fault);

static void read_notice(struct request *request, reader *read, bool is_signed)
{
    struct provider_notice notice;
    struct provider_fault fault;
    bool ignored;
    enum provider_outcome outcome = read(request, &notice, &ignored, &fault);
    if (outcome == PROVIDER_UNKNOWN || (outcome == PROVIDER_OK && !is_signed))
        fatal("a notice was taken that nobody signed");
    if (outcome != PROVIDER_OK)
        return;
    if (!notice.id.len || (notice.is_refund ? !notice.out_refund_no.len : !notice.out_trade_no.len))
        fatal("a notice without a number was taken");
    if (!notice.is_refund && notice.payment.state == PROVIDER_PAID &&
        (notice.payment.amount_fen < 0 || !notice.payment.transaction_id.len || !notice.payment.paid_at))
        fatal("a payment was taken that says nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (!wechat)
        open_all();
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct field fields[4];
    struct request request = {.arena = arena, .body_bytes = {(const char *)data + 1, size - 1}};
    switch (data[0] % 6) {
    case 0:
        read_notice(&request, wechat_notice_read, false);
        break;
    case 1:
        sign_wechat(&request, fields);
        read_notice(&request, wechat_notice_read, true);
        break;
    case 2:
        request.body_bytes = sealed(arena, request.body_bytes);
        sign_wechat(&request, fields);
        read_notice(&request, wechat_notice_read, true);
        break;
    case 3:
    case 4:
        if (sign_form(&request, data[0] % 6 == 3))
            read_notice(&request, data[0] % 6 == 3 ? alipay_notice_read : unionpay_notice_read, true);
        break;
    default:
        read_notice(&request, size % 2 ? alipay_notice_read : unionpay_notice_read, false);
    }
    return 0;
}
