/* Changing switches and settings: what the database's functions take, and what they object. */
#ifndef SHIMIN_SWITCHES_H
#define SHIMIN_SWITCHES_H

#include <shimin/pg.h>
#include <shimin/problem.h>

/* The `bounds` of the functions, as JSON: where the rights of who asks end (at == NULL: they do not), and by the configuration
 * how many services one person may hit alone, and for how long a proposal waits. */
struct str switch_bounds(struct arena *arena, struct str department, struct str area);
/* The problem for a `fault` that a function answered with. */
const struct problem *switch_problem(struct arena *arena, struct str fault);
/* Waits a little until every gateway that is heard of runs a snapshot with what was set as this version. JSON: {"confirmed": …,
 * "gateways": [{"id", "host", "confirmed", "stale"}]}; PG_OK, or why not. */
enum pg_status switch_confirmations(struct arena *arena, int64_t version, struct str *json) MUST_CHECK;

#endif
