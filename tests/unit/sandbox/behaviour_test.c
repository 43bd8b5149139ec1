/* Behaviours are read, drawn as often as they should be, and end; names belong to numbers; texts match patterns. */
#include "behaviour.h"

#include <check.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <stdlib.h>

#include "contract/schema.h"
#include "generate.h"
#include "person.h"
#include "remembered.h"

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open();
}

static void shut_arena(void)
{
    person_forget_all();
    arena_close(arena);
}

static bool read_text(const char *text, struct behaviour *behaviour)
{
    struct json_error error;
    const char *reason;
    const struct json *value = json_parse(arena, str_of(text), &json_limits_request, &error);
    ck_assert(value != NULL);
    return behaviour_read(value, behaviour, &reason);
}

START_TEST(a_behaviour_is_read_with_what_it_leaves_out)
{
    struct behaviour behaviour;
    ck_assert(read_text("{\"mode\":\"slow\"}", &behaviour));
    ck_assert_int_eq(behaviour.mode, BEHAVIOUR_SLOW);
    ck_assert_int_eq(behaviour.delay, milliseconds(1000));
    ck_assert(behaviour.ratio == 1 && behaviour.until == 0);
    ck_assert(read_text("{\"mode\":\"failing\",\"status\":503,\"ratio\":0.5,\"operation\":\"a\",\"until\":9}", &behaviour));
    ck_assert_uint_eq(behaviour.status, 503);
    ck_assert_str_eq(behaviour.operation, "a");
    ck_assert(behaviour.until > clock_steady());
    ck_assert(!read_text("{\"mode\":\"angry\"}", &behaviour));
    ck_assert(!read_text("{\"mode\":\"down\",\"operation\":\"a\"}", &behaviour));
}
END_TEST

START_TEST(one_call_in_four_is_affected_when_the_ratio_says_so)
{
    struct behaviour_slot *slot = behaviour_slot_new(arena);
    struct behaviour behaviour;
    unsigned affected = 0;
    ck_assert(read_text("{\"mode\":\"failing\",\"ratio\":0.25,\"operation\":\"a\"}", &behaviour));
    behaviour_set(slot, &behaviour);
    for (int i = 0; i < 100; i++) {
        affected += behaviour_draw(slot, STR("a")).mode == BEHAVIOUR_FAILING;
        ck_assert_int_eq(behaviour_draw(slot, STR("b")).mode, BEHAVIOUR_NORMAL);
    }
    ck_assert_uint_eq(affected, 25);
}
END_TEST

START_TEST(a_behaviour_ends_by_itself)
{
    struct behaviour_slot *slot = behaviour_slot_new(arena);
    struct behaviour behaviour;
    ck_assert(read_text("{\"mode\":\"down\"}", &behaviour));
    behaviour.until = clock_steady() - 1;
    behaviour_set(slot, &behaviour);
    ck_assert_int_eq(behaviour_now(slot).mode, BEHAVIOUR_NORMAL);
}
END_TEST

START_TEST(a_number_belongs_to_the_first_name_it_is_asked_with)
{
    ck_assert(person_matches(STR("440524188001010022"), STR("王芳")));
    ck_assert(person_matches(STR("440524188001010022"), STR("王芳")));
    ck_assert(!person_matches(STR("440524188001010022"), STR("李娜")));
    ck_assert(person_matches(STR("11010519491231002X"), STR("张伟")));
    ck_assert(person_matches(STR("11010519491231002x"), STR("张伟")));
    ck_assert(!person_matches(STR("11010519491231002X"), STR("李秀英")));
    ck_assert(person_matches(STR("440524188001010014"), STR("李秀英")));
    ck_assert(!person_matches(STR("110105194912310021"), STR("张伟"))); /* check digit */
    ck_assert(!person_matches(STR("11010519491231002X"), STR("")));
}
END_TEST

START_TEST(a_nonce_is_new_once_and_again_when_it_has_expired)
{
    struct remembered *set = remembered_open(64);
    ck_assert(remembered_add(set, STR("key"), STR("n"), clock_wall() + seconds(9)));
    ck_assert(!remembered_add(set, STR("key"), STR("n"), clock_wall() + seconds(9)));
    ck_assert(remembered_add(set, STR("other"), STR("n"), clock_wall() + seconds(9)));
    ck_assert(remembered_add(set, STR("key"), STR("old"), clock_wall() - 1));
    ck_assert(remembered_add(set, STR("key"), STR("old"), clock_wall() + seconds(9)));
    ck_assert(remembered_has(set, STR("key"), STR("n"), clock_wall()));
    remembered_clear(set);
    ck_assert(!remembered_has(set, STR("key"), STR("n"), clock_wall()));
    remembered_free(set);
}
END_TEST

static const char *const patterns[] = {
    "^[1-9][0-9]{16}[0-9X]$",
    "^川[A-Z][A-Z0-9]{5,6}$",
    "^(GET|PUT)-\\d+\\.\\w*$",
    "^[^a-f]{3}$",
    "^[\\u4e00-\\u9fa5]{2,4}$",
    "^1[3-9][0-9]{9}$",
    "^(?:ab?c){2,3}(x|y|)z*?$",
    "^\\+86\\s?[\\d-]{4}$",
    "^$",
    "^[a-z0-9]+(-[a-z0-9]+)*$",
    "^\\x41\\u{42}[\\]\\-]$",
    "abc",
    "^.{3,5}$",
    "^(?<year>\\d{4})$",
};

START_TEST(a_made_text_matches_its_pattern)
{
    struct str source =
        str_printf(arena, "{\"pattern\":%.*s}", STR_ARG(json_text(arena, json_make_string(arena, str_of(patterns[_i])))));
    struct json_error error;
    struct str reason;
    const struct schema_options options = {.assert_formats = true};
    const struct schema *schema =
        schema_compile(arena, json_parse(arena, source, &json_limits_request, &error), &options, &reason);
    ck_assert_msg(schema != NULL, "%.*s", STR_ARG(reason));
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct text text = text_open(arena, 16);
        ck_assert(generate_matching(&text, str_of(patterns[_i]), seed));
        ck_assert_msg(schema_validate(schema, json_make_string(arena, text_str(&text)), NULL), "%s: %s", patterns[_i], text.at);
    }
}
END_TEST

START_TEST(patterns_that_cannot_be_made_are_given_up)
{
    const char *hopeless[] = {"^(?=a)b$", "(a)\\1", "[", "(", "a{99999}{99999}", "[]", "\\"};
    for (size_t i = 0; i < COUNT_OF(hopeless); i++) {
        struct text text = text_open(arena, 16);
        bool made = generate_matching(&text, str_of(hopeless[i]), 1);
        ck_assert(text.len < 100000 && (!made || i == 4));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("behaviour");
    TCase *tcase = tcase_create("behaviour");
    tcase_add_checked_fixture(tcase, open_arena, shut_arena);
    tcase_add_test(tcase, a_behaviour_is_read_with_what_it_leaves_out);
    tcase_add_test(tcase, one_call_in_four_is_affected_when_the_ratio_says_so);
    tcase_add_test(tcase, a_behaviour_ends_by_itself);
    tcase_add_test(tcase, a_number_belongs_to_the_first_name_it_is_asked_with);
    tcase_add_test(tcase, a_nonce_is_new_once_and_again_when_it_has_expired);
    tcase_add_loop_test(tcase, a_made_text_matches_its_pattern, 0, (int)COUNT_OF(patterns));
    tcase_add_test(tcase, patterns_that_cannot_be_made_are_given_up);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
