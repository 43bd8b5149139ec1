/* Schemas: what is valid, how faults are told, what is refused when compiling, and that bounds hold. */
#include "contract/schema_node.h"
#include "suite.h"

#include <pthread.h>

static const struct schema *compile(const char *source, const struct schema_options *options)
{
    struct str reason = STR("");
    const struct schema *schema = schema_compile(arena, json_of(source), options, &reason);
    ck_assert_msg(schema != NULL, "%s: %.*s", source, STR_ARG(reason));
    return schema;
}

/* Both ways of asking must agree. */
static bool valid_with(const struct schema *schema, const struct json *value)
{
    struct schema_errors errors = {.arena = arena};
    bool quick = schema_validate(schema, value, NULL), full = schema_validate(schema, value, &errors);
    ck_assert_int_eq(quick, full);
    ck_assert_int_eq(full, errors.count == 0);
    return quick;
}

static bool valid(const char *source, const char *value)
{
    return valid_with(compile(source, NULL), json_of(value));
}

static struct str refusal(const char *source)
{
    struct str reason = STR("");
    ck_assert_msg(schema_compile(arena, json_of(source), NULL, &reason) == NULL, "%s compiles", source);
    return reason;
}

START_TEST(every_fault_is_listed_with_its_pointer_in_both_languages)
{
    const struct schema *schema = compile("{'type':'object','required':['name','age'],'properties':{'name':{'type':'string',"
                                          "'maxLength':2},'tags/x':{'type':'array','items':{'type':'integer'}}},"
                                          "'additionalProperties':false}",
                                          NULL);
    struct schema_errors errors = {.arena = arena};
    ck_assert(!schema_validate(schema, json_of("{'name':'secret','tags/x':[1,'two'],'more':1}"), &errors));
    ck_assert_uint_eq(errors.count, 4);
    ASSERT_STR(errors.list[0].pointer, "/age");
    ASSERT_STR(errors.list[0].keyword, "required");
    ASSERT_STR(errors.list[0].detail.zh, "不能缺少");
    ASSERT_STR(errors.list[1].pointer, "/name");
    ASSERT_STR(errors.list[1].detail.en, "must have at most 2 characters");
    ASSERT_STR(errors.list[1].detail.zh, "至多 2 个字符");
    ASSERT_STR(errors.list[2].pointer, "/tags~1x/1");
    ASSERT_STR(errors.list[2].detail.en, "must be of type integer");
    ASSERT_STR(errors.list[3].pointer, "/more");
    ASSERT_STR(errors.list[3].keyword, "additionalProperties");
    for (size_t i = 0; i < errors.count; i++)
        ck_assert_int_lt((int)str_find(errors.list[i].detail.en, STR("secret")), 0);
}
END_TEST

START_TEST(errors_stop_at_the_given_number)
{
    const struct schema *schema = compile("{'items':{'type':'string'}}", NULL);
    struct schema_errors errors = {.arena = arena, .most = 3};
    ck_assert(!schema_validate(schema, json_of("[1,2,3,4,5,6]"), &errors));
    ck_assert_uint_eq(errors.count, 3);
}
END_TEST

START_TEST(a_union_of_types_tells_what_is_wrong_with_the_likely_one)
{
    const struct schema *schema =
        compile("{'anyOf':[{'type':'null'},{'type':'object','properties':{'n':{'minimum':1}}}]}", NULL);
    struct schema_errors errors = {.arena = arena};
    ck_assert(!schema_validate(schema, json_of("{'n':0}"), &errors));
    ASSERT_STR(errors.list[0].pointer, "/n");
    ASSERT_STR(errors.list[0].detail.en, "must not be less than 1");
    errors = (struct schema_errors){.arena = arena};
    ck_assert(!schema_validate(schema, json_of("7"), &errors));
    ASSERT_STR(errors.list[0].keyword, "anyOf");
}
END_TEST

