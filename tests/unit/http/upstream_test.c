/* Calls of departments: a backend in a thread of the test says what each test wants. */
#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "http/share.h"
#include "http/upstream.h"

/* The backend: accepts one connection after the other; for each request it reads, it says the next of `script`. */
static struct backend {
    int listener;
    uint16_t port;
    const char *script[8]; /* NULL: close the connection; "…wait": say what is before it and then nothing; "…pause…": 2 ms */
    SSL_CTX *tls;
    pthread_t thread;
    atomic_int connections, requests;
    pthread_mutex_t lock;
    char last[8192]; /* what was read last; under `lock` */
} backend = {.lock = PTHREAD_MUTEX_INITIALIZER};

static ssize_t take(SSL *ssl, int peer, char *out, size_t room)
{
    return ssl ? SSL_read(ssl, out, (int)room) : read(peer, out, room);
}

static void say(SSL *ssl, int peer, const char *text, size_t length)
{
    ssize_t sent = ssl ? SSL_write(ssl, text, (int)length) : send(peer, text, length, MSG_NOSIGNAL);
    (void)sent;
}

static void remember(const char *request)
{
    pthread_mutex_lock(&backend.lock);
    strcpy(backend.last, request);
    pthread_mutex_unlock(&backend.lock);
}

static bool heard(const char *part)
{
    pthread_mutex_lock(&backend.lock);
    bool found = strstr(backend.last, part) != NULL;
    pthread_mutex_unlock(&backend.lock);
    return found;
}

static void serve_connection(int peer)
{
    SSL *ssl = NULL;
    if (backend.tls) {
        ssl = SSL_new(backend.tls);
        SSL_set_fd(ssl, peer);
        if (SSL_accept(ssl) != 1) {
            SSL_free(ssl);
            return;
        }
    }
    for (char request[sizeof backend.last];;) {
        ssize_t got = take(ssl, peer, request, sizeof request - 1);
        if (got <= 0)
            break;
        request[got] = 0;
        remember(request);
        const char *answer = backend.script[backend.requests++];
        if (!answer)
            break;
        size_t length = strlen(answer);
        bool waits = length >= 4 && strcmp(answer + length - 4, "wait") == 0;
        bool closes = length >= 5 && strcmp(answer + length - 5, "close") == 0;
        const char *pause = strstr(answer, "pause");
        say(ssl, peer, answer, pause ? (size_t)(pause - answer) : length - (waits ? 4 : closes ? 5 : 0));
        if (pause) {
            usleep(2000);
            say(ssl, peer, pause + 5, strlen(pause + 5));
        }
        if (closes)
            break;
    }
    SSL_free(ssl);
}

static void *serve(void *argument)
{
    (void)argument;
    for (int peer; (peer = accept(backend.listener, NULL, NULL)) >= 0;) {
        backend.connections++;
        serve_connection(peer);
        close(peer);
    }
    return NULL;
}

static void backend_open(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    backend.listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(bind(backend.listener, (struct sockaddr *)&address, length) == 0 && listen(backend.listener, 16) == 0);
    getsockname(backend.listener, (struct sockaddr *)&address, &length);
    backend.port = ntohs(address.sin_port);
    pthread_create(&backend.thread, NULL, serve, NULL);
}

static void backend_close(void)
{
    shutdown(backend.listener, SHUT_RDWR);
    pthread_join(backend.thread, NULL);
    close(backend.listener);
    SSL_CTX_free(backend.tls);
}

/* What the worker's fiber does with the upstream. */
static void (*scenario)(struct upstream *upstream, struct arena *arena);
static struct upstream_settings target;

static bool run_scenario(void *argument)
{
    (void)argument;
    struct upstream *upstream = upstream_open(&target);
    ck_assert_ptr_nonnull(upstream);
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    scenario(upstream, arena);
    upstream_close(upstream);
    return true;
}

static void run(void (*given)(struct upstream *upstream, struct arena *arena))
{
    scenario = given;
    target.port = target.port ? target.port : backend.port;
    target.host = target.host.at ? target.host : STR("127.0.0.1");
    target.idle = 4;
    target.idle_time = seconds(5);
    ck_assert(workers_start(1, run_scenario, NULL));
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}

static struct upstream_request get(int64_t within)
{
    return (struct upstream_request){
        .method = STR("GET"), .target = STR("/x?y=1"), .most = 1000, .deadline = deadline_in(within)};
}

static enum upstream_status call(struct upstream *upstream, struct arena *arena, struct upstream_response *response)
{
    struct upstream_request request = get(seconds(5));
    return upstream_call(upstream, &request, arena, response);
}

