/* The text forms of time without an arena, for the log. */
#ifndef SHIMIN_BASE_TIME_FORMAT_H
#define SHIMIN_BASE_TIME_FORMAT_H

#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>

/* "2026-03-01T09:00:00.000000+08:00" and a NUL; without the fraction when micro is false. Returns the length.
 * Years outside 0000 to 9999, which RFC 3339 cannot write, become the nearest that it can. */
#define TIME_RFC3339_MAX 33
size_t time_format_rfc3339(char out[TIME_RFC3339_MAX], int64_t wall, bool micro);

#endif
