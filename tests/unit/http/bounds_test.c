/* Clients that send or read too slowly, or come in too great a number, are cut off; nobody else notices. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static void say_hello(struct request *request)
{
    reply_bytes(request, 200, "text/plain", STR("hello"));
}

static void say_much(struct request *request)
{
    size_t length = 32 << 20;
    reply_bytes(request, 200, "application/octet-stream", (struct str){arena_alloc(request_arena(request), length), length});
}

static const struct harness_route routes[] = {{"/hello", say_hello}, {"/much", say_much}, {0}};

static void start_with(int64_t header_time)
{
    harness_settings = http_settings_default;
    harness_settings.header_time = header_time;
    harness_settings.body_time = milliseconds(500);
    harness_settings.idle_time = seconds(2);
    harness_settings.send_time = seconds(2);
    harness_settings.connections_per_address = 8;
    harness_settings.requests_per_connection = 3;
    harness_start(2, routes);
}

static void start(void)
{
    start_with(milliseconds(500));
}

/* Nothing ends because its client says nothing. */
static void start_patient(void)
{
    start_with(seconds(60));
}

static void stop(void)
{
    harness_stop(2);
}

static void check_served(void)
{
    char *answer = client_ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 200"));
    free(answer);
}

START_TEST(a_slow_head_is_cut_off)
{
    int client = client_open();
    bool ended = false;
    client_send(client, "GET /hello HTTP/1.1\r\n");
    for (int i = 0; i < 40 && !ended; i++) { /* a byte now and then does not help */
        ended = client_sees_end(client, 100) || send(client, "X", 1, MSG_NOSIGNAL) != 1;
    }
    ck_assert(ended);
    close(client);
    check_served();
}
END_TEST

START_TEST(a_slow_body_is_cut_off)
{
    int client = client_open();
    client_send(client, "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    ck_assert(client_sees_end(client, 20000));
    close(client);
    check_served();
}
END_TEST

START_TEST(an_idle_connection_is_closed)
{
    int client = client_open();
    client_send(client, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    char *answer = client_read_response(client);
    free(answer);
    ck_assert(!client_sees_end(client, 500));
    ck_assert(client_sees_end(client, 20000));
    close(client);
}
END_TEST

START_TEST(a_reader_that_takes_nothing_is_cut_off_and_a_slow_one_is_not)
{
    int stuck = client_open(), slow = client_open();
    client_send(stuck, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
    client_send(slow, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
    size_t total = 0;
    char *piece = malloc(1 << 20);
    for (int i = 0; i < 30; i++) { /* a megabyte every 200 ms, for longer than the bound and a sweep */
        usleep(200000);
        ssize_t got = recv(slow, piece, 1 << 20, MSG_WAITALL);
        ck_assert_int_gt(got, 0);
        total += (size_t)got;
    }
    ssize_t got;
    while ((got = read(slow, piece, 1 << 20)) > 0 && (total += (size_t)got) < 32u << 20)
        ;
    ck_assert_uint_ge(total, 32u << 20);
    total = 0;
    while ((got = read(stuck, piece, 1 << 20)) > 0)
        total += (size_t)got;
    ck_assert_uint_lt(total, 32u << 20);
    free(piece);
    close(stuck);
    close(slow);
}
END_TEST

START_TEST(an_address_has_so_many_connections_and_no_more)
{
    int clients[9];
    for (int i = 0; i < 9; i++)
        clients[i] = client_open();
    int ended = 0; /* any of them: two workers accept */
    for (int64_t until = deadline_in(seconds(20)); !ended && clock_steady() < until;)
        for (int i = 0; i < 9; i++)
            ended += client_sees_end(clients[i], 10);
    ck_assert_int_eq(ended, 1);
    for (int i = 0; i < 9; i++)
        close(clients[i]);
    int64_t until = deadline_in(seconds(20));
    char *answer;
    while (*(answer = client_ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")) == 0 && clock_steady() < until)
        free(answer);
    ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 200"));
    free(answer);
}
END_TEST

START_TEST(a_connection_has_so_many_requests_and_is_told)
{
    int client = client_open();
    for (int i = 0; i < 3; i++) {
        client_send(client, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        char *answer = client_read_response(client);
        ck_assert_ptr_nonnull(strcasestr(answer, i < 2 ? "connection: keep-alive" : "connection: close"));
        free(answer);
    }
    ck_assert(client_sees_end(client, 20000));
    close(client);
}
END_TEST

START_TEST(a_head_of_monstrous_size_is_not_answered)
{
    size_t length = 200 * 1024;
    char *head = malloc(length + 100);
    int prefix = sprintf(head, "GET /hello HTTP/1.1\r\nHost: x\r\nX-A: ");
    memset(head + prefix, 'a', length);
    strcpy(head + prefix + length, "\r\n\r\n");
    int client = client_open();
    ssize_t sent = send(client, head, strlen(head), MSG_NOSIGNAL);
    ck_assert_int_gt(sent, 0);
    ck_assert(client_sees_end(client, 20000));
    close(client);
    free(head);
    check_served();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http bounds");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 30);
    tcase_add_checked_fixture(all, start, stop);
    tcase_add_test(all, a_slow_head_is_cut_off);
    tcase_add_test(all, a_slow_body_is_cut_off);
    tcase_add_test(all, an_idle_connection_is_closed);
    tcase_add_test(all, a_reader_that_takes_nothing_is_cut_off_and_a_slow_one_is_not);
    tcase_add_test(all, a_connection_has_so_many_requests_and_is_told);
    tcase_add_test(all, a_head_of_monstrous_size_is_not_answered);
    suite_add_tcase(suite, all);
    TCase *patient = tcase_create("patient");
    tcase_set_timeout(patient, 60);
    tcase_add_checked_fixture(patient, start_patient, stop);
    tcase_add_test(patient, an_address_has_so_many_connections_and_no_more);
    suite_add_tcase(suite, patient);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
