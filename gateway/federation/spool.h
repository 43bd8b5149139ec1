/* The spool: lines appended to a file of this worker, and read back once. Blocking file calls: for offload threads and the end
 * of the process. */
#ifndef FEDERATION_SPOOL_H
#define FEDERATION_SPOOL_H

#include <shimin/arena.h>
#include <shimin/str.h>

struct spool {
    char path[512];   /* what is appended to */
    char replay[520]; /* what is being read back */
    size_t bytes_most;
};

/* Names the files "<dir>/<name>-<worker>.jsonl". false when the path is too long. */
MUST_CHECK bool spool_open(struct spool *spool, const char *dir, const char *name, unsigned worker, size_t bytes_most);
/* Takes over what a worker left that this run does not have: whole files are appended to ours, within the bound. */
void spool_adopt(const struct spool *spool, const struct spool *orphan);
/* Appends lines (each ends in '\n') and makes them durable. false when the bound or the disk is in the way. */
MUST_CHECK bool spool_append(const struct spool *spool, struct str lines);
/* Is there anything to read back? */
bool spool_is_waiting(const struct spool *spool);
/* Moves what was appended aside, so that it can be read back while more is appended. false when there is nothing. */
MUST_CHECK bool spool_begin(const struct spool *spool);
/* The next whole lines at *offset, at most `most` bytes (one line at least); *offset moves behind them. Empty at the end. A
 * line without its end, torn by a crash, is left out. */
struct str spool_read(const struct spool *spool, struct arena *arena, size_t most, size_t *offset);
/* All of it is in Postgres. */
void spool_end(const struct spool *spool);

#endif
