/* Opening hours: what is understood, what it means, and what is left unknown. */
#include "publications/opening_hours.h"

#include <shimin/arena.h>
#include <shimin/clock.h>

#include <check.h>
#include <string.h>

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open();
}

static void close_arena(void)
{
    arena_close(arena);
}

static void expect(const char *text, const char *multirange)
{
    struct opening opening;
    ck_assert_msg(opening_parse(str_of(text), &opening), "not understood: %s", text);
    ck_assert_str_eq(str_to_c(arena, opening_multirange(arena, &opening)), multirange);
}

static bool is_open(const char *text, const char *moment)
{
    struct opening opening;
    int64_t wall;
    ck_assert(opening_parse(str_of(text), &opening));
    ck_assert(time_parse_rfc3339(str_of(moment), &wall));
    return opening_contains(opening.spans, opening.count, week_minute(wall));
}

START_TEST(the_whole_week_is_one_span)
{
    expect("24/7", "{[0,10080)}");
    expect("Mo-Su", "{[0,10080)}");
    expect("Mo-Su 00:00-24:00", "{[0,10080)}");
    expect("00:00-24:00", "{[0,10080)}");
}
END_TEST

START_TEST(days_and_ranges_of_days_are_read)
{
    expect("Mo 09:00-17:00", "{[540,1020)}");
    expect("Sa,Su 10:00-12:00", "{[7800,7920),[9240,9360)}");
    expect("Sa-Mo 10:00-12:00", "{[600,720),[7800,7920),[9240,9360)}");
    expect("Mo-Tu,Su 0:00-1:00", "{[0,60),[1440,1500),[8640,8700)}");
}
END_TEST

START_TEST(a_pause_at_noon_parts_the_day)
{
    expect("We 09:00-12:00,13:30-17:00", "{[3420,3600),[3690,3900)}");
    expect(" We  09:00 - 12:00 , 13:30-17:00 ", "{[3420,3600),[3690,3900)}");
}
END_TEST

START_TEST(a_night_goes_on_in_the_next_day)
{
    expect("Mo 22:00-02:00", "{[1320,1560)}");
    expect("Mo 22:00-26:00", "{[1320,1560)}");
    expect("Su 22:00-02:00", "{[0,120),[9960,10080)}");
}
END_TEST

START_TEST(a_later_rule_replaces_its_days)
{
    expect("Mo-Fr 08:00-17:30; Sa 08:00-12:00", "{[480,1050),[1920,2490),[3360,3930),[4800,5370),[6240,6810),[7680,7920)}");
    expect("Mo-Su 09:00-17:00; Tu-Su off", "{[540,1020)}");
    expect("24/7; Mo closed", "{[1440,10080)}");
    expect("Mo 09:00-12:00; Mo 14:00-18:00", "{[840,1080)}");
}
END_TEST

START_TEST(a_rule_after_a_comma_adds)
{
    expect("Mo 09:00-12:00, Mo 14:00-18:00", "{[540,720),[840,1080)}");
    expect("Mo 09:00-12:00, Tu 09:00-10:00", "{[540,720),[1980,2040)}");
}
END_TEST

START_TEST(off_alone_is_never_open)
{
    expect("off", "{}");
    expect("Mo-Su closed", "{}");
}
END_TEST

START_TEST(what_is_not_understood_is_unknown)
{
    static const char *const texts[] = {
        "",
        " ",
        "全天开放",
        "Mo-Fr 09:00-17:00; PH off",
        "sunrise-sunset",
        "09:00",
        "09:00+",
        "Mo-Fr 09:00-17:00 \"by appointment\"",
        "Mo-Fr 09:60-17:00",
        "Mo-Fr 25:00-26:00",
        "Mo-Fr 09:00-49:00",
        "Mo- 09:00-10:00",
        "Mo, 09:00-10:00",
        "Mo 09:00-10:00,",
        "Mo 09:00-10:00 || Tu 09:00-10:00",
        "Mo[1] 09:00-10:00",
        "Jan-Mar 09:00-10:00",
        "24/7 24/7",
    };
    struct opening opening;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        ck_assert_msg(!opening_parse(str_of(texts[i]), &opening), "understood: %s", texts[i]);
}
END_TEST

START_TEST(more_spans_than_fit_are_unknown)
{
    struct text text = text_open(arena, 512);
    for (int i = 0; i < 20; i++)
        text_printf(&text, "%s%02d:00-%02d:30", i ? "," : "", i, i);
    struct opening opening;
    ck_assert(!opening_parse(text_str(&text), &opening));
}
END_TEST

START_TEST(moments_are_of_china_standard_time)
{
    ck_assert(is_open("Mo-Fr 09:00-17:00", "2026-03-02T09:00:00+08:00")); /* a Monday */
    ck_assert(!is_open("Mo-Fr 09:00-17:00", "2026-03-02T17:00:00+08:00"));
    ck_assert(is_open("Mo-Fr 09:00-17:00", "2026-03-02T01:30:00Z"));
    ck_assert(!is_open("Mo-Fr 09:00-17:00", "2026-03-01T09:30:00+08:00"));
    ck_assert(is_open("Su 22:00-02:00", "2026-03-02T01:59:59+08:00"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("publications opening hours");
    TCase *tests = tcase_create("opening hours");
    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_test(tests, the_whole_week_is_one_span);
    tcase_add_test(tests, days_and_ranges_of_days_are_read);
    tcase_add_test(tests, a_pause_at_noon_parts_the_day);
    tcase_add_test(tests, a_night_goes_on_in_the_next_day);
    tcase_add_test(tests, a_later_rule_replaces_its_days);
    tcase_add_test(tests, a_rule_after_a_comma_adds);
    tcase_add_test(tests, off_alone_is_never_open);
    tcase_add_test(tests, what_is_not_understood_is_unknown);
    tcase_add_test(tests, more_spans_than_fit_are_unknown);
    tcase_add_test(tests, moments_are_of_china_standard_time);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
