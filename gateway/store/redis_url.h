/* Where a Redis is, and how to log in. */
#ifndef SHIMIN_REDIS_URL_H
#define SHIMIN_REDIS_URL_H

#include <shimin/str.h>

struct redis_url {
    const char *host; /* NULL: a unix socket */
    int port;
    const char *path;
    struct str user, password; /* at == NULL: none */
    unsigned database;
};

/* redis://[user][:password@]host[:port][/database] or unix:/path[?db=database&password=…]; user and password are
 * percent-decoded. false when it is neither. The parts live in the arena. */
MUST_CHECK bool redis_url_parse(struct arena *arena, struct str text, struct redis_url *url);
struct redis_url redis_url_copy(struct arena *arena, const struct redis_url *url);

#endif
