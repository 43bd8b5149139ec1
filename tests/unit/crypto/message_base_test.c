/* The signature base: the examples of RFC 9421 §2, and each reason why there is none. */
#include "crypto/message_signature.h"

#include "fields.h"
#include "support.h"

/* The base of a made-up request, without its last line. */
static const char *base_of(const char *components, const struct message *message)
{
    struct sf_members list;
    struct text base = text_open(arena, 256);
    const char *reason;

    ck_assert(sf_parse_list(arena, str_of(components), &list));
    if (!message_signature_base(arena, message, &list.members[0], &base, &reason))
        return reason;
    struct str all = text_str(&base), end = str_printf(arena, "\"@signature-params\": %s", components);
    ck_assert_msg(str_ends(all, end), "%.*s", STR_ARG(all));
    return str_to_c(arena, str_slice(all, 0, all.len - end.len));
}

static const struct message_field rfc_fields[] = {
    FIELD("Example-Dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
    FIELD("Example-Header", "value, with, lots"),
    FIELD("example-header", " of, commas "),
    FIELD("Cache-Status", "a;hit,   b"),
    FIELD("X-Empty", ""),
    FIELD("X-Break", "a\nb"),
};

static const struct {
    const char *components, *base; /* or the reason why there is none */
} bases[] = {
    /* RFC 9421 §2.1, §2.1.2, §2.1.3 */
    {"(\"example-header\" \"x-empty\")", "\"example-header\": value, with, lots, of, commas\n\"x-empty\": \n"},
    {"(\"example-dict\";key=\"a\" \"example-dict\";key=\"d\" \"example-dict\";key=\"b\" \"example-dict\";key=\"c\")",
     "\"example-dict\";key=\"a\": 1\n\"example-dict\";key=\"d\": ?1\n\"example-dict\";key=\"b\": 2;x=1;y=2\n"
     "\"example-dict\";key=\"c\": (a b c)\n"},
    {"(\"example-header\";bs)", "\"example-header\";bs: :dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:\n"},
    {"(\"cache-status\";sf)", "\"cache-status\";sf: a;hit, b\n"},
    /* §2.2 */
    {"(\"@method\" \"@target-uri\" \"@authority\" \"@scheme\" \"@request-target\" \"@path\" \"@query\")",
     "\"@method\": GET\n\"@target-uri\": "
     "http://www.example.com:8080/p%20q?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+"
     "whitespace&fa%C3%A7ade%22%3A%20=something&e&e2=\n\"@authority\": www.example.com:8080\n\"@scheme\": http\n"
     "\"@request-target\": /p%20q?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20="
     "something&e&e2=\n\"@path\": /p%20q\n\"@query\": ?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&"
     "fa%C3%A7ade%22%3A%20=something&e&e2=\n"},
    {"(\"@query-param\";name=\"var\" \"@query-param\";name=\"bar\" \"@query-param\";name=\"fa%C3%A7ade%22%3A%20\" "
     "\"@query-param\";name=\"e\" \"@query-param\";name=\"e2\")",
     "\"@query-param\";name=\"var\": this%20is%20a%20big%0Amultiline%20value\n"
     "\"@query-param\";name=\"bar\": with%20plus%20whitespace\n\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\": something\n"
     "\"@query-param\";name=\"e\": \n\"@query-param\";name=\"e2\": \n"},
    {"()", ""},
    {"(\"x-absent\")", "a covered field is not in the request"},
    {"(\"Example-Dict\")", "a covered field's name is not in lower case"},
    {"(\"x-break\")", "a covered component has a line break in its value"},
    {"(\"@method\" \"@path\" \"@method\")", "a component is covered twice"},
    {"(\"x-empty\" \"x-empty\")", "a component is covered twice"},
    {"(\"@status\")", "an unknown derived component is covered"},
    {"(\"@signature-params\")", "an unknown derived component is covered"},
    {"(\"@method\";req)", "a derived component has a parameter"},
    {"(\"@query-param\")", "@query-param needs a parameter \"name\""},
    {"(\"@query-param\";name=\"zz\")", "a covered query parameter is not in the request"},
    {"(\"x-empty\";tr)", "a covered field has a parameter that is not supported"},
    {"(\"x-empty\";sf;bs)", "a covered field has more than one parameter"},
    {"(\"x-empty\";bs=?0)", "a covered field has a parameter of a wrong type"},
    {"(\"example-dict\";sf)", "a field covered with ;sf is of no type that is known here"},
    {"(\"example-dict\";key=\"q\")", "a covered member is not in its dictionary"},
    {"(\"example-header\";key=\"q\")", "a covered member is not in its dictionary"},
    {"(\"x-break\";key=\"q\")", "a field covered with ;key is no dictionary"},
    {"(token)", "a covered component is no string"},
    {"(\"\")", "a covered component is no string"},
};

START_TEST(the_base_is_built_as_the_rfc_says)
{
    struct message message = {
        .method = STR("GET"),
        .scheme = STR("HTTP"),
        .authority = STR("www.EXAMPLE.com:8080"),
        .path = STR("/p%20q"),
        .query =
            STR("var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&e&e2="),
        .fields = rfc_fields,
        .field_count = COUNT_OF(rfc_fields),
    };

    ck_assert_str_eq(base_of(bases[_i].components, &message), bases[_i].base);
}
END_TEST

START_TEST(edges_of_the_target_are_normalised)
{
    struct message message = {.method = STR("GET"), .scheme = STR("http"), .authority = STR("a.example:80")};

    ck_assert_str_eq(base_of("(\"@authority\" \"@path\" \"@query\" \"@target-uri\")", &message),
                     "\"@authority\": a.example\n\"@path\": /\n\"@query\": ?\n\"@target-uri\": http://a.example/\n");
    message.query = STR("");
    message.scheme = STR("https");
    ck_assert_str_eq(base_of("(\"@authority\" \"@target-uri\")", &message),
                     "\"@authority\": a.example:80\n\"@target-uri\": https://a.example:80/?\n");
    message.query = STR("a=1&a=2&b=%zz");
    ck_assert_str_eq(base_of("(\"@query-param\";name=\"a\")", &message),
                     "a query parameter that occurs twice cannot be covered by @query-param");
    ck_assert_str_eq(base_of("(\"@query-param\";name=\"b\")", &message), "the query has a broken percent escape");
}
END_TEST

int main(void)
{
    TCase *tests = tests_open();

    tcase_add_loop_test(tests, the_base_is_built_as_the_rfc_says, 0, COUNT_OF(bases));
    tcase_add_test(tests, edges_of_the_target_are_normalised);
    return run(tests, "message base");
}
