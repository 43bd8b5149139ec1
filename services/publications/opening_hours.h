/* Opening hours: the weekly part of OpenStreetMap's opening_hours, as minutes of the week in China Standard Time. */
#ifndef SERVICES_PUBLICATIONS_OPENING_HOURS_H
#define SERVICES_PUBLICATIONS_OPENING_HOURS_H

#include <shimin/str.h>

enum { DAY_MINUTES = 24 * 60, WEEK_MINUTES = 7 * DAY_MINUTES, OPENING_SPANS = 64 };

/* Open from `from` until before `until`, minutes since Monday 00:00; 0 ≤ from < until ≤ WEEK_MINUTES. */
struct opening_span {
    int from, until;
};
/* Sorted, and neither touching nor overlapping. */
struct opening {
    struct opening_span spans[OPENING_SPANS];
    unsigned count;
};

/* What is understood, of https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification: "24/7"; days and ranges of days
 * (Mo-Fr, Sa,Su, Fr-Mo; none: every day); times and lists of times, also past midnight (22:00-02:00, 22:00-26:00); "off" and
 * "closed"; rules after ";", which replace what was said of their days before, and after ",", which add to it.
 * false for anything else (holidays, seasons, sunset, comments): nobody knows then whether it is open. */
MUST_CHECK bool opening_parse(struct str text, struct opening *opening);
bool opening_contains(const struct opening_span *spans, unsigned count, int minute);
/* "{[540,720),[810,1020)}": an int4multirange of Postgres. */
struct str opening_multirange(struct arena *arena, const struct opening *opening);
/* The minute of the week of a moment (wall microseconds). */
int week_minute(int64_t wall);

#endif
