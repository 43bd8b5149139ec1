/* HTTP dates (RFC 9110 §5.6.7): written as IMF-fixdate, read in all three forms that a recipient must know. */
#include <shimin/clock.h>

#include "base/calendar.h"

#include <string.h>

static const char days[7][10] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* 0000-01-01 and 9999-12-31 UTC: four digits are all the form has. */
#define FIRST_WALL (INT64_C(-62167219200) * 1000000)
#define LAST_WALL (INT64_C(253402300799) * 1000000)

struct str time_http_date(struct arena *arena, int64_t wall)
{
    wall = wall < FIRST_WALL ? FIRST_WALL : wall > LAST_WALL ? LAST_WALL : wall;
    struct civil civil = calendar_civil(wall / 1000000 - (wall % 1000000 < 0));
    return str_printf(arena, "%.3s, %02d %s %04d %02d:%02d:%02d GMT", days[civil.weekday], civil.day, months[civil.month - 1],
                      civil.year, civil.hour, civil.minute, civil.second);
}

static bool take_literal(const char **at, const char *end, const char *literal)
{
    size_t n = strlen(literal);
    if ((size_t)(end - *at) < n || memcmp(*at, literal, n) != 0)
        return false;
    *at += n;
    return true;
}

static bool take_month(const char **at, const char *end, int *month)
{
    for (*month = 1; *month <= 12; ++*month)
        if (take_literal(at, end, months[*month - 1]))
            return true;
    return false;
}

/* The name of the day is not compared with the date: senders err, and the date says all. */
static bool take_day_name(const char **at, const char *end, bool *whole)
{
    for (size_t i = 0; i < 7; i++) {
        *whole = take_literal(at, end, days[i]);
        char brief[4] = {days[i][0], days[i][1], days[i][2], '\0'};
        if (*whole || take_literal(at, end, brief))
            return true;
    }
    return false;
}

static bool take_time(const char **at, const char *end, struct civil *civil)
{
    return calendar_take_digits(at, end, 2, &civil->hour) && take_literal(at, end, ":") &&
           calendar_take_digits(at, end, 2, &civil->minute) && take_literal(at, end, ":") &&
           calendar_take_digits(at, end, 2, &civil->second);
}

/* " 01 Mar 2026 01:00:00 GMT" */
static bool take_imf(const char **at, const char *end, struct civil *civil)
{
    return take_literal(at, end, ", ") && calendar_take_digits(at, end, 2, &civil->day) && take_literal(at, end, " ") &&
           take_month(at, end, &civil->month) && take_literal(at, end, " ") && calendar_take_digits(at, end, 4, &civil->year) &&
           take_literal(at, end, " ") && take_time(at, end, civil) && take_literal(at, end, " GMT");
}

/* ", 01-Mar-26 01:00:00 GMT"; a year more than 50 years ahead is the past one with the same last digits. */
static bool take_rfc850(const char **at, const char *end, struct civil *civil)
{
    int year;
    if (!take_literal(at, end, ", ") || !calendar_take_digits(at, end, 2, &civil->day) || !take_literal(at, end, "-") ||
        !take_month(at, end, &civil->month) || !take_literal(at, end, "-") || !calendar_take_digits(at, end, 2, &year) ||
        !take_literal(at, end, " ") || !take_time(at, end, civil) || !take_literal(at, end, " GMT"))
        return false;
    int now = calendar_civil(clock_wall() / 1000000).year;
    civil->year = now - now % 100 + year;
    if (civil->year > now + 50)
        civil->year -= 100;
    return true;
}

/* " Mar  1 01:00:00 2026" */
static bool take_asctime(const char **at, const char *end, struct civil *civil)
{
    if (!take_literal(at, end, " ") || !take_month(at, end, &civil->month) || !take_literal(at, end, " "))
        return false;
    int digits = take_literal(at, end, " ") ? 1 : 2;
    return calendar_take_digits(at, end, digits, &civil->day) && take_literal(at, end, " ") && take_time(at, end, civil) &&
           take_literal(at, end, " ") && calendar_take_digits(at, end, 4, &civil->year);
}

bool time_parse_http_date(struct str s, int64_t *wall)
{
    if (s.len == 0)
        return false;
    const char *at = s.at, *end = s.at + s.len;
    struct civil civil = {0};
    bool whole;
    if (!take_day_name(&at, end, &whole))
        return false;
    bool taken = whole                      ? take_rfc850(&at, end, &civil)
                 : (at < end && *at == ',') ? take_imf(&at, end, &civil)
                                            : take_asctime(&at, end, &civil);
    if (!taken || at != end || !civil_is_date(civil.year, civil.month, civil.day))
        return false;
    if (civil.hour > 23 || civil.minute > 59 || civil.second > 60)
        return false;
    if (civil.second == 60)
        civil.second = 59;
    int64_t epoch =
        calendar_days(civil.year, civil.month, civil.day) * 86400 + civil.hour * 3600 + civil.minute * 60 + civil.second;
    *wall = epoch * 1000000;
    return true;
}