/* A kept connection is used again when it has been silent for a while. */
static void rest(void)
{
    (void)fiber_sleep(milliseconds(10));
}

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: " body "\r\n\r\n"

static void keeps(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    struct field field = {STR("x-caller"), STR("shimin")};
    struct upstream_request request = get(seconds(5));
    request.method = STR("POST");
    request.fields = &field;
    request.field_count = 1;
    request.body = STR("{}");
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_OK);
    ck_assert_uint_eq(response.status, 200);
    ck_assert(str_is(response.body, "abc"));
    ck_assert(str_is(upstream_field(&response, STR("x-reply")), "v"));
    ck_assert(heard("POST /x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:"));
    ck_assert(heard("x-caller: shimin\r\ncontent-length: 2\r\n\r\n{}"));
    rest();
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
    ck_assert(str_is(response.body, "second"));
    ck_assert_int_eq(backend.connections, 1);
}

START_TEST(a_connection_carries_the_next_call_too)
{
    backend.script[0] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Reply: v\r\nContent-Length: 3\r\n\r\nabc";
    backend.script[1] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3;x=y\r\nond\r\n0\r\nTrailer: t\r\n\r\n";
    run(keeps);
}
END_TEST

static void stale(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
    rest();
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_STALE);
    struct upstream_request request = get(seconds(5));
    request.fresh = true;
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_OK);
    ck_assert_int_eq(backend.connections, 2);
}

START_TEST(a_kept_connection_that_ends_before_the_first_byte_is_stale)
{
    backend.script[0] = OK("1") "a";
    backend.script[1] = NULL;
    backend.script[2] = OK("1") "b";
    run(stale);
}
END_TEST

static void reset(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_RESET);
}

START_TEST(an_answer_that_breaks_off_is_a_reset)
{
    backend.script[0] = NULL;
    backend.script[1] = "HTTP/1.1 200 OK\r\nContent-Le"
                        "close";
    backend.script[2] = OK("10") "half"
                                 "close";
    run(reset);
}
END_TEST

static void garbage(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    for (int i = 0; i < 6; i++)
        ck_assert_msg(call(upstream, arena, &response) == UPSTREAM_GARBAGE, "script %d", i);
}

START_TEST(what_is_not_http_or_is_ambiguous_is_garbage)
{
    backend.script[0] = "220 mail.example ESMTP\r\n";
    backend.script[1] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    backend.script[2] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    backend.script[3] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    backend.script[4] = OK("-1") "a";
    backend.script[5] = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    run(garbage);
}
END_TEST

static void faults(struct upstream *upstream, struct arena *arena)
{
    static const enum upstream_fault wanted[] = {UPSTREAM_FAULT_NOT_HTTP,  UPSTREAM_FAULT_FRAMING, UPSTREAM_FAULT_FRAMING,
                                                 UPSTREAM_FAULT_CHUNK,     UPSTREAM_FAULT_FRAMING, UPSTREAM_FAULT_HEAD_SIZE,
                                                 UPSTREAM_FAULT_HEAD_SIZE, UPSTREAM_FAULT_CUT};
    struct upstream_response response;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        struct upstream_request request = get(seconds(5));
        request.head_most = 1024;
        ck_assert_int_ne(upstream_call(upstream, &request, arena, &response), UPSTREAM_OK);
        ck_assert_msg(response.fault == wanted[i], "script %zu: %s", i, upstream_fault_name(response.fault));
    }
}

START_TEST(what_exactly_was_wrong_is_told)
{
    static char long_head[2048], interim[1024];
    snprintf(long_head, sizeof long_head, "HTTP/1.1 200 OK\r\nX: %01500d\r\n", 1);
    for (int i = 0; i < 12; i++)
        strcat(interim, "HTTP/1.1 103 Early Hints\r\n\r\n");
    backend.script[0] = "<html>HTTP/0.9</html>";
    backend.script[1] = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    backend.script[2] = "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na";
    backend.script[3] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n";
    backend.script[4] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    backend.script[5] = long_head;
    backend.script[6] = interim;
    backend.script[7] = "HTTP/1.1 103 Early Hints\r\n\r\nclose";
    run(faults);
}
END_TEST

static void extra(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
    ck_assert_int_eq(response.fault, UPSTREAM_FAULT_EXTRA);
    for (int i = 0; i < 3; i++) {
        rest();
        ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
        ck_assert(str_is(response.body, "own"));
    }
    ck_assert_int_eq(backend.connections, 4); /* nothing is kept of one that says more than it was asked */
}

