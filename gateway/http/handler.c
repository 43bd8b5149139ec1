/* A request from libh2o to its fiber and back: the object, its two owners, and what happens when the client leaves. */
#include <string.h>

#include "http/cors.h"
#include "http/head.h"
#include "http/server_internal.h"
#include "runtime/internal.h"

/* What libh2o's pool frees with the request: our ear at its end. */
struct ear {
    struct request *request;
};

void request_release(struct request *request)
{
    if (--request->references == 0)
        arena_close(request->arena);
}

/* libh2o is done with the request: sent, reset by the client, or the connection is gone. */
static void on_dispose(void *data)
{
    struct request *request = ((struct ear *)data)->request;
    struct connection *connection = request->connection;
    bool replied = request->generator.handed_over;
    request->next->previous = request->previous;
    request->previous->next = request->next;
    connection_count_end(connection, replied);
    if (connection->cut && request->version == 0x200)
        http2_refuse_streams(request->h2o->conn);
    request->h2o = NULL;
    request->connection = NULL;
    request->client_left |= !replied;
    if (request->fiber)
        fiber_cancel(request->fiber);
    if (request->generator.writer)
        fiber_wake(request->generator.writer); /* which may be shielded */
    request_release(request);
}

/* What is empty may have no bytes at all (a field without a value, a host that a head does not name). */
static struct str put(char **at, const void *bytes, size_t length)
{
    struct str copy = {*at, length};
    if (length)
        memcpy(*at, bytes, length);
    *at += length;
    return copy;
}

/* Everything the handler may ask for, in one block: what libh2o holds is gone when the client is. */
static void copy_request(struct request *request, h2o_req_t *h2o, size_t head_bytes)
{
    h2o_iovec_t authority = h2o->input.authority;
    size_t target_length = h2o->query_at < h2o->path.len ? h2o->query_at : h2o->path.len;
    char *at = arena_alloc_raw(request->arena, head_bytes + authority.len + h2o->entity.len);
    request->method = put(&at, h2o->method.base, h2o->method.len);
    struct str target = put(&at, h2o->path.base, h2o->path.len);
    request->path = head_path(str_slice(target, 0, target_length));
    request->query = target_length < target.len ? str_slice(target, target_length + 1, target.len) : (struct str){target.at, 0};
    request->fields = arena_alloc_raw(request->arena, (h2o->headers.size + 1) * sizeof *request->fields);
    for (size_t i = 0; i < h2o->headers.size; i++) {
        const h2o_header_t *field = &h2o->headers.entries[i];
        struct str name = h2o_iovec_is_token(field->name) ? (struct str){field->name->base, field->name->len}
                                                          : put(&at, field->name->base, field->name->len);
        request->fields[i] = (struct field){name, put(&at, field->value.base, field->value.len)};
    }
    /* libh2o keeps the authority apart */
    request->fields[h2o->headers.size] = (struct field){STR("host"), put(&at, authority.base, authority.len)};
    request->field_count = h2o->headers.size + 1;
    if (h2o->entity.base)
        request->body_bytes = put(&at, h2o->entity.base, h2o->entity.len);
}

static struct request *request_open(struct connection *connection, h2o_req_t *h2o, enum head_fault fault, size_t head_bytes)
{
    struct server *server = connection->server;
    struct arena *arena = arena_open();
    struct request *request = arena_new(arena, struct request);
    request->arena = arena;
    request->h2o = h2o;
    request->connection = connection;
    request->listener = connection->listener;
    request->references = 1;
    request->version = (unsigned)h2o->version;
    request->started = clock_steady();
    request->deadline = request->started + server->settings->request_time;
    request->finished = connection->listener->finished;
    request->client_address = str_copy(arena, connection_address(connection));
    if (fault == HEAD_BODY_TOO_LARGE)
        h2o->entity = h2o_iovec_init(NULL, 0);
    if (fault != HEAD_TOO_LARGE && fault != HEAD_TARGET_TOO_LONG)
        copy_request(request, h2o, head_bytes);
    else
        request->method = str_copy(arena, (struct str){h2o->method.base, h2o->method.len});
    request->path = request->path.at ? request->path : STR("/");
    request->query = request->query.at ? request->query : STR("");
    trace_begin(&request->trace, request_header(request, "traceparent"));
    request->next = &server->requests;
    request->previous = server->requests.previous;
    request->previous->next = request->next->previous = request;
    return request;
}

/* The next request, or the end of the connection: neither is read now. The end is told by the sweep, which gives a client that
 * only closed his writing side the time to be answered. */
static void stop_reading(h2o_socket_t *socket, const char *error)
{
    (void)error;
    h2o_socket_read_stop(socket);
}

/* libh2o stops reading a connection of HTTP/1 while its request is handled, and starts again with the reply: two epoll_ctl, a
 * twentieth of what a query costs. Reading on undoes the first before it is carried out. What comes then may move the buffer
 * that the head lies in, so libh2o is given our copies of what it still looks at. */
