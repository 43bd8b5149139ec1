/* Answers are made from every contract, are valid against it, and do not change. */
#include "generate.h"

#include <check.h>
#include <dirent.h>
#include <shimin/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CONTRACTS
#error "the build says where the contracts are"
#endif

enum { SEEDS = 12 };

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_open();
}

static void shut_arena(void)
{
    arena_close(arena);
}

static struct str read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    char *bytes = arena_alloc(arena, 4 << 20);
    size_t length = fread(bytes, 1, 4 << 20, file);
    fclose(file);
    return (struct str){bytes, length};
}

static const struct contract *load(struct str name, struct str text)
{
    struct contract_faults faults = {0};
    const struct contract *contract = contract_load(name, text, arena, &faults);
    ck_assert_msg(contract != NULL, "%.*s: %.*s", STR_ARG(name), STR_ARG(faults.list[0].reason));
    return contract;
}

static const struct contract *load_file(const char *name)
{
    return load(str_of(name), read_file(str_to_c(arena, str_printf(arena, "%s/%s", CONTRACTS, name))));
}

/* What a caller might send: values made from the parameters' and the body's own schemas. */
static struct inputs made_inputs(struct shape_compiler *compiler, const struct operation *operation, uint64_t seed)
{
    struct inputs inputs = {0};
    struct json_error error;
    struct str reason;
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        const struct json *schema = json_get(parameter->source, "schema");
        const struct json *value = parameter->fallback;
        if (schema && (parameter->required || seed % 3 == 0)) {
            struct shape *shape = shape_compile(compiler, schema, &reason);
            ck_assert(shape != NULL);
            value = json_parse(arena, generate_value(arena, shape, seed + i, clock_wall()), &json_limits_answer, &error);
        }
        if (value)
            inputs.list[inputs.count++] = (struct input){parameter->name, value, parameter->required};
    }
    const struct media *media = media_for(operation->bodies, operation->body_count, STR("application/json"));
    if (media) {
        struct shape *shape = shape_compile(compiler, json_get(media->source, "schema"), &reason);
        const struct json *body =
            json_parse(arena, generate_value(arena, shape, seed, clock_wall()), &json_limits_answer, &error);
        struct schema_errors errors = {.arena = arena};
        ck_assert_msg(schema_validate(media->schema, body, &errors), "%.*s: a made body is not valid: %.*s %.*s",
                      STR_ARG(operation->id), STR_ARG(errors.list[0].pointer), STR_ARG(errors.list[0].detail.en));
        inputs_add_body(&inputs, operation, body);
    }
    return inputs;
}

static void check_operation(struct shape_compiler *compiler, const struct operation *operation, struct str department)
{
    struct answer_shape answer;
    struct str reason;
    ck_assert_msg(shape_answer(compiler, operation, &answer, &reason), "%.*s: %.*s", STR_ARG(operation->id), STR_ARG(reason));
    ck_assert(answer.shape != NULL);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct inputs inputs = made_inputs(compiler, operation, seed);
        struct generate_order order = {
            .department = department, .operation = operation, .answer = &answer, .inputs = &inputs, .now = clock_wall()};
        struct str text = generate_answer(arena, &order);
        struct json_error error;
        const struct json *value = json_parse(arena, text, &json_limits_answer, &error);
        ck_assert_msg(value != NULL, "%.*s: %s", STR_ARG(operation->id), error.reason);
        struct schema_errors errors = {.arena = arena};
        ck_assert_msg(schema_validate(answer.media->schema, value, &errors), "%.*s %.*s: %.*s %.*s in %.*s",
                      STR_ARG(department), STR_ARG(operation->id), STR_ARG(errors.list[0].pointer),
                      STR_ARG(errors.list[0].detail.en), text.len > 600 ? 600 : (int)text.len, text.at);
        ck_assert_msg(str_equal(text, generate_answer(arena, &order)), "%.*s changes", STR_ARG(operation->id));
    }
}

START_TEST(every_answer_of_every_contract_is_valid_against_it)
{
    DIR *directory = opendir(CONTRACTS);
    unsigned contracts = 0, operations = 0;
    ck_assert(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!strstr(entry->d_name, ".yaml") && !strstr(entry->d_name, ".json"))
            continue;
        const struct contract *contract = load_file(entry->d_name);
        struct arena *own = arena_open();
        struct shape_compiler *compiler = shape_compiler_new(own, contract);
        for (unsigned i = 0; i < contract->operation_count; i++, operations++)
            check_operation(compiler, &contract->operations[i], str_of(entry->d_name));
        arena_close(own);
        contract_free(contract);
        contracts++;
    }
    closedir(directory);
    ck_assert_uint_eq(contracts, 43);
    ck_assert_uint_ge(operations, 130);
}
END_TEST

static struct str answer_of(const char *file, const char *operation_id, const struct input *list, unsigned count)
{
    const struct contract *contract = load_file(file);
    const struct operation *operation = contract_operation(contract, str_of(operation_id));
    struct answer_shape answer;
    struct str reason;
    struct inputs inputs = {.count = count};
    ck_assert(shape_answer(shape_compiler_new(arena, contract), operation, &answer, &reason));
    for (unsigned i = 0; i < count; i++)
        inputs.list[i] = list[i];
    struct generate_order order = {
        .department = STR("housing-fund"), .operation = operation, .answer = &answer, .inputs = &inputs, .now = clock_wall()};
    struct str text = generate_answer(arena, &order);
    contract_free(contract);
    return text;
}

