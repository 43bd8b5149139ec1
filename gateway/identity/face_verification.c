/* Face verifications: a hash in Redis each, under an id of ours. */
#include <shimin/face_verification.h>

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/redis.h>

/* So long one is told apart from those that never were. */
enum { REMEMBERED_SECONDS = 3600 };

static const char *const states[FACE_STATES] = {
    [FACE_OPEN] = "open", [FACE_PASSED] = "passed", [FACE_FAILED] = "failed", [FACE_EXPIRED] = "expired"};

/* KEYS: verification. ARGV: life in ms, then the fields. */
static struct redis_script keep_script = {
    .source = "redis.call('HSET', KEYS[1], unpack(ARGV, 2)) return redis.call('PEXPIRE', KEYS[1], ARGV[1])",
    .keys = 1,
};

/* KEYS: verification. ARGV: state. 1 for the one that ended it. */
static struct redis_script end_script = {
    .source = "if redis.call('HGET', KEYS[1], 'state') ~= 'open' then return 0 end "
              "redis.call('HSET', KEYS[1], 'state', ARGV[1]) return 1",
    .keys = 1,
};

static struct str key_of(struct arena *arena, struct str id)
{
    return str_printf(arena, "face:%.*s", STR_ARG(id));
}

static struct str number(struct arena *arena, int64_t value)
{
    return str_printf(arena, "%lld", (long long)value);
}

enum face_outcome face_verification_keep(struct arena *arena, struct str citizen_id, struct face_verification *face)
{
    face->id = id_new(arena);
    face->state = FACE_OPEN;
    const struct str arguments[] = {
        key_of(arena, face->id),
        number(arena, (face->expires_at - clock_wall() + seconds(REMEMBERED_SECONDS)) / milliseconds(1)),
        STR("citizen"),
        citizen_id,
        STR("serial"),
        face->serial,
        STR("ends"),
        number(arena, face->expires_at),
        STR("state"),
        str_of(states[FACE_OPEN]),
    };
    struct redis_reply reply;
    return redis_eval(arena, &reply, &keep_script, arguments, COUNT_OF(arguments)) == REDIS_OK ? FACE_DONE : FACE_UNAVAILABLE;
}

static bool state_named(const struct redis_reply *name, enum face_state *state)
{
    for (enum face_state i = 0; i < FACE_STATES; i++)
        if (name->type == REDIS_STRING && str_is(name->string, states[i])) {
            *state = i;
            return true;
        }
    return false;
}

enum face_outcome face_verification_find(struct arena *arena, struct str citizen_id, struct str id,
                                         struct face_verification *face)
{
    struct redis_reply reply;
    if (redis_command(arena, &reply, "HMGET %b citizen serial ends state", STR_BYTES(key_of(arena, id))) != REDIS_OK)
        return FACE_UNAVAILABLE;
    if (reply.type != REDIS_ARRAY || reply.count != 4 || reply.items[0].type != REDIS_STRING ||
        !str_equal(reply.items[0].string, citizen_id))
        return FACE_UNKNOWN;
    *face = (struct face_verification){.id = id, .serial = reply.items[1].string};
    bool readable = str_to_i64(reply.items[2].string, &face->expires_at) && state_named(&reply.items[3], &face->state);
    return readable ? FACE_DONE : FACE_UNKNOWN;
}

enum face_outcome face_verification_end(struct arena *arena, struct str id, enum face_state state)
{
    const struct str arguments[] = {key_of(arena, id), str_of(states[state])};
    struct redis_reply reply;
    if (redis_eval(arena, &reply, &end_script, arguments, COUNT_OF(arguments)) != REDIS_OK)
        return FACE_UNAVAILABLE;
    return reply.integer == 1 ? FACE_DONE : FACE_TAKEN;
}
