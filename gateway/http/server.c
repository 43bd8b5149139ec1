/* The server of one worker: its listeners and libh2o's context. */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <shimin/log.h>
#include <string.h>
#include <sys/resource.h>

#include "http/gzip.h"
#include "http/send.h"
#include "http/server_internal.h"

enum { ACCEPT_BATCH = 16, BACKLOG = 4096, OTHER_DESCRIPTORS = 1024 };

const struct http_settings http_settings_default = {
    .problem_base = "/problems/",
    .header_bytes = 32 * 1024,
    .header_time = INT64_C(10) * 1000000,
    .body_bytes = 1024 * 1024,
    .body_time = INT64_C(30) * 1000000,
    .idle_time = INT64_C(75) * 1000000,
    .request_time = INT64_C(30) * 1000000,
    .send_time = INT64_C(60) * 1000000,
    .connections = 20000,
    .connections_per_address = 256,
    .concurrent_streams = 100,
    .requests_per_connection = 10000,
    .reset_budget = 100,
    .reset_window = INT64_C(10) * 1000000,
    .gzip_level = 1,
    .gzip_minimum = 1024,
};

static const struct http_settings *settings;
static h2o_globalconf_t global; /* read-only once prepared */
static _Thread_local struct server *self;

struct server *server_self(void)
{
    return self;
}

unsigned http_connections(void)
{
    return self ? self->connection_count : 0;
}

static bool parse_address(const struct http_listener *listener, struct sockaddr_storage *out, socklen_t *length)
{
    memset(out, 0, sizeof *out);
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, listener->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(listener->port);
        *length = sizeof *v4;
        return true;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(listener->port);
    *length = sizeof *v6;
    return inet_pton(AF_INET6, listener->address, &v6->sin6_addr) == 1;
}

static bool check_settings(void)
{
    bool tls = false;
    for (size_t i = 0; i < settings->listener_count; i++) {
        struct sockaddr_storage address;
        socklen_t length;
        if (!parse_address(&settings->listeners[i], &address, &length)) {
            log_error("%s is not a numeric address to listen on", settings->listeners[i].address);
            return false;
        }
        tls |= settings->listeners[i].tls;
    }
    return !tls || tls_load(settings);
}

/* As many descriptors as the system lets us have. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < (rlim_t)settings->connections + OTHER_DESCRIPTORS)
        log_warning("%lu descriptors are too few for %u connections", (unsigned long)limit.rlim_cur, settings->connections);
}

static uint64_t to_milliseconds(int64_t microseconds)
{
    return (uint64_t)(microseconds + 999) / 1000;
}

static void configure(void)
{
    h2o_config_init(&global);
    global.server_name = h2o_iovec_init("", 0);
    /* Over HTTP/2 the library only resets a stream whose body is too large: one that is not much too large is read, and
     * refused with a 413. */
    global.max_request_entity_size =
        2 * (settings->body_bytes_most > settings->body_bytes ? settings->body_bytes_most : settings->body_bytes);
    /* libh2o has one timer from the end of a reply to the end of the next request; sweep.c keeps each part apart, and this
     * one is behind it. */
    global.http1.req_timeout = to_milliseconds(settings->idle_time + settings->header_time + settings->body_time);
    global.http2.idle_timeout = to_milliseconds(settings->idle_time);
    global.handshake_timeout = to_milliseconds(settings->header_time);
    global.http2.max_concurrent_requests_per_connection = settings->concurrent_streams;
    h2o_hostconf_t *host = h2o_config_register_host(&global, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_handler_t *handler = h2o_create_handler(path, sizeof *handler);
    handler->on_req = handler_on_request;
    library_error_register(path);
    library_error_register(&host->fallback_path);
}

bool http_prepare(const struct http_settings *given)
{
    settings = given;
    problem_set_base(str_of(settings->problem_base));
    if (!check_settings())
        return false;
    raise_limit();
    configure();
    send_prepare();
    connections_register_metrics();
    return true;
}

