/* Parameters: texts become the values that their schemas ask for. */
#include "suite.h"

static const struct parameter *parameter_of(const char *place_and_schema)
{
    struct str yaml =
        str_printf(arena,
                   "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get:\n      operationId: a\n"
                   "      parameters: [{name: p, %s}]\n",
                   place_and_schema);
    return &contract_of("p.yaml", yaml.at)->operations[0].parameters[0];
}

static const struct {
    const char *parameter, *raw, *value; /* value NULL: refused */
} cases[] = {
    {"in: query, schema: {type: integer}", "42", "42"},
    {"in: query, schema: {type: integer}", "-7", "-7"},
    {"in: query, schema: {type: integer}", "1.0", "1"},
    {"in: query, schema: {type: integer}", "007", NULL},
    {"in: query, schema: {type: integer}", "+7", NULL},
    {"in: query, schema: {type: integer}", " 7", NULL},
    {"in: query, schema: {type: integer}", "", NULL},
    {"in: query, schema: {type: integer}", "seven", NULL},
    {"in: query, schema: {type: integer, maximum: 100}", "101", NULL},
    {"in: query, schema: {type: number}", "1.5e1", "15"},
    {"in: query, schema: {type: number}", "1.", NULL},
    {"in: query, schema: {type: number}", "0x10", NULL},
    {"in: query, schema: {type: boolean}", "true", "true"},
    {"in: query, schema: {type: boolean}", "TRUE", NULL},
    {"in: query, schema: {type: string}", "42", "'42'"},
    {"in: query, schema: {type: string}", "", "''"},
    {"in: query, schema: {type: string, minLength: 1}", "", NULL},
    {"in: query, schema: {type: string, enum: [open, closed]}", "open", "'open'"},
    {"in: query, schema: {type: [integer, string]}", "7", "7"},
    {"in: query, schema: {type: [integer, string]}", "x", "'x'"},
    {"in: query, schema: {type: [integer, string], pattern: '^0'}", "007", "'007'"},
    {"in: query", "anything", "'anything'"},
    {"in: query, schema: {type: array, items: {type: integer}}", "1,2,3", "[1,2,3]"},
    {"in: query, explode: false, schema: {type: array, items: {type: string}}", "a,,b", "['a','','b']"},
    {"in: query, explode: false, schema: {type: array, items: {type: string}}", "", "[]"},
    {"in: query, schema: {type: array, items: {type: integer}, maxItems: 2}", "1,2,3", NULL},
    {"in: query, schema: {type: array, items: {type: integer}}", "1,x", NULL},
    {"in: header, schema: {type: array, items: {type: boolean}}", "true,false", "[true,false]"},
    {"in: query, content: {application/json: {schema: {type: object, required: [a]}}}", "{\"a\":1}", "{'a':1}"},
    {"in: query, content: {application/json: {schema: {type: object, required: [a]}}}", "{}", NULL},
    {"in: query, content: {application/json: {schema: {type: object}}}", "{", NULL},
    {"in: query, schema: {type: string}", "\xff", NULL},
    {"in: query, schema: {type: string, format: date}", "2026-02-30", NULL},
};

START_TEST(texts_are_coerced_and_validated)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct parameter *parameter = parameter_of(cases[i].parameter);
        struct schema_errors errors = {.arena = arena};
        const struct json *value = parameter_read(arena, parameter, str_of(cases[i].raw), &errors);
        ck_assert_msg((value != NULL) == (cases[i].value != NULL), "%s: %s", cases[i].parameter, cases[i].raw);
        ck_assert_ptr_eq(parameter_read(arena, parameter, str_of(cases[i].raw), NULL) ? "" : NULL, value ? "" : NULL);
        if (value) {
            ck_assert_msg(json_equal(value, json_of(cases[i].value)), "%s: %s", cases[i].parameter, cases[i].raw);
            continue;
        }
        ck_assert_uint_ge(errors.count, 1);
        ASSERT_STR(errors.list[0].parameter, "p");
        ck_assert_uint_gt(errors.list[0].detail.zh.len, 0);
    }
}
END_TEST

START_TEST(repeated_parameters_are_items_of_an_exploded_array_only)
{
    const struct str raws[] = {STR("a,b"), STR("c")};
    const struct parameter *exploded = parameter_of("in: query, schema: {type: array, items: {type: string}}");
    ck_assert(json_equal(parameter_read_all(arena, exploded, raws, 2, NULL), json_of("['a,b','c']")));
    ck_assert(json_equal(parameter_read_all(arena, exploded, raws, 1, NULL), json_of("['a,b']")));
    struct schema_errors errors = {.arena = arena};
    ck_assert_ptr_null(parameter_read_all(arena, parameter_of("in: query, schema: {type: string}"), raws, 2, &errors));
    ASSERT_STR(errors.list[0].detail.en, "must be given once");
    const struct parameter *joined = parameter_of("in: query, explode: false, schema: {type: array, items: {type: string}}");
    ck_assert_ptr_null(parameter_read_all(arena, joined, raws, 2, NULL));
}
END_TEST

START_TEST(a_whole_number_is_an_integer_however_it_is_written)
{
    const struct parameter *integer = parameter_of("in: query, schema: {type: integer, maximum: 100}");
    const char *const fives[] = {"5", "5.0", "5.00", "50e-1", "0.5e1"};
    for (size_t i = 0; i < COUNT_OF(fives); i++) {
        const struct json *value = parameter_read(arena, integer, str_of(fives[i]), NULL);
        ck_assert_msg(value && value->type == JSON_INTEGER && value->integer == 5, "%s", fives[i]);
    }
}
END_TEST

START_TEST(a_negative_zero_fraction_and_huge_numbers_keep_their_value)
{
    const struct parameter *number = parameter_of("in: query, schema: {type: number}");
    ck_assert(parameter_read(arena, number, STR("9223372036854775808"), NULL)->type == JSON_NUMBER);
    ck_assert_double_eq(json_as_double(parameter_read(arena, number, STR("-0.0"), NULL)), 0.0);
}
END_TEST

RUN_TESTS("parameter", texts_are_coerced_and_validated, repeated_parameters_are_items_of_an_exploded_array_only,
          a_whole_number_is_an_integer_however_it_is_written, a_negative_zero_fraction_and_huge_numbers_keep_their_value)
