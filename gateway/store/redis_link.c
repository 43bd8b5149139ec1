/* One connection to Redis: connecting, writing once a turn, and handing replies to those who wait.
 *
 * Of hiredis only the command formatter and the reply parser are used. Its asynchronous context frees itself in the middle of
 * callbacks, writes when the descriptor is writable instead of at the end of the turn, and (0.14) has no place for the answer
 * to a PING on a connection that has subscribed. */
#include "store/redis_link.h"

#include "store/redis_reply.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_SECONDS = 3, READ_ROOM = 65536, KEPT_ROOM = 1 << 20, USER_TIMEOUT_MS = 10000 };

struct redis_slot {
    struct redis_slot *next;
    struct fiber *fiber; /* NULL: nobody waits */
    struct arena *arena;
    struct redis_reply *reply; /* may be NULL */
    bool done;
    enum redis_status status;
    char error[REDIS_ERROR_WORD];
};

static struct metric *links;
static struct metric *reconnects;

__attribute__((constructor)) static void register_metrics(void)
{
    links = metric_register(METRIC_GAUGE, "redis_connections", "", "Connections to Redis that are up.");
    reconnects =
        metric_register(METRIC_COUNTER, "redis_reconnects_total", "", "Connections to Redis that came back after a loss.");
}

static _Thread_local struct redis_link *dirty;
static _Thread_local bool flushes;

/* ---- slots ---- */

static void finish(struct redis_slot *slot, enum redis_status status)
{
    slot->status = status;
    slot->done = true;
    if (slot->fiber)
        fiber_wake(slot->fiber);
    else
        free(slot);
}

static struct redis_slot *take_first(struct redis_link *link)
{
    struct redis_slot *slot = link->first;
    if (slot && !(link->first = slot->next))
        link->last = &link->first;
    return slot;
}

static void answer(struct redis_slot *slot, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        size_t word = strcspn(reply->str, " ");
        snprintf(slot->error, sizeof slot->error, "%.*s", (int)word, reply->str);
        finish(slot, REDIS_REFUSED);
        return;
    }
    if (slot->fiber && slot->reply)
        *slot->reply = redis_reply_copy(slot->arena, reply);
    finish(slot, REDIS_OK);
}

/* ---- state ---- */

static void try_again(struct timer *timer);

static void set_state(struct redis_link *link, enum redis_link_state state)
{
    if (state == LINK_UP)
        metric_add(metric_cell(links, NULL, 0), 1);
    else if (link->state == LINK_UP)
        metric_add(metric_cell(links, NULL, 0), -1);
    link->state = state;
    if (state == LINK_DOWN && !link->closing)
        timer_set(&link->retry, deadline_in(backoff_next(&link->backoff)), try_again);
}

static void unlist_dirty(struct redis_link *link)
{
    if (!link->dirty)
        return;
    struct redis_link **at = &dirty;
    while (*at != link)
        at = &(*at)->next_dirty;
    *at = link->next_dirty;
    link->dirty = false;
}

/* Gives up what is open. */
static void let_go(struct redis_link *link)
{
    if (!link->socket)
        return;
    unlist_dirty(link);
    timer_clear(&link->watch);
    h2o_socket_close(link->socket);
    link->socket = NULL;
    link->blocked = false;
    link->generation++;
    redisReaderFree(link->reader);
    link->reader = NULL;
    wire_free(&link->out);
    for (struct redis_slot *slot; (slot = take_first(link));)
        finish(slot, REDIS_UNAVAILABLE);
}

/* While it connects, the connecting fiber finds out by its own commands. */
void redis_link_drop(struct redis_link *link, const char *reason)
{
    if (!link->socket)
        return;
    let_go(link);
    if (link->state != LINK_UP)
        return;
    log_warning("redis: connection lost: %s", reason);
    set_state(link, LINK_DOWN);
    if (link->events->lost)
        link->events->lost(link);
}

static void watch(struct redis_link *link);

static void look(struct timer *timer)
{
    struct redis_link *link = CONTAINER_OF(timer, struct redis_link, watch);
    if (link->first && link->answers == link->answers_watched)
        redis_link_drop(link, "it does not answer");
    else if (link->first)
        watch(link);
}

static void watch(struct redis_link *link)
{
    link->answers_watched = link->answers;
    timer_set(&link->watch, deadline_in(link->patience), look);
}

/* ---- writing ---- */

static void flush(struct redis_link *link);

static void on_writable(h2o_socket_t *socket, const char *error)
{
    struct redis_link *link = socket->data;
    link->blocked = false;
    if (error)
        redis_link_drop(link, error);
    else
        flush(link);
}

static void flush(struct redis_link *link)
{
    struct wire_buffer *out = &link->out;
    while (!link->blocked && out->start < out->end) {
        ssize_t n = send(link->descriptor, out->at + out->start, out->end - out->start, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            out->start += (size_t)n;
        } else if (errno == EAGAIN) {
            link->blocked = true;
            h2o_socket_notify_write(link->socket, on_writable);
        } else if (errno != EINTR) {
            shutdown(link->descriptor, SHUT_RDWR); /* the reader tells the loss */
            return;
        }
    }
    if (out->start == out->end)
        wire_reset(out, KEPT_ROOM);
}

