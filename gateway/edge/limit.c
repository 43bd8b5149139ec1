/* Counting windows in Redis, a lease at a time.
 *
 * A worker takes a tenth of its share of what a window allows with one round trip and spends it without another. What it leaves
 * unspent when the window ends is lost to the subject: the limit is never exceeded, and is met to within a tenth. Small quotas
 * (a code sent by SMS) are leased one by one, so they are exact. */
#include "edge/limit.h"

#include <shimin/clock.h>
#include <shimin/log.h>
#include <shimin/redis.h>
#include <shimin/worker.h>

enum { LEASES = 1 << 15, WAYS = 4, LEASE_PARTS = 10 };

struct lease {
    uint64_t key; /* of policy, subject and window */
    int64_t ends; /* of the window, in seconds */
    int64_t granted;
    int64_t remaining; /* in Redis, when the lease was given */
    unsigned asking;   /* fibers that wait for Redis; all but the first take one each, so that many do not take it all */
    bool alone;        /* the worker granted its share by itself in this window */
    bool unlisted;     /* there was no place for it: each request asks Redis for one */
    int64_t used_up;   /* a quota of which Redis had nothing left: it is not asked for that again in this window */
};
static _Thread_local struct lease *leases;

/* Takes up to ARGV[2] of the quota ARGV[1]. The count in Redis may pass the quota; what counts is what was below it. */
static struct redis_script take = {
    .source = "local n = redis.call('INCRBY', KEYS[1], ARGV[2]) "
              "if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end "
              "local before = n - ARGV[2] "
              "local granted = math.max(0, math.min(ARGV[2], ARGV[1] - before)) "
              "return {granted, math.max(0, ARGV[1] - n)}",
    .keys = 1,
};

static const char *const subjects[] = {[LIMIT_CITIZEN] = "citizen", [LIMIT_ADDRESS] = "address", [LIMIT_SERVICE] = "service"};

static bool read_policy(const struct json_member *member, struct limit_policy *policy)
{
    *policy = (struct limit_policy){
        .name = member->name,
        .quota = json_get_integer(&member->value, "requests", 0),
        .window = json_get_integer(&member->value, "window", 0),
    };
    struct str by = json_get_string(&member->value, "by", STR(""));
    size_t subject = 0;
    while (subject < COUNT_OF(subjects) && !str_is(by, subjects[subject]))
        subject++;
    policy->subject = (enum limit_subject)subject;
    return subject < COUNT_OF(subjects) && policy->quota >= 1 && policy->window >= 1 && policy->window <= 86400;
}

struct str limit_refuse(struct arena *arena, const struct json_member *member)
{
    (void)arena;
    struct limit_policy policy;
    return read_policy(member, &policy)
               ? STR_NONE
               : STR("needs `by: citizen|address|service`, `requests` of at least 1 and `window` of 1 to 86400 seconds");
}

bool limits_read(struct arena *arena, const struct json *map, struct limits *limits, struct text *faults)
{
    size_t count = map && map->type == JSON_OBJECT ? map->count : 0;
    struct limit_policy *list = arena_array(arena, struct limit_policy, count);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        if (read_policy(&map->members[i], &list[i]))
            continue;
        struct str reason = limit_refuse(arena, &map->members[i]);
        text_printf(faults, "limits.%.*s: %.*s\n", STR_ARG(map->members[i].name), STR_ARG(reason));
        good = false;
    }
    *limits = (struct limits){list, count};
    return good;
}

const struct limit_policy *limits_named(const struct limits *limits, struct str name)
{
    for (size_t i = 0; i < limits->count; i++)
        if (str_equal(limits->list[i].name, name))
            return &limits->list[i];
    return NULL;
}

/* What is left of a lease would be lost to its subject, who would be refused early: it keeps its place while its window lasts.
 */
static bool is_free(const struct lease *lease, int64_t now)
{
    return !lease->asking && (lease->ends <= now || (lease->granted <= 0 && !lease->alone && !lease->used_up));
}

static uint64_t key_of(const struct limit_policy *policy, struct str subject, int64_t window)
{
    return str_hash(subject) ^ (str_hash(policy->name) * 0x9e3779b97f4a7c15U) ^ ((uint64_t)window * 0xff51afd7ed558ccdU);
}

/* NULL when the set is full of leases that others spend. */
static struct lease *lease_of(const struct limit_policy *policy, struct str subject, int64_t window, int64_t now)
{
    if (!leases)
        leases = memory_alloc(LEASES * sizeof *leases);
    uint64_t hash = key_of(policy, subject, window);
    struct lease *set = &leases[hash % (LEASES / WAYS) * WAYS], *place = NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == hash)
            return &set[i];
        if (!place && is_free(&set[i], now))
            place = &set[i];
    }
    if (place)
        *place = (struct lease){.key = hash, .ends = (window + 1) * policy->window};
    return place;
}

/* Without Redis a worker grants its share once a window. */
static void grant_alone(struct lease *lease, const struct limit_policy *policy)
{
    int64_t share = policy->quota / worker_count();
    if (!lease->alone)
        lease->granted = share ? share : 1;
    lease->alone = true;
    lease->remaining = 0;
}

static void renew(struct arena *arena, struct lease *lease, const struct limit_policy *policy, struct str subject,
                  int64_t window)
{
    int64_t part = lease->asking || lease->unlisted ? 1 : policy->quota / (LEASE_PARTS * (int64_t)worker_count());
    struct redis_reply reply;
    const struct str arguments[] = {
        str_printf(arena, "l:%.*s:%.*s:%lld", STR_ARG(policy->name), STR_ARG(subject), (long long)window),
        str_printf(arena, "%lld", (long long)policy->quota),
        str_printf(arena, "%lld", (long long)(part ? part : 1)),
        str_printf(arena, "%lld", (long long)policy->window + 1),
    };
    lease->asking++;
    bool answered = redis_eval(arena, &reply, &take, arguments, COUNT_OF(arguments)) == REDIS_OK && reply.type == REDIS_ARRAY &&
                    reply.count == 2;
    lease->asking--;
    if (!answered) {
        grant_alone(lease, policy);
        return;
    }
    lease->granted += reply.items[0].integer;
    lease->remaining = reply.items[1].integer;
    if (!reply.items[0].integer)
        lease->used_up = policy->quota;
}

struct limit_state limit_spend(struct arena *arena, const struct limit_policy *policy, struct str subject)
{
    int64_t now = clock_wall() / seconds(1);
    int64_t window = now / policy->window;
    struct lease unlisted = {.unlisted = true}, *lease = lease_of(policy, subject, window, now);
    if (!lease)
        lease = &unlisted;
    if (lease->granted <= 0 && lease->used_up < policy->quota)
        renew(arena, lease, policy, subject, window);
    bool allowed = lease->granted > 0;
    if (allowed)
        lease->granted--;
    return (struct limit_state){allowed, lease->granted + lease->remaining, (window + 1) * policy->window - now};
}

bool limit_is_spent(const struct limit_policy *policy, struct str subject, struct limit_state *state)
{
    int64_t now = clock_wall() / seconds(1), window = now / policy->window;
    uint64_t key = key_of(policy, subject, window);
    const struct lease *set = leases ? &leases[key % (LEASES / WAYS) * WAYS] : NULL;
    *state = (struct limit_state){.resets_in = (window + 1) * policy->window - now};
    for (unsigned i = 0; set && i < WAYS; i++)
        if (set[i].key == key)
            return set[i].granted <= 0 && (set[i].alone || set[i].used_up >= policy->quota);
    return false;
}
