/* A server in this process and plain clients for it: blocking sockets of the test's own thread. */
#ifndef TESTS_HTTP_HARNESS_H
#define TESTS_HTTP_HARNESS_H

#include <check.h>
#include <shimin/worker.h>

#include "http/server.h"

extern uint16_t harness_plain, harness_tls;   /* ports */
extern struct http_settings harness_settings; /* may be changed before harness_start */

/* The paths that the server's one handler knows are given by this table; ends with an empty entry. */
struct harness_route {
    const char *path;
    void (*handle)(struct request *request);
};
void harness_start(unsigned workers, const struct harness_route *routes);
/* Drains, for at most so many seconds, and joins the workers. */
void harness_stop(int most);
/* Certificates for localhost in a directory of this process; the second call makes others in the same files. */
void harness_make_certificates(void);
extern char harness_certificate[64], harness_key[64];

/* How many requests the `finished` hook has seen, and the last status. */
unsigned harness_finished(void);
unsigned harness_last_status(void);

/* A blocking client. */
int client_open(void);
void client_send(int client, const char *text);
/* Reads until the other side closes, or `most` bytes; NUL-terminated, malloc'ed. */
char *client_read_all(int client, size_t most);
/* One response: head and as much body as Content-Length says. */
char *client_read_response(int client);
/* open, send, read one response, close */
char *client_ask(const char *text);
/* Whether the other side closes within so many milliseconds. */
bool client_sees_end(int client, int most);
/* Polls `condition` for at most so many milliseconds. */
bool harness_await(bool (*condition)(void), int most);

#endif
