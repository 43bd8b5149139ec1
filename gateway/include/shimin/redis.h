/* Redis from fibers: one line waits for one command. Nothing is kept there that may not be lost. */
#ifndef SHIMIN_REDIS_H
#define SHIMIN_REDIS_H

#include <shimin/arena.h>
#include <shimin/str.h>

enum redis_status {
    REDIS_OK,
    REDIS_UNAVAILABLE, /* no connection, or lost before the answer */
    REDIS_DEADLINE,
    REDIS_CANCELLED,
    REDIS_REFUSED, /* Redis answered with an error; logged without values */
};

struct redis_reply {
    enum { REDIS_NIL, REDIS_INTEGER, REDIS_STRING, REDIS_ARRAY } type; /* a status such as OK is a string */
    int64_t integer;
    struct str string;
    const struct redis_reply *items;
    size_t count;
};

/* One command; `format` as hiredis has it: %s for C strings, %b for bytes with a size_t length, %d and %lld for integers.
 * STR_BYTES gives the pair of arguments of %b. The reply is copied into the arena. Waits, at most to the fiber's deadline. */
enum redis_status redis_command(struct arena *arena, struct redis_reply *reply, const char *format, ...) MUST_CHECK;
#define STR_BYTES(s) (s).at, (size_t)(s).len

/* A Lua script, run by EVALSHA and loaded when Redis does not know it. keys first, then arguments. */
struct redis_script {
    const char *source;
    unsigned keys;
    char sha1[41]; /* filled on first use; leave empty */
};
enum redis_status redis_eval(struct arena *arena, struct redis_reply *reply, struct redis_script *script,
                             const struct str *arguments, size_t count) MUST_CHECK;

bool redis_is_up(void);

#endif
