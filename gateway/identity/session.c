/* Session records in Redis: a hash under the token's key, and for each citizen a hash from session id to that key. */
#include <shimin/session.h>

#include "crypto/field.h"
#include "identity/identity.h"
#include "identity/session_cache.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/redis.h>

/* A worker's copy is asked for again after a step of so long, or a quarter of the idle time: that is how exactly it is kept. */
enum { DEVICE_MOST = 120, STEP_SECONDS = 60, STEPS_OF_IDLE = 4 };

/* KEYS: session, index. ARGV: session id, key, idle ms, absolute ms, then the fields of the record. */
static struct redis_script open_script = {
    .source = "redis.call('HSET', KEYS[1], unpack(ARGV, 5)) redis.call('PEXPIRE', KEYS[1], ARGV[3]) "
              "redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) "
              "if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[2], ARGV[4]) end return 1",
    .keys = 2,
};

/* KEYS: session. ARGV: idle ms and step ms of L1, the same of L2 and up, now ms. The record; its idle time begins anew, which
 * is written only when a step or more is gained, since each write empties the workers' copies. */
static struct redis_script use_script = {
    .source = "local record = redis.call('HGETALL', KEYS[1]) if #record == 0 then return record end "
              "local level = tonumber(redis.call('HGET', KEYS[1], 'level')) "
              "local ends = tonumber(redis.call('HGET', KEYS[1], 'ends')) / 1000 "
              "local of = level >= 2 and 3 or 1 "
              "local left = math.min(tonumber(ARGV[of]), ends - ARGV[5]) "
              "if left >= redis.call('PTTL', KEYS[1]) + ARGV[of + 1] then "
              "  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left)) end "
              "return record",
    .keys = 1,
};

/* KEYS: index. ARGV: session id. */
static struct redis_script revoke_script = {
    .source = "local key = redis.call('HGET', KEYS[1], ARGV[1]) if not key then return 0 end "
              "redis.call('HDEL', KEYS[1], ARGV[1]) return redis.call('DEL', '" SESSION_PREFIX "' .. key)",
    .keys = 1,
};

/* KEYS: index. */
static struct redis_script revoke_all_script = {
    .source = "for _, key in ipairs(redis.call('HVALS', KEYS[1])) do redis.call('DEL', '" SESSION_PREFIX "' .. key) end "
              "return redis.call('DEL', KEYS[1])",
    .keys = 1,
};

static int64_t idle_of(enum level level)
{
    return level >= LEVEL_REAL_NAME ? identity_settings()->verified_idle : identity_settings()->session_idle;
}

static int64_t step_of(enum level level)
{
    int64_t step = idle_of(level) / STEPS_OF_IDLE;
    return step < seconds(STEP_SECONDS) ? step : seconds(STEP_SECONDS);
}

static int64_t absolute_of(enum level level)
{
    return level >= LEVEL_REAL_NAME ? identity_settings()->verified_absolute : identity_settings()->session_absolute;
}

static struct str session_key(struct arena *arena, struct str key)
{
    return str_printf(arena, SESSION_PREFIX "%.*s", STR_ARG(key));
}

static struct str index_key(struct arena *arena, struct str citizen_id)
{
    return str_printf(arena, "cs:%.*s", STR_ARG(citizen_id));
}

static struct str number(struct arena *arena, int64_t value)
{
    return str_printf(arena, "%lld", (long long)value);
}

/* Personal values are encrypted in Redis as they are in Postgres. */
static struct str sealed(struct arena *arena, const char *context, struct str session_id, struct str value)
{
    return value.len ? field_encrypt(arena, identity_settings()->keyring, str_of(context), session_id, value) : STR("");
}

static bool unsealed(struct arena *arena, const char *context, struct str session_id, struct str bytes, struct str *value)
{
    *value = STR("");
    return !bytes.len || field_decrypt(arena, identity_settings()->keyring, str_of(context), session_id, bytes, value);
}

enum session_outcome session_open(struct arena *arena, const struct citizen *citizen, struct str device,
                                  struct session_new *made)
{
    char key_text[TOKEN_KEY_LENGTH];
    made->token = token_new(arena);
    made->id = id_new(arena);
    token_key(made->token, key_text);
    struct str key = {key_text, sizeof key_text};
    int64_t now = clock_wall(), idle = idle_of(citizen->level), absolute = absolute_of(citizen->level);
    made->expires_at = now + absolute;
    const struct str arguments[] = {
        session_key(arena, key),
        index_key(arena, citizen->id),
        made->id,
        key,
        number(arena, (idle < absolute ? idle : absolute) / milliseconds(1)),
        number(arena, absolute / milliseconds(1)),
        STR("id"),
        made->id,
        STR("citizen"),
        citizen->id,
        STR("level"),
        number(arena, citizen->level),
        STR("phone"),
        sealed(arena, "session.phone_number", made->id, citizen->phone_number),
        STR("name"),
        sealed(arena, "session.name", made->id, citizen->name),
        STR("id_number"),
        sealed(arena, "session.id_number", made->id, citizen->id_number),
        STR("opened"),
        number(arena, now),
        STR("ends"),
        number(arena, made->expires_at),
        STR("device"),
        str_slice(device, 0, device.len < DEVICE_MOST ? device.len : DEVICE_MOST),
    };
    struct redis_reply reply;
    return redis_eval(arena, &reply, &open_script, arguments, COUNT_OF(arguments)) == REDIS_OK ? SESSION_FOUND
                                                                                               : SESSION_UNAVAILABLE;
}

