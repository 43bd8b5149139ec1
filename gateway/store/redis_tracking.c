/* Client-side caching in RESP2: a second connection is subscribed to the channel of invalidations, and only when it listens is
 * tracking switched on, on the main connection, with the second one's id (Redis manual, "Client-side caching in Redis"). */
#include "store/redis_tracking.h"

#include "store/redis_link.h"
#include "store/redis_pool.h"

#include <assert.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <stdlib.h>

enum { PREFIXES_MAX = 8, ARM_SECONDS = 2, CHECK_SECONDS = 1 };

struct watcher {
    const char *prefix;
    void (*invalidated)(struct str key, void *argument);
    void (*lost)(void *argument);
    void *argument;
};

static _Thread_local struct tracking {
    struct redis_link *link; /* the second connection */
    int64_t id;              /* its number at the server */
    struct watcher watchers[PREFIXES_MAX];
    unsigned count;
    bool on;
    bool arming;  /* a fiber switches tracking on */
    bool changed; /* since it began: it must begin again */
    uint64_t changes;
    struct timer check;
    bool asked; /* an answer to PING is due at the next check */
} * own;

static void tell_lost(struct tracking *tracking)
{
    tracking->on = false;
    tracking->changes++;
    for (unsigned i = 0; i < tracking->count; i++)
        tracking->watchers[i].lost(tracking->watchers[i].argument);
}

/* ---- switching on ---- */

static bool can_arm(const struct tracking *tracking)
{
    return redis_is_up() && tracking->link->state == LINK_UP && tracking->count;
}

static bool switch_on(struct tracking *tracking)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct redis_link *main = redis_main_link();
    struct redis_reply reply;
    struct str off[] = {STR("CLIENT"), STR("TRACKING"), STR("OFF")};
    struct str words[6 + 2 * PREFIXES_MAX] = {
        STR("CLIENT"), STR("TRACKING"), STR("ON"), STR("REDIRECT"), str_printf(arena, "%lld", (long long)tracking->id),
        STR("BCAST"),
    };
    size_t count = 6;
    for (unsigned i = 0; i < tracking->count; i++) {
        words[count++] = STR("PREFIX");
        words[count++] = str_of(tracking->watchers[i].prefix);
    }
    /* off first: the prefixes of a connection can only be added to, and its target not be changed */
    return redis_link_words(main, arena, &reply, off, COUNT_OF(off), NULL) == REDIS_OK &&
           redis_link_words(main, arena, &reply, words, count, NULL) == REDIS_OK;
}

static void arm(struct tracking *tracking);

static void arm_fiber(void *argument)
{
    struct tracking *tracking = argument;
    bool done = own == tracking && can_arm(tracking) && switch_on(tracking);
    if (own != tracking) { /* closed meanwhile: the fiber was its last user */
        free(tracking);
        return;
    }
    tracking->arming = false;
    if (tracking->changed)
        arm(tracking);
    else if (done && can_arm(tracking))
        tracking->on = true;
    else if (can_arm(tracking))
        redis_link_drop(tracking->link, "client tracking could not be switched on");
}

/* Called whenever something that it needs has come up. */
static void arm(struct tracking *tracking)
{
    tracking->changed = tracking->arming;
    if (tracking->arming || !can_arm(tracking))
        return;
    tracking->arming = true;
    fiber_start(arm_fiber, tracking, deadline_in(seconds(ARM_SECONDS)));
}

/* ---- the second connection ---- */

static enum redis_status subscribe(struct redis_link *link)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct tracking *tracking = link->owner;
    struct redis_reply reply;
    struct str id[] = {STR("CLIENT"), STR("ID")};
    enum redis_status status = redis_link_words(link, arena, &reply, id, COUNT_OF(id), NULL);
    if (status != REDIS_OK || link->closing) /* then its owner is gone */
        return REDIS_CANCELLED;
    tracking->id = reply.integer;
    struct str words[] = {STR("SUBSCRIBE"), STR("__redis__:invalidate")};
    return redis_link_words(link, arena, &reply, words, COUNT_OF(words), NULL);
}

/* A half-open connection would keep invalidations from us without a word. */
static void check(struct timer *timer)
{
    struct tracking *tracking = CONTAINER_OF(timer, struct tracking, check);
    if (tracking->link->state != LINK_UP)
        return;
    if (tracking->asked && redis_link_is_waiting(tracking->link)) {
        redis_link_drop(tracking->link, "no answer to PING on the connection of invalidations");
        return;
    }
    tracking->asked = true;
    redis_link_tell(tracking->link, "PING");
    timer_set(timer, deadline_in(seconds(CHECK_SECONDS)), check);
}

static void on_up(struct redis_link *link)
{
    struct tracking *tracking = link->owner;
    tracking->asked = false;
    timer_set(&tracking->check, deadline_in(seconds(CHECK_SECONDS)), check);
    arm(tracking);
}

static void on_lost(struct redis_link *link)
{
    struct tracking *tracking = link->owner;
    tracking->changed = true;
    tell_lost(tracking);
}

static void tell_key(struct tracking *tracking, struct str key)
{
    for (unsigned i = 0; i < tracking->count; i++)
        if (str_starts(key, str_of(tracking->watchers[i].prefix)))
            tracking->watchers[i].invalidated(key, tracking->watchers[i].argument);
}

/* An array of keys, or nil when all are gone. */
static void on_message(struct redis_link *link, const redisReply *payload)
{
    struct tracking *tracking = link->owner;
    tracking->changes++;
    if (payload->type != REDIS_REPLY_ARRAY) {
        for (unsigned i = 0; i < tracking->count; i++)
            tracking->watchers[i].lost(tracking->watchers[i].argument);
        return;
    }
    for (size_t i = 0; i < payload->elements; i++)
        if (payload->element[i]->type == REDIS_REPLY_STRING)
            tell_key(tracking, (struct str){payload->element[i]->str, payload->element[i]->len});
}

static const struct redis_link_events events = {.prepare = subscribe, .up = on_up, .lost = on_lost, .message = on_message};

/* ---- the main connection ---- */

void redis_tracking_main_is_up(void)
{
    if (own)
        arm(own);
}

void redis_tracking_main_is_lost(void)
{
    if (!own)
        return;
    own->changed = true;
    tell_lost(own);
}

void redis_track(const char *prefix, void (*invalidated)(struct str key, void *argument), void (*lost)(void *argument),
                 void *argument)
{
    assert(redis_main_link() && "redis_open comes first");
    if (!own) {
        own = memory_alloc(sizeof *own);
        own->link = redis_link_open(redis_main_url(), redis_main_link()->patience, &events, own);
    }
    assert(own->count < PREFIXES_MAX);
    own->watchers[own->count++] = (struct watcher){prefix, invalidated, lost, argument};
    if (own->on)
        tell_lost(own); /* until the new prefix is known to the server as well */
    arm(own);
}

bool redis_tracking_is_on(void)
{
    return own && own->on;
}

uint64_t redis_tracking_count(void)
{
    return own ? own->changes : 0;
}

void redis_tracking_close(void)
{
    struct tracking *tracking = own;
    if (!tracking)
        return;
    own = NULL;
    timer_clear(&tracking->check);
    redis_link_close(tracking->link);
    if (!tracking->arming)
        free(tracking);
}
