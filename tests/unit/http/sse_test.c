/* Server-sent events and Accept, byte for byte. */
#include <shimin/arena.h>
#include <shimin/sse.h>

#include <check.h>

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open();
}

static void close_arena(void)
{
    arena_close(arena);
}

static void expect(const struct sse_event *event, const char *frame)
{
    struct text text = text_open(arena, 0);
    sse_write(&text, event);
    ck_assert_str_eq(text.at, frame);
}

START_TEST(an_event_ends_with_an_empty_line)
{
    expect(&(struct sse_event){.id = STR("7"), .event = STR("items"), .data = STR("{}"), .retry = 3000},
           "retry: 3000\nevent: items\nid: 7\ndata: {}\n\n");
    expect(&(struct sse_event){.retry = 5}, "retry: 5\n\n");
}
END_TEST

START_TEST(each_line_of_data_is_a_field)
{
    expect(&(struct sse_event){.data = STR("{\n\"a\":1\r\n}")}, "data: {\ndata: \"a\":1\ndata: }\n\n");
    expect(&(struct sse_event){.data = STR("")}, "data: \n\n");
}
END_TEST

START_TEST(no_value_can_begin_a_field_of_its_own)
{
    expect(&(struct sse_event){.id = STR("1\nevent: x"), .data = STR("a\rid: 2")}, "id: 1event: x\ndata: aid: 2\n\n");
}
END_TEST

START_TEST(a_heartbeat_is_a_comment)
{
    struct text text = text_open(arena, 0);
    sse_write_heartbeat(&text);
    ck_assert_str_eq(text.at, ":\n\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("publications frames");
    TCase *tests = tcase_create("frames");
    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_test(tests, an_event_ends_with_an_empty_line);
    tcase_add_test(tests, each_line_of_data_is_a_field);
    tcase_add_test(tests, no_value_can_begin_a_field_of_its_own);
    tcase_add_test(tests, a_heartbeat_is_a_comment);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
