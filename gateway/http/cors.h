/* Cross-origin requests (Fetch standard): an allow-list of exact origins. */
#ifndef SHIMIN_HTTP_CORS_H
#define SHIMIN_HTTP_CORS_H

#include "http/request_internal.h"

/* Whether `origin` is on the list: scheme, host and port compared byte by byte; "null" never is. */
bool cors_allows(const char *const *origins, size_t count, struct str origin);
/* OPTIONS with Origin and Access-Control-Request-Method is a preflight: answers it, and returns true. */
bool cors_answer_preflight(struct request *request, const char *const *origins, size_t count);
/* The fields that any reply to `origin` needs, also a problem. */
void cors_add_fields(struct request *request, const char *const *origins, size_t count);

#endif
