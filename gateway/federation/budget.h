/* The retry budget of one department in one worker: retries may add one call in ten, not more. Pure. */
#ifndef FEDERATION_BUDGET_H
#define FEDERATION_BUDGET_H

#include <shimin/attributes.h>
#include <stdbool.h>

struct budget {
    unsigned tenths; /* of a retry */
};

/* A few retries are there from the start, so that a quiet department has them too. */
void budget_open(struct budget *budget);
/* A first attempt was made. */
void budget_earn(struct budget *budget);
/* Takes one retry, if there is one. */
MUST_CHECK bool budget_spend(struct budget *budget);

#endif
