/* What citizens ask of services and what departments are asked for it, counted by each worker and added up in Postgres
 * (shimin.traffic_minute and its neighbours). Counting is an addition to a cell that was made before: no lock, no allocation.
 */
#ifndef FEDERATION_TRAFFIC_H
#define FEDERATION_TRAFFIC_H

#include "federation/outcome.h"
#include <shimin/catalogue.h>

/* Two buckets for each doubling: the first is below 1.024 ms, the last from 8.4 s on. A quantile read from them is off by a
 * fifth at most. */
#define TRAFFIC_BUCKETS 28

/* What became of a citizen's request. */
enum traffic_outcome { TRAFFIC_OK, TRAFFIC_CLIENT_ERROR, TRAFFIC_SERVER_ERROR, TRAFFIC_LEFT, TRAFFIC_OUTCOMES };
/* How a question that may be cached was answered. */
enum traffic_cache { TRAFFIC_CACHE_HIT, TRAFFIC_CACHE_MISS, TRAFFIC_CACHE_STALE, TRAFFIC_CACHE_SHARED, TRAFFIC_CACHES };
const char *traffic_cache_name(enum traffic_cache cache);

/* The counts of a service, or of an operation of a department, since they were last handed in. Of one worker; never freed. */
struct traffic_cell;

/* In a fiber of each worker, after pg_open. Counts that Postgres cannot take are kept in the directory. */
void traffic_open(const char *spool_directory);
/* On the worker's loop when it stops: hands in what was counted, and from then on each request as it ends. */
void traffic_close(void);

struct traffic_cell *traffic_of_service(const struct service *service);
/* What is asked of a department without a service: raw passage. */
struct traffic_cell *traffic_of_passage(struct str department);
/* `cells` is the owner's memory of what was found: by the operation's index. */
struct traffic_cells {
    struct traffic_cell **at;
    unsigned room;
};
struct traffic_cell *traffic_of_operation(struct traffic_cells *cells, struct str department, struct str operation,
                                          unsigned index);

/* A request ended with this status and, if a problem was the answer, its type (or PROBLEM_TYPES). `took` in microseconds; less
 * than 0: not to be measured, because it was a stream. */
void traffic_count_request(struct traffic_cell *cell, unsigned status, enum problem_type problem, int64_t took);
/* A department was called, or not, for the service; NULL is ignored. */
void traffic_count_backend(struct traffic_cell *cell, enum call_outcome outcome);
/* The same of the operation's own cell, with the time it took; less than 0: it was not sent. */
void traffic_count_operation(struct traffic_cell *cell, enum call_outcome outcome, int64_t took);
/* What an operation of a department did wrong (federation/report.h): `kind` is static. */
void traffic_count_fault(struct str department, struct str operation, const char *kind);
/* NULL is ignored. */
void traffic_count_cache(struct traffic_cell *cell, enum traffic_cache cache);

#endif
