/* The proleptic Gregorian calendar, shared by the text forms of time. */
#ifndef SHIMIN_BASE_CALENDAR_H
#define SHIMIN_BASE_CALENDAR_H

#include <shimin/clock.h>

/* Days from 1970-01-01 to a date. */
int64_t calendar_days(int64_t year, int month, int day);
/* The civil time of a second counted from 1970-01-01T00:00:00 in whatever zone it is counted in. */
struct civil calendar_civil(int64_t epoch_second);
/* Exactly `digits` decimal digits, with leading zeros. */
void calendar_put_digits(char *out, int64_t value, int digits);
/* Reads exactly `digits` decimal digits at *at and moves past them. */
MUST_CHECK bool calendar_take_digits(const char **at, const char *end, int digits, int *value);

#endif
