/* Time: the calendar, RFC 3339, HTTP dates. */
#include "../suite.h"

#include <shimin/clock.h>

#include <time.h>

START_TEST(the_clocks_run)
{
    int64_t steady = clock_steady(), wall = clock_wall();
    ck_assert_int_ge(clock_steady(), steady);
    ck_assert_int_gt(wall, INT64_C(1700000000) * 1000000);
    ck_assert_int_gt(deadline_in(seconds(2)), steady + milliseconds(1999));
}
END_TEST

START_TEST(times_are_written_in_china_standard_time)
{
    ASSERT_STR(time_rfc3339(arena, INT64_C(1772326800) * 1000000), "2026-03-01T09:00:00+08:00");
    ASSERT_STR(time_rfc3339_micro(arena, INT64_C(1772326800) * 1000000 + 42), "2026-03-01T09:00:00.000042+08:00");
    ASSERT_STR(time_rfc3339_micro(arena, -1), "1970-01-01T07:59:59.999999+08:00");
    ASSERT_STR(time_rfc3339(arena, INT64_MAX), "9999-12-31T23:59:59+08:00");
    ASSERT_STR(time_rfc3339(arena, INT64_MIN), "0000-01-01T00:00:00+08:00");
    struct civil civil = time_civil(INT64_C(1772326800) * 1000000);
    ck_assert(civil.year == 2026 && civil.month == 3 && civil.day == 1 && civil.hour == 9 && civil.weekday == 0);
}
END_TEST

START_TEST(the_calendar_agrees_with_the_c_library)
{
    for (int64_t second = INT64_C(-62135596800); second < INT64_C(253402300800); second += 86400 * 37 + 12345) {
        time_t shifted = (time_t)second + 8 * 3600;
        struct tm tm;
        gmtime_r(&shifted, &tm);
        struct civil civil = time_civil(second * 1000000);
        ck_assert(civil.year == tm.tm_year + 1900 && civil.month == tm.tm_mon + 1 && civil.day == tm.tm_mday &&
                  civil.hour == tm.tm_hour && civil.minute == tm.tm_min && civil.second == tm.tm_sec &&
                  civil.weekday == tm.tm_wday);
        int64_t back = 0;
        if (civil.year <= 9999) {
            ck_assert(time_parse_rfc3339(time_rfc3339(arena, second * 1000000), &back));
            ck_assert_int_eq(back, second * 1000000);
        }
    }
}
END_TEST

START_TEST(dates_exist_or_not)
{
    ck_assert(civil_is_date(2024, 2, 29) && civil_is_date(2000, 2, 29) && civil_is_date(2026, 12, 31));
    ck_assert(!civil_is_date(2026, 2, 29) && !civil_is_date(1900, 2, 29) && !civil_is_date(2026, 4, 31));
    ck_assert(!civil_is_date(2026, 0, 1) && !civil_is_date(2026, 13, 1) && !civil_is_date(2026, 1, 0));
}
END_TEST

START_TEST(rfc_3339_is_read_with_any_offset_and_nothing_else)
{
    static const struct {
        const char *text;
        int64_t micros; /* of 2026-03-01T01:00:00Z and what follows */
    } valid[] = {{"2026-03-01T01:00:00Z", 0},
                 {"2026-03-01t09:00:00+08:00", 0},
                 {"2026-02-28T19:30:00.5-05:30", 500000},
                 {"2026-03-01T01:00:00.123456789z", 123456},
                 {"2026-03-01T01:00:60Z", 59000000}};
    static const char *const invalid[] = {"",
                                          "2026-03-01",
                                          "2026-03-01T01:00:00",
                                          "2026-03-01 01:00:00Z",
                                          "2026-3-01T01:00:00Z",
                                          "2026-02-29T01:00:00Z",
                                          "2026-03-01T24:00:00Z",
                                          "2026-03-01T01:60:00Z",
                                          "2026-03-01T01:00:61Z",
                                          "2026-03-01T01:00:00.Z",
                                          "2026-03-01T01:00:00+0800",
                                          "2026-03-01T01:00:00+24:00",
                                          "2026-03-01T01:00:00+08:60",
                                          "2026-03-01T01:00:00ZZ",
                                          "+026-03-01T01:00:00Z"};
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        int64_t wall = 0;
        ck_assert_msg(time_parse_rfc3339(str_of(valid[i].text), &wall), "%s", valid[i].text);
        ck_assert_int_eq(wall, INT64_C(1772326800) * 1000000 + valid[i].micros);
    }
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        int64_t wall;
        ck_assert_msg(!time_parse_rfc3339(str_of(invalid[i]), &wall), "%s", invalid[i]);
    }
}
END_TEST

START_TEST(http_dates_are_written_in_one_form_and_read_in_three)
{
    ASSERT_STR(time_http_date(arena, INT64_C(1772326800) * 1000000), "Sun, 01 Mar 2026 01:00:00 GMT");
    static const char *const valid[] = {"Sun, 01 Mar 2026 01:00:00 GMT", "Sunday, 01-Mar-26 01:00:00 GMT",
                                        "Sun Mar  1 01:00:00 2026"};
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        int64_t wall = 0;
        ck_assert_msg(time_parse_http_date(str_of(valid[i]), &wall), "%s", valid[i]);
        ck_assert_int_eq(wall, INT64_C(1772326800) * 1000000);
    }
    int64_t wall = 0;
    ck_assert(time_parse_http_date(STR("Sunday, 06-Nov-94 08:49:37 GMT"), &wall)); /* the example of RFC 9110 */
    ck_assert_int_eq(wall, INT64_C(784111777) * 1000000);
    static const char *const invalid[] = {"",
                                          "Sun, 1 Mar 2026 01:00:00 GMT",
                                          "Sun, 01 Mar 2026 01:00:00",
                                          "Sun, 01 Mar 2026 01:00:00 UTC",
                                          "Sun, 31 Feb 2026 01:00:00 GMT",
                                          "Sun, 01 Mar 2026 25:00:00 GMT",
                                          "Xxx, 01 Mar 2026 01:00:00 GMT",
                                          "Sun, 01 Mar 2026 01:00:00 GMT ",
                                          "1772326800"};
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        ck_assert_msg(!time_parse_http_date(str_of(invalid[i]), &wall), "%s", invalid[i]);
}
END_TEST

RUN_TESTS("clock", the_clocks_run, times_are_written_in_china_standard_time, the_calendar_agrees_with_the_c_library,
          dates_exist_or_not, rfc_3339_is_read_with_any_offset_and_nothing_else,
          http_dates_are_written_in_one_form_and_read_in_three)