START_TEST(bytes_after_an_answer_never_become_the_next_one)
{
    backend.script[0] = OK("1") "a" OK("8") "smuggled";
    for (int i = 1; i < 4; i++)
        backend.script[i] = OK("3") "own";
    run(extra);
}
END_TEST

static void late_extra(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
    for (int i = 0; i < 2; i++) { /* at once: the second answer to the first question is still on its way */
        ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
        ck_assert(str_is(response.body, "own"));
        rest();
    }
    ck_assert_int_eq(backend.connections, 3);
}

START_TEST(a_second_answer_that_comes_late_meets_nobody)
{
    backend.script[0] = OK("1") "a"
                                "pause" OK("8") "smuggled";
    backend.script[1] = backend.script[2] = OK("3") "own";
    run(late_extra);
}
END_TEST

static void shared(struct upstream *upstream, struct arena *arena)
{
    struct share *share = share_open(8);
    struct upstream_response response;
    struct upstream_request request = get(seconds(5));
    request.share = share;
    struct arena *first = arena_open();
    ck_assert_int_eq(upstream_call(upstream, &request, first, &response), UPSTREAM_OK);
    ck_assert_uint_eq(share_used(share), 6);
    rest();
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_FULL);
    ck_assert_int_eq(response.fault, UPSTREAM_FAULT_SHARE);
    arena_close(first);
    ck_assert_uint_eq(share_used(share), 0);
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_OK);
    share_close(share); /* what is held is given back later */
}

START_TEST(answers_share_a_bound_of_memory_until_their_arenas_close)
{
    backend.script[0] = backend.script[1] = backend.script[2] = OK("6") "abcdef";
    run(shared);
}
END_TEST

static void large(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    for (int i = 0; i < 2; i++) {
        struct upstream_request request = get(seconds(5));
        request.most = 4;
        ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_TOO_LARGE);
    }
}

START_TEST(an_answer_beyond_the_bound_is_refused)
{
    backend.script[0] = OK("5") "abcde";
    backend.script[1] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";
    run(large);
}
END_TEST

static void slow(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    struct upstream_request request = get(seconds(5));
    request.response_deadline = deadline_in(milliseconds(100));
    int64_t began = clock_steady();
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_TIMEOUT);
    request = get(milliseconds(100));
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_TIMEOUT);
    ck_assert_int_lt(clock_steady() - began, seconds(4)); /* not the five of the call */
}

START_TEST(a_department_that_hangs_is_given_up_at_the_deadline)
{
    backend.script[0] = "wait";
    backend.script[1] = OK("10") "half"
                                 "wait";
    run(slow);
}
END_TEST

static void to_close(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
    ck_assert(str_is(response.body, "until the end"));
}

START_TEST(a_body_without_a_length_ends_with_its_connection)
{
    backend.script[0] = "HTTP/1.0 200 OK\r\n\r\nuntil the end"
                        "close";
    run(to_close);
}
END_TEST

static void cancelled_call(void *argument)
{
    struct upstream_response response;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert_int_eq(call(argument, arena, &response), UPSTREAM_CANCELLED);
}

static void cancel(struct upstream *upstream, struct arena *arena)
{
    (void)arena;
    struct fiber_group group = {0};
    fiber_spawn(&group, cancelled_call, upstream);
    ck_assert_int_ne(fiber_join(&group, deadline_in(milliseconds(200))), WAIT_DONE);
}

START_TEST(a_cancelled_call_lets_its_connection_go)
{
    backend.script[0] = "wait";
    run(cancel);
}
END_TEST

static void refused(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_CONNECT_FAILED);
}

START_TEST(a_closed_port_is_a_failed_connect)
{
    target.port = 1;
    run(refused);
}
END_TEST

/* ---- names ---- */

/* In the place of the resolver: what each look-up of a name under .test brings; "slow.test" takes its time. */
static struct {
    const char *lists[4]; /* addresses, separated by blanks */
    atomic_int look_ups;
} names;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
    static const struct addrinfo plain = {
        .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_addrlen = sizeof(struct sockaddr_in)};
    (void)hints;
    struct str rest = str_of(names.lists[names.look_ups++ % 4]);
    *list = NULL;
    if (strcmp(host, "slow.test") == 0)
        usleep(4000000);
    struct addrinfo **end = list;
    while (rest.at) {
        struct str one = str_cut(&rest, ' ');
        char text[64];
        snprintf(text, sizeof text, "%.*s", STR_ARG(one));
        struct sockaddr_in *address = calloc(1, sizeof *address);
        address->sin_family = AF_INET;
        address->sin_port = htons((uint16_t)atoi(port));
        ck_assert_int_eq(inet_pton(AF_INET, text, &address->sin_addr), 1);
        *end = calloc(1, sizeof **end);
        **end = plain;
        (*end)->ai_addr = (struct sockaddr *)address;
        end = &(*end)->ai_next;
    }
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    for (struct addrinfo *next; list; list = next) {
        next = list->ai_next;
        free(list->ai_addr);
        free(list);
    }
}

