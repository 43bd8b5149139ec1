/* Answers about a path rather than from it. */
#include "edge/exchange.h"

void reply_allowed(struct exchange *exchange, bool asked_for)
{
    struct request *request = exchange->request;
    struct text allow = text_open(request_arena(request), 64);
    for (int method = 0; method < METHODS; method++) {
        bool implied = (method == METHOD_HEAD && (exchange->match.allowed & (1U << METHOD_GET))) || method == METHOD_OPTIONS;
        if (!implied && !(exchange->match.allowed & (1U << method)))
            continue;
        text_add_c(&allow, allow.len ? ", " : "");
        text_add_c(&allow, method_name((enum http_method)method));
    }
    if (asked_for)
        reply_empty(request, 204);
    else
        reply_fault(request, PROBLEM_METHOD_NOT_ALLOWED, (struct bilingual){0});
    reply_header(request, "allow", text_str(&allow));
}
