/* Requests from a socket to a fiber and back, and what happens when the client does not wait. */
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

static atomic_int waits, outcomes[3];

static void say_hello(struct request *request)
{
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "path", request_path(request));
    json_field(out, "query", request_query(request));
    json_field(out, "body", request_raw_body(request));
    json_field(out, "host", request_header(request, "host"));
    json_field(out, "address", request_client_address(request));
}

static void wait_long(struct request *request)
{
    waits++;
    enum wait outcome = fiber_sleep(seconds(20));
    outcomes[outcome]++;
    reply_empty(request, 204);
}

static void wait_shielded(struct request *request)
{
    waits++;
    fiber_shield();
    outcomes[fiber_sleep(milliseconds(700))]++;
    fiber_unshield();
    reply_empty(request, 204);
}

static void wait_briefly(struct request *request)
{
    waits++;
    fiber_sleep(milliseconds(300));
    say_hello(request);
}

static void say_nothing(struct request *request)
{
    (void)request;
}

static void stream_forever(struct request *request)
{
    char kilobyte[1024];
    memset(kilobyte, 'x', sizeof kilobyte);
    reply_stream_open(request, 200, "text/event-stream", deadline_in(seconds(60)));
    waits++;
    while (reply_stream_write(request, (struct str){kilobyte, sizeof kilobyte}))
        outcomes[0]++;
    outcomes[1]++;
}

static void stream_three(struct request *request)
{
    reply_stream_open(request, 200, "text/event-stream", deadline_in(seconds(5)));
    for (int i = 0; i < 3; i++)
        if (!reply_stream_write(request, STR("data: x\n\n")) || fiber_sleep(milliseconds(20)) != WAIT_DONE)
            return;
}

static const struct harness_route routes[] = {
    {"/hello", say_hello},     {"/wait", wait_long},         {"/shielded", wait_shielded}, {"/brief", wait_briefly},
    {"/nothing", say_nothing}, {"/forever", stream_forever}, {"/three", stream_three},     {0},
};

static void start(void)
{
    harness_settings = http_settings_default;
}

static bool one_waits(void)
{
    return waits == 1;
}
static bool one_cancelled(void)
{
    return outcomes[WAIT_CANCELLED] == 1;
}
static bool one_done(void)
{
    return outcomes[WAIT_DONE] == 1;
}
static bool one_finished(void)
{
    return harness_finished() == 1;
}
static bool stream_ended(void)
{
    return outcomes[1] == 1;
}

START_TEST(a_request_reaches_its_handler_whole)
{
    harness_start(1, routes);
    char *response = client_ask("POST /hello?a=1 HTTP/1.1\r\nHost: city.example\r\nContent-Length: 3\r\n\r\nabc");
    ck_assert_ptr_nonnull(strstr(response, "HTTP/1.1 200"));
    ck_assert_ptr_nonnull(strstr(response, "{\"path\":\"/hello\",\"query\":\"a=1\",\"body\":\"abc\",\"host\":\"city.example\","
                                           "\"address\":\"127.0.0.1\"}"));
    free(response);
    harness_stop(2);
}
END_TEST

START_TEST(an_absolute_target_is_read_by_its_path)
{
    harness_start(1, routes);
    char *response = client_ask("GET http://city.example/hello?a HTTP/1.1\r\nHost: city.example\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(response, "\"path\":\"/hello\",\"query\":\"a\""));
    free(response);
    harness_stop(2);
}
END_TEST

START_TEST(a_chunked_body_arrives_decoded)
{
    harness_start(1, routes);
    char *response =
        client_ask("POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(response, "\"body\":\"abc\""));
    free(response);
    harness_stop(2);
}
END_TEST

START_TEST(requests_in_a_pipeline_are_answered_in_order)
{
    harness_start(1, routes);
    int client = client_open();
    client_send(client,
                "GET /hello?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /hello?2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char *all = client_read_all(client, 65536);
    char *first = strstr(all, "\"query\":\"1\""), *second = strstr(all, "\"query\":\"2\"");
    ck_assert(first && second && first < second);
    free(all);
    close(client);
    harness_stop(2);
}
END_TEST

START_TEST(a_handler_without_a_reply_gives_a_500_problem)
{
    harness_start(1, routes);
    char *response = client_ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(response, "HTTP/1.1 500"));
    ck_assert_ptr_nonnull(strstr(response, "\"code\":\"internal-error\""));
    free(response);
    harness_stop(2);
}
END_TEST

