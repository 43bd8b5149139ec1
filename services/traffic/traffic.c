/* Sums of a span: calls, errors, latency and cache; and reads of citizens' data by the day. */
#include "handlers.h"
#include "traffic_queries.h"

#include <shimin/clock.h>
#include <shimin/pg.h>

MODULE_CONTRACT(traffic);

enum { ROWS_MOST = 20000, STORE_RETRY_SECONDS = 2, DAYS_MOST = 731, FOOTPRINT_DAYS = 30 };
#define HOUR INT64_C(3600000000) /* microseconds */
#define DAY (24 * HOUR)

static const struct step {
    const char *name;
    int64_t span, most; /* shown unless said otherwise; at most */
} steps[] = {{"minute", HOUR, 6 * HOUR}, {"hour", DAY, 8 * DAY}, {"day", 30 * DAY, DAYS_MOST *DAY}};

void traffic_reply_unavailable(struct request *request)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = STORE_RETRY_SECONDS;
    reply_problem(request, problem);
}

bool traffic_scope(struct request *request, struct str *department)
{
    const struct actor *actor = request_actor(request);
    bool all = str_starts(request_path(request), STR("/admin/"));
    *department = actor->department.at ? actor->department : all ? request_string(request, "department") : STR("");
    if (!actor->area.at)
        return true;
    reply_fault(request, PROBLEM_FORBIDDEN,
                BILINGUAL("流量不按区域统计", "Traffic is not counted by area, and your rights end at one"));
    return false;
}

static void reply_bad(struct request *request, struct str name, struct bilingual why)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_INVALID_PARAMETER, (struct bilingual){0});
    struct problem_error *error = arena_new(request_arena(request), struct problem_error);
    *error = (struct problem_error){.parameter = name, .detail = why};
    problem->errors = error;
    problem->error_count = 1;
    reply_problem(request, problem);
}

static bool read_time(struct request *request, const char *name, int64_t fallback, int64_t *wall)
{
    struct str given = request_string(request, name);
    *wall = fallback;
    if (!given.at || time_parse_rfc3339(given, wall))
        return true;
    reply_bad(request, str_of(name), BILINGUAL("须为 RFC 3339 时间，+ 写作 %2B", "must be a time of RFC 3339, with + as %2B"));
    return false;
}

static bool read_span(struct request *request, const struct step *step, int64_t *from, int64_t *to)
{
    if (!read_time(request, "to", clock_wall(), to) || !read_time(request, "from", *to - step->span, from))
        return false;
    if (*from < *to && *to - *from <= step->most)
        return true;
    reply_bad(request, STR("from"),
              *from < *to ? BILINGUAL("区间对此步长过长：minute 6 小时，hour 8 天，day 731 天",
                                      "the span is too long for the step: minute 6 hours, hour 8 days, day 731 days")
                          : BILINGUAL("须早于 to", "must be before `to`"));
    return false;
}

void read_traffic(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str department, name = request_string(request, "step"), group = request_string(request, "group");
    const struct step *step = steps;
    int64_t from, to;
    while (!str_is(name, step->name)) /* the contract lets no other through */
        step++;
    if (!traffic_scope(request, &department) || !read_span(request, step, &from, &to))
        return;
    const struct pg_result *rows;
    if (pg_query(arena, &sql_read_traffic,
                 PG_ARGS(pg_text(department), pg_text(request_string(request, "service")), pg_time(from), pg_time(to),
                         pg_text(name), pg_text(group), pg_integer(ROWS_MOST)),
                 &rows) != PG_OK) {
        traffic_reply_unavailable(request);
        return;
    }
    struct str sums = pg_str(rows, 0, 0);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "from", time_rfc3339(arena, from));
    json_field(out, "to", time_rfc3339(arena, to));
    json_field(out, "step", name);
    json_field_bool(out, "truncated", pg_bool(rows, 0, 1));
    json_key(out, "sums");
    json_put_raw(out, sums);
}

static bool read_day(struct request *request, const char *name, int64_t fallback, struct str *day)
{
    struct str given = request_string(request, name);
    if (!given.at) {
        struct civil civil = time_civil(fallback);
        *day = str_printf(request_arena(request), "%04d-%02d-%02d", civil.year, civil.month, civil.day);
        return true;
    }
    int64_t year, month, number;
    struct str rest = given, y = str_cut(&rest, '-'), m = str_cut(&rest, '-');
    *day = given;
    if (given.len == 10 && rest.at && str_to_i64(y, &year) && str_to_i64(m, &month) && str_to_i64(rest, &number) &&
        year > 1999 && year < 10000 && civil_is_date((int)year, (int)month, (int)number))
        return true;
    reply_bad(request, str_of(name), BILINGUAL("须为日期，如 2026-03-01", "must be a date such as 2026-03-01"));
    return false;
}

void read_footprint_days(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str department, from, to;
    if (!traffic_scope(request, &department) || !read_day(request, "from", clock_wall() - FOOTPRINT_DAYS * DAY, &from) ||
        !read_day(request, "to", clock_wall(), &to))
        return;
    const struct pg_result *rows;
    if (pg_query(arena, &sql_read_footprint_days, PG_ARGS(pg_text(department), pg_text(from), pg_text(to)), &rows) != PG_OK)
        traffic_reply_unavailable(request);
    else
        reply_bytes(request, 200, "application/json", pg_str(rows, 0, 0));
}

void read_breaker(struct request *request)
{
    struct str department;
    const struct pg_result *rows;
    bool all = str_starts(request_path(request), STR("/admin/"));
    if (!traffic_scope(request, &department))
        return;
    if (pg_query(request_arena(request), all ? &sql_read_all_breakers : &sql_read_breakers, PG_ARGS(pg_text(department)),
                 &rows) != PG_OK)
        traffic_reply_unavailable(request);
    else
        reply_bytes(request, 200, "application/json", pg_str(rows, 0, 0));
}

const struct module traffic_module = {
    .name = "traffic",
    .contract = traffic_contract,
    .contract_size = &traffic_contract_size,
    .worker_close = live_stop,
    .handlers =
        (const struct module_handler[]){
            {"readTraffic", read_traffic},
            {"streamTraffic", stream_traffic},
            {"readFootprintDays", read_footprint_days},
            {"readBreaker", read_breaker},
            {"readAllBreakers", read_breaker},
            {"readAllTraffic", read_traffic},
            {"streamAllTraffic", stream_traffic},
            {"readAllFootprintDays", read_footprint_days},
            {0},
        },
};
