/* Pulling one service's places or texts from its department into Postgres. */
#ifndef SERVICES_PUBLICATIONS_PULL_H
#define SERVICES_PUBLICATIONS_PULL_H

#include <shimin/catalogue.h>

enum pull_outcome {
    PULL_DONE,
    PULL_NOT_DUE,    /* another gateway has it, or has had it */
    PULL_FAILED,     /* the department did not answer every page */
    PULL_SUSPICIOUS, /* it gave fewer than half of what is known: the old stays */
    PULL_NOT_KEPT,   /* Postgres */
    PULL_OUTCOMES,
};
const char *pull_outcome_name(enum pull_outcome outcome);

/* A digest of the operation: another one has to be pulled again. */
struct str pull_definition(struct arena *arena, const struct service *service);
/* Claims the service and pulls all of it. Waits, minutes if it must. The snapshot must be pinned. */
enum pull_outcome pull_service(const struct snapshot *snapshot, const struct service *service);

#endif
