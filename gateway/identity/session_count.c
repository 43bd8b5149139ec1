/* Counts the sessions in Redis. SCAN goes through the keys by their hash, so what it has seen is a fair sample of the rest. */
#include <shimin/session.h>

#include "identity/session_cache.h"

#include <shimin/redis.h>

/* A step is well under a millisecond of Redis' time; the rounds bound what one count may cost. */
enum { STEP_KEYS = 500, ROUNDS_MOST = 60 };

enum session_outcome session_count(struct arena *arena, struct session_count *count)
{
    struct redis_reply reply, keys;
    struct str cursor = STR("0");
    int64_t seen = 0, sessions = 0;
    unsigned round = 0;
    if (redis_command(arena, &reply, "DBSIZE") != REDIS_OK || reply.type != REDIS_INTEGER)
        return SESSION_UNAVAILABLE;
    do {
        if (redis_command(arena, &keys, "SCAN %b COUNT %d", STR_BYTES(cursor), STEP_KEYS) != REDIS_OK ||
            keys.type != REDIS_ARRAY || keys.count != 2)
            return SESSION_UNAVAILABLE;
        cursor = keys.items[0].string;
        for (size_t i = 0; i < keys.items[1].count; i++)
            sessions += str_starts(keys.items[1].items[i].string, STR(SESSION_PREFIX));
        seen += (int64_t)keys.items[1].count;
    } while (!str_is(cursor, "0") && ++round < ROUNDS_MOST);
    bool exact = str_is(cursor, "0");
    *count = (struct session_count){exact || !seen ? sessions : sessions * reply.integer / seen, exact};
    return SESSION_FOUND;
}
