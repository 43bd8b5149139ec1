/* Sessions of staff: a hash in Redis under the token's key, and for each account a hash from session id to that key. There is
 * no copy in the workers, as citizens' sessions have one: administrators are few, and what ends must end at once. */
#include "identity/staff.h"

#include "crypto/token.h"
#include "identity_queries.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/redis.h>

#define PREFIX "ss:"

enum { DEVICE_MOST = 120 };

/* KEYS: session, index. ARGV: session id, key, idle ms, absolute ms, then the fields of the record. */
static struct redis_script open_script = {
    .source = "redis.call('HSET', KEYS[1], unpack(ARGV, 5)) redis.call('PEXPIRE', KEYS[1], ARGV[3]) "
              "redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) redis.call('PEXPIRE', KEYS[2], ARGV[4]) return 1",
    .keys = 2,
};

/* KEYS: session. ARGV: idle ms, now ms. The record; its idle time begins anew, never past its end. */
static struct redis_script use_script = {
    .source = "local record = redis.call('HGETALL', KEYS[1]) if #record == 0 then return record end "
              "local left = math.min(tonumber(ARGV[1]), tonumber(redis.call('HGET', KEYS[1], 'ends')) / 1000 - ARGV[2]) "
              "if left <= 0 then redis.call('DEL', KEYS[1]) return {} end "
              "redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left)) return record",
    .keys = 1,
};

/* KEYS: index. ARGV: session id. */
static struct redis_script revoke_script = {
    .source = "local key = redis.call('HGET', KEYS[1], ARGV[1]) if not key then return 0 end "
              "redis.call('HDEL', KEYS[1], ARGV[1]) return redis.call('DEL', '" PREFIX "' .. key)",
    .keys = 1,
};

/* KEYS: index. */
static struct redis_script revoke_all_script = {
    .source = "for _, key in ipairs(redis.call('HVALS', KEYS[1])) do redis.call('DEL', '" PREFIX "' .. key) end "
              "return redis.call('DEL', KEYS[1])",
    .keys = 1,
};

static struct str session_key(struct arena *arena, struct str key)
{
    return str_printf(arena, PREFIX "%.*s", STR_ARG(key));
}

static struct str index_key(struct arena *arena, struct str staff_id)
{
    return str_printf(arena, "ssi:%.*s", STR_ARG(staff_id));
}

static struct str number(struct arena *arena, int64_t value)
{
    return str_printf(arena, "%lld", (long long)value);
}

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

bool staff_session_open(struct arena *arena, const struct staff_session_opening *opening, struct staff_session_new *made)
{
    char key_text[TOKEN_KEY_LENGTH];
    int64_t now = clock_wall(), idle = identity_settings()->staff_idle, absolute = identity_settings()->staff_absolute;
    *made = (struct staff_session_new){
        .token = token_new(arena), .id = id_new(arena), .csrf = token_new(arena), .expires_at = now + absolute};
    token_key(made->token, key_text);
    struct str key = {key_text, sizeof key_text}, device = opening->device;
    const struct str arguments[] = {
        session_key(arena, key),
        index_key(arena, opening->staff_id),
        made->id,
        key,
        number(arena, (idle < absolute ? idle : absolute) / milliseconds(1)),
        number(arena, absolute / milliseconds(1)),
        STR("id"),
        made->id,
        STR("staff"),
        opening->staff_id,
        STR("epoch"),
        number(arena, opening->epoch),
        STR("by"),
        str_of(opening->by),
        STR("csrf"),
        made->csrf,
        STR("opened"),
        number(arena, now),
        STR("ends"),
        number(arena, made->expires_at),
        STR("device"),
        str_slice(device, 0, device.len < DEVICE_MOST ? device.len : DEVICE_MOST),
        STR("address"),
        opening->address,
    };
    struct redis_reply reply;
    const struct staff_session *session;
    /* read back for what the account has yet to do */
    if (redis_eval(arena, &reply, &open_script, arguments, COUNT_OF(arguments)) != REDIS_OK ||
        staff_session_find(arena, made->token, &session) != SESSION_FOUND)
        return false;
    made->setup = session->setup;
    return true;
}

unsigned staff_roles_read(struct str words)
{
    unsigned roles = 0;
    enum role role;
    while (words.at)
        if (role_named(str_cut(&words, ' '), &role))
            roles |= 1U << role;
    return roles;
}

static struct str optional(const struct pg_result *row, size_t column)
{
    return pg_is_null(row, 0, column) ? STR_NONE : pg_str(row, 0, column);
}

