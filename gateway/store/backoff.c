/* Back-off: exponential, capped, with jitter. */
#include "store/backoff.h"

#include <shimin/id.h>

enum { FIRST_MILLISECONDS = 50, LAST_MILLISECONDS = 1000, DOUBLINGS_MAX = 5 };

int64_t backoff_next(struct backoff *backoff)
{
    int64_t span = milliseconds(FIRST_MILLISECONDS) << (backoff->failures < DOUBLINGS_MAX ? backoff->failures : DOUBLINGS_MAX);
    if (span > milliseconds(LAST_MILLISECONDS))
        span = milliseconds(LAST_MILLISECONDS);
    backoff->failures++;
    uint32_t dice;
    random_bytes(&dice, sizeof dice);
    return span / 2 + (int64_t)(dice % (uint32_t)(span / 2));
}
