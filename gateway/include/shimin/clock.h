/* Time: the wall clock and the steady clock in microseconds, and the text forms of the wire. */
#ifndef SHIMIN_CLOCK_H
#define SHIMIN_CLOCK_H

#include <shimin/str.h>

/* Microseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall(void);
/* Microseconds that never go back; only differences mean something. Deadlines are points on this clock. */
int64_t clock_steady(void);

static inline int64_t milliseconds(int64_t n)
{
    return n * 1000;
}
static inline int64_t seconds(int64_t n)
{
    return n * 1000000;
}
/* The deadline that lies `microseconds` ahead. */
static inline int64_t deadline_in(int64_t microseconds)
{
    return clock_steady() + microseconds;
}
#define DEADLINE_NEVER INT64_MAX

/* "2026-03-01T09:00:00+08:00": China Standard Time, seconds (RFC 3339). */
struct str time_rfc3339(struct arena *arena, int64_t wall);
/* As above with microseconds, for logs and the audit. */
struct str time_rfc3339_micro(struct arena *arena, int64_t wall);
/* RFC 3339 date-time with any offset; leap second 60 is taken as 59. */
MUST_CHECK bool time_parse_rfc3339(struct str s, int64_t *wall);
/* "Sun, 01 Mar 2026 01:00:00 GMT" (RFC 9110 §5.6.7). */
struct str time_http_date(struct arena *arena, int64_t wall);
MUST_CHECK bool time_parse_http_date(struct str s, int64_t *wall);

/* Civil date in China Standard Time (UTC+8, no daylight saving since 1991). */
struct civil {
    int year, month, day, hour, minute, second;
    int weekday; /* 0 Sunday … 6 Saturday */
};
struct civil time_civil(int64_t wall);
MUST_CHECK bool civil_is_date(int year, int month, int day);

#endif
