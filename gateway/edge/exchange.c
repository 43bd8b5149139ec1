/* Answers about a path rather than from it. */
#include "edge/exchange.h"

void reply_allowed(struct exchange *exchange, bool asked_for)
{
    struct request *request = exchange->request;
    if (asked_for)
        reply_empty(request, 204);
    else
        reply_fault(request, PROBLEM_METHOD_NOT_ALLOWED, (struct bilingual){0});
    reply_header(request, "allow", router_methods(request_arena(request), exchange->match.allowed));
}
