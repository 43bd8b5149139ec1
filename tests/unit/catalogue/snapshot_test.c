/* Snapshots: what a document must be, how switches and their windows act, how areas are found. */
#include "catalogue/snapshot.h"

#include <check.h>
#include <shimin/arena.h>
#include <shimin/clock.h>

#include <stdlib.h>
#include <string.h>

#define SERVICE(slug, more)                                                                                                    \
    "{\"slug\":\"" slug                                                                                                        \
    "\",\"department\":\"metro\",\"name\":{\"zh\":\"地铁\",\"en\":\"Metro\"},\"summary\":{\"zh\":\"\",\"en\":\"\"},"         \
    "\"pinyin\":\"dt\",\"category\":\"travel\",\"archetype\":\"apply\",\"level\":\"L1\"" more "}"
#define DOCUMENT(services, areas, switches)                                                                                      \
    "{\"version\":7,\"switches_version\":3,\"categories\":[{\"slug\":\"travel\",\"name\":{\"zh\":\"交通\",\"en\":\"Travel\"}}" \
    "],"                                                                                                                         \
    "\"departments\":[{\"slug\":\"metro\",\"number\":1,\"name\":{\"zh\":\"地铁\",\"en\":\"Metro\"},\"kind\":\"utility\"}],"    \
    "\"services\":[" services "],\"areas\":[" areas "],\"switches\":[" switches "]}"

static struct arena *arena;
static struct text faults;

static void set_up(void)
{
    arena = arena_open();
    faults = text_open(arena, 256);
}

static void tear_down(void)
{
    arena_close(arena);
}

static struct str no_contracts(struct arena *unused, struct str sha256)
{
    (void)unused;
    (void)sha256;
    return STR_NONE;
}

static struct snapshot *compile(const char *document)
{
    return snapshot_compile(str_of(document), no_contracts, &faults);
}

static void expect_fault(const char *document, const char *words)
{
    ck_assert_ptr_null(compile(document));
    ck_assert_msg(strstr(faults.at, words) != NULL, "\"%s\" is not in: %s", words, faults.at);
}

START_TEST(a_good_document_becomes_a_snapshot)
{
    struct snapshot *snapshot = compile(DOCUMENT(SERVICE("a", ",\"aliases\":[\"b\"]"), "", ""));
    ck_assert_msg(snapshot != NULL, "%s", faults.at);
    ck_assert(str_is(snapshot_version(snapshot), "7.3"));
    ck_assert_ptr_nonnull(snapshot_service(snapshot, STR("a")));
    ck_assert_ptr_eq(snapshot_service(snapshot, STR("b")), snapshot_service(snapshot, STR("a")));
    ck_assert_ptr_null(snapshot_service(snapshot, STR("c")));
    ck_assert_ptr_nonnull(snapshot_department(snapshot, STR("metro")));
    snapshot_release(snapshot);
}
END_TEST

START_TEST(every_fault_is_named)
{
    expect_fault(DOCUMENT(SERVICE("a", "") "," SERVICE("a", ""), "", ""), "service a: declared twice");
    expect_fault(DOCUMENT(SERVICE("a", ",\"aliases\":[\"a\"]"), "", ""), "alias a is taken");
    expect_fault(
        DOCUMENT("{\"slug\":\"x\",\"department\":\"bus\",\"category\":\"nope\",\"archetype\":\"fly\",\"level\":\"L7\"}", "",
                 ""),
        "unknown department bus");
    ck_assert_ptr_nonnull(strstr(faults.at, "unknown category nope"));
    ck_assert_ptr_nonnull(strstr(faults.at, "unknown archetype"));
    ck_assert_ptr_nonnull(strstr(faults.at, "unknown level"));
    expect_fault("{\"version\":", "catalogue document:1:");
}
END_TEST

START_TEST(a_switch_holds_at_once_and_without_end_when_it_has_no_window)
{
    struct snapshot *snapshot = compile(DOCUMENT(SERVICE("a", ""), "",
                                                 "{\"scope\":\"service\",\"target\":\"a\",\"position\":\"off\",\"reason\":{"
                                                 "\"zh\":\"修\",\"en\":\"fix\"},\"set_by\":\"x\"}"));
    struct switch_state state = snapshot_switch(snapshot, snapshot_service(snapshot, STR("a")), NULL);
    ck_assert_int_eq(state.position, SWITCH_OFF);
    ck_assert(str_is(state.reason.en, "fix"));
    ck_assert_int_eq(snapshot_switch_changes_at(snapshot), INT64_MAX);
    snapshot_release(snapshot);
}
END_TEST

