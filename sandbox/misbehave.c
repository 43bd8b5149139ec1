/* The ways of failing. Only this file touches the sockets under libh2o.
 *
 * A socket is spoilt from outside and left to libh2o, which finds it broken when it writes the (empty) reply, and closes it:
 * connect(2) with AF_UNSPEC resets a connection at once, without taking the descriptor away from its owner. */
#include "misbehave.h"

#include <pthread.h>
#include <shimin/fiber.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "http/server_internal.h"

enum { OVERSIZE = 16 << 20 };

#define HANG seconds(600)
#define DRIP_LIFE seconds(600)

static int descriptor_of(const struct request *request)
{
    return request->h2o ? h2o_socket_get_fd(request->connection->socket) : -1;
}

void misbehave_reset(struct request *request)
{
    int descriptor = descriptor_of(request);
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (descriptor >= 0 && connect(descriptor, &nobody, sizeof nobody) != 0)
        shutdown(descriptor, SHUT_RDWR);
    reply_empty(request, 500);
}

static void send_garbage(struct request *request)
{
    static const char garbage[] = "\x16\x03\x00\xff"
                                  "220 this is not HTTP\r\n\0\x01\x02\xfe\xff\r\n\r\n{\"code\":";
    int descriptor = descriptor_of(request);
    if (descriptor >= 0) {
        ssize_t sent = send(descriptor, garbage, sizeof garbage - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent; /* a client that does not take it misses nothing */
        shutdown(descriptor, SHUT_RDWR);
    }
    reply_empty(request, 500);
}

static void redirect(struct request *request)
{
    struct str host = request_field(request, STR("host"));
    reply_header(request, "location",
                 str_printf(request->arena, "http://%.*s/moved%.*s", STR_ARG(host), STR_ARG(request->path)));
    reply_empty(request, 302);
}

bool misbehave_before(const struct behaviour *behaviour, struct request *request, const struct envelope *envelopes)
{
    switch (behaviour->mode) {
    case BEHAVIOUR_SLOW:
        return fiber_sleep(behaviour->delay) != WAIT_DONE && (misbehave_reset(request), true);
    case BEHAVIOUR_HANGING:
        (void)fiber_sleep(HANG);
        misbehave_reset(request);
        return true;
    case BEHAVIOUR_FAILING:
        envelope_reply(request, envelopes, behaviour->status, STR("the sandbox was told to fail"));
        return true;
    case BEHAVIOUR_RESETTING:
    case BEHAVIOUR_DOWN:
        misbehave_reset(request);
        return true;
    case BEHAVIOUR_GARBAGE:
        send_garbage(request);
        return true;
    case BEHAVIOUR_REDIRECTING:
        redirect(request);
        return true;
    default:
        return false;
    }
}

/* ---- breaking: JSON, but not what the contract says ---- */

enum breakage { BREAK_TYPE, BREAK_MISSING, BREAK_EXTRA, BREAKAGES };

/* A copy in which the leaf with that number is of another type. */
static const struct json *retype(struct arena *arena, const struct json *value, unsigned *leaf)
{
    if (value->type != JSON_OBJECT && value->type != JSON_ARRAY) {
        if ((*leaf)-- != 0)
            return value;
        struct json *broken = json_make_object(arena);
        json_set(arena, broken, STR("broken"), json_make_boolean(arena, true));
        return value->type == JSON_STRING ? broken : json_make_string(arena, STR("broken"));
    }
    struct json *copy = value->type == JSON_OBJECT ? json_make_object(arena) : json_make_array(arena);
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->type == JSON_OBJECT)
            json_set(arena, copy, value->members[i].name, retype(arena, &value->members[i].value, leaf));
        else
            json_append(arena, copy, retype(arena, &value->items[i], leaf));
    }
    return copy;
}

static const struct json *break_it(struct arena *arena, const struct json *value, enum breakage breakage, unsigned turn)
{
    unsigned leaf = turn % 8;
    if (breakage == BREAK_TYPE)
        return retype(arena, value, &leaf);
    if (value->type != JSON_OBJECT)
        return value;
    struct json *copy = json_make_object(arena);
    for (uint32_t i = 0; i < value->count; i++)
        if (breakage == BREAK_EXTRA || i != turn % value->count)
            json_set(arena, copy, value->members[i].name, &value->members[i].value);
    if (breakage == BREAK_EXTRA)
        json_set(arena, copy, STR("unexpected"), json_make_boolean(arena, true));
    return copy;
}

/* Each call in another way; ways that the contract happens to allow are passed over. */
static struct str break_answer(struct arena *arena, const struct played_operation *played, struct str answer)
{
    static atomic_uint turns;
    unsigned turn = atomic_fetch_add(&turns, 1);
    struct json_error error;
    const struct json *value = json_parse(arena, answer, &json_limits_answer, &error);
    const struct schema *schema = played->answer.media ? played->answer.media->schema : NULL;
    for (unsigned i = 0; value && schema && i < 4 * BREAKAGES; i++) {
        const struct json *broken = break_it(arena, value, (turn + i) % BREAKAGES, (turn + i) / BREAKAGES);
        if (!schema_validate(schema, broken, NULL))
            return json_text(arena, broken);
    }
    return STR("[null, \"broken\"]");
}

/* ---- too much ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char *oversized;

static void make_oversized(void)
{
    static const char head[] = "{\"padding\":\"", tail[] = "\"}";
    oversized = memory_alloc(OVERSIZE);
    memset(oversized, 'x', OVERSIZE);
    memcpy(oversized, head, sizeof head - 1);
    memcpy(oversized + OVERSIZE - (sizeof tail - 1), tail, sizeof tail - 1);
}

static void drip(struct request *request, unsigned status, const char *type, struct str answer, int64_t delay)
{
    reply_stream_open(request, status, type, deadline_in(DRIP_LIFE));
    for (size_t i = 0; i < answer.len; i++)
        if (!reply_stream_write(request, str_slice(answer, i, i + 1)) || fiber_sleep(delay) != WAIT_DONE)
            return;
}

void misbehave_reply(const struct behaviour *behaviour, struct request *request, const struct played_operation *played,
                     struct str answer)
{
    unsigned status = played->answer.status;
    if (!played->type) {
        reply_empty(request, status);
        return;
    }
    switch (behaviour->mode) {
    case BEHAVIOUR_DRIPPING:
        drip(request, status, played->type, answer, behaviour->delay);
        return;
    case BEHAVIOUR_BREAKING:
        reply_bytes(request, status, played->type, break_answer(request->arena, played, answer));
        return;
    case BEHAVIOUR_OVERSIZED:
        pthread_once(&once, make_oversized);
        reply_bytes(request, status, played->type, (struct str){oversized, OVERSIZE});
        return;
    default:
        reply_bytes(request, status, played->type, answer);
    }
}
