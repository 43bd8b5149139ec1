/* Redis URLs (IANA scheme "redis"), and unix: for sockets. */
#include "store/redis_url.h"

#include <shimin/arena.h>

enum { DEFAULT_PORT = 6379, DATABASES_MAX = 1024 };

static bool number(struct str text, int64_t max, int64_t *value)
{
    return str_to_i64(text, value) && *value >= 0 && *value <= max;
}

static bool login(struct arena *arena, struct str text, struct redis_url *url)
{
    struct str rest = text;
    struct str user = str_cut(&rest, ':');
    if (user.len && !str_percent_decode(arena, user, false, &url->user))
        return false;
    return !rest.at || str_percent_decode(arena, rest, false, &url->password);
}

static bool database(struct str text, struct redis_url *url)
{
    int64_t value = 0;
    if (text.len && !number(text, DATABASES_MAX, &value))
        return false;
    url->database = (unsigned)value;
    return true;
}

static bool parse_tcp(struct arena *arena, struct str rest, struct redis_url *url)
{
    size_t at = rest.len;
    while (at > 0 && rest.at[at - 1] != '@')
        at--;
    if (at > 0 && !login(arena, str_slice(rest, 0, at - 1), url))
        return false;
    rest = str_slice(rest, at, rest.len);
    struct str authority = str_cut(&rest, '/');
    if (rest.at && !database(rest, url))
        return false;
    struct str host;
    struct str port = STR_NONE;
    if (str_starts(authority, STR("["))) { /* RFC 3986 §3.2.2 */
        ptrdiff_t end = str_find(authority, STR("]"));
        if (end < 0)
            return false;
        host = str_slice(authority, 1, (size_t)end);
        port = str_slice(authority, (size_t)end + 1, authority.len);
        if (port.len && port.at[0] != ':')
            return false;
        port = port.len ? str_slice(port, 1, port.len) : STR_NONE;
    } else {
        port = authority;
        host = str_cut(&port, ':');
    }
    int64_t value = DEFAULT_PORT;
    if (!host.len || (port.at && !number(port, UINT16_MAX, &value)))
        return false;
    url->host = str_to_c(arena, host);
    url->port = (int)value;
    return true;
}

static bool parse_unix(struct arena *arena, struct str rest, struct redis_url *url)
{
    if (str_starts(rest, STR("//")))
        rest = str_slice(rest, 2, rest.len);
    struct str path = str_cut(&rest, '?');
    while (rest.at) {
        struct str value = str_cut(&rest, '&');
        struct str name = str_cut(&value, '=');
        if (str_is(name, "db") ? !database(value, url)
                               : !str_is(name, "password") || !str_percent_decode(arena, value, false, &url->password))
            return false;
    }
    url->path = str_to_c(arena, path);
    return path.len > 0;
}

bool redis_url_parse(struct arena *arena, struct str text, struct redis_url *url)
{
    *url = (struct redis_url){0};
    if (str_find(text, (struct str){"\0", 1}) >= 0) /* host and path are C strings, which it would cut short */
        return false;
    if (str_starts(text, STR("redis://")))
        return parse_tcp(arena, str_slice(text, 8, text.len), url);
    if (str_starts(text, STR("unix:")))
        return parse_unix(arena, str_slice(text, 5, text.len), url);
    return false;
}

struct redis_url redis_url_copy(struct arena *arena, const struct redis_url *url)
{
    return (struct redis_url){
        .host = url->host ? str_to_c(arena, str_of(url->host)) : NULL,
        .port = url->port,
        .path = url->path ? str_to_c(arena, str_of(url->path)) : NULL,
        .user = url->user.at ? str_copy(arena, url->user) : STR_NONE,
        .password = url->password.at ? str_copy(arena, url->password) : STR_NONE,
        .database = url->database,
    };
}
