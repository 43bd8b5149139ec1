/* Commands and scripts on the worker's connection. */
#include "store/redis_pool.h"

#include "store/redis_link.h"
#include "store/redis_tracking.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <stdlib.h>
#include <string.h>

static struct metric *commands;

__attribute__((constructor)) static void register_metrics(void)
{
    commands = metric_register(METRIC_COUNTER, "redis_commands_total", "outcome", "Commands and scripts, by how they ended.");
}

enum { OPEN_SECONDS = 4, PATIENCE_SECONDS = 1, STATUSES = REDIS_REFUSED + 1 };

static const char *const outcome_names[STATUSES] = {
    [REDIS_OK] = "ok",
    [REDIS_UNAVAILABLE] = "unavailable",
    [REDIS_DEADLINE] = "deadline",
    [REDIS_CANCELLED] = "cancelled",
    [REDIS_REFUSED] = "refused",
};

static _Thread_local struct pool {
    struct arena *arena; /* of the URL */
    struct redis_url url;
    struct redis_link *link;
    struct fiber *opener;
    struct metric_cell *outcomes[STATUSES];
} * own;

static void on_up(struct redis_link *link)
{
    struct pool *pool = link->owner;
    if (pool->opener)
        fiber_wake(pool->opener);
    redis_tracking_main_is_up();
}

static void on_failed(struct redis_link *link)
{
    struct pool *pool = link->owner;
    if (pool->opener)
        fiber_wake(pool->opener);
}

static void on_lost(struct redis_link *link)
{
    (void)link;
    redis_tracking_main_is_lost();
}

static const struct redis_link_events events = {.up = on_up, .failed = on_failed, .lost = on_lost};

struct redis_link *redis_main_link(void)
{
    return own ? own->link : NULL;
}

const struct redis_url *redis_main_url(void)
{
    return &own->url;
}

bool redis_is_up(void)
{
    return own && own->link->state == LINK_UP;
}

static enum redis_status counted(enum redis_status status)
{
    if (!own)
        return status;
    struct metric_cell **cell = &own->outcomes[status];
    if (!*cell)
        *cell = metric_cell(commands, (const struct str[]){str_of(outcome_names[status])}, 1);
    metric_add(*cell, 1);
    return status;
}

enum redis_status redis_command(struct arena *arena, struct redis_reply *reply, const char *format, ...)
{
    if (!redis_is_up())
        return counted(REDIS_UNAVAILABLE);
    char *command;
    va_list arguments;
    va_start(arguments, format);
    int n = redisvFormatCommand(&command, format, arguments);
    va_end(arguments);
    if (n < 0)
        fatal("redis: the format \"%s\" is broken", format);
    struct redis_slot *slot;
    enum redis_status status = redis_link_send(own->link, arena, reply, (struct str){command, (size_t)n}, &slot);
    redisFreeCommand(command);
    return counted(status == REDIS_OK ? redis_slot_wait(slot, NULL) : status);
}

/* Scripts are static and shared by the workers: the first to use one fills in its digest. */
static void fill_digest(struct redis_script *script)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (!script->sha1[0]) {
        unsigned char digest[20];
        if (!EVP_Digest(script->source, strlen(script->source), digest, NULL, EVP_sha1(), NULL))
            fatal("no SHA-1");
        CLEANUP(arena_close_held) struct arena *scratch = arena_open();
        memcpy(script->sha1, hex_encode(scratch, digest, sizeof digest).at, 2 * sizeof digest);
    }
    pthread_mutex_unlock(&lock);
}

enum redis_status redis_eval(struct arena *arena, struct redis_reply *reply, struct redis_script *script,
                             const struct str *arguments, size_t count)
{
    if (!redis_is_up())
        return counted(REDIS_UNAVAILABLE);
    fill_digest(script);
    struct str *words = arena_array(arena, struct str, count + 3);
    words[0] = STR("EVALSHA");
    words[1] = str_of(script->sha1);
    words[2] = str_printf(arena, "%u", script->keys);
    if (count)
        memcpy(words + 3, arguments, count * sizeof *arguments);
    char error[REDIS_ERROR_WORD] = "";
    enum redis_status status = redis_link_words(own->link, arena, reply, words, count + 3, error);
    if (status == REDIS_REFUSED && !strcmp(error, "NOSCRIPT")) {
        words[0] = STR("EVAL");
        words[1] = str_of(script->source);
        status = redis_link_words(own->link, arena, reply, words, count + 3, NULL);
    } else if (status == REDIS_REFUSED) {
        log_error("redis: script %s was answered with %s", script->sha1, error);
    }
    return counted(status);
}

bool redis_open(const struct redis_settings *settings)
{
    own = memory_alloc(sizeof *own);
    own->arena = arena_open();
    if (!redis_url_parse(own->arena, str_copy(own->arena, str_of(settings->url)), &own->url)) {
        log_error("redis: the URL is neither redis://[user][:password@]host[:port][/database] nor unix:/path");
        arena_close(own->arena);
        free(own);
        own = NULL;
        return false;
    }
    own->opener = fiber_self();
    own->link = redis_link_open(&own->url, settings->patience ? settings->patience : seconds(PATIENCE_SECONDS), &events, own);
    int64_t end = deadline_in(seconds(OPEN_SECONDS));
    while (own->link->state == LINK_CONNECTING && fiber_wait(end) == WAIT_DONE)
        ;
    own->opener = NULL;
    if (redis_is_up() || settings->may_be_absent)
        return true;
    log_error("redis: no connection at start");
    redis_close();
    return false;
}

void redis_close(void)
{
    struct pool *pool = own;
    if (!pool)
        return;
    redis_tracking_close();
    own = NULL;
    redis_link_close(pool->link);
    arena_close(pool->arena);
    free(pool);
}