static const char *refuse_all(const struct sockaddr *address, void *argument)
{
    (void)address;
    (void)argument;
    return "loopback";
}

START_TEST(an_address_that_is_not_allowed_is_not_connected_to)
{
    target.refusal = refuse_all;
    run(refused);
    ck_assert_int_eq(backend.connections, 0);
}
END_TEST

START_TEST(a_name_is_resolved)
{
    names.lists[0] = "127.0.0.1";
    target.host = STR("localhost");
    backend.script[0] = "HTTP/1.0 200 OK\r\n\r\nuntil the end"
                        "close";
    run(to_close);
}
END_TEST

/* Of 127.0.0.0/8 the first address only. */
static const char *refuse_others(const struct sockaddr *address, void *argument)
{
    (void)argument;
    return ((const struct sockaddr_in *)address)->sin_addr.s_addr == htonl(INADDR_LOOPBACK) ? NULL : "link-local";
}

static void judged(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    for (int i = 0; i < 3; i++) /* in whichever order they are tried */
        ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_OK);
    ck_assert_int_eq(names.look_ups, 1); /* what was judged is what is connected to: nothing is asked in between */
}

START_TEST(a_names_addresses_are_judged_one_by_one)
{
    names.lists[0] = "169.254.169.254 127.0.0.1 10.0.0.1";
    names.lists[1] = names.lists[2] = names.lists[3] = "169.254.169.254";
    target.host = STR("mixed.test");
    target.refusal = refuse_others;
    backend.script[0] = backend.script[1] = backend.script[2] =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
        "close";
    run(judged);
}
END_TEST

static void forbidden(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    ck_assert_int_eq(call(upstream, arena, &response), UPSTREAM_CONNECT_FAILED);
    ck_assert_int_eq(response.fault, UPSTREAM_FAULT_ADDRESS);
    ck_assert_str_eq(response.detail, "link-local");
}

START_TEST(a_name_that_leads_inside_is_not_connected_to)
{
    names.lists[0] = "169.254.169.254 127.0.0.2";
    target.host = STR("inside.test");
    target.refusal = refuse_others;
    run(forbidden);
    ck_assert_int_eq(backend.connections, 0);
}
END_TEST

static void slow_name(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    struct upstream_request request = get(milliseconds(50));
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_TIMEOUT);
    ck_assert_int_eq(response.fault, UPSTREAM_FAULT_LATE_CONNECT);
    struct upstream_settings settings = target;
    settings.host = STR("quick.test");
    struct upstream *other = upstream_open(&settings); /* meanwhile: the slow look-up holds nobody else's */
    ck_assert_int_eq(call(other, arena, &response), UPSTREAM_OK);
    upstream_close(other);
    ck_assert_int_lt(clock_steady() - request.deadline, seconds(2));
}

START_TEST(a_slow_name_server_holds_nobody_else)
{
    names.lists[0] = names.lists[1] = "127.0.0.1";
    target.host = STR("slow.test");
    backend.script[0] = OK("1") "x";
    run(slow_name);
}
END_TEST

static void dirty(struct upstream *upstream, struct arena *arena)
{
    struct upstream_response response;
    struct upstream_request request = get(seconds(1));
    struct field field = {STR("x-a"), STR("b\r\nx-c: d")};
    request.fields = &field;
    request.field_count = 1;
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_GARBAGE);
    ck_assert_int_eq(backend.connections, 0);
}

START_TEST(a_field_that_would_begin_another_is_not_sent)
{
    run(dirty);
}
END_TEST

