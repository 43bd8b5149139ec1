/* A small server over the http floor, for the tests and measurements that need a process of its own:
 * http-fixture plain-port tls-port workers certificate key [requests-per-connection]. SIGHUP loads the certificate anew,
 * SIGTERM drains. */
#include <shimin/log.h>
#include <shimin/worker.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/server.h"

static int64_t stop_deadline;

static void say_small(struct request *request)
{
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field_c(out, "message", "hello");
    json_field(out, "path", request_path(request));
}

static void say_slow(struct request *request)
{
    if (fiber_sleep(milliseconds(200)) == WAIT_DONE)
        say_small(request);
}

static void say_big(struct request *request)
{
    size_t length = 4 << 20;
    char *body = arena_alloc(request_arena(request), length);
    memset(body, 'x', length);
    reply_bytes(request, 200, "application/octet-stream", (struct str){body, length});
}

static void say_stream(struct request *request)
{
    reply_stream_open(request, 200, "text/event-stream", deadline_in(seconds(60)));
    for (int i = 0; i < 100; i++)
        if (!reply_stream_write(request, STR("data: tick\n\n")) || fiber_sleep(milliseconds(100)) != WAIT_DONE)
            return;
}

static const struct {
    const char *path;
    void (*handle)(struct request *request);
} routes[] = {{"/small", say_small}, {"/slow", say_slow}, {"/big", say_big}, {"/stream", say_stream}};

static void handle(struct request *request)
{
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (str_is(request_path(request), routes[i].path)) {
            routes[i].handle(request);
            return;
        }
    }
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个地址", "No such address"));
}

static bool open_worker(void *argument)
{
    (void)argument;
    return http_open();
}

static void stop(void *argument)
{
    (void)argument;
    http_drain(stop_deadline);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7)
        return 2;
    static struct http_listener listeners[2];
    listeners[0] = (struct http_listener){.address = "127.0.0.1", .port = (uint16_t)atoi(argv[1]), .handle = handle};
    listeners[1] =
        (struct http_listener){.address = "127.0.0.1", .port = (uint16_t)atoi(argv[2]), .tls = true, .handle = handle};
    static struct http_settings settings;
    settings = http_settings_default;
    settings.listeners = listeners;
    settings.listener_count = 2;
    settings.certificate = argv[4];
    settings.private_key = argv[5];
    settings.connections_per_address = settings.connections;
    settings.requests_per_connection = argc == 7 ? (unsigned)atoi(argv[6]) : 1000000;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (!http_prepare(&settings) || !workers_start((unsigned)atoi(argv[3]), open_worker, NULL))
        return 1;
    puts("ready");
    fflush(stdout);
    int caught;
    while (sigwait(&signals, &caught) == 0 && caught == SIGHUP)
        if (!http_reload_certificates())
            log_error("the old certificate stays");
    stop_deadline = deadline_in(seconds(10));
    workers_stop(stop, NULL, stop_deadline + seconds(1));
    return 0;
}