static void flush_dirty(void *argument)
{
    (void)argument;
    while (dirty) {
        struct redis_link *link = dirty;
        dirty = link->next_dirty;
        link->dirty = false;
        flush(link);
    }
}

static struct redis_slot *send_command(struct redis_link *link, struct str command)
{
    struct redis_slot *slot = memory_alloc(sizeof *slot);
    if (!link->first && !link->watch.slot)
        watch(link);
    wire_put(&link->out, command.at, command.len);
    *link->last = slot;
    link->last = &slot->next;
    if (!link->dirty) {
        link->dirty = true;
        link->next_dirty = dirty;
        dirty = link;
    }
    return slot;
}

enum redis_status redis_link_send(struct redis_link *link, struct arena *arena, struct redis_reply *reply, struct str command,
                                  struct redis_slot **slot)
{
    if (!link->socket)
        return REDIS_UNAVAILABLE;
    if (fiber_cancelled())
        return REDIS_CANCELLED;
    if (fiber_deadline() <= clock_steady())
        return REDIS_DEADLINE;
    *slot = send_command(link, command);
    (*slot)->fiber = fiber_self();
    (*slot)->arena = arena;
    (*slot)->reply = reply;
    return REDIS_OK;
}

enum redis_status redis_slot_wait(struct redis_slot *slot, char error[REDIS_ERROR_WORD])
{
    static const enum redis_status statuses[] = {[WAIT_DEADLINE] = REDIS_DEADLINE, [WAIT_CANCELLED] = REDIS_CANCELLED};
    while (!slot->done) {
        enum wait how = fiber_wait(DEADLINE_NEVER);
        if (how != WAIT_DONE && !slot->done) {
            slot->fiber = NULL;
            return statuses[how];
        }
    }
    enum redis_status status = slot->status;
    if (status == REDIS_REFUSED && error)
        memcpy(error, slot->error, REDIS_ERROR_WORD);
    else if (status == REDIS_REFUSED)
        log_error("redis: a command was answered with %s", slot->error);
    free(slot);
    return status;
}

enum redis_status redis_link_words(struct redis_link *link, struct arena *arena, struct redis_reply *reply,
                                   const struct str *words, size_t count, char error[REDIS_ERROR_WORD])
{
    struct text text = text_open(arena, 256);
    text_printf(&text, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        text_printf(&text, "$%zu\r\n", words[i].len);
        text_add(&text, words[i]);
        text_add(&text, STR("\r\n"));
    }
    struct redis_slot *slot;
    enum redis_status status = redis_link_send(link, arena, reply, text_str(&text), &slot);
    return status == REDIS_OK ? redis_slot_wait(slot, error) : status;
}

void redis_link_tell(struct redis_link *link, const char *command)
{
    char *formatted;
    int n = redisFormatCommand(&formatted, command);
    if (n < 0)
        fatal("redis: the command %s cannot be formatted", command);
    if (link->socket)
        (void)send_command(link, (struct str){formatted, (size_t)n});
    redisFreeCommand(formatted);
}

bool redis_link_is_waiting(const struct redis_link *link)
{
    return link->first;
}

/* ---- reading ---- */

/* On a subscribed connection messages come between the answers. */
static bool is_message(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && reply->element[0]->type == REDIS_REPLY_STRING &&
           !strcmp(reply->element[0]->str, "message");
}

/* false when there is nothing whole to take, or the link is gone. */
static bool take_reply(struct redis_link *link)
{
    redisReply *reply = NULL;
    if (redisReaderGetReply(link->reader, (void **)&reply) != 0) {
        redis_link_drop(link, "it does not speak the protocol");
        return false;
    }
    if (!reply)
        return false;
    unsigned generation = link->generation;
    struct redis_slot *slot = NULL;
    if (link->events->message && is_message(reply))
        link->events->message(link, reply->element[2]);
    else if ((slot = take_first(link))) {
        link->answers++;
        answer(slot, reply);
    } else
        redis_link_drop(link, "it answers what was not asked");
    freeReplyObject(reply);
    return link->generation == generation;
}

static void on_readable(h2o_socket_t *socket, const char *error)
{
    static _Thread_local char bytes[READ_ROOM];
    struct redis_link *link = socket->data;
    (void)error; /* reading tells it better */
    ssize_t n = recv(link->descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        redis_link_drop(link, "the server closed it");
        return;
    }
    if (redisReaderFeed(link->reader, bytes, (size_t)n) != 0)
        fatal("out of memory");
    while (take_reply(link))
        ;
}

/* ---- connecting ---- */

struct start {
    const struct redis_url *url;
    int descriptor;
};

