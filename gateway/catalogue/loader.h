/* The loader: keeps every worker's snapshot what Postgres says, and the last good one on disk. */
#ifndef SHIMIN_LOADER_H
#define SHIMIN_LOADER_H

#include <shimin/catalogue.h>

/* In a fiber of each worker, after pg_open. The first worker loads from Postgres (or, while that is away, from `directory`) and
 * listens for changes; the others wait for it. false, with the reason in the log, when there is no snapshot to be had. */
MUST_CHECK bool catalogue_open(struct str directory);

#endif