START_TEST(a_client_that_leaves_cancels_the_handler_that_waits)
{
    harness_start(1, routes);
    int client = client_open();
    client_send(client, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(harness_await(one_waits, 20000));
    close(client);
    ck_assert(harness_await(one_cancelled, 20000));
    ck_assert(harness_await(one_finished, 20000));
    harness_stop(2);
}
END_TEST

START_TEST(a_shielded_handler_ends_though_its_client_has_left)
{
    harness_start(1, routes);
    int client = client_open();
    client_send(client, "POST /shielded HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    ck_assert(harness_await(one_waits, 20000));
    struct linger abrupt = {.l_onoff = 1};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
    close(client); /* by a reset: the reply is written to a connection that is gone */
    ck_assert(harness_await(one_done, 20000));
    ck_assert(harness_await(one_finished, 20000));
    harness_stop(2);
}
END_TEST

START_TEST(a_stream_waits_for_its_reader)
{
    harness_start(1, routes);
    int client = client_open();
    client_send(client, "GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(harness_await(one_waits, 20000));
    int before = -1, now = outcomes[0];
    for (int i = 0; i < 100 && before != now; i++) { /* until the socket's buffers are full */
        before = now;
        usleep(50000);
        now = outcomes[0];
    }
    ck_assert_int_eq(before, now);
    ck_assert_int_lt(now, 64 * 1024); /* megabytes at most, not whatever the handler can make */
    char *some = client_read_all(client, 1 << 20);
    ck_assert_ptr_nonnull(strcasestr(some, "transfer-encoding: chunked"));
    free(some);
    close(client);
    ck_assert(harness_await(stream_ended, 20000));
    harness_stop(2);
}
END_TEST

START_TEST(a_stream_ends_when_its_handler_returns)
{
    harness_start(1, routes);
    int client = client_open();
    client_send(client,
                "GET /three HTTP/1.1\r\nHost: x\r\n\r\nGET /hello?after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char *all = client_read_all(client, 65536);
    ck_assert_ptr_nonnull(strstr(all, "9\r\ndata: x\n\n\r\n0\r\n\r\nHTTP/1.1 200"));
    ck_assert_ptr_nonnull(strstr(all, "\"query\":\"after\""));
    free(all);
    close(client);
    client = client_open();
    client_send(client, "GET /three HTTP/1.0\r\n\r\n");
    all = client_read_all(client, 65536);
    ck_assert_ptr_nonnull(strstr(all, "data: x\n\ndata: x\n\ndata: x\n\n"));
    free(all);
    close(client);
    harness_stop(2);
}
END_TEST

START_TEST(a_drain_finishes_what_runs_and_closes_the_rest)
{
    harness_start(2, routes);
    int idle = client_open(), busy = client_open();
    client_send(busy, "GET /brief HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(harness_await(one_waits, 20000));
    harness_stop(20);
    char *response = client_read_response(busy);
    ck_assert_ptr_nonnull(strstr(response, "HTTP/1.1 200"));
    ck_assert_ptr_nonnull(strcasestr(response, "connection: close"));
    ck_assert(client_sees_end(idle, 20000));
    free(response);
    close(idle);
    close(busy);
}
END_TEST

static char *peer_serial(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    BIO *bio = BIO_new_ssl_connect(context);
    char target[32];
    snprintf(target, sizeof target, "127.0.0.1:%u", harness_tls);
    BIO_set_conn_hostname(bio, target);
    ck_assert(BIO_do_handshake(bio) == 1);
    SSL *ssl;
    BIO_get_ssl(bio, &ssl);
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    char *serial = malloc(16);
    snprintf(serial, 16, "%ld", ASN1_INTEGER_get(X509_get0_serialNumber(certificate)));
    X509_free(certificate);
    BIO_puts(bio, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char text[4096];
    int got = BIO_read(bio, text, sizeof text - 1);
    ck_assert_int_gt(got, 0);
    text[got] = 0;
    ck_assert_ptr_nonnull(strcasestr(text, "strict-transport-security"));
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return serial;
}

START_TEST(a_renewed_certificate_is_taken_and_a_broken_one_is_not)
{
    harness_make_certificates();
    harness_start(1, routes);
    char *first = peer_serial();
    harness_make_certificates();
    ck_assert(http_reload_certificates());
    char *second = peer_serial();
    for (int i = 0; i < 2000 && strcmp(first, second) == 0; i++) { /* until the worker has taken it up */
        usleep(10000);
        free(second);
        second = peer_serial();
    }
    ck_assert_str_ne(first, second);
    FILE *file = fopen(harness_certificate, "w");
    fputs("not a certificate", file);
    fclose(file);
    ck_assert(!http_reload_certificates());
    char *third = peer_serial();
    ck_assert_str_eq(second, third);
    free(first);
    free(second);
    free(third);
    harness_stop(2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http server");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 30);
    tcase_add_checked_fixture(all, start, NULL);
    tcase_add_test(all, a_request_reaches_its_handler_whole);
    tcase_add_test(all, an_absolute_target_is_read_by_its_path);
    tcase_add_test(all, a_chunked_body_arrives_decoded);
    tcase_add_test(all, requests_in_a_pipeline_are_answered_in_order);
    tcase_add_test(all, a_handler_without_a_reply_gives_a_500_problem);
    tcase_add_test(all, a_client_that_leaves_cancels_the_handler_that_waits);
    tcase_add_test(all, a_shielded_handler_ends_though_its_client_has_left);
    tcase_add_test(all, a_stream_waits_for_its_reader);
    tcase_add_test(all, a_stream_ends_when_its_handler_returns);
    tcase_add_test(all, a_drain_finishes_what_runs_and_closes_the_rest);
    tcase_add_test(all, a_renewed_certificate_is_taken_and_a_broken_one_is_not);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