static const struct staff_session *read_session(struct arena *arena, const struct redis_reply *record,
                                                const struct pg_result *row)
{
    struct staff_session *session = arena_new(arena, struct staff_session);
    *session = (struct staff_session){
        .actor = {.kind = ACTOR_STAFF,
                  .id = field_of(record, "staff"),
                  .name = pg_str(row, 0, 0),
                  .roles = staff_roles_read(pg_str(row, 0, 1)),
                  .department = optional(row, 2),
                  .area = optional(row, 3),
                  .session_id = field_of(record, "id")},
        .csrf = field_of(record, "csrf"),
        .expires_at = number_of(record, "ends"),
    };
    bool local = str_is(field_of(record, "by"), "password");
    session->setup = (local && pg_bool(row, 0, 4) ? STAFF_SETUP_PASSWORD : 0U) |
                     (local && pg_bool(row, 0, 5) ? STAFF_SETUP_SECOND_FACTOR : 0U);
    return session;
}

enum session_outcome staff_session_find(struct arena *arena, struct str token, const struct staff_session **session)
{
    char key[TOKEN_KEY_LENGTH];
    if (token.len != TOKEN_LENGTH)
        return SESSION_UNKNOWN;
    token_key(token, key);
    const struct str arguments[] = {
        session_key(arena, (struct str){key, sizeof key}),
        number(arena, identity_settings()->staff_idle / milliseconds(1)),
        number(arena, clock_wall() / milliseconds(1)),
    };
    struct redis_reply record;
    const struct pg_result *row;
    if (redis_eval(arena, &record, &use_script, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return SESSION_UNAVAILABLE;
    if (!record.count)
        return SESSION_UNKNOWN;
    if (pg_query(arena, &sql_read_actor,
                 PG_ARGS(pg_text(field_of(&record, "staff")), pg_integer(number_of(&record, "epoch")),
                         pg_integer(identity_settings()->password_policy->age / seconds(1))),
                 &row) != PG_OK)
        return SESSION_UNAVAILABLE;
    if (!pg_rows(row))
        return SESSION_UNKNOWN;
    *session = read_session(arena, &record, row);
    return SESSION_FOUND;
}

const struct staff_session *staff_session_of(const struct actor *actor)
{
    return CONTAINER_OF(actor, const struct staff_session, actor);
}

enum session_outcome staff_session_list(struct arena *arena, struct str staff_id, const struct staff_session_entry **entries,
                                        size_t *count)
{
    struct str index = index_key(arena, staff_id);
    struct redis_reply all, record, ignored;
    if (redis_command(arena, &all, "HGETALL %b", STR_BYTES(index)) != REDIS_OK)
        return SESSION_UNAVAILABLE;
    struct staff_session_entry *list = arena_array(arena, struct staff_session_entry, all.count / 2);
    *count = 0;
    for (size_t i = 0; i + 1 < all.count; i += 2) {
        if (redis_command(arena, &record, "HGETALL %b", STR_BYTES(session_key(arena, all.items[i + 1].string))) != REDIS_OK)
            return SESSION_UNAVAILABLE;
        if (record.count && number_of(&record, "ends") > clock_wall())
            list[(*count)++] = (struct staff_session_entry){
                .id = field_of(&record, "id"),
                .device = field_of(&record, "device"),
                .address = field_of(&record, "address"),
                .opened_at = number_of(&record, "opened"),
                .expires_at = number_of(&record, "ends"),
            };
        else if (redis_command(arena, &ignored, "HDEL %b %b", STR_BYTES(index), STR_BYTES(all.items[i].string)) != REDIS_OK)
            return SESSION_UNAVAILABLE;
    }
    *entries = list;
    return SESSION_FOUND;
}

enum session_outcome staff_session_revoke(struct arena *arena, struct str staff_id, struct str session_id)
{
    const struct str arguments[] = {index_key(arena, staff_id), session_id};
    struct redis_reply reply;
    if (redis_eval(arena, &reply, &revoke_script, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return SESSION_UNAVAILABLE;
    return reply.integer ? SESSION_FOUND : SESSION_UNKNOWN;
}

enum session_outcome staff_session_revoke_all(struct arena *arena, struct str staff_id)
{
    const struct str arguments[] = {index_key(arena, staff_id)};
    struct redis_reply reply;
    return redis_eval(arena, &reply, &revoke_all_script, arguments, COUNT_OF(arguments)) == REDIS_OK ? SESSION_FOUND
                                                                                                     : SESSION_UNAVAILABLE;
}
