/* Answers that more than one handler gives. */
#include "answer.h"

#include "item.h"

#include <shimin/clock.h>

enum { STORE_RETRY_SECONDS = 2, NOT_YET_RETRY_SECONDS = 10 };

size_t page_limit(const struct request *request)
{
    int64_t limit = request_integer(request, "limit", PAGE_DEFAULT);
    return limit > PAGE_MOST ? PAGE_MOST : (size_t)limit;
}

const char *cache_audience(const struct request *request)
{
    return request_service(request)->level == LEVEL_GUEST ? "public" : "private";
}

bool is_stale(const struct service *service, int64_t pulled_at)
{
    return clock_wall() - pulled_at > seconds(2 * refresh_seconds(service));
}

void reply_bad_parameter(struct request *request, struct str name, struct bilingual why)
{
    struct arena *arena = request_arena(request);
    struct problem *problem = problem_new(arena, PROBLEM_INVALID_PARAMETER, (struct bilingual){0});
    struct problem_error *error = arena_new(arena, struct problem_error);
    *error = (struct problem_error){.parameter = name, .detail = why};
    problem->errors = error;
    problem->error_count = 1;
    reply_problem(request, problem);
}

void reply_bad_cursor(struct request *request)
{
    reply_fault(request, PROBLEM_INVALID_CURSOR,
                BILINGUAL("cursor 无效，请从第一页重新开始", "The cursor is invalid; start again from the first page"));
}

static void reply_later(struct request *request, enum problem_type type, struct bilingual detail, int64_t after)
{
    struct problem *problem = problem_new(request_arena(request), type, detail);
    problem->retry_after = after;
    reply_problem(request, problem);
}

void reply_store_unavailable(struct request *request)
{
    reply_later(request, PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0}, STORE_RETRY_SECONDS);
}

void reply_not_yet(struct request *request)
{
    reply_later(request, PROBLEM_DEPARTMENT_UNAVAILABLE,
                BILINGUAL("尚未取得部门数据，请稍后再试", "The department's data has not arrived yet; try again soon"),
                NOT_YET_RETRY_SECONDS);
}
