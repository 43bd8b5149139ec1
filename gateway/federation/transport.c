/* The connections to one backend: the HTTP client of gateway/http, with the ranges that addresses may lie in. */
#include "federation/transport.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <stdlib.h>

#define IDLE_TIME seconds(30) /* most servers close after 60 s or more: we go first */
#define CONNECT_TIME seconds(1)

struct transport {
    struct upstream *upstream;
    size_t answer_bytes, answer_head_bytes;
};

/* At each connection, of the very address that is connected to: what a name resolved to before counts for nothing. */
static const char *refusal(const struct sockaddr *address, void *reach)
{
    return reach_refusal(reach, address);
}

struct transport *transport_open(const struct transport_target *target)
{
    struct transport *transport = memory_alloc(sizeof *transport);
    transport->answer_bytes = target->answer_bytes;
    transport->answer_head_bytes = target->answer_head_bytes;
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
        .refusal = target->reach ? refusal : NULL,
        .argument = (void *)target->reach,
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
    struct text target = text_open(arena, outgoing->path.len + 1 + outgoing->query.len);
    text_add(&target, outgoing->path);
    text_add_char(&target, '?');
    text_add(&target, outgoing->query);
    return text_str(&target);
}

enum upstream_status transport_call(struct transport *transport, struct arena *arena, const struct outgoing *outgoing,
                                    bool fresh, int64_t deadline, struct share *share, struct answer_message *message)
{
    int64_t connect = deadline_in(CONNECT_TIME);
    const struct upstream_request request = {
        .method = outgoing->method,
        .target = target_of(arena, outgoing),
        .fields = outgoing->headers,
        .field_count = outgoing->header_count,
        .body = outgoing->body,
        .most = transport->answer_bytes,
        .head_most = transport->answer_head_bytes,
        .connect_deadline = connect < deadline ? connect : deadline,
        .deadline = deadline,
        .share = share,
        .fresh = fresh,
    };
    struct upstream_response response;
    enum upstream_status status = upstream_call(transport->upstream, &request, arena, &response);
    *message = (struct answer_message){.fault = response.fault, .fault_detail = response.detail};
    if (status != UPSTREAM_OK)
        return status;
    *message = (struct answer_message){
        .status = response.status,
        .content_type = upstream_field(&response, STR("content-type")),
        .content_encoding = upstream_field(&response, STR("content-encoding")),
        .retry_after = upstream_field(&response, STR("retry-after")),
        .body = response.body,
        .fault = response.fault,
    };
    return UPSTREAM_OK;
}
