/* Feeds as each worker keeps them: the last good answer of the department, asked anew when it is due and somebody wants it. */
#ifndef SERVICES_PUBLICATIONS_FEED_H
#define SERVICES_PUBLICATIONS_FEED_H

#include <shimin/catalogue.h>
#include <shimin/request.h>

struct feed;

/* The worker's feed of the service; made on first use, and kept. */
struct feed *feed_of(const struct service *service);
/* Asks the department if the copy is due, or joins who is asking already, and waits for it until `until` (steady) at most.
 * Waits. */
void feed_refresh(struct feed *feed, int64_t until);
/* Whether there is a copy at all; if not, feed_problem says why. */
bool feed_is_known(const struct feed *feed);
struct problem *feed_problem(struct arena *arena, const struct feed *feed);
/* Names the items: a new one for each change. Of the items and whether they are stale: the ETag. */
struct str feed_items_tag(const struct feed *feed);
struct str feed_tag(struct arena *arena, const struct feed *feed);
/* When the next question is due (steady), and the same in whole seconds from now. */
int64_t feed_due_at(const struct feed *feed);
int64_t feed_seconds_left(const struct feed *feed);
/* The whole answer as an object. */
void feed_write(struct json_out *out, struct arena *arena, const struct feed *feed);

#endif
