/* Replies: from hiredis' types to ours. */
#include "store/redis_reply.h"

struct redis_reply redis_reply_copy(struct arena *arena, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        return (struct redis_reply){.type = REDIS_INTEGER, .integer = reply->integer};
    case REDIS_REPLY_ARRAY: {
        struct redis_reply *items = arena_array(arena, struct redis_reply, reply->elements);
        for (size_t i = 0; i < reply->elements; i++)
            items[i] = redis_reply_copy(arena, reply->element[i]);
        return (struct redis_reply){.type = REDIS_ARRAY, .items = items, .count = reply->elements};
    }
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        return (struct redis_reply){.type = REDIS_STRING, .string = str_copy(arena, (struct str){reply->str, reply->len})};
    default:
        return (struct redis_reply){.type = REDIS_NIL};
    }
}
