/* Calling configured systems: an address, and the HTTP client. */
#include <shimin/peer.h>

#include <shimin/clock.h>
#include <shimin/log.h>
#include <stdlib.h>

#include "http/upstream.h"

enum { IDLE = 16, ANSWER_MOST = 1 << 20, PORT_MOST = 65535, HTTPS = 443, HTTP = 80 };

#define IDLE_TIME seconds(30)
#define CONNECT_TIME seconds(3)

struct peer {
    struct arena *arena;
    struct upstream *upstream;
    struct str origin; /* "https://host:port", as configured */
    struct str prefix;
};

/* "https://host:port/path" in its parts. */
static bool split(struct str address, struct upstream_settings *settings, struct str *origin, struct str *prefix)
{
    settings->tls = str_starts(address, STR("https://"));
    if (!settings->tls && !str_starts(address, STR("http://")))
        return false;
    size_t host = settings->tls ? 8 : 7, end = host;
    while (end < address.len && address.at[end] != '/')
        end++;
    *origin = str_slice(address, 0, end);
    *prefix = str_slice(address, end, address.len);
    while (str_ends(*prefix, STR("/")))
        prefix->len--;
    struct str rest = str_slice(address, host, end);
    if (rest.len && rest.at[0] == '[') { /* IPv6 */
        rest = str_slice(rest, 1, rest.len);
        settings->host = str_cut(&rest, ']');
        if (!rest.at || (rest.len && rest.at[0] != ':'))
            return false;
        rest = rest.len ? str_slice(rest, 1, rest.len) : STR_NONE;
    } else {
        settings->host = str_cut(&rest, ':');
    }
    int64_t port = settings->tls ? HTTPS : HTTP;
    if (rest.at && (!str_to_i64(rest, &port) || port < 1 || port > PORT_MOST))
        return false;
    settings->port = (uint16_t)port;
    return settings->host.len > 0;
}

struct peer *peer_open(const char *address, const char *ca_file)
{
    struct upstream_settings settings = {.ca_file = ca_file, .idle = IDLE, .idle_time = IDLE_TIME};
    struct arena *arena = arena_open();
    struct peer *peer = arena_new(arena, struct peer);
    peer->arena = arena;
    if (!split(str_copy(arena, str_of(address)), &settings, &peer->origin, &peer->prefix))
        log_error("%s is no address: https://host, with a port and a path if need be", address);
    else
        peer->upstream = upstream_open(&settings);
    if (peer->upstream)
        return peer;
    arena_close(arena);
    return NULL;
}

void peer_close(struct peer *peer)
{
    if (!peer)
        return;
    upstream_close(peer->upstream);
    arena_close(peer->arena);
}

struct str peer_prefix(const struct peer *peer)
{
    return peer->prefix;
}

struct str peer_target(const struct peer *peer, struct str url)
{
    bool here = str_starts(url, peer->origin) && url.len > peer->origin.len && url.at[peer->origin.len] == '/';
    return here ? str_slice(url, peer->origin.len, url.len) : STR_NONE;
}

static enum upstream_status call_once(struct peer *peer, struct arena *arena, const struct peer_request *request, bool fresh,
                                      struct upstream_response *response)
{
    struct field fields[PEER_FIELDS_MOST];
    size_t count = 0;
    for (; count < PEER_FIELDS_MOST && request->fields[count].name.len; count++)
        fields[count] = (struct field){request->fields[count].name, request->fields[count].value};
    int64_t connect = deadline_in(CONNECT_TIME);
    const struct upstream_request sent = {
        .method = request->method,
        .target = request->target,
        .fields = fields,
        .field_count = count,
        .body = request->body,
        .most = request->most ? request->most : ANSWER_MOST,
        .connect_deadline = connect < request->deadline ? connect : request->deadline,
        .deadline = request->deadline,
        .fresh = fresh,
    };
    return upstream_call(peer->upstream, &sent, arena, response);
}

bool peer_call(struct peer *peer, struct arena *arena, const struct peer_request *request, struct peer_answer *answer)
{
    struct upstream_response *response = arena_new(arena, struct upstream_response);
    *answer = (struct peer_answer){.failure = NULL};
    enum upstream_status status = call_once(peer, arena, request, false, response);
    if (status == UPSTREAM_STALE)
        status = call_once(peer, arena, request, true, response);
    if (status != UPSTREAM_OK) {
        answer->failure = status == UPSTREAM_CONNECT_FAILED ? "connect" : upstream_status_name(status);
        return false;
    }
    *answer = (struct peer_answer){.status = response->status, .body = response->body, .fields = response};
    return true;
}

struct str peer_field(const struct peer_answer *answer, const char *name)
{
    return answer->fields ? upstream_field(answer->fields, str_of(name)) : STR_NONE;
}
