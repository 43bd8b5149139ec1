/* A department in threads of the test: one thread a connection, which is plenty for a test. */
#include "fake.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
    struct fake *fake;
    int socket;
};

static void say(int peer, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = send(peer, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void say_oversize(int peer)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"data\":[\"";
    char piece[1 << 16];
    memset(piece, 'x', sizeof piece);
    say(peer, head, sizeof head - 1);
    for (int i = 0; i < 9 * 16; i++)
        say(peer, piece, sizeof piece);
    say(peer, "\"]}", 3);
}

static void trickle(int peer)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    say(peer, head, sizeof head - 1);
    while (send(peer, " ", 1, MSG_NOSIGNAL) == 1)
        usleep(20000);
}

/* Until the other side goes. */
static void hang(int peer)
{
    char byte;
    while (read(peer, &byte, 1) > 0)
        ;
}

static size_t body_length(const char *head)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");
    return field ? strtoul(field + 17, NULL, 10) : 0;
}

static void remember(struct fake *fake, const char *request)
{
    pthread_mutex_lock(&fake->lock);
    strcpy(fake->last, request);
    pthread_mutex_unlock(&fake->lock);
}

const char *fake_last(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    strcpy(fake->shown, fake->last);
    pthread_mutex_unlock(&fake->lock);
    return fake->shown;
}

static int take(int peer, char *request, size_t room)
{
    size_t got = 0;
    for (;;) {
        ssize_t n = read(peer, request + got, room - 1 - got);
        if (n <= 0)
            return 0;
        got += (size_t)n;
        request[got] = '\0';
        char *end = strstr(request, "\r\n\r\n");
        if (end && got >= (size_t)(end + 4 - request) + body_length(request))
            return 1;
    }
}

static void *serve_peer(void *argument)
{
    struct peer peer = *(struct peer *)argument;
    free(argument);
    char request[sizeof peer.fake->last];
    if (take(peer.socket, request, sizeof request)) {
        remember(peer.fake, request);
        const char *answer = peer.fake->answer;
        if (strncmp(request, "POST /oauth/token ", 18) == 0) {
            peer.fake->tokens++;
            answer = peer.fake->token_answer;
        } else {
            peer.fake->requests++;
        }
        if (!strcmp(answer, FAKE_HANG))
            hang(peer.socket);
        else if (!strcmp(answer, FAKE_OVERSIZE))
            say_oversize(peer.socket);
        else if (!strcmp(answer, FAKE_TRICKLE))
            trickle(peer.socket);
        else if (!strcmp(answer, FAKE_RESET))
            setsockopt(peer.socket, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
        else
            say(peer.socket, answer, strlen(answer));
    }
    close(peer.socket);
    return NULL;
}

static void *accept_peers(void *argument)
{
    struct fake *fake = argument;
    for (int socket; (socket = accept(fake->listener, NULL, NULL)) >= 0;) {
        struct peer *peer = malloc(sizeof *peer);
        pthread_t thread;
        *peer = (struct peer){.fake = fake, .socket = socket};
        fake->connections++;
        if (pthread_create(&thread, NULL, serve_peer, peer) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

void fake_open(struct fake *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    pthread_mutex_init(&fake->lock, NULL);
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fake->listener, (struct sockaddr *)&address, length) != 0 || listen(fake->listener, 256) != 0)
        abort();
    getsockname(fake->listener, (struct sockaddr *)&address, &length);
    fake->port = ntohs(address.sin_port);
    pthread_t thread;
    if (pthread_create(&thread, NULL, accept_peers, fake) != 0)
        abort();
    pthread_detach(thread);
}