START_TEST(multiples_are_counted_in_decimal)
{
    static const struct {
        const char *divisor, *value;
        bool good;
    } cases[] = {
        {"0.01", "19.99", true},
        {"0.01", "0.07", true},
        {"0.01", "1234567.89", true},
        {"0.01", "0.075", false},
        {"0.1", "0.3", true},
        {"0.0001", "0.0075", true},
        {"1.5", "4.5", true},
        {"1.5", "4", false},
        {"2", "9007199254740992", true},
        {"2", "9007199254740993", false},
        {"1e-8", "12391239123", true},
        {"0.5", "1e308", true},
        {"3", "1e20", false},
        {"5", "-25", true},
        {"7", "0", true},
        {"1e300", "1e-300", false},
        {"10", "1e1", true},
        {"3", "-9223372036854775808", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str source = str_printf(arena, "{'multipleOf':%s}", cases[i].divisor);
        ck_assert_msg(valid(source.at, cases[i].value) == cases[i].good, "%s of %s", cases[i].value, cases[i].divisor);
    }
}
END_TEST

START_TEST(large_integers_are_compared_without_loss)
{
    ck_assert(!valid("{'maximum':9007199254740992}", "9007199254740993"));
    ck_assert(valid("{'maximum':9223372036854775807}", "9223372036854775807"));
    ck_assert(!valid("{'exclusiveMaximum':9223372036854775807}", "9223372036854775807"));
    ck_assert(!valid("{'maximum':9.2e18}", "9223372036854775807"));
    ck_assert(valid("{'type':'integer'}", "1.0"));
    ck_assert(!valid("{'type':'integer'}", "1.5"));
}
END_TEST

START_TEST(patterns_are_those_of_ecma_262)
{
    static const struct {
        const char *pattern, *value;
        bool good;
    } cases[] = {
        {"^\\\\d+$", "'12'", true},
        {"^\\\\d+$", "'१२'", false},
        {"^\\\\w$", "'é'", false},
        {"^\\\\p{L}+$", "'张伟'", true},
        {"^\\\\p{Letter}$", "'é'", true},
        {"^\\\\p{Script=Han}+$", "'市民'", true},
        {"^a$", "'a\\n'", false},
        {"^.$", "'\\u2028'", false},
        {"^.$", "'😀'", true},
        {"^\\\\s$", "'\\ufeff'", true},
        {"^\\\\S$", "'\\u00a0'", false},
        {"^[\\\\s]$", "'\\u3000'", true},
        {"^[\\\\S]$", "'\\u3000'", false},
        {"^\\\\u5e02$", "'市'", true},
        {"^\\\\u{1F600}$", "'😀'", true},
        {"^\\\\ud83d\\\\ude00$", "'😀'", true},
        {"^[^]$", "'\\n'", true},
        {"^[]$", "''", false},
        {"^[[:]$", "'['", true},
        {"b", "'abc'", true},
        {"^\\\\cA$", "'\\u0001'", true},
        {"^[\\\\b]$", "'\\b'", true},
        {"^(?<y>\\\\d)\\\\k<y>$", "'33'", true},
        {"^川A[A-Z0-9]{5}$", "'川A12345'", true},
        {"^\\\\/\\\\-\\\\.$", "'/-.'", true},
        {"(?<=a)b", "'ab'", true},
        {"^[一-龥]{2,}$", "'成都'", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str source = str_printf(arena, "{'pattern':'%s'}", cases[i].pattern);
        ck_assert_msg(valid(source.at, cases[i].value) == cases[i].good, "%s with %s", cases[i].pattern, cases[i].value);
    }
    static const char *const refused[] = {"\\\\Z",           "\\\\A",  "\\\\a", "(?P<n>x)", "(?#x)", "(*UTF)a",
                                          "(?>a)",           "(?R)",   "a(",    "[z-a]",    "\\\\",  "\\\\u12",
                                          "\\\\p{Nonsense}", "\\\\Qa", "(?1)",  "\\\\01",   "*"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct str reason = refusal(str_printf(arena, "{'pattern':'%s'}", refused[i]).at);
        ck_assert_msg(str_starts(reason, STR("/pattern: bad pattern")), "%s: %.*s", refused[i], STR_ARG(reason));
    }
}
END_TEST

START_TEST(a_pattern_that_runs_away_is_stopped_and_does_not_match)
{
    char subject[64] = "'";
    memset(subject + 1, 'a', 40);
    strcpy(subject + 41, "!'");
    ck_assert(!valid("{'pattern':'^(a+)+$'}", subject));
}
END_TEST

START_TEST(formats_are_asserted_only_on_demand)
{
    static const struct {
        const char *format, *value;
        bool good;
    } cases[] = {
        {"date", "'2024-02-29'", true},
        {"date", "'2023-02-29'", false},
        {"date", "'2026-1-1'", false},
        {"date-time", "'2026-01-31T08:30:00+08:00'", true},
        {"date-time", "'2026-01-31 08:30:00'", false},
        {"date-time", "'2026-01-31T24:00:00Z'", false},
        {"date-time", "'1998-12-31T23:59:60Z'", true},
        {"email", "'a.b@example.cn'", true},
        {"email", "'a..b@example.cn'", false},
        {"email", "'a@'", false},
        {"uri", "'https://example.cn/a?b=%E5#c'", true},
        {"uri", "'/a'", false},
        {"uri", "'http://a b'", false},
        {"uri-reference", "'/a'", true},
        {"uuid", "'0190a6c8-7b6e-7cc0-8000-000000000000'", true},
        {"uuid", "'0190a6c8'", false},
        {"ipv4", "'1.2.3.4'", true},
        {"ipv4", "'1.2.3.04'", false},
        {"ipv6", "'::1'", true},
        {"hostname", "'-a.cn'", false},
        {"int32", "2147483648", false},
        {"int32", "2147483647", true},
        {"cn-id", "'11010519491231002X'", true},
        {"cn-id", "'110105194912310021'", false},
        {"cn-uscc", "'91110000600037341L'", true},
        {"cn-uscc", "'91350100M000100Y4Z'", false},
        {"cn-mobile", "'13800138000'", true},
        {"cn-mobile", "'+8612800138000'", false},
        {"cn-area", "'510104'", true},
        {"cn-area", "'990104'", false},
        {"date", "7", true},
        {"unheard-of", "'x'", true},
        {"duration", "'P1DT12H'", true},
        {"duration", "'PT'", false},
        {"duration", "'P1Y2D'", false},
    };
    const struct schema_options asserting = {.assert_formats = true};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str source = str_printf(arena, "{'format':'%s'}", cases[i].format);
        bool good = valid_with(compile(source.at, &asserting), json_of(cases[i].value));
        ck_assert_msg(good == cases[i].good, "%s %s", cases[i].format, cases[i].value);
        ck_assert(valid(source.at, cases[i].value));
    }
}
END_TEST

START_TEST(openapi_3_0_is_translated)
{
    const struct schema_options old = {.openapi_3_0 = true};
    const struct schema *schema = compile("{'type':'string','nullable':true,'enum':['a']}", &old);
    ck_assert(valid_with(schema, json_of("null")));
    ck_assert(!valid_with(schema, json_of("'b'")));
    schema = compile("{'type':'number','minimum':1,'exclusiveMinimum':true,'maximum':3}", &old);
    ck_assert(!valid_with(schema, json_of("1")));
    ck_assert(valid_with(schema, json_of("3")));
    schema = compile("{'properties':{'a':{'$ref':'#/x','type':'string'}},'x':{'type':'integer'}}", &old);
    ck_assert(valid_with(schema, json_of("{'a':1}")));
}
END_TEST

START_TEST(a_bad_schema_is_refused_with_the_place)
{
    static const struct {
        const char *source, *reason;
    } cases[] = {
        {"{'properties':{'a':{'type':'text'}}}",
         "/properties/a/type: must be one of string, number, integer, boolean, object, array, null"},
        {"{'allOf':[]}", "/allOf: must be a non-empty array of schemas"},
        {"{'minLength':-1}", "/minLength: must be a non-negative integer"},
        {"{'$ref':'#/nowhere'}", "/$ref: refers to nothing: #/nowhere"},
        {"{'items':7}", "/items: a schema must be an object or a boolean"},
        {"{'$ref':'#'}", "/$ref: refers to itself"},
        {"{'anyOf':[{'type':'null'},{'$ref':'#'}]}", ": leads back to itself without going into the value: it would never end"},
        {"{'required':'a'}", "/required: must be an array of strings"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ASSERT_STR(refusal(cases[i].source), cases[i].reason);
}
END_TEST

/* {"c":{"c":… 0 …}} */
static const struct json *nest(unsigned depth)
{
    const struct json *value = json_make_integer(arena, 0);
    for (unsigned i = 0; i < depth; i++) {
        struct json *outer = json_make_object(arena);
        json_set(arena, outer, STR("c"), value);
        value = outer;
    }
    return value;
}

struct deep {
    const struct schema *schema;
    const struct json *fits, *too_deep;
    bool fits_is_valid, too_deep_is_valid, inverted_is_valid;
    const struct schema *inverted;
};

static void *validate_deep(void *argument)
{
    struct deep *deep = argument;
    deep->fits_is_valid = schema_validate(deep->schema, deep->fits, NULL);
    deep->too_deep_is_valid = schema_validate(deep->schema, deep->too_deep, NULL);
    deep->inverted_is_valid = schema_validate(deep->inverted, deep->too_deep, NULL);
    return NULL;
}

START_TEST(deep_values_are_bounded_and_need_no_more_than_a_fibers_stack)
{
    struct deep deep = {.schema = compile("{'$defs':{'n':{'allOf':[{'properties':{'c':{'$ref':'#/$defs/n'}}}]}},"
                                          "'$ref':'#/$defs/n'}",
                                          NULL),
                        .inverted = compile("{'not':{'properties':{'c':{'$ref':'#/not'}}}}", NULL)};
    deep.fits = nest(30);
    deep.too_deep = nest(120);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
#if defined(__SANITIZE_ADDRESS__)
    size_t stack = 512 * 1024; /* a sanitizer's frames are larger */
#else
    size_t stack = 48 * 1024;
#endif
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, stack), 0);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, &attributes, validate_deep, &deep), 0);
    pthread_join(thread, NULL);
    ck_assert(deep.fits_is_valid);
    ck_assert(!deep.too_deep_is_valid);
    ck_assert(!deep.inverted_is_valid);
}
END_TEST