/* A field of HGETALL's reply. */
static struct str field_of(const struct redis_reply *reply, const char *name)
{
    for (size_t i = 0; i + 1 < reply->count; i += 2)
        if (str_is(reply->items[i].string, name))
            return reply->items[i + 1].string;
    return STR("");
}

static int64_t number_of(const struct redis_reply *reply, const char *name)
{
    int64_t value;
    return str_to_i64(field_of(reply, name), &value) ? value : 0;
}

/* NULL when the record is gone, past its end, or sealed with a key that we no longer have. */
static struct citizen *read_record(struct arena *arena, const struct redis_reply *reply)
{
    int64_t level = number_of(reply, "level");
    if (reply->type != REDIS_ARRAY || reply->count == 0 || number_of(reply, "ends") <= clock_wall() || level <= LEVEL_GUEST ||
        level >= LEVELS)
        return NULL;
    struct citizen *citizen = arena_new(arena, struct citizen);
    *citizen = (struct citizen){
        .id = field_of(reply, "citizen"),
        .level = (enum level)level,
        .session_id = field_of(reply, "id"),
        .authenticated_at = number_of(reply, "opened"),
    };
    bool readable =
        unsealed(arena, "session.phone_number", citizen->session_id, field_of(reply, "phone"), &citizen->phone_number) &&
        unsealed(arena, "session.name", citizen->session_id, field_of(reply, "name"), &citizen->name) &&
        unsealed(arena, "session.id_number", citizen->session_id, field_of(reply, "id_number"), &citizen->id_number);
    return readable ? citizen : NULL;
}

static enum session_outcome fetch(struct arena *arena, struct str key, const struct citizen **citizen)
{
    uint32_t epoch = session_cache_epoch(key.at);
    const struct str arguments[] = {
        session_key(arena, key),
        number(arena, idle_of(LEVEL_PHONE) / milliseconds(1)),
        number(arena, step_of(LEVEL_PHONE) / milliseconds(1)),
        number(arena, idle_of(LEVEL_REAL_NAME) / milliseconds(1)),
        number(arena, step_of(LEVEL_REAL_NAME) / milliseconds(1)),
        number(arena, clock_wall() / milliseconds(1)),
    };
    struct redis_reply reply;
    if (redis_eval(arena, &reply, &use_script, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return SESSION_UNAVAILABLE;
    struct citizen *found = read_record(arena, &reply);
    if (!found)
        return SESSION_UNKNOWN;
    int64_t ends = number_of(&reply, "ends"), copy_ends = clock_wall() + step_of(found->level);
    session_cache_keep(key.at, epoch, found, ends < copy_ends ? ends : copy_ends);
    *citizen = found;
    return SESSION_FOUND;
}

enum session_outcome session_find(struct arena *arena, struct str token, const struct citizen **citizen)
{
    char key[TOKEN_KEY_LENGTH];
    if (token.len != TOKEN_LENGTH)
        return SESSION_UNKNOWN;
    token_key(token, key);
    *citizen = session_cache_find(arena, key);
    return *citizen ? SESSION_FOUND : fetch(arena, (struct str){key, sizeof key}, citizen);
}

bool session_is_near(struct str token)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    char key[TOKEN_KEY_LENGTH];
    if (token.len != TOKEN_LENGTH)
        return false;
    token_key(token, key);
    return session_cache_find(arena, key) != NULL;
}

static void read_entry(struct session_entry *entry, const struct redis_reply *record)
{
    int64_t level = number_of(record, "level");
    *entry = (struct session_entry){
        .id = field_of(record, "id"),
        .level = level > LEVEL_GUEST && level < LEVELS ? (enum level)level : LEVEL_PHONE,
        .device = field_of(record, "device"),
        .opened_at = number_of(record, "opened"),
        .expires_at = number_of(record, "ends"),
    };
}

enum session_outcome session_list(struct arena *arena, struct str citizen_id, const struct session_entry **entries,
                                  size_t *count)
{
    struct str index = index_key(arena, citizen_id);
    struct redis_reply all, record, ignored;
    if (redis_command(arena, &all, "HGETALL %b", STR_BYTES(index)) != REDIS_OK)
        return SESSION_UNAVAILABLE;
    struct session_entry *list = arena_array(arena, struct session_entry, all.count / 2);
    *count = 0;
    for (size_t i = 0; i + 1 < all.count; i += 2) {
        if (redis_command(arena, &record, "HGETALL %b", STR_BYTES(session_key(arena, all.items[i + 1].string))) != REDIS_OK)
            return SESSION_UNAVAILABLE;
        if (record.count && number_of(&record, "ends") > clock_wall())
            read_entry(&list[(*count)++], &record);
        else if (redis_command(arena, &ignored, "HDEL %b %b", STR_BYTES(index), STR_BYTES(all.items[i].string)) != REDIS_OK)
            return SESSION_UNAVAILABLE;
    }
    *entries = list;
    return SESSION_FOUND;
}

enum session_outcome session_revoke(struct arena *arena, struct str citizen_id, struct str session_id)
{
    const struct str arguments[] = {index_key(arena, citizen_id), session_id};
    struct redis_reply reply;
    if (redis_eval(arena, &reply, &revoke_script, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return SESSION_UNAVAILABLE;
    return reply.integer ? SESSION_FOUND : SESSION_UNKNOWN;
}

enum session_outcome session_revoke_all(struct arena *arena, struct str citizen_id)
{
    const struct str arguments[] = {index_key(arena, citizen_id)};
    struct redis_reply reply;
    return redis_eval(arena, &reply, &revoke_all_script, arguments, COUNT_OF(arguments)) == REDIS_OK ? SESSION_FOUND
                                                                                                     : SESSION_UNAVAILABLE;
}
