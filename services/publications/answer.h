/* What the handlers of this module answer alike. */
#ifndef SERVICES_PUBLICATIONS_ANSWER_H
#define SERVICES_PUBLICATIONS_ANSWER_H

#include <shimin/catalogue.h>
#include <shimin/request.h>

enum { PAGE_MOST = 100, PAGE_DEFAULT = 20 };

/* `limit`, at most PAGE_MOST. */
size_t page_limit(const struct request *request);
/* "public" for what anybody may read, else "private": what a cache between us and the citizen may keep. */
const char *cache_audience(const struct request *request);
/* Whether a copy pulled then is older than twice the service's refresh. */
bool is_stale(const struct service *service, int64_t pulled_at);

/* Problems. */
void reply_bad_parameter(struct request *request, struct str name, struct bilingual why);
void reply_bad_cursor(struct request *request);
void reply_store_unavailable(struct request *request);
/* The service has not been pulled yet. */
void reply_not_yet(struct request *request);

#endif
