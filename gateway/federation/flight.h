/* Single flight: of the fibers of a worker that ask the same thing at the same time, one asks and the others get its answer. */
#ifndef FEDERATION_FLIGHT_H
#define FEDERATION_FLIGHT_H

#include "federation/cache.h"
#include <shimin/fiber.h>
#include <shimin/problem.h>

struct flight;

enum boarding {
    FLIGHT_LEADER,   /* ask, then land */
    FLIGHT_LANDED,   /* somebody else's answer or problem is here */
    FLIGHT_DEADLINE, /* nobody came back in time */
};

/* Joins the flight of this key, waiting for its end, or begins it. A leader that was cancelled leaves its place to the next. */
enum boarding flight_board(struct arena *arena, const struct cache_key *key, struct flight **flight, struct cached *cached,
                           const struct problem **problem) MUST_CHECK;
/* The leader is back: with an answer, with a problem, or (both NULL) with nothing that is worth sharing. */
void flight_land(struct flight *flight, const struct cached *cached, const struct problem *problem);

#endif
