/* Time: the clocks, the proleptic Gregorian calendar, and RFC 3339. HTTP dates are in http_date.c. */
#include <shimin/clock.h>

#include "base/calendar.h"
#include "base/time_format.h"

#include <shimin/arena.h>

#include <string.h>
#include <time.h>

#define CHINA_OFFSET (8 * 3600)
/* 0000-01-01T00:00:00 and 9999-12-31T23:59:59 in China, in seconds of the epoch. */
#define FIRST_SECOND (INT64_C(-62167219200) - CHINA_OFFSET)
#define LAST_SECOND (INT64_C(253402300799) - CHINA_OFFSET)

static int64_t read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_steady(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01; years begin in March, so that the leap day is the last (H. Hinnant, "chrono-Compatible Low-Level
 * Date Algorithms"). */
int64_t calendar_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct civil calendar_civil(int64_t epoch_second)
{
    int64_t days = epoch_second / 86400, second = epoch_second % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    int64_t weekday = (days + 4) % 7; /* 1970-01-01 was a Thursday */
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    return (struct civil){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1),
        .hour = (int)(second / 3600),
        .minute = (int)(second / 60 % 60),
        .second = (int)(second % 60),
        .weekday = (int)(weekday < 0 ? weekday + 7 : weekday),
    };
}

/* Rounded down, also before 1970. */
static int64_t to_seconds(int64_t micros)
{
    return micros / 1000000 - (micros % 1000000 < 0);
}

struct civil time_civil(int64_t wall)
{
    return calendar_civil(to_seconds(wall) + CHINA_OFFSET);
}

bool civil_is_date(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + (month == 2 && leap);
}

void calendar_put_digits(char *out, int64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

bool calendar_take_digits(const char **at, const char *end, int digits, int *value)
{
    if (end - *at < digits)
        return false;
    *value = 0;
    for (int i = 0; i < digits; i++) {
        char c = *(*at)++;
        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
    }
    return true;
}

static void format_second(char *out, int64_t second)
{
    struct civil civil = calendar_civil(second + CHINA_OFFSET);
    memcpy(out, "0000-00-00T00:00:00.000000+08:00", TIME_RFC3339_MAX);
    calendar_put_digits(out, civil.year, 4);
    calendar_put_digits(out + 5, civil.month, 2);
    calendar_put_digits(out + 8, civil.day, 2);
    calendar_put_digits(out + 11, civil.hour, 2);
    calendar_put_digits(out + 14, civil.minute, 2);
    calendar_put_digits(out + 17, civil.second, 2);
}

/* What a thread writes are moments of now, thousands in a second: the second's text is made once. */
size_t time_format_rfc3339(char out[TIME_RFC3339_MAX], int64_t wall, bool micro)
{
    static _Thread_local struct {
        int64_t second;
        char text[TIME_RFC3339_MAX];
    } last;
    if (wall < FIRST_SECOND * 1000000)
        wall = FIRST_SECOND * 1000000;
    if (wall > LAST_SECOND * 1000000 + 999999)
        wall = LAST_SECOND * 1000000 + 999999;
    int64_t second = to_seconds(wall);
    if (second != last.second || !last.text[0])
        format_second(last.text, last.second = second);
    memcpy(out, last.text, TIME_RFC3339_MAX);
    if (micro) {
        calendar_put_digits(out + 20, wall - second * 1000000, 6);
        return 32;
    }
    memcpy(out + 19, "+08:00", 7);
    return 25;
}

static struct str format_in(struct arena *arena, int64_t wall, bool micro)
{
    char text[TIME_RFC3339_MAX];
    size_t n = time_format_rfc3339(text, wall, micro);
    return str_copy(arena, (struct str){text, n});
}

struct str time_rfc3339(struct arena *arena, int64_t wall)
{
    return format_in(arena, wall, false);
}

struct str time_rfc3339_micro(struct arena *arena, int64_t wall)
{
    return format_in(arena, wall, true);
}

static bool take(const char **at, const char *end, char c)
{
    if (*at == end || **at != c)
        return false;
    ++*at;
    return true;
}

static bool take_fraction(const char **at, const char *end, int *micros)
{
    *micros = 0;
    if (!take(at, end, '.'))
        return true;
    const char *start = *at;
    for (int unit = 100000; *at < end && **at >= '0' && **at <= '9'; ++*at, unit /= 10)
        *micros += (**at - '0') * unit; /* digits beyond the sixth count nothing */
    return *at > start;
}

static bool take_offset(const char **at, const char *end, int *offset)
{
    *offset = 0;
    if (take(at, end, 'Z') || take(at, end, 'z'))
        return true;
    bool west = take(at, end, '-');
    int hours, minutes;
    if (!west && !take(at, end, '+'))
        return false;
    if (!calendar_take_digits(at, end, 2, &hours) || !take(at, end, ':') || !calendar_take_digits(at, end, 2, &minutes))
        return false;
    *offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return hours < 24 && minutes < 60;
}

bool time_parse_rfc3339(struct str s, int64_t *wall)
{
    if (s.len == 0)
        return false;
    const char *at = s.at, *end = s.at + s.len;
    int year, month, day, hour, minute, second, micros, offset;
    if (!calendar_take_digits(&at, end, 4, &year) || !take(&at, end, '-') || !calendar_take_digits(&at, end, 2, &month) ||
        !take(&at, end, '-') || !calendar_take_digits(&at, end, 2, &day))
        return false;
    if (!take(&at, end, 'T') && !take(&at, end, 't'))
        return false;
    if (!calendar_take_digits(&at, end, 2, &hour) || !take(&at, end, ':') || !calendar_take_digits(&at, end, 2, &minute) ||
        !take(&at, end, ':') || !calendar_take_digits(&at, end, 2, &second))
        return false;
    if (!take_fraction(&at, end, &micros) || !take_offset(&at, end, &offset) || at != end)
        return false;
    if (!civil_is_date(year, month, day) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (second == 60)
        second = 59;
    int64_t epoch = calendar_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    *wall = epoch * 1000000 + micros;
    return true;
}
