/* Rows written to Postgres in batches, and kept on disk while it is away. For records that a request must not wait for and that
 * must not be lost: footprints, the audit.
 *
 * Each row is a JSON object with its own id; the statement takes an array of them ($1) and ignores ids it has seen, so a batch
 * whose outcome is unknown is simply sent again. One worker's batch keeps its rows' order. */
#ifndef FEDERATION_BATCH_H
#define FEDERATION_BATCH_H

#include <shimin/pg.h>

struct batch;

struct batch_settings {
    const char *name;                     /* of the spool files and the metrics: "footprint" */
    const struct pg_statement *statement; /* one parameter: the rows as a JSON array */
    const char *spool_dir;                /* NULL: rows that memory cannot keep are lost, and logged */
    size_t rows_a_flush;                  /* 0: 1024 */
    size_t rows_in_memory;                /* more than these go to disk while Postgres is away; 0: 8192 */
    size_t spool_bytes;                   /* bound of one worker's file; 0: 256 MiB */
    int64_t period;                       /* microseconds between the first row and its flush; 0: 20 ms */
};

/* The calling worker's batch; replays what an earlier run left on disk. The settings' strings must outlive it. */
struct batch *batch_open(const struct batch_settings *settings);
/* Queues a row (a JSON object's text; copied). Does not wait. */
void batch_add(struct batch *batch, struct str row);
/* Sends everything now. Waits, at most to the fiber's deadline. false when something is left. */
MUST_CHECK bool batch_flush(struct batch *batch);
/* At the worker's end: rows go out at once from now on, and to disk when Postgres does not take them. Starts a fiber when
 * something is queued; does not wait itself. The batch stays usable for fibers that are still running. */
void batch_close(struct batch *batch);

#endif
