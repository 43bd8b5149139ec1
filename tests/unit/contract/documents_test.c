/* The contracts of the departments: every file loads, its routes fit together, and its examples keep its own promises. */
#include "contract/router.h"
#include "suite.h"

#include <dirent.h>
#include <stdio.h>

static struct str read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    struct text text = text_open(arena, 65536);
    size_t n;
    do {
        n = fread(text_reserve(&text, 65536), 1, 65536, file);
        text.len += n;
    } while (n > 0);
    fclose(file);
    return text_str(&text);
}

static bool is_contract(const char *name)
{
    struct str s = str_of(name);
    return str_ends(s, STR(".yaml")) || str_ends(s, STR(".json"));
}

/* Calls check for each file; all are looked at before the test fails. Returns the number of faults. */
static unsigned each_contract(unsigned (*check)(const struct contract *contract))
{
    const char *folder = getenv("SHIMIN_CONTRACTS");
    DIR *directory = folder ? opendir(folder) : NULL;
    unsigned faults_of_all = 0, files = 0;
    ck_assert_msg(directory != NULL, "SHIMIN_CONTRACTS does not name the folder of the contracts");
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!is_contract(entry->d_name))
            continue;
        files++;
        struct str bytes = read_whole(str_printf(arena, "%s/%s", folder, entry->d_name).at);
        struct contract_faults faults;
        const struct contract *contract = contract_load(str_of(entry->d_name), bytes, arena, &faults);
        for (size_t i = 0; i < faults.count; i++)
            printf("%s:%u: %.*s: %.*s\n", entry->d_name, faults.list[i].line, STR_ARG(faults.list[i].pointer),
                   STR_ARG(faults.list[i].reason));
        faults_of_all += contract ? check(contract) : 1;
        contract_free(contract);
    }
    closedir(directory);
    ck_assert_uint_gt(files, 0);
    return faults_of_all;
}

static unsigned has_operations(const struct contract *contract)
{
    return contract->operation_count == 0;
}

START_TEST(every_contract_loads)
{
    ck_assert_uint_eq(each_contract(has_operations), 0);
}
END_TEST

static unsigned check_routes(const struct contract *contract)
{
    unsigned faults = 0;
    struct router *router = router_new(arena);
    for (unsigned i = 0; i < contract->operation_count; i++) {
        struct str reason;
        if (router_add(router, &contract->operations[i], NULL, &reason))
            continue;
        printf("%.*s: %.*s\n", STR_ARG(contract->name), STR_ARG(reason));
        faults++;
    }
    return faults;
}

START_TEST(the_routes_of_every_contract_fit_together)
{
    ck_assert_uint_eq(each_contract(check_routes), 0);
}
END_TEST

static unsigned check_example(const struct operation *operation, const struct media *media)
{
    struct schema_errors errors = {.arena = arena};
    if (!media->example || !media->schema || schema_validate(media->schema, media->example, &errors))
        return 0;
    for (size_t i = 0; i < errors.count; i++)
        printf("%.*s: example of %.*s: %.*s %.*s\n", STR_ARG(operation->contract->name), STR_ARG(operation->id),
               STR_ARG(errors.list[i].pointer), STR_ARG(errors.list[i].detail.en));
    return 1;
}

static unsigned check_examples(const struct contract *contract)
{
    unsigned faults = 0;
    for (unsigned i = 0; i < contract->operation_count; i++) {
        const struct operation *operation = &contract->operations[i];
        for (unsigned k = 0; k < operation->body_count; k++)
            faults += check_example(operation, &operation->bodies[k]);
        for (unsigned r = 0; r < operation->response_count; r++)
            for (unsigned k = 0; k < operation->responses[r].media_count; k++)
                faults += check_example(operation, &operation->responses[r].media[k]);
    }
    return faults;
}

START_TEST(every_example_is_valid_against_its_own_schema)
{
    ck_assert_uint_eq(each_contract(check_examples), 0);
}
END_TEST

RUN_TESTS("documents", every_contract_loads, the_routes_of_every_contract_fit_together,
          every_example_is_valid_against_its_own_schema)