static struct snapshot *with_window(int64_t from, int64_t until)
{
    struct str document =
        str_printf(arena,
                   DOCUMENT(SERVICE("a", ""), "",
                            "{\"scope\":\"service\",\"target\":\"a\",\"position\":\"off\",\"from\":\"%s\",\"until\":\"%s\"}"),
                   time_rfc3339(arena, from).at, time_rfc3339(arena, until).at);
    return compile(document.at);
}

START_TEST(a_window_is_looked_at_when_it_is_asked_for)
{
    int64_t now = clock_wall(), hour = seconds(3600);
    const struct {
        int64_t from, until;
        enum switch_position position;
    } cases[] = {{now - hour, now + hour, SWITCH_OFF},
                 {now + hour, now + 2 * hour, SWITCH_OPEN},
                 {now - 2 * hour, now - hour, SWITCH_OPEN}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct snapshot *snapshot = with_window(cases[i].from, cases[i].until);
        ck_assert_int_eq(snapshot_switch(snapshot, snapshot_service(snapshot, STR("a")), NULL).position, cases[i].position);
        snapshot_release(snapshot);
    }
}
END_TEST

START_TEST(other_switches_share_the_definitions)
{
    struct snapshot *first = compile(DOCUMENT(SERVICE("a", ""), "", ""));
    struct snapshot *second = snapshot_with_switches(
        first,
        STR("{\"switches_version\":9,\"switches\":[{\"scope\":\"service\",\"target\":\"a\",\"position\":\"no_new\"},{"
            "\"scope\":\"service\",\"target\":\"gone\",\"position\":\"off\"}]}"),
        &faults);
    ck_assert_msg(second != NULL, "%s", faults.at);
    const struct service *service = snapshot_service(first, STR("a"));
    ck_assert_ptr_eq(snapshot_service(second, STR("a")), service);
    snapshot_release(first);
    ck_assert_int_eq(snapshot_switch(second, service, NULL).position, SWITCH_NO_NEW);
    ck_assert(str_is(snapshot_version(second), "7.9"));
    snapshot_release(second);
}
END_TEST

START_TEST(values_of_another_type_are_faults)
{
    expect_fault(DOCUMENT(SERVICE("a", ",\"aliases\":[5]"), "", ""), "/aliases/0: no string");
    expect_fault(DOCUMENT("5", "", ""), "unknown department");
    static const char *const rows[] = {"5",
                                       "[]",
                                       "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}",
                                       "[1,2,3,4]",
                                       "[\"5101\",\"a\",\"city\",5101]",
                                       "[\"5101\",null,\"city\",null]"};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_fault(str_printf(arena, DOCUMENT(SERVICE("a", ""), "%s", ""), rows[i]).at, "areas: row 1");
}
END_TEST

START_TEST(a_later_switch_goes_before_an_earlier_one_while_its_window_lasts)
{
    int64_t now = clock_wall(), hour = seconds(3600);
    struct str document = str_printf(
        arena,
        DOCUMENT(SERVICE("a", ""), "",
                 "{\"scope\":\"service\",\"target\":\"a\",\"position\":\"no_new\"},"
                 "{\"scope\":\"service\",\"target\":\"a\",\"position\":\"off\",\"from\":\"%s\"},"
                 "{\"scope\":\"service\",\"target\":\"a\",\"position\":\"read_only\",\"from\":\"%s\",\"until\":\"%s\"}"),
        time_rfc3339(arena, now + 2 * hour).at, time_rfc3339(arena, now - hour).at, time_rfc3339(arena, now + hour).at);
    struct snapshot *snapshot = compile(document.at);
    ck_assert_msg(snapshot != NULL, "%s", faults.at);
    ck_assert_int_eq(snapshot_switch(snapshot, snapshot_service(snapshot, STR("a")), NULL).position, SWITCH_READ_ONLY);
    int64_t changes = snapshot_switch_changes_at(snapshot);
    ck_assert(changes > now && changes <= now + hour);
    snapshot_release(snapshot);
}
END_TEST

#define CITY_AREAS                                                                                                             \
    "[\"5101\",\"市\",\"city\",null],[\"510104\",\"锦江\",\"district\",\"5101\"],[\"510105\",\"青羊\",\"district\",\"5101\"]"
#define SET(scope, target, position, more)                                                                                     \
    "{\"id\":7,\"scope\":\"" scope "\",\"target\":\"" target "\",\"position\":\"" position "\"" more "}"

static enum switch_position position_for(const struct snapshot *snapshot, const char *slug, const struct switch_asker *asker)
{
    return snapshot_switch(snapshot, snapshot_service(snapshot, str_of(slug)), asker).position;
}

