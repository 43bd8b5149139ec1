/* GET /v1/services/{slug}/feed. */
#include "answer.h"
#include "feed.h"
#include "handlers.h"

#include <shimin/arena.h>
#include <shimin/clock.h>

/* Who has an older copy need not wait for a slow department; who has none waits as long as the request may. */
enum { PATIENCE_MS = 1500 };

void read_feed(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct feed *feed = feed_of(request_service(request));
    feed_refresh(feed, feed_is_known(feed) ? deadline_in(milliseconds(PATIENCE_MS)) : DEADLINE_NEVER);
    if (!feed_is_known(feed)) {
        reply_problem(request, feed_problem(arena, feed));
        return;
    }
    struct str cache = str_printf(arena, "%s, max-age=%lld", cache_audience(request), (long long)feed_seconds_left(feed));
    reply_cache(request, str_to_c(arena, cache));
    struct str tag = feed_tag(arena, feed);
    if (reply_not_modified(request, tag))
        return;
    reply_etag(request, tag);
    feed_write(reply_json(request, 200), arena, feed);
}
