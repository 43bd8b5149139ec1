/* The copy in memory answers as Postgres would. */
#include "publications/mirror.h"

#include <shimin/arena.h>

#include <check.h>

static struct arena *arena;
static struct mirror *mirror;

/* By name in bytes, as the statement gives them. */
static const char items[] =
    "[{\"id\":\"b\",\"name\":\"A Toilet\",\"address\":\"x\",\"latitude\":30.66,\"longitude\":104.06,\"opening_hours\":\"Mo "
    "09:00-10:00\","
    "\"phone_number\":null,\"category\":\"wc\",\"details\":{\"n\":1}},"
    "{\"id\":\"a\",\"name\":\"B\",\"address\":\"y\",\"latitude\":30.65,\"longitude\":104.06,\"opening_hours\":\"ask\",\"phone_"
    "number\":\"1\","
    "\"category\":null,\"details\":{}},"
    "{\"id\":\"c\",\"name\":\"C\",\"address\":\"y\",\"latitude\":null,\"longitude\":null,\"opening_hours\":null,\"phone_"
    "number\":null,"
    "\"category\":null,\"details\":{}}]";

static void open_mirror(void)
{
    arena = arena_open();
    mirror = mirror_parse(STR("toilets"), mirror_text(arena, 5, 6, STR("city"), STR(items)));
    ck_assert_ptr_nonnull(mirror);
}

static void close_mirror(void)
{
    arena_close(mirror->arena);
    arena_close(arena);
}

static struct place_search any(void)
{
    return (struct place_search){.slug = STR("toilets"),
                                 .open_minute = MINUTE_ANY,
                                 .after_distance = -1,
                                 .after_name = STR(""),
                                 .after_id = STR(""),
                                 .radius = 2000,
                                 .from = {30.65, 104.06},
                                 .limit = 10};
}

static const char *ids_of(const struct place_search *search)
{
    const struct place *places;
    size_t count = mirror_search(arena, mirror, search, &places);
    struct text text = text_open(arena, 16);
    text_add_c(&text, "");
    for (size_t i = 0; i < count; i++)
        text_add(&text, places[i].id);
    return text.len ? text.at : "";
}

START_TEST(a_copy_says_what_it_was_made_of)
{
    ck_assert_int_eq(mirror->as_of, 5);
    ck_assert_int_eq(mirror->pulled_at, 6);
    ck_assert(str_is(mirror->source, "city"));
    ck_assert_uint_eq(mirror->count, 3);
    ck_assert(str_is(mirror->places[0].place.details, "{\"n\":1}"));
}
END_TEST

START_TEST(without_a_point_places_come_by_name)
{
    struct place_search search = any();
    ck_assert_str_eq(ids_of(&search), "bac");
    search.limit = 1; /* and one more */
    ck_assert_str_eq(ids_of(&search), "ba");
    search.after_name = STR("A Toilet");
    search.after_id = STR("b");
    ck_assert_str_eq(ids_of(&search), "ac");
}
END_TEST

START_TEST(near_a_point_the_nearest_comes_first)
{
    struct place_search search = any();
    search.near = true;
    ck_assert_str_eq(ids_of(&search), "ab");
    search.radius = 1000;
    ck_assert_str_eq(ids_of(&search), "a");
    search.radius = 2000;
    search.after_distance = 0;
    search.after_id = STR("a");
    ck_assert_str_eq(ids_of(&search), "b");
}
END_TEST

START_TEST(only_what_is_known_to_be_closed_is_left_out)
{
    struct place_search search = any();
    search.open_minute = search.answer_minute = 8 * 60;
    ck_assert_str_eq(ids_of(&search), "ac");
    search.open_minute = search.answer_minute = 9 * 60;
    ck_assert_str_eq(ids_of(&search), "bac");
    const struct place *places;
    mirror_search(arena, mirror, &search, &places);
    ck_assert_int_eq(places[0].open, OPEN_YES);
    ck_assert_int_eq(places[1].open, OPEN_UNKNOWN);
}
END_TEST

START_TEST(every_word_must_be_found)
{
    struct place_search search = any();
    search.text = STR("toilet x");
    ck_assert_str_eq(ids_of(&search), "b");
    search.text = STR("toilet y");
    ck_assert_str_eq(ids_of(&search), "");
    search.text = STR_NONE;
    search.category = STR("wc");
    ck_assert_str_eq(ids_of(&search), "b");
}
END_TEST

START_TEST(documents_are_found_by_id)
{
    struct str list = STR("[{\"id\":\"1\",\"title\":\"t\",\"body\":\"b\",\"version\":3,\"updated_at\":7,\"received_at\":8}]");
    struct mirror *texts = mirror_parse(STR("guides"), mirror_text(arena, 1, 2, STR("gov"), list));
    ck_assert_ptr_nonnull(texts);
    ck_assert_int_eq(mirror_document(texts, STR("1"))->version, 3);
    ck_assert_ptr_null(mirror_document(texts, STR("2")));
    ck_assert_ptr_null(mirror_document(mirror, STR("a")));
    arena_close(texts->arena);
}
END_TEST

START_TEST(what_is_no_copy_is_refused)
{
    ck_assert_ptr_null(mirror_parse(STR("x"), STR("")));
    ck_assert_ptr_null(mirror_parse(STR("x"), STR("{\"items\":{}}")));
    ck_assert_ptr_null(mirror_parse(STR("x"), STR("{\"items\":[")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("publications copies");
    TCase *tests = tcase_create("copies");
    tcase_add_checked_fixture(tests, open_mirror, close_mirror);
    tcase_add_test(tests, a_copy_says_what_it_was_made_of);
    tcase_add_test(tests, without_a_point_places_come_by_name);
    tcase_add_test(tests, near_a_point_the_nearest_comes_first);
    tcase_add_test(tests, only_what_is_known_to_be_closed_is_left_out);
    tcase_add_test(tests, every_word_must_be_found);
    tcase_add_test(tests, documents_are_found_by_id);
    tcase_add_test(tests, what_is_no_copy_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
