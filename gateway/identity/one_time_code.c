/* One-time codes: an HMAC of the code in Redis under the phone's blind index; the code itself is nowhere. */
#include <shimin/one_time_code.h>

#include "crypto/field.h"
#include "identity/identity.h"

#include <shimin/id.h>
#include <shimin/redis.h>

enum { TRIES = 5, CODE_DIGITS = 6, CODES_AN_HOUR = 5, CODES_A_DAY = 10 };

/* KEYS: code, wait, hour, day. ARGV: mac, lifetime, resend, codes an hour, codes a day.
 * 0 when the code is kept, else the seconds to wait. */
static struct redis_script keep = {
    .source = "local wait = redis.call('TTL', KEYS[2]) if wait > 0 then return wait end "
              "for i, most in ipairs({ARGV[4], ARGV[5]}) do "
              "  if tonumber(redis.call('GET', KEYS[2 + i]) or '0') >= tonumber(most) then "
              "    return math.max(1, redis.call('TTL', KEYS[2 + i])) end end "
              "for i, window in ipairs({3600, 86400}) do "
              "  if redis.call('INCR', KEYS[2 + i]) == 1 then redis.call('EXPIRE', KEYS[2 + i], window) end end "
              "redis.call('DEL', KEYS[1]) "
              "redis.call('HSET', KEYS[1], 'mac', ARGV[1], 'tries', 0) "
              "redis.call('EXPIRE', KEYS[1], ARGV[2]) "
              "redis.call('SET', KEYS[2], '1', 'EX', ARGV[3]) return 0",
    .keys = 4,
};

/* KEYS: code. ARGV: tries, mac. 1 when it is right, and then it is used up: of many right answers at once one wins. A try that
 * is one too many voids it. To compare in no constant time tells nothing: what is compared is a MAC, whose key nobody outside
 * has. */
static struct redis_script try = {
    .source =
        "if redis.call('EXISTS', KEYS[1]) == 0 then return false end "
        "if redis.call('HINCRBY', KEYS[1], 'tries', 1) > tonumber(ARGV[1]) then redis.call('DEL', KEYS[1]) return false end "
        "if redis.call('HGET', KEYS[1], 'mac') ~= ARGV[2] then return false end "
        "return redis.call('DEL', KEYS[1])",
    .keys = 1,
};

/* The phone as Redis may see it. */
static struct str phone_key(struct arena *arena, struct str phone_number)
{
    uint8_t index[DIGEST_SIZE];
    field_blind_index(identity_settings()->keyring, STR("login.phone_number"), phone_number, index);
    return hex_encode(arena, index, sizeof index);
}

static struct str code_mac(struct arena *arena, struct str phone_number, struct str code)
{
    uint8_t mac[DIGEST_SIZE];
    struct str bound = str_printf(arena, "%.*s:%.*s", STR_ARG(phone_number), STR_ARG(code));
    field_blind_index(identity_settings()->keyring, STR("login.code"), bound, mac);
    return hex_encode(arena, mac, sizeof mac);
}

/* Uniform: what lies above the largest multiple of a million is drawn again. */
static struct str draw_code(struct arena *arena)
{
    enum { RANGE = 1000000 };
    uint32_t number;
    do
        random_bytes(&number, sizeof number);
    while (number >= UINT32_MAX - UINT32_MAX % RANGE);
    return str_printf(arena, "%0*u", CODE_DIGITS, number % RANGE);
}

enum code_outcome code_send(struct arena *arena, struct str phone_number, int64_t *retry_after)
{
    struct str phone = phone_key(arena, phone_number), code = draw_code(arena);
    const struct str arguments[] = {
        str_printf(arena, "code:%.*s", STR_ARG(phone)),
        str_printf(arena, "code-wait:%.*s", STR_ARG(phone)),
        str_printf(arena, "code-hour:%.*s", STR_ARG(phone)),
        str_printf(arena, "code-day:%.*s", STR_ARG(phone)),
        code_mac(arena, phone_number, code),
        str_printf(arena, "%d", CODE_LIFETIME_SECONDS),
        str_printf(arena, "%d", CODE_RESEND_SECONDS),
        str_printf(arena, "%d", CODES_AN_HOUR),
        str_printf(arena, "%d", CODES_A_DAY),
    };
    struct redis_reply reply;
    if (redis_eval(arena, &reply, &keep, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return CODE_UNAVAILABLE;
    *retry_after = reply.integer;
    if (reply.integer > 0)
        return CODE_WAIT;
    struct str text = str_printf(arena, "【市民】您正在登录，验证码 %.*s，5 分钟内有效。请勿告诉他人。", STR_ARG(code));
    if (identity_settings()->sms->send(arena, phone_number, text))
        return CODE_DONE;
    /* what never left must not keep its owner waiting; the caps of the hour and the day still count it */
    (void)!redis_command(arena, &reply, "DEL %b %b", STR_BYTES(arguments[0]), STR_BYTES(arguments[1]));
    return CODE_UNDELIVERED;
}

enum code_outcome code_check(struct arena *arena, struct str phone_number, struct str code)
{
    const struct str arguments[] = {
        str_printf(arena, "code:%.*s", STR_ARG(phone_key(arena, phone_number))),
        str_printf(arena, "%d", TRIES),
        code_mac(arena, phone_number, code),
    };
    struct redis_reply reply;
    if (redis_eval(arena, &reply, &try, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return CODE_UNAVAILABLE;
    return reply.type == REDIS_INTEGER && reply.integer == 1 ? CODE_DONE : CODE_REJECTED;
}
