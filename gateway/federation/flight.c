/* Single flight. A flight lives until the last of its passengers has taken what they waited for. */
#include "federation/flight.h"
#include "federation/room.h"
#include <shimin/arena.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

struct flight {
    struct flight *next;
    struct cache_key key;
    struct room room;
    unsigned references;
    struct arena *arena; /* of the answer, once it has passengers */
    struct cached cached;
    bool answered;
    const struct problem *problem;
};

static _Thread_local struct flight *buckets[BUCKETS];

static struct flight **bucket_of(const struct cache_key *key)
{
    return &buckets[key->bytes[0] % BUCKETS];
}

static void release(struct flight *flight)
{
    if (--flight->references)
        return;
    arena_close(flight->arena);
    free(flight);
}

static struct flight *find(const struct cache_key *key)
{
    for (struct flight *flight = *bucket_of(key); flight; flight = flight->next)
        if (!memcmp(&flight->key, key, sizeof *key))
            return flight;
    return NULL;
}

/* Details and titles are literals; the extension and the errors were the leader's. */
static const struct problem *copy_problem(struct arena *arena, const struct problem *problem)
{
    struct problem *copy = problem_new(arena, problem->type, problem->detail);
    copy->retry_after = problem->retry_after;
    copy->extension = problem->extension.at ? str_copy(arena, problem->extension) : STR_NONE;
    return copy;
}

enum boarding flight_board(struct arena *arena, const struct cache_key *key, struct flight **out, struct cached *cached,
                           const struct problem **problem)
{
    struct flight *flight;
    while ((flight = find(key))) {
        flight->references++;
        enum wait wait = room_wait(&flight->room);
        bool answered = flight->answered;
        *problem = NULL;
        if (answered)
            *cached = (struct cached){.body = str_copy(arena, flight->cached.body), .as_of = flight->cached.as_of};
        else if (flight->problem)
            *problem = copy_problem(arena, flight->problem);
        release(flight);
        if (answered || *problem)
            return FLIGHT_LANDED;
        if (wait != WAIT_DONE)
            return FLIGHT_DEADLINE;
    }
    flight = memory_alloc(sizeof *flight);
    flight->key = *key;
    flight->references = 1;
    flight->next = *bucket_of(key);
    *bucket_of(key) = flight;
    *out = flight;
    return FLIGHT_LEADER;
}

void flight_land(struct flight *flight, const struct cached *cached, const struct problem *problem)
{
    for (struct flight **link = bucket_of(&flight->key); *link; link = &(*link)->next)
        if (*link == flight) {
            *link = flight->next;
            break;
        }
    if (flight->references > 1 && (cached || problem)) {
        flight->arena = arena_open();
        if (cached)
            flight->cached = (struct cached){.body = str_copy(flight->arena, cached->body), .as_of = cached->as_of};
        flight->answered = cached != NULL;
        flight->problem = problem ? copy_problem(flight->arena, problem) : NULL;
    }
    room_call(&flight->room);
    release(flight);
}
