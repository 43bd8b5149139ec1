/* The circuit breaker: a rolling window of ten seconds, three states, and probes that find a department's return.
 *
 * Why probes do not back off: a department that returned must be served again within two seconds, and one call a second from
 * each worker floods nobody. What grows with a long outage is therefore nothing; only the moment of each probe is scattered,
 * so that the workers do not probe in step. A probe that hangs does not hold up the next one. */
#include "federation/breaker.h"

const struct breaker_settings breaker_defaults = {
    .ratio = 0.5,
    .minimum = 20,
    .probes = 3,
    .successes = 2,
    .probe_period = 1000000,
};

static const char *const state_names[BREAKER_STATES] = {
    [BREAKER_CLOSED] = "closed",
    [BREAKER_HALF_OPEN] = "half_open",
    [BREAKER_OPEN] = "open",
};

const char *breaker_state_name(enum breaker_state state)
{
    return state_names[state];
}

/* 70 to 100 per cent of the period. */
static int64_t scattered(struct breaker *breaker, int64_t period)
{
    breaker->jitter = breaker->jitter * 1664525u + 1013904223u;
    return period * 7 / 10 + period * 3 / 10 * (int64_t)(breaker->jitter >> 16) / 65536;
}

static void set_state(struct breaker *breaker, enum breaker_state state, int64_t now)
{
    enum breaker_state before = breaker->state;
    breaker->state = state;
    breaker->era++;
    breaker->probing = 0;
    breaker->succeeded = 0;
    if (state == BREAKER_CLOSED)
        for (unsigned i = 0; i < BREAKER_BUCKETS; i++) /* the failures that opened it must not open it again */
            breaker->buckets[i].calls = breaker->buckets[i].failures = 0;
    else
        breaker->next_probe = now + scattered(breaker, breaker->settings.probe_period);
    if (breaker->changed && before != state)
        breaker->changed(breaker, before);
}

static void count(struct breaker *breaker, bool failed, int64_t now)
{
    int64_t number = now / BREAKER_BUCKET_TIME;
    unsigned i = (unsigned)(number % BREAKER_BUCKETS);
    if (breaker->buckets[i].number != number) {
        breaker->buckets[i].number = number;
        breaker->buckets[i].calls = breaker->buckets[i].failures = 0;
    }
    breaker->buckets[i].calls++;
    breaker->buckets[i].failures += failed;
}

static bool window_is_bad(const struct breaker *breaker, int64_t now)
{
    int64_t oldest = now / BREAKER_BUCKET_TIME - BREAKER_BUCKETS + 1;
    uint64_t calls = 0, failures = 0;
    for (unsigned i = 0; i < BREAKER_BUCKETS; i++)
        if (breaker->buckets[i].number >= oldest) {
            calls += breaker->buckets[i].calls;
            failures += breaker->buckets[i].failures;
        }
    return calls >= breaker->settings.minimum && (double)failures >= breaker->settings.ratio * (double)calls;
}

void breaker_open(struct breaker *breaker, const struct breaker_settings *settings, uint32_t seed)
{
    *breaker = (struct breaker){.settings = *settings, .state = BREAKER_CLOSED, .jitter = seed};
    for (unsigned i = 0; i < BREAKER_BUCKETS; i++)
        breaker->buckets[i].number = INT64_MIN;
}

bool breaker_refuses(const struct breaker *breaker, int64_t now)
{
    if (breaker->state == BREAKER_CLOSED || now >= breaker->next_probe)
        return false;
    return breaker->state == BREAKER_OPEN || breaker->probing >= breaker->settings.probes;
}

struct breaker_ticket breaker_admit(struct breaker *breaker, int64_t now)
{
    if (breaker_refuses(breaker, now))
        return (struct breaker_ticket){.admitted = false};
    if (breaker->state == BREAKER_OPEN)
        set_state(breaker, BREAKER_HALF_OPEN, now);
    bool probe = breaker->state == BREAKER_HALF_OPEN;
    if (probe) {
        breaker->probing++;
        if (now >= breaker->next_probe)
            breaker->next_probe = now + scattered(breaker, breaker->settings.probe_period);
    }
    return (struct breaker_ticket){.admitted = true, .probe = probe, .era = breaker->era};
}

void breaker_report(struct breaker *breaker, struct breaker_ticket ticket, enum breaker_outcome outcome, int64_t now)
{
    if (!ticket.admitted || ticket.era != breaker->era)
        return;
    if (ticket.probe) {
        breaker->probing--;
        if (outcome == BREAKER_FAILURE)
            set_state(breaker, BREAKER_OPEN, now);
        else if (outcome == BREAKER_SUCCESS && ++breaker->succeeded >= breaker->settings.successes)
            set_state(breaker, BREAKER_CLOSED, now);
        return;
    }
    if (outcome == BREAKER_UNKNOWN)
        return;
    count(breaker, outcome == BREAKER_FAILURE, now);
    if (outcome == BREAKER_FAILURE && window_is_bad(breaker, now))
        set_state(breaker, BREAKER_OPEN, now);
}