START_TEST(work_is_bounded_where_branches_multiply)
{
    const struct schema *schema = compile("{'$defs':{'n':{'anyOf':[{'properties':{'c':{'$ref':'#/$defs/n'}},'required':['x']},"
                                          "{'properties':{'c':{'$ref':'#/$defs/n'}},'required':['y']}]}},'$ref':'#/$defs/n'}",
                                          NULL);
    ck_assert(!schema_validate(schema, nest(30), NULL));
}
END_TEST

START_TEST(unique_items_are_found_in_long_arrays)
{
    struct json *array = json_make_array(arena);
    for (int i = 0; i < 20000; i++)
        json_append(arena, array, json_make_integer(arena, i));
    const struct schema *schema = compile("{'uniqueItems':true}", NULL);
    ck_assert(valid_with(schema, array));
    json_append(arena, array, json_of("7.0"));
    ck_assert(!valid_with(schema, array));
    ck_assert(valid_with(schema, json_of("[{'a':1,'b':2},{'b':2,'a':2},[1],[2],'1',1,true,null,0,false,'',{},[],-1]")));
    ck_assert(!valid_with(schema, json_of("[1,2,3,4,5,6,7,8,9,10,11,12,13,{'a':1,'b':[2]},{'b':[2.0],'a':1}]")));
}
END_TEST

