/* The worker's connection to Redis; all its fibers' commands are pipelined on it. */
#ifndef SHIMIN_REDIS_POOL_H
#define SHIMIN_REDIS_POOL_H

#include <shimin/redis.h>

struct redis_settings {
    const char *url;    /* redis://[user][:password@]host[:port][/database] or unix:/path[?db=…&password=…] */
    int64_t patience;   /* a server that answers nothing for so long is taken for lost; 0 means 1 s */
    bool may_be_absent; /* open though Redis does not answer; it is tried again from then on */
};

/* Opens the calling worker's connection, in a fiber; waits for it. false, with the reason in the log, when the URL is malformed
 * or Redis cannot be reached (unless it may be absent). */
MUST_CHECK bool redis_open(const struct redis_settings *settings);
/* Closes it, in a fiber or on the loop of the worker, when nothing asks any more; who still waits gets REDIS_UNAVAILABLE. */
void redis_close(void);

/* ---- inside the floor ---- */
struct redis_link;
struct redis_url;
struct redis_link *redis_main_link(void); /* NULL before redis_open */
const struct redis_url *redis_main_url(void);

#endif