/* Off the worker: resolving a name blocks. The descriptor that comes back is still connecting. */
static void start_socket(void *argument)
{
    struct start *start = argument;
    const struct redis_url *url = start->url;
    redisContext *context = url->host ? redisConnectNonBlock(url->host, url->port) : redisConnectUnixNonBlock(url->path);
    start->descriptor = -1;
    if (context && !context->err)
        start->descriptor = redisFreeKeepFd(context);
    else if (context)
        redisFree(context);
}

static void on_connected(h2o_socket_t *socket, const char *error)
{
    (void)error;
    struct redis_link *link = socket->data;
    if (link->connecting)
        fiber_wake(link->connecting);
}

static bool await_connected(struct redis_link *link)
{
    h2o_socket_notify_write(link->socket, on_connected);
    if (fiber_wait(DEADLINE_NEVER) != WAIT_DONE)
        return false;
    int fault = 0;
    socklen_t size = sizeof fault;
    if (getsockopt(link->descriptor, SOL_SOCKET, SO_ERROR, &fault, &size) || fault)
        return false;
    if (link->url.host) {
        setsockopt(link->descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        setsockopt(link->descriptor, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
        setsockopt(link->descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &(int){5}, sizeof(int));
        setsockopt(link->descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &(int){2}, sizeof(int));
        setsockopt(link->descriptor, IPPROTO_TCP, TCP_KEEPCNT, &(int){3}, sizeof(int));
        setsockopt(link->descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){USER_TIMEOUT_MS}, sizeof(int));
    }
    return true;
}

static bool log_in(struct redis_link *link, struct arena *arena)
{
    const struct redis_url *url = &link->url;
    struct redis_reply reply;
    struct str auth[] = {STR("AUTH"), url->user, url->password};
    if (url->user.at && url->password.at && redis_link_words(link, arena, &reply, auth, 3, NULL))
        return false;
    auth[1] = url->password;
    if (!url->user.at && url->password.at && redis_link_words(link, arena, &reply, auth, 2, NULL))
        return false;
    struct str select[] = {STR("SELECT"), str_printf(arena, "%u", url->database)};
    if (url->database && redis_link_words(link, arena, &reply, select, 2, NULL))
        return false;
    /* one that is loading its file takes connections but no commands */
    struct str ping[] = {STR("PING")};
    return redis_link_words(link, arena, &reply, ping, 1, NULL) == REDIS_OK;
}

static bool try_to_connect(struct redis_link *link)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct start start = {.url = &link->url, .descriptor = -1};
    if (!offload(start_socket, &start) || start.descriptor < 0)
        return false;
    link->descriptor = start.descriptor;
    link->socket = h2o_evloop_socket_create(worker_loop(worker_self()), start.descriptor, H2O_SOCKET_FLAG_DONT_READ);
    link->socket->data = link;
    link->reader = redisReaderCreate();
    if (!await_connected(link))
        return false;
    h2o_socket_read_start(link->socket, on_readable);
    return log_in(link, arena) && (!link->events->prepare || link->events->prepare(link) == REDIS_OK);
}

static void release(struct redis_link *link)
{
    let_go(link);
    arena_close(link->arena);
    free(link);
}

static void connect_fiber(void *argument)
{
    struct redis_link *link = argument;
    link->connecting = fiber_self();
    bool connected = !link->closing && try_to_connect(link) && link->socket;
    link->connecting = NULL;
    if (link->closing) {
        release(link);
    } else if (connected) {
        link->backoff.failures = 0;
        if (link->was_up)
            metric_add(metric_cell(reconnects, NULL, 0), 1);
        link->was_up = true;
        set_state(link, LINK_UP);
        if (link->events->up)
            link->events->up(link);
    } else {
        if (!link->backoff.failures)
            log_warning("redis: cannot connect");
        let_go(link);
        set_state(link, LINK_DOWN);
        if (link->events->failed)
            link->events->failed(link);
    }
}

static void start_to_connect(struct redis_link *link)
{
    set_state(link, LINK_CONNECTING);
    fiber_start(connect_fiber, link, deadline_in(seconds(CONNECT_SECONDS)));
}

static void try_again(struct timer *timer)
{
    start_to_connect(CONTAINER_OF(timer, struct redis_link, retry));
}

struct redis_link *redis_link_open(const struct redis_url *url, int64_t patience, const struct redis_link_events *events,
                                   void *owner)
{
    if (!flushes) {
        worker_at_turn_end(flush_dirty, NULL);
        flushes = true;
    }
    struct redis_link *link = memory_alloc(sizeof *link);
    *link = (struct redis_link){.arena = arena_open(), .events = events, .owner = owner, .last = &link->first};
    link->url = redis_url_copy(link->arena, url);
    link->patience = patience;
    start_to_connect(link);
    return link;
}

void redis_link_close(struct redis_link *link)
{
    if (!link)
        return;
    link->closing = true;
    timer_clear(&link->retry);
    if (link->state == LINK_CONNECTING) {
        if (link->connecting)
            fiber_cancel(link->connecting);
        return;
    }
    set_state(link, LINK_DOWN);
    release(link);
}
