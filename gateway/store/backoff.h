/* Back-off: how long to wait before the next try to connect. */
#ifndef SHIMIN_BACKOFF_H
#define SHIMIN_BACKOFF_H

#include <shimin/clock.h>

struct backoff {
    unsigned failures; /* in a row */
};

/* Counts a failure and gives the time until the next try: 50 ms doubled up to 1 s, of which a random half is taken off, so that
 * a thousand connections that were lost at once do not come back at once. The cap bounds how long a server that is back stays
 * unused. */
int64_t backoff_next(struct backoff *backoff);

#endif
