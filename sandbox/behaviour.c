/* Behaviours: set by the control API, drawn by every call. */
#include "behaviour.h"

#include <math.h>
#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <stdatomic.h>
#include <string.h>

static const char *const names[BEHAVIOURS] = {
    [BEHAVIOUR_NORMAL] = "normal",       [BEHAVIOUR_SLOW] = "slow",         [BEHAVIOUR_HANGING] = "hanging",
    [BEHAVIOUR_DRIPPING] = "dripping",   [BEHAVIOUR_FAILING] = "failing",   [BEHAVIOUR_RESETTING] = "resetting",
    [BEHAVIOUR_GARBAGE] = "garbage",     [BEHAVIOUR_BREAKING] = "breaking", [BEHAVIOUR_REDIRECTING] = "redirecting",
    [BEHAVIOUR_OVERSIZED] = "oversized", [BEHAVIOUR_DOWN] = "down",
};
static const int64_t delays_ms[BEHAVIOURS] = {[BEHAVIOUR_SLOW] = 1000, [BEHAVIOUR_DRIPPING] = 50};

struct behaviour_slot {
    pthread_mutex_t lock;
    struct behaviour current;
    uint64_t calls;
    atomic_bool is_normal; /* read without the lock, by every call */
};

const char *behaviour_name(enum behaviour_mode mode)
{
    return names[mode];
}

bool behaviour_read(const struct json *value, struct behaviour *behaviour, const char **reason)
{
    struct str mode = json_get_string(value, "mode", STR_NONE), operation = json_get_string(value, "operation", STR(""));
    const struct json *ratio = json_get(value, "ratio");
    *behaviour = (struct behaviour){.mode = BEHAVIOURS, .ratio = ratio ? json_as_double(ratio) : 1};
    for (int i = 0; i < BEHAVIOURS; i++)
        if (str_is(mode, names[i]))
            behaviour->mode = (enum behaviour_mode)i;
    *reason = "unknown mode";
    if (behaviour->mode == BEHAVIOURS)
        return false;
    *reason = "`down` concerns the whole department: it takes no operation";
    if (behaviour->mode == BEHAVIOUR_DOWN && operation.len)
        return false;
    *reason = "the operation's name is too long";
    if (operation.len >= sizeof behaviour->operation)
        return false;
    memcpy(behaviour->operation, operation.at, operation.len);
    behaviour->delay = milliseconds(json_get_integer(value, "delay_ms", delays_ms[behaviour->mode]));
    behaviour->status = (unsigned)json_get_integer(value, "status", 500);
    int64_t lasts = json_get_integer(value, "until", 0);
    behaviour->until = lasts ? deadline_in(seconds(lasts)) : 0;
    return true;
}

void behaviour_write(struct json_out *out, const struct behaviour *behaviour)
{
    json_object(out);
    json_field_c(out, "mode", names[behaviour->mode]);
    if (behaviour->delay)
        json_field_i64(out, "delay_ms", behaviour->delay / 1000);
    if (behaviour->mode != BEHAVIOUR_NORMAL) {
        json_key(out, "ratio");
        json_put_double(out, behaviour->ratio);
    }
    if (behaviour->operation[0])
        json_field_c(out, "operation", behaviour->operation);
    if (behaviour->mode == BEHAVIOUR_FAILING)
        json_field_i64(out, "status", behaviour->status);
    if (behaviour->until)
        json_field_i64(out, "until", (behaviour->until - clock_steady() + 999999) / 1000000);
    json_end(out);
}

struct behaviour_slot *behaviour_slot_new(struct arena *arena)
{
    struct behaviour_slot *slot = arena_new(arena, struct behaviour_slot);
    pthread_mutex_init(&slot->lock, NULL);
    atomic_store(&slot->is_normal, true);
    return slot;
}

void behaviour_set(struct behaviour_slot *slot, const struct behaviour *behaviour)
{
    pthread_mutex_lock(&slot->lock);
    slot->current = *behaviour;
    slot->calls = 0;
    atomic_store(&slot->is_normal, behaviour->mode == BEHAVIOUR_NORMAL);
    pthread_mutex_unlock(&slot->lock);
}

static struct behaviour current(struct behaviour_slot *slot)
{
    if (slot->current.until && clock_steady() >= slot->current.until) {
        slot->current = (struct behaviour){.mode = BEHAVIOUR_NORMAL};
        atomic_store(&slot->is_normal, true);
    }
    return slot->current;
}

struct behaviour behaviour_now(struct behaviour_slot *slot)
{
    if (atomic_load(&slot->is_normal))
        return (struct behaviour){.mode = BEHAVIOUR_NORMAL};
    pthread_mutex_lock(&slot->lock);
    struct behaviour now = current(slot);
    pthread_mutex_unlock(&slot->lock);
    return now;
}

struct behaviour behaviour_draw(struct behaviour_slot *slot, struct str operation_id)
{
    struct behaviour normal = {.mode = BEHAVIOUR_NORMAL};
    if (atomic_load(&slot->is_normal))
        return normal;
    pthread_mutex_lock(&slot->lock);
    struct behaviour drawn = current(slot);
    bool concerned = drawn.mode != BEHAVIOUR_NORMAL && (!drawn.operation[0] || str_is(operation_id, drawn.operation));
    double share = drawn.ratio;
    /* Spread evenly and not at random, so that a test of one in four can count on it. */
    bool affected = concerned && floor((double)(slot->calls + 1) * share) > floor((double)slot->calls * share);
    slot->calls += concerned;
    pthread_mutex_unlock(&slot->lock);
    return affected ? drawn : normal;
}
