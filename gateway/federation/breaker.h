/* The circuit breaker of one department in one worker: refuses calls to a backend that fails, and finds out by itself when
 * it is back. Pure: the caller brings the clock. */
#ifndef FEDERATION_BREAKER_H
#define FEDERATION_BREAKER_H

#include <shimin/attributes.h>
#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_HALF_OPEN, BREAKER_OPEN, BREAKER_STATES };
const char *breaker_state_name(enum breaker_state state);

struct breaker_settings {
    double ratio;         /* of failures in the window that opens it */
    unsigned minimum;     /* calls in the window below which the ratio says nothing */
    unsigned probes;      /* calls let through at once while half open */
    unsigned successes;   /* probes in a row that close it */
    int64_t probe_period; /* microseconds between probes while it is not closed */
};
extern const struct breaker_settings breaker_defaults;

#define BREAKER_BUCKETS 10
#define BREAKER_BUCKET_TIME 1000000 /* microseconds */

struct breaker {
    struct breaker_settings settings;
    enum breaker_state state;
    uint32_t era; /* grows with each change of state: a ticket of an earlier era decides nothing */
    struct {
        int64_t number; /* clock / BREAKER_BUCKET_TIME */
        uint32_t calls;
        uint32_t failures;
    } buckets[BREAKER_BUCKETS];
    int64_t next_probe;
    unsigned probing;
    unsigned succeeded;
    uint32_t jitter; /* state of a small generator */
    /* Told of each change of state; may be NULL. */
    void (*changed)(struct breaker *breaker, enum breaker_state before);
};

struct breaker_ticket {
    bool admitted;
    bool probe;
    uint32_t era;
};

enum breaker_outcome {
    BREAKER_SUCCESS,
    BREAKER_FAILURE,
    BREAKER_UNKNOWN, /* the caller left before the department could answer */
};

void breaker_open(struct breaker *breaker, const struct breaker_settings *settings, uint32_t seed);
/* Would breaker_admit refuse now? Changes nothing. */
bool breaker_refuses(const struct breaker *breaker, int64_t now);
/* Every admitted ticket must be given back by breaker_report. */
struct breaker_ticket breaker_admit(struct breaker *breaker, int64_t now) MUST_CHECK;
void breaker_report(struct breaker *breaker, struct breaker_ticket ticket, enum breaker_outcome outcome, int64_t now);

#endif