START_TEST(the_most_restrictive_of_all_scopes_wins)
{
    static const struct {
        const char *switches;
        enum switch_position position;
        enum switch_scope scope;
    } cases[] = {
        {SET("department", "metro", "off", ""), SWITCH_OFF, SWITCH_FOR_DEPARTMENT},
        {SET("category", "travel", "no_new", ""), SWITCH_NO_NEW, SWITCH_FOR_CATEGORY},
        {SET("area", "5101", "read_only", ""), SWITCH_READ_ONLY, SWITCH_FOR_AREA},
        {SET("area", "510105", "off", ""), SWITCH_OPEN, SWITCH_FOR_SERVICE},
        {SET("city", "", "read_only", ""), SWITCH_READ_ONLY, SWITCH_FOR_CITY},
        {SET("department", "metro", "no_new", "") "," SET("city", "", "off", ""), SWITCH_OFF, SWITCH_FOR_CITY},
        {SET("service", "a", "off", "") "," SET("department", "metro", "open", ""), SWITCH_OFF, SWITCH_FOR_SERVICE},
        {SET("city", "", "off", "") "," SET("service", "a", "off", ""), SWITCH_OFF, SWITCH_FOR_SERVICE},
        {SET("department", "gone", "off", ""), SWITCH_OPEN, SWITCH_FOR_SERVICE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct snapshot *snapshot =
            compile(str_printf(arena, DOCUMENT(SERVICE("a", ",\"area\":\"510104\""), CITY_AREAS, "%s"), cases[i].switches).at);
        ck_assert_msg(snapshot != NULL, "%s", faults.at);
        struct switch_state state = snapshot_switch(snapshot, snapshot_service(snapshot, STR("a")), NULL);
        ck_assert_msg(state.position == cases[i].position && state.scope == cases[i].scope, "%s", cases[i].switches);
        snapshot_release(snapshot);
    }
}
END_TEST

START_TEST(a_request_that_asks_about_an_area_is_hit_by_its_switch)
{
    struct snapshot *snapshot = compile(DOCUMENT(SERVICE("a", ""), CITY_AREAS, SET("area", "510104", "off", "")));
    const struct switch_asker here = {.area = snapshot_area(snapshot, STR("510104"))},
                              there = {.area = snapshot_area(snapshot, STR("510105"))};
    ck_assert(snapshot_switches_areas(snapshot));
    ck_assert_int_eq(position_for(snapshot, "a", &here), SWITCH_OFF);
    ck_assert_int_eq(position_for(snapshot, "a", &there), SWITCH_OPEN);
    ck_assert_int_eq(position_for(snapshot, "a", NULL), SWITCH_OPEN);
    snapshot_release(snapshot);
}
END_TEST

START_TEST(a_share_hits_the_same_citizens_until_it_ends_and_no_guest)
{
    static const uint8_t key[32] = {1, 2, 3};
    switches_open(key);
    struct snapshot *first = compile(DOCUMENT(SERVICE("a", ""), "", SET("service", "a", "off", ",\"share\":30")));
    struct snapshot *second = compile(DOCUMENT(SERVICE("a", ""), "", SET("service", "a", "off", ",\"share\":30")));
    ck_assert_int_eq(position_for(first, "a", NULL), SWITCH_OPEN);
    ck_assert_int_eq(position_for(first, "a", &(struct switch_asker){0}), SWITCH_OPEN);
    unsigned hit = 0;
    for (unsigned i = 0; i < 2000; i++) {
        const struct switch_asker asker = {.citizen_id = str_printf(arena, "citizen-%u", i)};
        enum switch_position position = position_for(first, "a", &asker);
        ck_assert_int_eq(position_for(second, "a", &asker), position);
        hit += position == SWITCH_OFF;
    }
    ck_assert_uint_gt(hit, 500);
    ck_assert_uint_lt(hit, 700);
    snapshot_release(first);
    snapshot_release(second);
}
END_TEST

START_TEST(who_a_share_spares_has_what_was_set_before)
{
    static const uint8_t key[32] = {1, 2, 3};
    switches_open(key);
    struct snapshot *snapshot = compile(DOCUMENT(
        SERVICE("a", ""), "",
        SET("service", "a", "no_new", "") "," SET("service", "a", "off", ",\"share\":50,\"from\":\"2020-01-01T00:00:00Z\"")));
    bool seen[SWITCH_POSITIONS] = {false};
    for (unsigned i = 0; i < 100; i++)
        seen[position_for(snapshot, "a", &(struct switch_asker){.citizen_id = str_printf(arena, "c%u", i)})] = true;
    ck_assert(seen[SWITCH_OFF] && seen[SWITCH_NO_NEW] && !seen[SWITCH_OPEN]);
    snapshot_release(snapshot);
}
END_TEST

START_TEST(what_is_planned_for_any_scope_is_announced_with_the_service_soonest_first)
{
    int64_t now = clock_wall(), hour = seconds(3600);
    struct str document =
        str_printf(arena,
                   DOCUMENT(SERVICE("a", ""), "",
                            SET("city", "", "off", ",\"from\":\"%s\"") "," SET(
                                "department", "metro", "no_new", ",\"from\":\"%s\"") "," SET("service", "a", "off", "")),
                   time_rfc3339(arena, now + 2 * hour).at, time_rfc3339(arena, now + hour).at);
    struct snapshot *snapshot = compile(document.at);
    ck_assert_msg(snapshot != NULL, "%s", faults.at);
    const struct switch_state *plans;
    ck_assert_uint_eq(snapshot_service_plans(snapshot, arena, snapshot_service(snapshot, STR("a")), &plans), 2);
    ck_assert_int_eq(plans[0].scope, SWITCH_FOR_DEPARTMENT);
    ck_assert_int_eq(plans[1].scope, SWITCH_FOR_CITY);
    const struct department *metro = snapshot_department(snapshot, STR("metro"));
    ck_assert_uint_eq(snapshot_department_plans(snapshot, arena, metro, &plans), 2);
    ck_assert_int_eq(snapshot_department_switch(snapshot, metro).position, SWITCH_OPEN);
    snapshot_release(snapshot);
}
END_TEST

START_TEST(faults_of_switches_are_named)
{
    expect_fault(DOCUMENT(SERVICE("a", ""), "", SET("planet", "a", "off", "")), "unknown scope");
    expect_fault(DOCUMENT(SERVICE("a", ""), "", SET("service", "a", "ajar", "")), "unknown position");
    expect_fault(DOCUMENT(SERVICE("a", ""), "", SET("service", "a", "off", ",\"share\":100")), "a share is 1 to 99");
    expect_fault(DOCUMENT(SERVICE("a", ",\"area\":\"9\""), "", ""), "there is no area 9");
}
END_TEST

START_TEST(areas_hang_together_whatever_the_order_of_their_rows)
{
    struct snapshot *snapshot =
        compile(DOCUMENT(SERVICE("a", ""),
                         "[\"510104017\",\"街\",\"street\",\"510104\"],[\"5101\",\"市\",\"city\",null],"
                         "[\"510105\",\"青羊\",\"district\",\"5101\"],[\"510104\",\"锦江\",\"district\",\"5101\"]",
                         ""));
    ck_assert_msg(snapshot != NULL, "%s", faults.at);
    const struct area *city = snapshot_area(snapshot, STR("5101"));
    ck_assert_uint_eq(city->parent, AREA_NONE);
    ck_assert_uint_eq(city->children, 2);
    const struct area *street = snapshot_area(snapshot, STR("510104017000"));
    ck_assert(str_is(street->code, "510104017"));
    ck_assert(str_is(snapshot_area_at(snapshot, street->parent)->code, "510104"));
    ck_assert_ptr_null(snapshot_area(snapshot, STR("510104018")));
    snapshot_release(snapshot);
}
END_TEST

START_TEST(areas_with_a_circle_or_a_missing_parent_are_refused)
{
    expect_fault(DOCUMENT(SERVICE("a", ""), "[\"5101\",\"a\",\"city\",\"5102\"],[\"5102\",\"b\",\"city\",\"5101\"]", ""),
                 "circle");
    expect_fault(DOCUMENT(SERVICE("a", ""), "[\"5101\",\"a\",\"city\",\"51\"]", ""), "its parent is missing");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *cases = tcase_create("snapshot");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_good_document_becomes_a_snapshot);
    tcase_add_test(cases, every_fault_is_named);
    tcase_add_test(cases, a_switch_holds_at_once_and_without_end_when_it_has_no_window);
    tcase_add_test(cases, a_window_is_looked_at_when_it_is_asked_for);
    tcase_add_test(cases, other_switches_share_the_definitions);
    tcase_add_test(cases, values_of_another_type_are_faults);
    tcase_add_test(cases, a_later_switch_goes_before_an_earlier_one_while_its_window_lasts);
    tcase_add_test(cases, the_most_restrictive_of_all_scopes_wins);
    tcase_add_test(cases, a_request_that_asks_about_an_area_is_hit_by_its_switch);
    tcase_add_test(cases, a_share_hits_the_same_citizens_until_it_ends_and_no_guest);
    tcase_add_test(cases, who_a_share_spares_has_what_was_set_before);
    tcase_add_test(cases, what_is_planned_for_any_scope_is_announced_with_the_service_soonest_first);
    tcase_add_test(cases, faults_of_switches_are_named);
    tcase_add_test(cases, areas_hang_together_whatever_the_order_of_their_rows);
    tcase_add_test(cases, areas_with_a_circle_or_a_missing_parent_are_refused);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
