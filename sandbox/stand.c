/* The providers' port: keys, whose call it is, and how it is answered. */
#include "stand.h"

#include <shimin/file.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <stdio.h>

#include "base/config.h"
#include "stage.h"

enum { FILE_MOST = 65536, UNUSABLE = 502, FAILED = 500 };
#define SILENCE seconds(600)

struct stand stand;

static const struct stand_provider *const providers[] = {&stand_wechat, &stand_alipay, &stand_unionpay};

const struct stand_provider *stand_provider(enum till_provider provider)
{
    return providers[provider];
}

/* ---- keys ---- */

static struct str read_file(struct arena *arena, const char *directory, const char *name)
{
    struct str bytes;
    const char *path = str_printf(arena, "%s/%s", directory, name).at;
    const char *fault = file_read(arena, path, FILE_MOST, FILE_PUBLIC, &bytes);
    if (!fault)
        return bytes;
    log_error("sandbox.providers_keys: %s %s", path, fault);
    return STR_NONE;
}

static bool read_key(struct arena *arena, const char *directory, const char *name, struct payment_key **key)
{
    const char *reason = "";
    struct str pem = read_file(arena, directory, name);
    *key = pem.at ? payment_key_read(pem, &reason) : NULL;
    if (pem.at && !*key)
        log_error("sandbox.providers_keys: %s: %s", name, reason);
    return *key != NULL;
}

bool stand_load(struct arena *arena, const struct config *config)
{
    const char *directory = config_string(config, "sandbox.providers_keys");
    mood_reset();
    if (!till_open(config_string(config, "sandbox.providers_file")) || !directory)
        return false;
    stand.wechat_id = str_of(config_string(config, "payments.wechat.merchant"));
    stand.wechat_app = str_of(config_string(config, "payments.wechat.app_id"));
    stand.alipay_seller = str_of(config_string(config, "payments.alipay.merchant"));
    stand.alipay_app_id = str_of(config_string(config, "payments.alipay.app_id"));
    stand.unionpay_id = str_of(config_string(config, "payments.unionpay.merchant"));
    stand.ca_file = config_string(config, "federation.ca");
    stand.wechat_v3_key = str_trim(read_file(arena, directory, "wechat-v3.key"));
    stand.unionpay_certificate = read_file(arena, directory, "unionpay-platform.pem");
    return read_key(arena, directory, "wechat-platform.key", &stand.wechat) &&
           read_key(arena, directory, "wechat-platform.pem", &stand.wechat_certificate) &&
           read_key(arena, directory, "wechat-merchant.pem", &stand.wechat_merchant) &&
           read_key(arena, directory, "alipay-platform.key", &stand.alipay) &&
           read_key(arena, directory, "alipay-app.pub", &stand.alipay_app) &&
           read_key(arena, directory, "unionpay-platform.key", &stand.unionpay) &&
           read_key(arena, directory, "unionpay-platform.pem", &stand.unionpay_key) &&
           read_key(arena, directory, "unionpay-merchant.pem", &stand.unionpay_merchant);
}

/* ---- calls ---- */

static bool whose(struct str path, enum till_provider *provider)
{
    if (str_starts(path, STR("/v3/")))
        *provider = TILL_WECHAT;
    else if (str_starts(path, STR("/gateway/api/")) || str_is(path, "/"))
        *provider = TILL_UNIONPAY;
    else if (str_starts(path, STR("/gateway.do")) || str_starts(path, STR("/downloadBillFile")))
        *provider = TILL_ALIPAY;
    else
        return false;
    return true;
}

static void stay_silent(struct request *request)
{
    (void)fiber_sleep(SILENCE);
    reply_empty(request, FAILED);
}

static void answer(struct stand_call *call, const struct stand_provider *provider)
{
    switch (call->mood.answer) {
    case MOOD_SILENT:
        stay_silent(call->request);
        return;
    case MOOD_FAILING_AFTER:
        reply_bytes(call->request, UNUSABLE, "text/html", STR("<html>Bad Gateway</html>"));
        return;
    case MOOD_GARBAGE:
        reply_bytes(call->request, 200, "text/html", STR("<html>The system is under maintenance</html>"));
        return;
    case MOOD_SLOW:
        if (fiber_sleep(call->mood.delay) != WAIT_DONE)
            return;
        break;
    default:
        break;
    }
    provider->send(call);
}

void stand_handle(struct request *request)
{
    struct stand_call *call = arena_new(request->arena, struct stand_call);
    *call = (struct stand_call){.request = request, .arena = request->arena, .status = 200};
    if (!whose(request->path, &call->provider)) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个接口", "No provider has this path"));
        return;
    }
    const struct stand_provider *provider = stand_provider(call->provider);
    if (!provider->read(call))
        return;
    call->mood = mood_draw(call->provider, call->operation);
    if (call->mood.answer == MOOD_DEAF) {
        stay_silent(request);
    } else if (call->mood.answer == MOOD_FAILING) {
        reply_bytes(request, FAILED, "text/html", STR("<html>Internal Server Error</html>"));
    } else if (call->mood.answer == MOOD_REFUSE) {
        provider->refuse(call);
        provider->send(call);
    } else {
        fiber_shield(); /* what was begun is done, whether or not the merchant waits */
        provider->perform(call);
        fiber_unshield();
        answer(call, provider);
    }
}

/* ---- values ---- */

struct str stand_random(struct arena *arena, size_t characters)
{
    uint8_t bytes[32];
    random_bytes(bytes, sizeof bytes);
    return str_slice(hex_encode(arena, bytes, sizeof bytes), 0, characters);
}

struct str stand_spaced(struct arena *arena, int64_t wall)
{
    struct civil at = time_civil(wall);
    return str_printf(arena, "%04d-%02d-%02d %02d:%02d:%02d", at.year, at.month, at.day, at.hour, at.minute, at.second);
}

struct str stand_packed(struct arena *arena, int64_t wall)
{
    struct civil at = time_civil(wall);
    return str_printf(arena, "%04d%02d%02d%02d%02d%02d", at.year, at.month, at.day, at.hour, at.minute, at.second);
}

int64_t stand_time(struct str text)
{
    char digits[15] = "", written[32];
    size_t count = 0;
    int64_t wall;
    for (size_t i = 0; i < text.len && count < 14; i++)
        if (text.at[i] >= '0' && text.at[i] <= '9')
            digits[count++] = text.at[i];
    if (count != 14)
        return 0;
    snprintf(written, sizeof written, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s+08:00", digits, digits + 4, digits + 6, digits + 8,
             digits + 10, digits + 12);
    return time_parse_rfc3339(str_of(written), &wall) ? wall : 0;
}

struct str stand_spoil(struct arena *arena, struct str signature)
{
    char *copy = str_to_c(arena, signature);
    copy[0] = copy[0] == 'A' ? 'B' : 'A';
    return str_of(copy);
}
