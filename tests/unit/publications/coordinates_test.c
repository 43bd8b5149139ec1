/* Coordinates of Chinese maps. The known points are those of the tests of eviltransform and of coordtransform. */
#include "publications/coordinates.h"

#include <check.h>
#include <math.h>

#define NEAR 1e-6 /* degrees: a tenth of a metre */

static void expect_near(struct position got, struct position wanted, double within)
{
    ck_assert_double_lt(fabs(got.latitude - wanted.latitude), within);
    ck_assert_double_lt(fabs(got.longitude - wanted.longitude), within);
}

START_TEST(known_points_are_shifted_as_the_maps_shift_them)
{
    static const struct {
        struct position wgs84, gcj02;
    } points[] = {
        {{31.1774276, 121.5272106}, {31.17530398364597, 121.531541859215}},
        {{22.543847, 113.912316}, {22.540796131694766, 113.9171764808363}},
        {{39.911954, 116.377817}, {39.91334545536069, 116.38404722455657}},
        {{39.915, 116.404}, {39.91640428150164, 116.41024449916938}},
    };
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        expect_near(position_from_wgs84(points[i].wgs84, COORD_SYS_GCJ02), points[i].gcj02, NEAR);
        expect_near(position_to_wgs84(points[i].gcj02, COORD_SYS_GCJ02), points[i].wgs84, NEAR);
    }
}
END_TEST

START_TEST(baidu_shifts_once_more)
{
    /* GCJ-02 39.915,116.404 is BD-09 39.92133699351022,116.41036949371029 */
    struct position gcj02 = {39.915, 116.404}, bd09 = {39.92133699351022, 116.41036949371029};
    expect_near(position_to_wgs84(bd09, COORD_SYS_BD09), position_to_wgs84(gcj02, COORD_SYS_GCJ02), NEAR);
}
END_TEST

START_TEST(there_and_back_is_well_under_a_metre_all_over_china)
{
    double worst = 0;
    for (double latitude = 18.2; latitude < 53; latitude += 0.37)
        for (double longitude = 73.7; longitude < 135; longitude += 0.61)
            for (enum coord_sys system = COORD_SYS_GCJ02; system <= COORD_SYS_BD09; system++) {
                struct position at = {latitude, longitude};
                struct position back = position_to_wgs84(position_from_wgs84(at, system), system);
                worst = fmax(worst, position_distance(at, back));
            }
    ck_assert_double_lt(worst, 0.01);
}
END_TEST

START_TEST(nothing_is_shifted_outside_china)
{
    struct position paris = {48.8584, 2.2945}, sydney = {-33.8568, 151.2153};
    expect_near(position_to_wgs84(paris, COORD_SYS_GCJ02), paris, 1e-12);
    expect_near(position_to_wgs84(sydney, COORD_SYS_BD09), sydney, 1e-12);
    expect_near(position_from_wgs84(sydney, COORD_SYS_BD09), sydney, 1e-12);
}
END_TEST

START_TEST(cgcs2000_is_taken_as_wgs84)
{
    struct position chengdu = {30.6586, 104.0648};
    expect_near(position_to_wgs84(chengdu, COORD_SYS_CGCS2000), chengdu, 1e-12);
    expect_near(position_to_wgs84(chengdu, COORD_SYS_WGS84), chengdu, 1e-12);
}
END_TEST

START_TEST(systems_have_names)
{
    enum coord_sys system;
    ck_assert(coord_sys_named(STR("BD09"), &system) && system == COORD_SYS_BD09);
    ck_assert(!coord_sys_named(STR("bd09"), &system));
    ck_assert(!coord_sys_named(STR_NONE, &system));
}
END_TEST

START_TEST(what_is_not_on_the_globe_is_not_valid)
{
    ck_assert(position_is_valid((struct position){-90, 180}));
    ck_assert(!position_is_valid((struct position){90.1, 0}));
    ck_assert(!position_is_valid((struct position){0, -180.5}));
    ck_assert(!position_is_valid((struct position){NAN, 0}));
}
END_TEST

START_TEST(distances_are_along_great_circles)
{
    struct position a = {30.65, 104.06}, b = {30.66, 104.06};
    ck_assert_double_lt(fabs(position_distance(a, b) - 1111.9507973), 1e-3); /* as PostGIS says */
    ck_assert_double_eq(position_distance(a, a), 0);
    ck_assert_double_lt(fabs(position_distance((struct position){0, 0}, (struct position){0, 180}) - M_PI * 6371008.7714), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("publications coordinates");
    TCase *tests = tcase_create("coordinates");
    tcase_add_test(tests, known_points_are_shifted_as_the_maps_shift_them);
    tcase_add_test(tests, baidu_shifts_once_more);
    tcase_add_test(tests, there_and_back_is_well_under_a_metre_all_over_china);
    tcase_add_test(tests, nothing_is_shifted_outside_china);
    tcase_add_test(tests, cgcs2000_is_taken_as_wgs84);
    tcase_add_test(tests, systems_have_names);
    tcase_add_test(tests, what_is_not_on_the_globe_is_not_valid);
    tcase_add_test(tests, distances_are_along_great_circles);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
