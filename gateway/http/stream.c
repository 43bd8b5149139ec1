/* Replies that go out while they are made: server-sent events. */
#include <string.h>

#include "http/send.h"
#include "http/server_internal.h"
#include "runtime/internal.h"

/* The client can take more. */
static void proceed(h2o_generator_t *base, h2o_req_t *h2o)
{
    struct generator *generator = (struct generator *)base;
    generator->waiting = false;
    generator->progressed = clock_steady();
    if (generator->ended)
        h2o_send(h2o, NULL, 0, H2O_SEND_STATE_FINAL);
    else if (generator->writer)
        fiber_wake(generator->writer);
}

static void free_buffer(void *argument)
{
    free(((struct generator *)argument)->buffer);
}

void reply_stream_open(struct request *request, unsigned status, const char *type, int64_t deadline)
{
    struct generator *generator = &request->generator;
    request->reply.kind = REPLY_STREAM;
    request->reply.status = status;
    request->reply.type = type;
    request_set_deadline(request, deadline);
    if (!request->h2o)
        return;
    if (request->version < 0x101)
        request->h2o->http1_is_persistent = 0; /* its end is the connection's end */
    send_head(request, SIZE_MAX);
    *generator = (struct generator){.base = {proceed, NULL}, .request = request, .handed_over = true};
    arena_defer(request->arena, free_buffer, generator);
    h2o_start_response(request->h2o, &generator->base);
}

bool reply_stream_write(struct request *request, struct str bytes)
{
    struct generator *generator = &request->generator;
    if (!request->h2o)
        return false;
    if (!bytes.len || str_is(request->method, "HEAD"))
        return true;
    /* A copy: the wait may be cut short while libh2o still sends. Not in the arena, which a long stream would fill. */
    if (generator->room < bytes.len)
        generator->buffer = memory_grow(generator->buffer, generator->room = bytes.len);
    memcpy(generator->buffer, bytes.at, bytes.len);
    h2o_iovec_t piece = h2o_iovec_init(generator->buffer, bytes.len);
    request->bytes += bytes.len;
    generator->waiting = true;
    generator->progressed = clock_steady();
    generator->writer = fiber_self();
    h2o_send(request->h2o, &piece, 1, H2O_SEND_STATE_IN_PROGRESS);
    enum wait outcome = WAIT_DONE;
    while (generator->waiting && request->h2o && outcome == WAIT_DONE)
        outcome = fiber_wait(request->deadline);
    generator->writer = NULL;
    return outcome == WAIT_DONE && request->h2o != NULL;
}

void stream_end(struct request *request)
{
    /* A piece that the client has not taken yet (deadline, cancellation) goes first. */
    request->generator.ended = true;
    if (!request->generator.waiting)
        h2o_send(request->h2o, NULL, 0, H2O_SEND_STATE_FINAL);
}
