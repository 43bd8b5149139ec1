/* The providers' table, and what their files share. */
#include "provider_part.h"

#include <shimin/file.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/settings.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MOST = 40, FILE_MOST = 65536, BILL_TIMES = 10, NONCE = 16 };

static const struct provider_part *const parts[] = {&provider_wechat, &provider_alipay, &provider_unionpay};
/* Those that are configured; the same in every worker. */
static _Thread_local const struct provider *offered[COUNT_OF(parts) + 1];

const struct provider *provider_named(struct str name)
{
    for (size_t i = 0; offered[i]; i++)
        if (str_is(name, offered[i]->name))
            return offered[i];
    return NULL;
}

const struct provider *const *providers(void)
{
    return offered;
}

static bool is_configured(const struct provider *provider)
{
    char path[64];
    snprintf(path, sizeof path, "payments.%s.merchant", provider->name);
    return setting_string(path) != NULL;
}

bool providers_open(void)
{
    size_t count = 0;
    bool good = true;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!is_configured(parts[i]->provider))
            continue;
        if (parts[i]->open())
            offered[count++] = parts[i]->provider;
        else
            good = false;
    }
    offered[count] = NULL;
    return good;
}

void providers_close(void)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        parts[i]->close();
    offered[0] = NULL;
}

/* ---- configuration ---- */

bool provider_text(const char *setting, struct str *text)
{
    *text = str_of(setting_string(setting));
    if (!text->len)
        log_error("%s is not set", setting);
    return text->len > 0;
}

struct str provider_file(struct arena *arena, const char *setting, bool secret)
{
    struct str path, bytes;
    if (!provider_text(setting, &path))
        return STR_NONE;
    const char *fault = file_read(arena, path.at, FILE_MOST, secret ? FILE_PRIVATE : FILE_PUBLIC, &bytes);
    if (!fault)
        return bytes;
    log_error("%s: %s %s", setting, path.at, fault);
    return STR_NONE;
}

struct payment_key *provider_key(const char *setting, bool signs)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    const char *reason = "is a public key";
    struct str pem = provider_file(scratch, setting, signs);
    struct payment_key *key = pem.at ? payment_key_read(pem, &reason) : NULL;
    if (key && (!signs || payment_key_signs(key)))
        return key;
    if (pem.at)
        log_error("%s: %s", setting, reason);
    payment_key_free(key);
    return NULL;
}

struct peer *provider_peer(const char *setting)
{
    struct str address;
    return provider_text(setting, &address) ? peer_open(address.at, setting_string("payments.ca")) : NULL;
}

int64_t provider_deadline(void)
{
    return deadline_in(setting_duration("payments.deadline"));
}

int64_t provider_bill_deadline(void)
{
    return deadline_in(BILL_TIMES * setting_duration("payments.deadline"));
}

struct str provider_notify_url(struct arena *arena, const char *name)
{
    return str_printf(arena, "%s/%s", setting_string("payments.notify_url"), name);
}

struct str provider_return_url(void)
{
    return str_of(setting_string("payments.return_url"));
}

/* ---- outcomes ---- */

static const char *const reason_names[] = {
    [PROVIDER_REASON_OTHER] = "other",
    [PROVIDER_REASON_NO_ORDER] = "no_order",
    [PROVIDER_REASON_NO_REFUND] = "no_refund",
    [PROVIDER_REASON_PAID] = "paid",
    [PROVIDER_REASON_CLOSED] = "closed",
    [PROVIDER_REASON_USED] = "used",
    [PROVIDER_REASON_NOT_CLOSABLE] = "not_closable",
    [PROVIDER_REASON_TOO_MUCH] = "too_much",
    [PROVIDER_REASON_NO_BALANCE] = "no_balance",
    [PROVIDER_REASON_NO_BILL] = "no_bill",
    [PROVIDER_REASON_CONFIGURATION] = "configuration",
};

const char *provider_reason_name(enum provider_reason reason)
{
    return reason_names[reason];
}

