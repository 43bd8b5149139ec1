/* What single header fields mean. */
#include <check.h>
#include <string.h>

#include "http/head.h"
#include "http/negotiate.h"
#include "http/trace.h"

START_TEST(a_traceparent_is_read_as_the_specification_says)
{
    static const struct {
        const char *text;
        bool valid;
    } vectors[] = {
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false}, /* version 00 has nothing more */
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", true},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", false},
        {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
        {"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
        {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e4736.00f067aa0ba902b7-01", false},
        /* two fields, joined */
        {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
         false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct trace trace = {0};
        ck_assert_msg(trace_parse(str_of(vectors[i].text), &trace) == vectors[i].valid, "%s", vectors[i].text);
    }
}
END_TEST

START_TEST(a_trace_keeps_its_id_and_known_flags_and_gets_a_new_span)
{
    struct trace trace = {0};
    char text[TRACE_PARENT_SIZE];
    trace_begin(&trace, STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"));
    ck_assert_str_eq(trace.id, "0af7651916cd43dd8448eb211c80319c");
    ck_assert_str_eq(trace.parent, "b7ad6b7169203331");
    ck_assert_str_ne(trace.span, trace.parent);
    trace_format(&trace, text);
    ck_assert_str_eq(text + 53, "03"); /* sampled and random; what we do not know is zero */
    trace_begin(&trace, STR("nonsense"));
    ck_assert_str_eq(trace.parent, "");
    ck_assert_uint_eq(strlen(trace.id), 32);
}
END_TEST

START_TEST(a_tracestate_goes_on_whole_shortened_or_not_at_all)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    static const char *const vectors[][2] = {
        {"a=1", "a=1"},    {" a=1 ,\tb@c=x y ,, ", "a=1,b@c=x y"},
        {"a=1,a=2", NULL}, {"A=1", NULL},
        {"a", NULL},       {"a=", NULL},
        {"a=b=c", NULL},   {"-a=1", NULL},
        {"", NULL},        {" , ", NULL},
        {"a=\xe5", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct str state = trace_state(arena, str_of(vectors[i][0]));
        if (vectors[i][1])
            ck_assert_msg(str_is(state, vectors[i][1]), "%s", vectors[i][0]);
        else
            ck_assert_msg(!state.at, "%s", vectors[i][0]);
    }
    ck_assert_ptr_null(trace_state(arena, STR_NONE).at);
    /* 33 members are too many; of 32 with 20 bytes each, the first 24 fit into 512 bytes with their commas */
    struct text list = text_open(arena, 1024);
    for (int i = 0; i < 32; i++)
        text_printf(&list, "%sk%02d=0123456789abcdef", i ? "," : "", i);
    ck_assert_uint_eq(trace_state(arena, text_str(&list)).len, 24 * 21 - 1);
    text_printf(&list, ",l=1");
    ck_assert_ptr_null(trace_state(arena, text_str(&list)).at);
    /* the long one goes first */
    list = text_open(arena, 1024);
    text_printf(&list, "a=%0250d,b=1", 1);
    ck_assert_uint_eq(trace_state(arena, text_str(&list)).len, 252 + 4);
    text_printf(&list, ",c=%0250d,d=2", 1);
    ck_assert(str_is(trace_state(arena, text_str(&list)), "b=1,d=2"));
}
END_TEST

START_TEST(chinese_is_spoken_unless_english_is_preferred)
{
    static const struct {
        const char *text;
        bool chinese;
    } vectors[] = {
        {NULL, true},
        {"", true},
        {"zh-CN,zh;q=0.9,en;q=0.8", true},
        {"en-US,en;q=0.9,zh-CN;q=0.8", false},
        {"en", false},
        {"zh", true},
        {"fr", true},
        {"fr, en;q=0.3", false},
        {"en;q=0.8, zh", true},
        {"*", true},
        {"*, en;q=0.5", true},
        {"zh;q=0, en;q=0.001", false},
        {"EN-gb", false},
        {"english", true},
        {"en;q=0", true},
        {"en;q=abc", false},
        {"en;q=1.5", false},
        {"en;x=y;q=0", true},
        {",,,en", false},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        ck_assert_msg(negotiate_chinese(str_of(vectors[i].text)) == vectors[i].chinese, "%s", vectors[i].text);
}
END_TEST

START_TEST(gzip_is_sent_only_to_who_says_so)
{
    static const struct {
        const char *text;
        bool gzip;
    } vectors[] = {
        {NULL, false},       {"", false},      {"gzip", true},   {"br, GZIP;q=0.1", true},
        {"gzip;q=0", false}, {"*", true},      {"*;q=0", false}, {"gzip;q=0, *", false},
        {"identity", false}, {"x-gzip", true}, {"gzipx", false}, {"gzip;q=0.000", false},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        ck_assert_msg(negotiate_gzip(str_of(vectors[i].text)) == vectors[i].gzip, "%s", vectors[i].text);
}
END_TEST

static unsigned json(const char *accept)
{
    return negotiate_type(str_of(accept), STR("application/json"));
}

START_TEST(everything_is_accepted_unless_something_is_named)
{
    ck_assert_uint_eq(json(NULL), 1000);
    ck_assert_uint_eq(json(" "), 1000);
    ck_assert_uint_eq(json("*/*"), 1000);
    ck_assert_uint_eq(json("text/html"), 0);
}
END_TEST

START_TEST(the_most_specific_range_decides)
{
    ck_assert_uint_eq(json("*/*;q=0.1, application/*;q=0.5"), 500);
    ck_assert_uint_eq(json("application/json;q=0.25, */*"), 250);
    ck_assert_uint_eq(json("Application/JSON; charset=utf-8 ; q=0"), 0);
    ck_assert_uint_eq(json("application/js"), 0);
    ck_assert_uint_eq(json("app/*"), 0);
    ck_assert_uint_eq(json("application/json;q=9"), 1000);
}
END_TEST

START_TEST(an_absolute_target_has_a_path)
{
    static const char *const vectors[][2] = {
        {"/a", "/a"},
        {"http://h/a/b", "/a/b"},
        {"HTTPS://h:1", "/"},
        {"/http://h/a", "/http://h/a"},
        {"ftp://h/a", "ftp://h/a"},
        {"*", "*"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        ck_assert_msg(str_is(head_path(str_of(vectors[i][0])), vectors[i][1]), "%s", vectors[i][0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http fields");
    TCase *all = tcase_create("all");
    tcase_add_test(all, a_traceparent_is_read_as_the_specification_says);
    tcase_add_test(all, a_trace_keeps_its_id_and_known_flags_and_gets_a_new_span);
    tcase_add_test(all, everything_is_accepted_unless_something_is_named);
    tcase_add_test(all, the_most_specific_range_decides);
    tcase_add_test(all, a_tracestate_goes_on_whole_shortened_or_not_at_all);
    tcase_add_test(all, chinese_is_spoken_unless_english_is_preferred);
    tcase_add_test(all, gzip_is_sent_only_to_who_says_so);
    tcase_add_test(all, an_absolute_target_has_a_path);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
