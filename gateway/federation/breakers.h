/* The breakers of one gateway, of all its workers together: what departments and administrators see, and are told of. */
#ifndef FEDERATION_BREAKERS_H
#define FEDERATION_BREAKERS_H

#include "federation/breaker.h"
#include <shimin/str.h>

/* In a fiber of each worker, after pg_open. Reports that Postgres cannot take are kept in the directory. */
void breakers_open(const char *spool_directory);
void breakers_close(void);
/* A worker's breaker of the department went from one state to another.
 *
 * The gateway's is open from when the first worker's opens until the last worker's closes. Each of these two changes is one
 * event to the department (city.shimin.department.breaker.opened, .closed); that probes half open a breaker, and that further
 * workers follow, is none. */
void breakers_note(struct str department, enum breaker_state before, enum breaker_state now);

#endif
