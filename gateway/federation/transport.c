/* The connections to one backend: the HTTP client of gateway/http, with the ranges that addresses may lie in. */
#include "federation/transport.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_TIME seconds(30) /* most servers close after 60 s or more: we go first */
#define CONNECT_TIME seconds(1)

struct transport {
    struct upstream *upstream;
    const char *const *allowed_ranges;
};

/* The address's bytes; an IPv4 address mapped into IPv6 is the IPv4 address. */
static size_t address_bytes(const struct sockaddr *address, const uint8_t **bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address->sa_family == AF_INET) {
        *bytes = (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr;
        return 4;
    }
    *bytes = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
    if (memcmp(*bytes, mapped, sizeof mapped) != 0)
        return 16;
    *bytes += sizeof mapped;
    return 4;
}

static bool in_range(const uint8_t *bytes, size_t size, const char *range)
{
    char text[64];
    uint8_t base[16];
    struct str rest = str_of(range), address = str_cut(&rest, '/');
    int64_t bits = (int64_t)size * 8;
    if (address.len >= sizeof text || (rest.at && !str_to_i64(rest, &bits)) || bits < 0 || bits > (int64_t)size * 8)
        return false;
    memcpy(text, address.at, address.len);
    text[address.len] = '\0';
    if (inet_pton(size == 4 ? AF_INET : AF_INET6, text, base) != 1)
        return false;
    for (int64_t i = 0; i < bits; i++)
        if ((bytes[i / 8] ^ base[i / 8]) & (0x80 >> i % 8))
            return false;
    return true;
}

static bool is_allowed(const struct sockaddr *address, void *argument)
{
    const struct transport *transport = argument;
    const uint8_t *bytes;
    size_t size = address_bytes(address, &bytes);
    for (size_t i = 0; transport->allowed_ranges[i]; i++)
        if (in_range(bytes, size, transport->allowed_ranges[i]))
            return true;
    return false;
}

struct transport *transport_open(const struct transport_target *target)
{
    struct transport *transport = memory_alloc(sizeof *transport);
    transport->allowed_ranges = target->allowed_ranges;
    const struct upstream_settings settings = {
        .host = target->address.host,
        .port = target->address.port,
        .tls = target->address.tls,
        .ca_file = target->ca_file,
        .pin = target->pin,
        .certificate = target->certificate,
        .private_key = target->private_key,
        .idle = target->connections,
        .idle_time = IDLE_TIME,
        .allowed = target->allowed_ranges ? is_allowed : NULL,
        .argument = transport,
    };
    transport->upstream = upstream_open(&settings);
    if (transport->upstream)
        return transport;
    free(transport);
    return NULL;
}

void transport_close(struct transport *transport)
{
    if (!transport)
        return;
    upstream_close(transport->upstream);
    free(transport);
}

struct str transport_authority(const struct transport *transport)
{
    return upstream_authority(transport->upstream);
}

static struct str target_of(struct arena *arena, const struct outgoing *outgoing)
{
    if (!outgoing->query.at)
        return outgoing->path;
    return str_printf(arena, "%.*s?%.*s", STR_ARG(outgoing->path), STR_ARG(outgoing->query));
}

enum upstream_status transport_call(struct transport *transport, struct arena *arena, const struct outgoing *outgoing,
                                    bool fresh, int64_t deadline, struct answer_message *message)
{
    int64_t connect = deadline_in(CONNECT_TIME);
    const struct upstream_request request = {
        .method = outgoing->method,
        .target = target_of(arena, outgoing),
        .fields = outgoing->headers,
        .field_count = outgoing->header_count,
        .body = outgoing->body,
        .most = ANSWER_BYTES_MOST,
        .connect_deadline = connect < deadline ? connect : deadline,
        .deadline = deadline,
        .fresh = fresh,
    };
    struct upstream_response response;
    enum upstream_status status = upstream_call(transport->upstream, &request, arena, &response);
    if (status != UPSTREAM_OK)
        return status;
    *message = (struct answer_message){
        .status = response.status,
        .content_type = upstream_field(&response, STR("content-type")),
        .content_encoding = upstream_field(&response, STR("content-encoding")),
        .retry_after = upstream_field(&response, STR("retry-after")),
        .body = response.body,
    };
    return UPSTREAM_OK;
}
