/* Failed logins of staff: counted by name and by address in Redis, whoever the name belongs to, each with growing delays. */
#include "identity/staff.h"

#include "crypto/digest.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/redis.h>

/* So many tries without a delay; then half a minute, twice that, … up to an hour. A day without a try forgets. */
enum { NAME_TRIES = 5, ADDRESS_TRIES = 30, FIRST_DELAY = 30, DELAY_MOST = 3600, MEMORY_SECONDS = 86400 };

/* KEYS: name, address. ARGV: tries of each, first delay, longest delay, memory, now. 0, or the seconds to wait. */
static struct redis_script begin_script = {
    .source = "local wait = 0 "
              "for i = 1, 2 do "
              "  wait = math.max(wait, tonumber(redis.call('HGET', KEYS[i], 'until') or '0') - tonumber(ARGV[6])) end "
              "if wait > 0 then return wait end "
              "for i = 1, 2 do "
              "  local count = redis.call('HINCRBY', KEYS[i], 'count', 1) "
              "  local over = count - tonumber(ARGV[i]) "
              "  if over >= 0 then "
              "    local delay = math.min(tonumber(ARGV[4]), tonumber(ARGV[3]) * 2 ^ math.min(over, 20)) "
              "    redis.call('HSET', KEYS[i], 'until', string.format('%.0f', tonumber(ARGV[6]) + delay)) end "
              "  redis.call('EXPIRE', KEYS[i], ARGV[5]) end "
              "return 0",
    .keys = 2,
};

/* KEYS: name, address. */
static struct redis_script success_script = {
    .source = "redis.call('DEL', KEYS[1]) "
              "if redis.call('HINCRBY', KEYS[2], 'count', -1) <= 0 then redis.call('DEL', KEYS[2]) end return 1",
    .keys = 2,
};

/* Names are digested: somebody may have typed a password there. */
static struct str key_of(struct arena *arena, const char *kind, struct str value)
{
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(value, digest);
    return str_printf(arena, "staff-%s:%.*s", kind, STR_ARG(hex_encode(arena, digest, sizeof digest)));
}

static struct str number(struct arena *arena, int64_t value)
{
    return str_printf(arena, "%lld", (long long)value);
}

enum staff_outcome attempt_begin(struct arena *arena, struct str name, struct str address, int64_t *retry_after)
{
    const struct str arguments[] = {
        key_of(arena, "name", name),   key_of(arena, "address", address),
        number(arena, NAME_TRIES),     number(arena, ADDRESS_TRIES),
        number(arena, FIRST_DELAY),    number(arena, DELAY_MOST),
        number(arena, MEMORY_SECONDS), number(arena, clock_wall() / seconds(1)),
    };
    struct redis_reply reply;
    if (redis_eval(arena, &reply, &begin_script, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return STAFF_UNAVAILABLE;
    *retry_after = reply.integer;
    return reply.integer > 0 ? STAFF_WAIT : STAFF_DONE;
}

void attempt_succeeded(struct arena *arena, struct str name, struct str address)
{
    const struct str arguments[] = {key_of(arena, "name", name), key_of(arena, "address", address)};
    struct redis_reply reply;
    /* if it fails the counts forget by themselves */
    (void)!redis_eval(arena, &reply, &success_script, arguments, COUNT_OF(arguments));
}
