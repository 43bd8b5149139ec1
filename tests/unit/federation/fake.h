/* A department in threads of the test: says what its mode wants, and counts what it was asked. */
#ifndef SHIMIN_TESTS_FEDERATION_FAKE_H
#define SHIMIN_TESTS_FEDERATION_FAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct fake {
    int listener;
    uint16_t port;
    /* What is said to each request, the bytes of a whole answer; or one of the words below. May be changed at any time. */
    _Atomic(const char *) answer;
    _Atomic(const char *) token_answer; /* to POST /oauth/token */
    atomic_int requests, connections, tokens;
    pthread_mutex_t lock;
    char last[16384]; /* the latest request; under `lock` */
    char shown[16384];
};

#define FAKE_HANG "hang"
#define FAKE_RESET "reset"
#define FAKE_TRICKLE "trickle"   /* a byte now and then, for ever */
#define FAKE_OVERSIZE "oversize" /* more than 8 MiB of JSON */

#define HTTP_OK(body) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define HTTP_STATUS(status, body) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body

void fake_open(struct fake *fake);
/* The latest request, as it was at this call; stays until the next call. For one thread, that of the test. */
const char *fake_last(struct fake *fake);

#endif