/* Whatever the length, and wherever in it. */
static void dirty_anywhere(struct upstream *upstream, struct arena *arena)
{
    static const char bytes[] = {1, '\n', 0x1f, 0x7f};
    struct upstream_response response;
    struct upstream_request request = get(seconds(5));
    char value[20];
    for (size_t i = 0; i < COUNT_OF(bytes) * sizeof value * sizeof value; i++) {
        size_t at = i / COUNT_OF(bytes) % sizeof value, length = i / COUNT_OF(bytes) / sizeof value + 1;
        if (at >= length)
            continue;
        memset(value, '~', sizeof value);
        value[0] = '\t';
        value[at] = bytes[i % COUNT_OF(bytes)];
        struct field field = {STR("x-a"), {value, length}};
        request.fields = &field;
        request.field_count = 1;
        ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_GARBAGE);
    }
    ck_assert_int_eq(backend.connections, 0);
    struct field field = {STR("x-a"), STR("a\tb ~市民\t \t")};
    request.fields = &field;
    ck_assert_int_eq(upstream_call(upstream, &request, arena, &response), UPSTREAM_OK);
    ck_assert(heard("x-a: a\tb ~市民\t \t\r\n"));
}

START_TEST(a_control_character_is_found_anywhere_and_tabs_and_utf_8_are_sent)
{
    backend.script[0] = OK("1") "x";
    run(dirty_anywhere);
}
END_TEST

static void backend_speaks_tls(int version)
{
    harness_make_certificates();
    backend.tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_max_proto_version(backend.tls, version);
    ck_assert(SSL_CTX_use_certificate_chain_file(backend.tls, harness_certificate) == 1);
    ck_assert(SSL_CTX_use_PrivateKey_file(backend.tls, harness_key, SSL_FILETYPE_PEM) == 1);
    target.tls = true;
    target.ca_file = harness_certificate;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(a_certificate_of_the_right_address_is_accepted)
{
    backend_speaks_tls(versions[_i]);
    backend.script[0] = OK("3") "abc";
    backend.script[1] = OK("6") "second";
    backend.script[0] = "HTTP/1.1 200 OK\r\nX-Reply: v\r\nContent-Length: 3\r\n\r\nabc";
    run(keeps);
}
END_TEST

START_TEST(a_certificate_of_another_name_is_refused)
{
    backend_speaks_tls(versions[_i]);
    target.server_name = STR("tax.example");
    backend.script[0] = OK("3") "abc";
    run(refused);
    ck_assert_int_eq(backend.requests, 0);
}
END_TEST

START_TEST(a_certificate_of_nobody_we_know_is_refused)
{
    backend_speaks_tls(versions[_i]);
    target.ca_file = NULL;
    run(refused);
    ck_assert_int_eq(backend.requests, 0);
}
END_TEST

START_TEST(another_public_key_than_the_pinned_is_refused)
{
    backend_speaks_tls(versions[_i]);
    target.pin = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    run(refused);
    ck_assert_int_eq(backend.requests, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http upstream");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 30);
    tcase_add_checked_fixture(all, backend_open, backend_close);
    tcase_add_test(all, a_connection_carries_the_next_call_too);
    tcase_add_test(all, a_names_addresses_are_judged_one_by_one);
    tcase_add_test(all, a_name_that_leads_inside_is_not_connected_to);
    tcase_add_test(all, a_slow_name_server_holds_nobody_else);
    tcase_add_test(all, what_exactly_was_wrong_is_told);
    tcase_add_test(all, bytes_after_an_answer_never_become_the_next_one);
    tcase_add_test(all, a_second_answer_that_comes_late_meets_nobody);
    tcase_add_test(all, answers_share_a_bound_of_memory_until_their_arenas_close);
    tcase_add_test(all, a_kept_connection_that_ends_before_the_first_byte_is_stale);
    tcase_add_test(all, an_answer_that_breaks_off_is_a_reset);
    tcase_add_test(all, what_is_not_http_or_is_ambiguous_is_garbage);
    tcase_add_test(all, an_answer_beyond_the_bound_is_refused);
    tcase_add_test(all, a_department_that_hangs_is_given_up_at_the_deadline);
    tcase_add_test(all, a_body_without_a_length_ends_with_its_connection);
    tcase_add_test(all, a_cancelled_call_lets_its_connection_go);
    tcase_add_test(all, a_closed_port_is_a_failed_connect);
    tcase_add_test(all, an_address_that_is_not_allowed_is_not_connected_to);
    tcase_add_test(all, a_name_is_resolved);
    tcase_add_test(all, a_field_that_would_begin_another_is_not_sent);
    tcase_add_test(all, a_control_character_is_found_anywhere_and_tabs_and_utf_8_are_sent);
    tcase_add_loop_test(all, a_certificate_of_the_right_address_is_accepted, 0, 2);
    tcase_add_loop_test(all, a_certificate_of_another_name_is_refused, 0, 2);
    tcase_add_loop_test(all, a_certificate_of_nobody_we_know_is_refused, 0, 2);
    tcase_add_loop_test(all, another_public_key_than_the_pinned_is_refused, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