START_TEST(objects_with_many_properties_are_looked_up_in_any_order)
{
    struct text source = text_open(arena, 4096), value = text_open(arena, 4096);
    text_add_c(&source, "{'additionalProperties':false,'properties':{");
    text_add_c(&value, "{");
    for (int i = 0; i < 40; i++) {
        text_printf(&source, "%s'p%d':{'const':%d}", i ? "," : "", i, i);
        text_printf(&value, "%s'p%d':%d", i ? "," : "", 39 - i, 39 - i);
    }
    text_add_c(&source, "}}");
    text_add_c(&value, "}");
    ck_assert(valid(source.at, value.at));
    ck_assert(!valid(source.at, "{'p40':40}"));
    ck_assert(!valid(source.at, "{'p39':3}"));
}
END_TEST

START_TEST(uri_references_are_resolved_as_rfc_3986_shows)
{
    /* §5.4.1 and §5.4.2 */
    static const char *const cases[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {";x", "http://a/b/c/;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "http:g"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ASSERT_STR(uri_resolve(arena, STR("http://a/b/c/d;p?q"), str_of(cases[i][0])), cases[i][1]);
}
END_TEST

START_TEST(a_schema_tells_the_types_it_accepts)
{
    ck_assert_uint_eq(schema_types(compile("{'type':'integer'}", NULL)), 1u << JSON_INTEGER);
    ck_assert_uint_eq(schema_types(compile("{'anyOf':[{'type':'null'},{'type':'string'}]}", NULL)),
                      1u << JSON_NULL | 1u << JSON_STRING);
    ck_assert_uint_eq(schema_types(compile("{'$defs':{'b':{'type':'boolean'}},'allOf':[{'$ref':'#/$defs/b'}]}", NULL)),
                      1u << JSON_BOOLEAN);
    ck_assert_ptr_null(schema_items(compile("{'type':'array'}", NULL)));
    ck_assert_uint_eq(schema_types(schema_items(compile("{'items':{'type':'string'}}", NULL))), 1u << JSON_STRING);
}
END_TEST

RUN_TESTS("schema", every_fault_is_listed_with_its_pointer_in_both_languages, errors_stop_at_the_given_number,
          a_union_of_types_tells_what_is_wrong_with_the_likely_one, multiples_are_counted_in_decimal,
          large_integers_are_compared_without_loss, patterns_are_those_of_ecma_262,
          a_pattern_that_runs_away_is_stopped_and_does_not_match, formats_are_asserted_only_on_demand,
          openapi_3_0_is_translated, a_bad_schema_is_refused_with_the_place,
          deep_values_are_bounded_and_need_no_more_than_a_fibers_stack, work_is_bounded_where_branches_multiply,
          unique_items_are_found_in_long_arrays, objects_with_many_properties_are_looked_up_in_any_order,
          uri_references_are_resolved_as_rfc_3986_shows, a_schema_tells_the_types_it_accepts)
