/* The parser of opening hours: rules into a bitmap of the week, and the bitmap into spans. */
#include "opening_hours.h"

#include <shimin/clock.h>

#include <string.h>

enum { DAYS = 7, TEXT_MOST = 512, TIMES_MOST = 8, LATEST = 48 * 60 };

static const struct str day_names[DAYS] = {STR("Mo"), STR("Tu"), STR("We"), STR("Th"), STR("Fr"), STR("Sa"), STR("Su")};

/* One rule: on these days, at these times; "off" has none. */
struct rule {
    unsigned days; /* a bit each, Monday first */
    struct opening_span times[TIMES_MOST];
    unsigned count;
    bool adds;
};

/* Hours of each day from its own midnight on, so that a later rule can replace a day with what of it lies past midnight. */
struct week {
    unsigned char open[DAYS][LATEST / 8];
};

static bool skip(struct str *rest, struct str word)
{
    if (!str_starts(*rest, word))
        return false;
    *rest = str_slice(*rest, word.len, rest->len);
    return true;
}

static void skip_spaces(struct str *rest)
{
    while (skip(rest, STR(" ")))
        ;
}

static int read_day(struct str *rest)
{
    for (int day = 0; day < DAYS; day++)
        if (skip(rest, day_names[day]))
            return day;
    return -1;
}

static bool at_day(struct str rest)
{
    return read_day(&rest) >= 0;
}

/* "Mo-Fr,Su": none of it is every day. */
static bool read_days(struct str *rest, unsigned *days)
{
    *days = at_day(*rest) ? 0 : (1U << DAYS) - 1;
    while (at_day(*rest)) {
        int from = read_day(rest), until = from;
        if (skip(rest, STR("-")) && (until = read_day(rest)) < 0)
            return false;
        *days |= 1U << until;
        for (int day = from; day != until; day = (day + 1) % DAYS)
            *days |= 1U << day;
        struct str ahead = *rest;
        skip_spaces(&ahead);
        if (!skip(&ahead, STR(",")))
            break;
        skip_spaces(&ahead);
        if (!at_day(ahead))
            return false; /* "Mo, 09:00": neither a list of days nor a rule */
        *rest = ahead;
    }
    skip_spaces(rest);
    return true;
}

static bool read_number(struct str *rest, size_t least, int *value)
{
    size_t digits = 0;
    *value = 0;
    while (digits < 2 && digits < rest->len && rest->at[digits] >= '0' && rest->at[digits] <= '9')
        *value = *value * 10 + (rest->at[digits++] - '0');
    *rest = str_slice(*rest, digits, rest->len);
    return digits >= least;
}

static bool read_minute(struct str *rest, int *minute)
{
    int hours, minutes;
    if (!read_number(rest, 1, &hours) || !skip(rest, STR(":")) || !read_number(rest, 2, &minutes) || minutes > 59)
        return false;
    *minute = hours * 60 + minutes;
    return *minute <= LATEST;
}

static bool read_time(struct str *rest, struct opening_span *time)
{
    if (!read_minute(rest, &time->from))
        return false;
    skip_spaces(rest);
    if (!skip(rest, STR("-")))
        return false;
    skip_spaces(rest);
    if (!read_minute(rest, &time->until) || time->from >= DAY_MINUTES)
        return false;
    if (time->until <= time->from) /* past midnight; 09:00-09:00 is a whole day */
        time->until += DAY_MINUTES;
    return time->until <= LATEST;
}

static bool read_times(struct str *rest, struct rule *rule)
{
    if (skip(rest, STR("off")) || skip(rest, STR("closed")))
        return true;
    if (!rest->len || rest->at[0] == ';') { /* days alone */
        rule->times[rule->count++] = (struct opening_span){0, DAY_MINUTES};
        return true;
    }
    for (;;) {
        if (rule->count == TIMES_MOST || !read_time(rest, &rule->times[rule->count++]))
            return false;
        struct str ahead = *rest;
        skip_spaces(&ahead);
        if (!skip(&ahead, STR(",")))
            return true;
        skip_spaces(&ahead);
        if (at_day(ahead)) /* the comma begins a rule that adds */
            return true;
        *rest = ahead;
    }
}

static bool read_rule(struct str *rest, struct rule *rule)
{
    skip_spaces(rest);
    if (skip(rest, STR("24/7"))) {
        rule->days = (1U << DAYS) - 1;
        rule->times[rule->count++] = (struct opening_span){0, DAY_MINUTES};
        return true;
    }
    struct str before = *rest;
    return read_days(rest, &rule->days) && (rest->len || before.len) && read_times(rest, rule);
}

static void apply(struct week *week, const struct rule *rule)
{
    for (int day = 0; day < DAYS; day++) {
        if (!(rule->days & (1U << day)))
            continue;
        if (!rule->adds)
            memset(week->open[day], 0, sizeof week->open[day]);
        for (unsigned i = 0; i < rule->count; i++)
            for (int minute = rule->times[i].from; minute < rule->times[i].until; minute++)
                week->open[day][minute / 8] |= (unsigned char)(1U << (minute % 8));
    }
}

static bool is_open(const struct week *week, int day, int minute)
{
    return week->open[day][minute / 8] >> (minute % 8) & 1;
}

/* Open by its own day's hours, or by what the day before goes on with. */
static bool is_open_in_week(const struct week *week, int minute)
{
    int day = minute / DAY_MINUTES, of_day = minute % DAY_MINUTES;
    return is_open(week, day, of_day) || is_open(week, (day + DAYS - 1) % DAYS, of_day + DAY_MINUTES);
}

static bool gather(const struct week *week, struct opening *opening)
{
    bool was_open = false;
    for (int minute = 0; minute <= WEEK_MINUTES; minute++) {
        bool open = minute < WEEK_MINUTES && is_open_in_week(week, minute);
        if (open && !was_open) {
            if (opening->count == OPENING_SPANS)
                return false;
            opening->spans[opening->count++].from = minute;
        } else if (!open && was_open) {
            opening->spans[opening->count - 1].until = minute;
        }
        was_open = open;
    }
    return true;
}

bool opening_parse(struct str text, struct opening *opening)
{
    struct week week = {0};
    struct str rest = str_trim(text);
    opening->count = 0;
    if (!rest.len || rest.len > TEXT_MOST)
        return false;
    for (bool adds = false; rest.len;) {
        struct rule rule = {.adds = adds};
        if (!read_rule(&rest, &rule))
            return false;
        apply(&week, &rule);
        skip_spaces(&rest);
        adds = skip(&rest, STR(","));
        if (!adds && rest.len && !skip(&rest, STR(";")))
            return false;
        skip_spaces(&rest);
        if (adds && !at_day(rest))
            return false;
    }
    return gather(&week, opening);
}

bool opening_contains(const struct opening_span *spans, unsigned count, int minute)
{
    for (unsigned i = 0; i < count; i++)
        if (minute >= spans[i].from && minute < spans[i].until)
            return true;
    return false;
}

struct str opening_multirange(struct arena *arena, const struct opening *opening)
{
    struct text text = text_open(arena, 64);
    text_add_char(&text, '{');
    for (unsigned i = 0; i < opening->count; i++)
        text_printf(&text, "%s[%d,%d)", i ? "," : "", opening->spans[i].from, opening->spans[i].until);
    text_add_char(&text, '}');
    return text_str(&text);
}

int week_minute(int64_t wall)
{
    struct civil civil = time_civil(wall);
    return (civil.weekday + 6) % DAYS * DAY_MINUTES + civil.hour * 60 + civil.minute;
}