static void on_accept(h2o_socket_t *socket, const char *error)
{
    struct accepting *accepting = socket->data;
    if (error)
        return;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        h2o_socket_t *accepted = h2o_evloop_socket_accept(socket);
        if (accepted) {
            connection_accept(accepting->server, accepting, accepted);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE) {
            /* Readable for as long as we have no descriptor for it: leave it alone until the next sweep. */
            log_error("no descriptor for a new connection");
            h2o_socket_read_stop(socket);
            sweep_start(accepting->server);
        }
        return;
    }
}

void server_resume_accepting(struct server *server)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (server->accepting[i].socket && !h2o_socket_is_reading(server->accepting[i].socket))
            h2o_socket_read_start(server->accepting[i].socket, on_accept);
}

static int listen_on(const struct http_listener *listener)
{
    struct sockaddr_storage address;
    socklen_t length;
    int on = 1;
    if (!parse_address(listener, &address, &length))
        return -1;
    int descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor >= 0 && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        bind(descriptor, (struct sockaddr *)&address, length) == 0 && listen(descriptor, BACKLOG) == 0)
        return descriptor;
    log_error("cannot listen on %s port %u: %s", listener->address, listener->port, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static bool open_listener(struct server *server, struct accepting *accepting, const struct http_listener *listener)
{
    int descriptor = listen_on(listener);
    if (descriptor < 0)
        return false;
    accepting->server = server;
    accepting->listener = listener;
    accepting->accept = (h2o_accept_ctx_t){
        .ctx = &server->context,
        .hosts = global.hosts,
        .ssl_ctx = listener->tls ? tls_context() : NULL,
        .expect_proxy_line = listener->proxy_protocol,
    };
    accepting->socket = h2o_evloop_socket_create(server->context.loop, descriptor, H2O_SOCKET_FLAG_DONT_READ);
    accepting->socket->data = accepting;
    h2o_socket_read_start(accepting->socket, on_accept);
    return true;
}

bool http_open(void)
{
    struct server *server = memory_alloc(sizeof *server);
    server->settings = settings;
    server->worker = worker_self();
    server->accepting = memory_alloc(settings->listener_count * sizeof *server->accepting);
    h2o_context_init(&server->context, worker_loop(server->worker), &global);
    connections_open(server);
    self = server;
    for (size_t i = 0; i < settings->listener_count; i++)
        if (!open_listener(server, &server->accepting[i], &settings->listeners[i]))
            return false;
    return true;
}

void server_stop_accepting(struct server *server)
{
    for (size_t i = 0; i < settings->listener_count; i++) {
        struct accepting *accepting = &server->accepting[i];
        h2o_socket_t *accepted;
        if (!accepting->socket)
            continue;
        /* The kernel resets what waits in the backlog of a listener that closes, also with SO_REUSEPORT. */
        while ((accepted = h2o_evloop_socket_accept(accepting->socket)))
            connection_accept(server, accepting, accepted);
        h2o_socket_close(accepting->socket);
        accepting->socket = NULL;
    }
}

void server_free(struct server *server)
{
    timer_clear(&server->sweep);
    for (size_t i = 0; i < settings->listener_count; i++)
        SSL_CTX_free(server->accepting[i].accept.ssl_ctx);
    h2o_timeout_unlink(&server->ready);
    h2o_timeout_unlink(&server->context.http2._graceful_shutdown_timeout);
    h2o_multithread_queue_t *queue = server->context.queue;
    h2o_context_dispose(&server->context);
    free(queue); /* h2o_multithread_destroy_queue of 2.2.5 forgets it */
    gzip_close();
    free(server->accepting);
    free(server->polled);
    free(server->polled_requests);
    free(server);
    self = NULL;
}

static void take_certificates(void *argument)
{
    (void)argument;
    if (!self)
        return;
    for (size_t i = 0; i < settings->listener_count; i++) {
        SSL_CTX *old = self->accepting[i].accept.ssl_ctx;
        if (!old)
            continue;
        self->accepting[i].accept.ssl_ctx = tls_context();
        SSL_CTX_free(old); /* connections that were accepted with it hold it */
    }
}

bool http_reload_certificates(void)
{
    if (!settings->certificate)
        return true;
    if (!tls_load(settings))
        return false;
    workers_post(take_certificates, NULL);
    log_info("new certificate from %s", settings->certificate);
    return true;
}