static const struct json *parsed(struct str text)
{
    struct json_error error;
    const struct json *value = json_parse(arena, text, &json_limits_answer, &error);
    ck_assert(value != NULL);
    return value;
}

static struct str balance(const char *id_number, int64_t year)
{
    struct input list[2] = {{STR("id_number"), json_make_string(arena, str_of(id_number)), true},
                            {STR("year"), json_make_integer(arena, year), false}};
    const struct json *value =
        json_at(parsed(answer_of("housing-fund.yaml", "getFundAccount", list, year ? 2 : 1)), STR("/data/accounts/0/balance"));
    ck_assert(value != NULL);
    return value->source;
}

START_TEST(a_citizen_has_one_balance_whatever_else_is_asked)
{
    ck_assert(str_equal(balance("11010519491231002X", 0), balance("11010519491231002X", 2024)));
    ck_assert(!str_equal(balance("11010519491231002X", 0), balance("440524188001010014", 0)));
}
END_TEST

START_TEST(the_number_asked_for_is_the_number_answered)
{
    struct input list[] = {{STR("id_number"), json_make_string(arena, STR("440524188001010014")), true}};
    const struct json *answer = parsed(answer_of("housing-fund.yaml", "getFundAccount", list, 1));
    ck_assert(str_is(json_at(answer, STR("/data/accounts/0/id_number"))->string, "440524188001010014"));
    ck_assert(str_is(json_at(answer, STR("/data/accounts/0/account_no"))->string, "5101001"));
}
END_TEST

START_TEST(pages_cut_one_list_without_gap_or_repeat)
{
    unsigned total = 0;
    for (int64_t page = 1; page <= 5; page++) {
        struct input list[] = {{STR("page"), json_make_integer(arena, page), false},
                               {STR("per_page"), json_make_integer(arena, 30), false}};
        const struct json *items =
            json_get(parsed(answer_of("disabled-federation.yaml", "listBarrierFreePlaces", list, 2)), "items");
        for (uint32_t i = 0; i < items->count; i++) {
            struct str wanted = str_printf(arena, "bf-%u", ++total);
            ck_assert(str_equal(json_get_string(&items->items[i], "id", STR_NONE), wanted));
        }
    }
    ck_assert_uint_eq(total, 80);
}
END_TEST

START_TEST(siblings_that_belong_together_are_picked_together)
{
    const struct json *rates = json_at(parsed(answer_of("housing-fund.yaml", "listLoanRates", NULL, 0)), STR("/data/rates"));
    ck_assert_uint_eq(rates->count, 4);
    ck_assert(str_is(json_get_string(&rates->items[1], "term", STR_NONE), "首套五年以上"));
    ck_assert(json_as_double(json_get(&rates->items[1], "rate_percent")) == 2.6);
}
END_TEST

#define HEAD                                                                                                                   \
    "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    get:\n      operationId: a\n      responses:\n"        \
    "        '200':\n          description: d\n          content:\n            application/json:\n              schema: "

static const char *const foreign[] = {
    "{type: object, required: [a, b], properties: {a: {type: string, pattern: '^[A-Z]{2}\\d{4,6}(-x|-yy)?$'}, b: {type: "
    "string, format: uuid}}}",
    "{allOf: [{type: object, required: [a], properties: {a: {type: integer, minimum: 3}}}, {properties: {a: {maximum: 4}, b: "
    "{type: 'null'}}}]}",
    "{oneOf: [{type: object, required: [kind, n], properties: {kind: {const: x}, n: {type: number, exclusiveMinimum: 0, "
    "maximum: 0.5}}}, {type: object, required: [kind], properties: {kind: {const: y}}, additionalProperties: false}]}",
    "{type: array, minItems: 5, maxItems: 9, items: {type: integer, multipleOf: 7, minimum: -20, maximum: 20}}",
    "{type: array, uniqueItems: true, items: {enum: [a, b, c, d]}}",
    "{type: [string, 'null'], minLength: 40}",
    "{type: object, required: [x], additionalProperties: {type: integer}}",
    "{type: string, format: email}",
    "{type: object, properties: {at: {type: string, format: date-time}, on: {type: string, format: date}, ip: {type: string, "
    "format: ipv6}}}",
    "{type: object, required: [name], properties: {name: {type: string, maxLength: 3}, children: {type: array, items: {$ref: "
    "'#/paths/~1a/get/responses/200/content/application~1json/schema'}}}}",
    "{anyOf: [{type: boolean}, {type: string, enum: [t, f]}]}",
};

START_TEST(contracts_that_nobody_here_wrote_are_played)
{
    struct str text = str_printf(arena, "%s%s\n", HEAD, foreign[_i]);
    const struct contract *contract = load(STR("foreign.yaml"), text);
    check_operation(shape_compiler_new(arena, contract), &contract->operations[0], STR("foreign"));
    contract_free(contract);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("generate");
    TCase *tcase = tcase_create("generate");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_arena, shut_arena);
    tcase_add_test(tcase, every_answer_of_every_contract_is_valid_against_it);
    tcase_add_test(tcase, a_citizen_has_one_balance_whatever_else_is_asked);
    tcase_add_test(tcase, the_number_asked_for_is_the_number_answered);
    tcase_add_test(tcase, pages_cut_one_list_without_gap_or_repeat);
    tcase_add_test(tcase, siblings_that_belong_together_are_picked_together);
    tcase_add_loop_test(tcase, contracts_that_nobody_here_wrote_are_played, 0, (int)COUNT_OF(foreign));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
