/* A server in this process and plain clients for it. */
#include "harness.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint16_t harness_plain, harness_tls;
struct http_settings harness_settings;
char harness_certificate[64], harness_key[64];

static const struct harness_route *routes;
static struct http_listener listeners[2];
static atomic_uint finished_count, last_status;
static int64_t stop_deadline;

static void handle(struct request *request)
{
    for (const struct harness_route *route = routes; route->path; route++) {
        if (str_is(request_path(request), route->path)) {
            route->handle(request);
            return;
        }
    }
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个地址", "No such address"));
}

static void finished(struct request *request)
{
    last_status = request->status;
    finished_count++;
}

unsigned harness_finished(void)
{
    return finished_count;
}

unsigned harness_last_status(void)
{
    return last_status;
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(bind(descriptor, (struct sockaddr *)&address, length) == 0);
    ck_assert(getsockname(descriptor, (struct sockaddr *)&address, &length) == 0);
    close(descriptor);
    return ntohs(address.sin_port);
}

void harness_make_certificates(void)
{
    snprintf(harness_certificate, sizeof harness_certificate, "/tmp/shimin-http-%d.crt", getpid());
    snprintf(harness_key, sizeof harness_key, "/tmp/shimin-http-%d.key", getpid());
    static int serial;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    ck_assert(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fopen(harness_certificate, "w");
    ck_assert(file && PEM_write_X509(file, certificate) == 1);
    fclose(file);
    file = fopen(harness_key, "w");
    ck_assert(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static bool open_worker(void *argument)
{
    (void)argument;
    return http_open();
}

void harness_start(unsigned workers, const struct harness_route *given)
{
    routes = given;
    harness_plain = free_port();
    harness_tls = free_port();
    listeners[0] =
        (struct http_listener){.address = "127.0.0.1", .port = harness_plain, .handle = handle, .finished = finished};
    listeners[1] = listeners[0];
    listeners[1].port = harness_tls;
    listeners[1].tls = true;
    harness_settings.listeners = listeners;
    harness_settings.listener_count = harness_certificate[0] ? 2 : 1;
    harness_settings.certificate = harness_certificate;
    harness_settings.private_key = harness_key;
    ck_assert(http_prepare(&harness_settings));
    ck_assert(workers_start(workers, open_worker, NULL));
}

static void stop(void *argument)
{
    (void)argument;
    http_drain(stop_deadline);
}

void harness_stop(int most)
{
    stop_deadline = deadline_in(seconds(most));
    workers_stop(stop, NULL, stop_deadline + seconds(1));
    if (harness_certificate[0]) {
        unlink(harness_certificate);
        unlink(harness_key);
    }
}

int client_open(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(harness_plain), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    return client;
}

void client_send(int client, const char *text)
{
    ck_assert_int_eq(send(client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

char *client_read_all(int client, size_t most)
{
    char *out = malloc(most + 1);
    size_t length = 0;
    ssize_t got;
    while (length < most && (got = read(client, out + length, most - length)) > 0)
        length += (size_t)got;
    out[length] = 0;
    return out;
}

char *client_read_response(int client)
{
    size_t room = 1 << 16, length = 0;
    char *out = malloc(room + 1), *end = NULL;
    *out = 0;
    ssize_t got;
    while (!end && (got = read(client, out + length, room - length)) > 0) {
        out[length += (size_t)got] = 0;
        end = strstr(out, "\r\n\r\n");
    }
    const char *declared = strcasestr(out, "content-length: ");
    size_t whole = end && declared && declared < end ? (size_t)(end - out) + 4 + strtoul(declared + 16, NULL, 10) : length;
    if (whole > room)
        out = realloc(out, whole + 1);
    while (length < whole && (got = read(client, out + length, whole - length)) > 0)
        length += (size_t)got;
    out[length] = 0;
    return out;
}

char *client_ask(const char *text)
{
    int client = client_open();
    client_send(client, text);
    char *response = client_read_response(client);
    close(client);
    return response;
}

bool client_sees_end(int client, int most)
{
    char byte[4096];
    struct pollfd polled = {.fd = client, .events = POLLIN};
    int64_t until = deadline_in(milliseconds(most));
    while (clock_steady() < until)
        if (poll(&polled, 1, 50) > 0 && read(client, byte, sizeof byte) <= 0)
            return true;
    return false;
}

bool harness_await(bool (*condition)(void), int most)
{
    for (int64_t until = deadline_in(milliseconds(most)); clock_steady() < until; usleep(5000))
        if (condition())
            return true;
    return condition();
}
