/* LISTEN: notices from Postgres on a connection of their own. */
#ifndef SHIMIN_PG_LISTEN_H
#define SHIMIN_PG_LISTEN_H

#include <shimin/str.h>

/* Listens on the calling worker, after pg_open, until pg_close. notice() is told each payload, in order; restored() is told
 * when the listening begins, and again each time after it was interrupted: notices may have been missed, so read anew. Both
 * run on the worker's loop, not in a fiber; the payload is borrowed. The channel is static, a plain lower-case name. Does not
 * wait. At most 8 channels a worker. */
void pg_listen(const char *channel, void (*notice)(struct str payload, void *argument), void (*restored)(void *argument),
               void *argument);

/* ---- inside the floor ---- */
void pg_listen_close(void);

#endif