static void read_on(struct request *request, h2o_req_t *h2o)
{
    if (h2o->version >= 0x200 || h2o->entity.base)
        return;
    h2o->headers.size = 0;
    h2o->input.method = h2o->method = h2o_iovec_init(request->method.at, request->method.len);
    h2o->input.path = h2o->path = h2o->path_normalized = h2o_iovec_init(request->path.at, request->path.len);
    h2o->input.authority = h2o->authority = h2o_iovec_init("", 0);
    h2o->query_at = SIZE_MAX;
    h2o_socket_read_start(request->connection->socket, stop_reading);
}

struct start {
    struct request *request;
    enum head_fault fault;
};

static void answer(struct request *request, enum head_fault fault)
{
    const struct http_settings *settings = server_self()->settings;
    bool public = !request->listener->internal;
    if (public)
        cors_add_fields(request, settings->origins, settings->origin_count);
    if (fault != HEAD_FINE)
        head_refuse(request, fault);
    else if (!public || !cors_answer_preflight(request, settings->origins, settings->origin_count))
        request->listener->handle(request);
}

/* fiber_set_deadline only shortens, which is right for everybody but an operation that is given longer, and a stream. */
void request_set_deadline(struct request *request, int64_t deadline)
{
    request->deadline = fiber_self()->deadline = deadline;
}

/* The fiber of one request. */
static void run(void *argument)
{
    struct start start = *(struct start *)argument;
    struct request *request = start.request;
    fiber_set_deadline(request->deadline);
    if (request->h2o) { /* a stream that was reset in the turn it came in costs no more than this */
        request->fiber = fiber_self();
        answer(request, start.fault);
    }
    fiber_gather(); /* replies are written one after another, */
    request_finish(request);
    request->fiber = NULL;
    fiber_gather(); /* and then recorded */
    if (request->finished)
        request->finished(request);
    request_release(request);
}

/* The connection has served its share: HTTP/1 is told by `connection: close`, HTTP/2 by GOAWAY. */
static void count_request(struct server *server, struct connection *connection, h2o_req_t *h2o)
{
    connection->in_flight++;
    connection->requests++;
    if (connection->requests < server->settings->requests_per_connection && !server->draining)
        return;
    if (h2o->version < 0x200)
        h2o->http1_is_persistent = 0;
    else if (connection->requests >= server->settings->requests_per_connection)
        http2_say_goodbye(h2o->conn);
}

/* Runs what is ready now, within libh2o's turn and not after it: a reply that is made without waiting then goes out, and the
 * connection is read again, before the library looks at what to poll for. That saves two epoll_ctl and one epoll_wait of the
 * five system calls that a request of HTTP/1 costs otherwise. */
static void run_ready(h2o_timeout_entry_t *entry)
{
    fibers_run(H2O_STRUCT_FROM_MEMBER(struct server, ready, entry)->worker);
}

static void run_soon(struct server *server)
{
    server->ready.cb = run_ready;
    if (!h2o_timeout_is_linked(&server->ready))
        h2o_timeout_link(server->context.loop, &server->context.zero_timeout, &server->ready);
}

/* Looked up only for the few bodies that are larger than the usual. */
static size_t most_body(const struct http_settings *settings, h2o_req_t *h2o)
{
    if (h2o->entity.len <= settings->body_bytes || !settings->body_bytes_of)
        return settings->body_bytes;
    struct str path = {h2o->path.base, h2o->path.len};
    struct str bare = head_path(str_cut(&path, '?'));
    size_t most = settings->body_bytes_of((struct str){h2o->method.base, h2o->method.len}, bare);
    return most > settings->body_bytes ? most : settings->body_bytes;
}

int handler_on_request(h2o_handler_t *self, h2o_req_t *h2o)
{
    (void)self;
    struct connection *connection = connection_of(h2o);
    struct server *server = connection->server;
    size_t head_bytes;
    enum head_fault fault = head_check(h2o, server->settings->header_bytes, most_body(server->settings, h2o), &head_bytes);
    if (fault == HEAD_ABUSIVE) {
        /* No answer, so that nothing of it is kept; on_dispose has no request to count. */
        connection_cut(connection, CUT_HEADERS);
        if (h2o->version >= 0x200)
            http2_refuse_streams(h2o->conn);
        h2o_send_error_400(h2o, "Bad Request", "", H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION);
        return 0;
    }
    if (fault == HEAD_AMBIGUOUS_BODY || fault == HEAD_BAD_HOST || fault == HEAD_FOLDED)
        h2o->http1_is_persistent = 0;
    struct request *request = request_open(connection, h2o, fault, head_bytes);
    struct ear *ear = h2o_mem_alloc_shared(&h2o->pool, sizeof *ear, on_dispose);
    ear->request = request;
    count_request(server, connection, h2o);
    if (!worker_has_room()) { /* no stack for a fiber */
        reply_problem(request, &(struct problem){.type = PROBLEM_OVERLOADED, .retry_after = 1});
        request_finish(request);
        return 0;
    }
    read_on(request, h2o);
    struct start *start = arena_new(request->arena, struct start);
    *start = (struct start){request, fault};
    request->references++;
    fiber_start(run, start, DEADLINE_NEVER);
    run_soon(server);
    return 0;
}
