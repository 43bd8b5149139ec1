/* The answer of an upstream, in pieces. The socket is the target's own: a wait brings the next piece, and after the last the
 * end of the connection. Read in one piece or in many, what is understood must be the same.
 *
 * The first byte is the size of a piece, the second chooses the method and the bound of the body. */
#include "http/upstream_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct {
    struct str stream;
    size_t piece;
} wire;

/* ---- in the place of the loop and upstream_link.c ---- */

void h2o_socket_read_start(h2o_socket_t *socket, h2o_socket_cb on_read)
{
    (void)socket, (void)on_read;
}

void h2o_socket_read_stop(h2o_socket_t *socket)
{
    (void)socket;
}

void fiber_wake(struct fiber *fiber)
{
    (void)fiber;
}

enum upstream_status link_await(struct link *link, int64_t deadline)
{
    (void)deadline;
    size_t n = wire.piece < wire.stream.len ? wire.piece : wire.stream.len;
    if (n == 0) {
        link->error = h2o_socket_error_closed;
        return UPSTREAM_OK;
    }
    memcpy(h2o_buffer_reserve(&link->socket->input, n).base, wire.stream.at, n);
    link->socket->input->size += n;
    wire.stream = str_slice(wire.stream, n, wire.stream.len);
    return UPSTREAM_OK;
}

/* ---- */

struct outcome {
    enum upstream_status status;
    struct upstream_response response;
    bool any, reusable;
};

static struct outcome take(struct arena *arena, const struct upstream_request *request, struct str stream, size_t piece)
{
    struct st_h2o_socket_t socket = {0};
    struct link link = {.socket = &socket};
    struct outcome outcome = {0};
    wire.stream = stream;
    wire.piece = piece;
    h2o_buffer_init(&socket.input, &h2o_socket_buffer_prototype);
    outcome.status = answer_read(&link, request, arena, &outcome.response, &outcome.any, &outcome.reusable);
    h2o_buffer_dispose(&socket.input);
    return outcome;
}

static void check(const struct outcome *outcome, const struct upstream_request *request)
{
    const struct upstream_response *response = &outcome->response;
    if (outcome->status != UPSTREAM_OK)
        return;
    if (response->status < 200 || response->status > 999 || response->body.len > request->most || !outcome->any)
        abort();
    for (size_t i = 0; i < response->field_count; i++)
        for (size_t j = 0; j < response->fields[i].value.len; j++)
            if (memchr("\r\n", response->fields[i].value.at[j], 2) || response->fields[i].value.at[j] == '\0')
                abort();
}

static void compare(const struct outcome *whole, const struct outcome *pieces)
{
    if ((whole->status == UPSTREAM_OK) != (pieces->status == UPSTREAM_OK))
        abort();
    if (whole->status != UPSTREAM_OK)
        return;
    if (whole->response.status != pieces->response.status || !str_equal(whole->response.body, pieces->response.body) ||
        whole->response.field_count != pieces->response.field_count || (whole->reusable && !pieces->reusable))
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 2)
        return 0;
    struct arena *arena = arena_open();
    struct str stream = {(const char *)data + 2, size - 2};
    const struct upstream_request request = {
        .method = data[1] % 4 == 3 ? STR("HEAD") : STR("GET"), .most = (size_t)data[1] * 16, .deadline = DEADLINE_NEVER};
    struct outcome whole = take(arena, &request, stream, stream.len ? stream.len : 1);
    struct outcome pieces = take(arena, &request, stream, (size_t)data[0] + 1);
    check(&whole, &request);
    check(&pieces, &request);
    compare(&whole, &pieces);
    arena_close(arena);
    return 0;
}
