/* The catalogue's files: each fault names its file and line. */
#include "catalogue/files.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA_TEXT                                                                                                            \
    "{\"type\": \"object\", \"required\": [\"department\"], \"additionalProperties\": false,\n"                                \
    " \"properties\": {\"department\": {\"type\": \"object\", \"required\": [\"slug\"]},\n"                                    \
    "  \"services\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"required\": [\"slug\", \"level\"]}}}}\n"
#define CATEGORIES "categories:\n  - slug: travel\n    name: {zh: 交通, en: Travel}\n"
#define METRO                                                                                                                  \
    "department: {slug: metro, number: 1, name: {zh: 地铁, en: Metro}, kind: utility, contract: metro.yaml}\n"               \
    "services:\n"                                                                                                              \
    "  - slug: ride\n    name: {zh: 乘车, en: Ride}\n    category: travel\n    archetype: apply\n    level: L1\n"
#define CONTRACT                                                                                                               \
    "openapi: 3.1.0\ninfo: {title: metro, version: 2.1.0}\npaths:\n  /v1/lines:\n    get:\n      operationId: listLines\n"     \
    "      responses: {'200': {description: fine}}\n"
#define AREAS "code,name,level,parent_code\n5101,成都市,city,51\n510104,锦江区,district,5101\n"

static struct arena *arena;
static struct text faults;
static struct catalogue_files files;
static char directory[] = "/tmp/shimin-files-XXXXXX";

static const char *path_of(const char *name)
{
    return str_to_c(arena, str_printf(arena, "%s/%s", directory, name));
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *const names[] = {"catalogue.schema.json", "categories.yaml", "metro.yaml", "areas.csv",
                                    "contracts/metro.yaml"};

static void set_up(void)
{
    arena = arena_open();
    ck_assert_ptr_nonnull(mkdtemp(directory));
    const char *contracts = str_to_c(arena, str_printf(arena, "mkdir %s/contracts", directory));
    ck_assert_int_eq(system(contracts), 0);
    put(names[0], SCHEMA_TEXT);
    put(names[1], CATEGORIES);
    put(names[2], METRO);
    put(names[3], AREAS);
    put(names[4], CONTRACT);
}

static void tear_down(void)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unlink(path_of(names[i]));
    rmdir(path_of("contracts"));
    rmdir(directory);
    arena_close(arena);
}

static bool read_all(void)
{
    const struct catalogue_paths paths = {directory, path_of("contracts"), path_of("areas.csv")};
    faults = text_open(arena, 256);
    return catalogue_files_read(arena, &paths, &files, &faults);
}

static void expect_fault(const char *name, const char *text, const char *words)
{
    put(name, text);
    ck_assert_msg(!read_all(), "%s was taken", name);
    ck_assert_msg(faults.at && strstr(faults.at, words), "\"%s\" is not in: %s", words, faults.at);
}

START_TEST(good_files_become_a_document)
{
    ck_assert_msg(read_all(), "%s", faults.at);
    ck_assert(files.departments == 1 && files.services == 1 && files.areas == 2 && files.contract_count == 1);
    ck_assert(str_is(files.contracts[0].version, "2.1.0") && files.contracts[0].sha256.len == 64);
    ck_assert_int_ge(str_find(files.document, files.contracts[0].sha256), 0);
}
END_TEST

START_TEST(the_city_s_own_files_are_good)
{
    const struct catalogue_paths paths = {SCHEMA "/catalogue", SCHEMA "/contracts", SCHEMA "/areas/chengdu.csv"};
    faults = text_open(arena, 256);
    ck_assert_msg(catalogue_files_read(arena, &paths, &files, &faults), "%s", faults.at);
    ck_assert_uint_eq(files.services, 187);
}
END_TEST

START_TEST(broken_yaml_is_named_by_file_and_line)
{
    expect_fault("metro.yaml", "department: {slug: metro}\nservices:\n  - slug: [\n", "/metro.yaml:");
    expect_fault("metro.yaml", "department: {slug: metro}\ndepartment: {slug: metro}\n", "/metro.yaml:2:");
    expect_fault("metro.yaml", "", "/metro.yaml:");
    expect_fault("metro.yaml", "a: &a [*a, *a]\n", "/metro.yaml:");
}
END_TEST

START_TEST(faults_of_the_schema_are_named_by_file_line_and_pointer)
{
    expect_fault("metro.yaml", "department: {slug: metro}\nservices:\n  - slug: a\n    level: L1\n  - slug: b\n",
                 "/metro.yaml:5: /services/1");
    expect_fault("metro.yaml", "department: {slug: metro}\nmore: 1\n", "/metro.yaml:2: /more");
    expect_fault("metro.yaml", "- 1\n", "/metro.yaml:1:");
}
END_TEST

START_TEST(broken_areas_are_named_by_line)
{
    expect_fault("areas.csv", "5101,成都市,city,51\n510104,锦江区,district,5101\n", "/areas.csv:1: the first line");
    expect_fault("areas.csv", "", "/areas.csv:1: the first line");
    expect_fault("areas.csv", AREAS "51010,x,street,5101\n", "/areas.csv:4:");
    expect_fault("areas.csv", AREAS "510105,x,district\n", "/areas.csv:4:");
    expect_fault("areas.csv", AREAS "510105,x,district,5101,more\n", "/areas.csv:4:");
    expect_fault("areas.csv", AREAS "510105,\xff,district,5101\n", "/areas.csv:4:");
    expect_fault("areas.csv", AREAS "510104,锦江区,district,5101\n", "declared twice");
    put("areas.csv", "\xef\xbb\xbf"
                     "code,name,level,parent_code\r\n5101,成都市,city,51\r\n\r\n");
    ck_assert_msg(read_all(), "%s", faults.at);
}
END_TEST

START_TEST(missing_lists_and_files_are_named)
{
    expect_fault("categories.yaml", "kategories: []\n", "/categories.yaml:1: needs a list");
    expect_fault("categories.yaml", "5\n", "/categories.yaml:1: needs a list");
    put("categories.yaml", CATEGORIES);
    unlink(path_of("contracts/metro.yaml"));
    ck_assert(!read_all());
    ck_assert_ptr_nonnull(strstr(faults.at, "/contracts/metro.yaml: does not exist"));
    unlink(path_of("catalogue.schema.json"));
    ck_assert(!read_all());
    ck_assert_ptr_nonnull(strstr(faults.at, "/catalogue.schema.json: does not exist"));
}
END_TEST

START_TEST(what_the_files_say_together_is_proved_as_well)
{
    expect_fault("categories.yaml", "categories: []\n", "service ride: unknown category travel");
    put("categories.yaml", CATEGORIES);
    expect_fault("contracts/metro.yaml", "swagger: '2.0'\n", "contracts/metro.yaml:1:");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("catalogue files");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, good_files_become_a_document);
    tcase_add_test(all, the_city_s_own_files_are_good);
    tcase_add_test(all, broken_yaml_is_named_by_file_and_line);
    tcase_add_test(all, faults_of_the_schema_are_named_by_file_line_and_pointer);
    tcase_add_test(all, broken_areas_are_named_by_line);
    tcase_add_test(all, missing_lists_and_files_are_named);
    tcase_add_test(all, what_the_files_say_together_is_proved_as_well);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
