/* The answer cache. What is lost here is asked again; what is broken here is as good as absent. */
#include "federation/cache.h"
#include "crypto/field.h"
#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/redis.h>
#include <string.h>

#define BODY_MOST (1u << 20) /* larger answers are not kept */
#define PREFIX "federation:answer:"
#define VERSION 1
#define HEAD 9 /* version, as_of */
#define PUT_TIME milliseconds(500)

static struct hmac *unkeyed; /* nothing personal is kept without a keyring */
static pthread_once_t unkeyed_once = PTHREAD_ONCE_INIT;

static void make_unkeyed(void)
{
    unkeyed = hmac_new(DIGEST_SHA256, STR(PREFIX));
}

struct cache_key cache_key_of(const struct keyring *keyring, struct str department, const struct filled *filled)
{
    /* Every part goes in with its length in front, so that no two requests run together to the same bytes. */
    enum { PARTS = 6 + 2 * 32 };
    struct str parts[2 * PARTS];
    uint32_t lengths[PARTS];
    size_t count = 0;
    const struct str fixed[] = {
        department,  filled->operation->contract->version, filled->operation->id, filled->target, filled->content_type,
        filled->body};
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        parts[2 * count++ + 1] = fixed[i];
    for (unsigned i = 0; i < filled->header_count && count + 2 <= PARTS; i++) {
        parts[2 * count++ + 1] = filled->headers[i].name;
        parts[2 * count++ + 1] = filled->headers[i].value;
    }
    for (size_t i = 0; i < count; i++) {
        lengths[i] = (uint32_t)parts[2 * i + 1].len;
        parts[2 * i] = (struct str){(const char *)&lengths[i], sizeof lengths[i]};
        if (!parts[2 * i + 1].at)
            parts[2 * i + 1].at = "";
    }
    struct cache_key key;
    pthread_once(&unkeyed_once, make_unkeyed);
    hmac_sign(keyring ? keyring_blind_index(keyring) : unkeyed, parts, 2 * count, key.bytes);
    return key;
}

static struct str redis_key(struct arena *arena, const struct cache_key *key)
{
    struct str hex = hex_encode(arena, key->bytes, sizeof key->bytes);
    return str_printf(arena, PREFIX "%.*s", STR_ARG(hex));
}

static bool unpack(struct str bytes, struct cached *cached)
{
    if (bytes.len < HEAD || bytes.at[0] != VERSION)
        return false;
    memcpy(&cached->as_of, bytes.at + 1, sizeof cached->as_of);
    cached->body = str_slice(bytes, HEAD, bytes.len);
    return true;
}

static struct str pack(struct arena *arena, const struct cached *cached)
{
    char *at = arena_alloc_raw(arena, HEAD + cached->body.len);
    at[0] = VERSION;
    memcpy(at + 1, &cached->as_of, sizeof cached->as_of); /* every gateway that shares a Redis is of the same byte order */
    if (cached->body.len)
        memcpy(at + HEAD, cached->body.at, cached->body.len);
    return (struct str){at, HEAD + cached->body.len};
}

bool cache_get(struct arena *arena, const struct keyring *keyring, const struct cache_key *key, bool personal,
               struct cached *cached)
{
    if ((personal && !keyring) || !redis_is_up())
        return false;
    struct redis_reply reply;
    struct str name = redis_key(arena, key), bytes;
    if (redis_command(arena, &reply, "GET %b", STR_BYTES(name)) != REDIS_OK || reply.type != REDIS_STRING)
        return false;
    bytes = reply.string;
    if (personal && !field_decrypt(arena, keyring, STR("federation.answer"), name, reply.string, &bytes))
        return false;
    return unpack(bytes, cached) && cached->as_of <= clock_wall() + seconds(60);
}

struct put {
    struct arena *arena;
    struct str name, value;
    int64_t life;
};

static void put_fiber(void *argument)
{
    struct put *put = argument;
    struct redis_reply reply;
    /* What Redis did not take is asked of the department again. */
    if (redis_command(put->arena, &reply, "SET %b %b PX %lld", STR_BYTES(put->name), STR_BYTES(put->value),
                      (long long)(put->life / 1000)) != REDIS_OK)
        put->life = 0;
    arena_close(put->arena);
}

void cache_put(const struct keyring *keyring, const struct cache_key *key, bool personal, const struct cached *cached,
               int64_t life)
{
    if ((personal && !keyring) || cached->body.len > BODY_MOST || life < 1000 || !redis_is_up())
        return;
    struct arena *arena = arena_open();
    struct put *put = arena_new(arena, struct put);
    *put = (struct put){.arena = arena, .name = redis_key(arena, key), .value = pack(arena, cached), .life = life};
    if (personal)
        put->value = field_encrypt(arena, keyring, STR("federation.answer"), put->name, put->value);
    fiber_start(put_fiber, put, deadline_in(PUT_TIME));
}
