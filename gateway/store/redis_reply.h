/* Replies: hiredis' tree copied into an arena. */
#ifndef SHIMIN_REDIS_REPLY_H
#define SHIMIN_REDIS_REPLY_H

#include <shimin/redis.h>

#include <hiredis/hiredis.h>

/* An error inside an array becomes a string. Recursion is bounded by hiredis' reader, which takes 7 levels. */
struct redis_reply redis_reply_copy(struct arena *arena, const redisReply *reply);

#endif