static const char *const payment_names[] = {
    [PROVIDER_NOT_FOUND] = "not_found", [PROVIDER_NOT_PAID] = "not_paid", [PROVIDER_PAYING] = "paying",
    [PROVIDER_PAID] = "paid",           [PROVIDER_FAILED] = "failed",     [PROVIDER_CLOSED] = "closed",
    [PROVIDER_REFUNDED] = "refunded",
};

const char *provider_payment_state_name(enum provider_payment_state state)
{
    return payment_names[state];
}

static const char *const refund_names[] = {
    [PROVIDER_REFUND_NOT_FOUND] = "not_found", [PROVIDER_REFUND_PROCESSING] = "processing",
    [PROVIDER_REFUND_SUCCESS] = "success",     [PROVIDER_REFUND_CLOSED] = "closed",
    [PROVIDER_REFUND_ABNORMAL] = "abnormal",
};

const char *provider_refund_progress_name(enum provider_refund_progress progress)
{
    return refund_names[progress];
}

enum provider_outcome provider_unknown(struct provider_fault *fault, const char *code, struct str message)
{
    *fault = (struct provider_fault){.code = str_of(code), .message = message};
    return PROVIDER_UNKNOWN;
}

enum provider_outcome provider_refused(struct provider_fault *fault, enum provider_reason reason, struct str code,
                                       struct str message)
{
    *fault = (struct provider_fault){.reason = reason, .code = code, .message = message};
    return PROVIDER_REFUSED;
}

enum provider_outcome provider_no_answer(struct arena *arena, const struct peer_answer *answer, struct provider_fault *fault)
{
    if (answer->failure)
        return provider_unknown(fault, answer->failure, STR("no answer"));
    return provider_unknown(fault, str_printf(arena, "status %u", answer->status).at, STR("no use"));
}

enum provider_outcome provider_judge(const struct provider_code *codes, struct str code, struct str message,
                                     struct provider_fault *fault)
{
    while (codes->code && !str_is(code, codes->code))
        codes++;
    *fault = (struct provider_fault){.reason = codes->reason, .code = code, .message = message};
    return codes->unknown ? PROVIDER_UNKNOWN : PROVIDER_REFUSED;
}

/* ---- values ---- */

struct str provider_nonce(struct arena *arena)
{
    uint8_t bytes[NONCE];
    random_bytes(bytes, sizeof bytes);
    return hex_encode(arena, bytes, sizeof bytes);
}

struct str provider_words(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t length = 0, characters = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c & 0xc0) != 0x80 && characters++ == WORDS_MOST)
            break;
        out[length++] = c < ' ' || c == 0x7f || strchr("&=|<>\"\\", c) ? ' ' : (char)c;
    }
    return (struct str){out, length};
}

struct str provider_time_spaced(struct arena *arena, int64_t wall)
{
    struct civil at = time_civil(wall);
    return str_printf(arena, "%04d-%02d-%02d %02d:%02d:%02d", at.year, at.month, at.day, at.hour, at.minute, at.second);
}

struct str provider_time_packed(struct arena *arena, int64_t wall)
{
    struct civil at = time_civil(wall);
    return str_printf(arena, "%04d%02d%02d%02d%02d%02d", at.year, at.month, at.day, at.hour, at.minute, at.second);
}

bool provider_time_read_spaced(struct str text, int64_t *wall)
{
    char written[26];
    if (text.len != 19 || text.at[10] != ' ')
        return false;
    memcpy(written, text.at, 19);
    written[10] = 'T';
    memcpy(written + 19, "+08:00", 6);
    return time_parse_rfc3339((struct str){written, 25}, wall);
}

bool provider_time_read_packed(struct str text, int64_t *wall)
{
    if (text.len != 14)
        return false;
    const char *t = text.at;
    char written[20] = {t[0], t[1], t[2], t[3], '-',   t[4],  t[5], '-',   t[6],  t[7],
                        ' ',  t[8], t[9], ':',  t[10], t[11], ':',  t[12], t[13], 0};
    return provider_time_read_spaced((struct str){written, 19}, wall);
}
