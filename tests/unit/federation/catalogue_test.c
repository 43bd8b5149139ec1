/* The catalogue and the contracts of the checkout: every mapping compiles. */
#include "suite.h"
#include <dirent.h>
#include <stdio.h>

static struct str file_of(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s", getenv("SHIMIN_SCHEMA"), folder, name);
    FILE *file = fopen(path, "re");
    ck_assert_msg(file != NULL, "%s", path);
    struct text text = text_open(arena, 65536);
    for (size_t n; (n = fread(text_reserve(&text, 65536), 1, 65536, file)) > 0;)
        text.len += n;
    fclose(file);
    return text_str(&text);
}

static unsigned departments, mappings;

static void compile(const struct json *document, struct text *faults)
{
    const struct json *entry = json_get(document, "department"), *services = json_get(document, "services");
    struct department *department = arena_new(arena, struct department);
    struct fault_sink sink = {.faults = faults, .kind = "department"};
    struct contract_faults contract_faults;
    department->contract_name = json_get_string(entry, "contract", STR_NONE);
    department->contract = contract_load(
        department->contract_name, file_of("contracts", str_to_c(arena, department->contract_name)), arena, &contract_faults);
    ck_assert_msg(department->contract != NULL, "%.*s", STR_ARG(department->contract_name));
    arena_defer(arena, (void (*)(void *))contract_free, (void *)department->contract);
    department->definition = entry;
    sink.slug = department->slug = json_get_string(entry, "slug", STR_NONE);
    department->number = (unsigned)json_get_integer(entry, "number", 0);
    bool good;
    department->backend = (void *)plan_compile(arena, department, &sink, &good);
    departments += department->backend != NULL;
    for (uint32_t i = 0; i < services->count; i++) {
        struct service *service = arena_new(arena, struct service);
        service->definition = &services->items[i];
        struct fault_sink of_service = {.faults = faults, .kind = "service"};
        of_service.slug = service->slug = json_get_string(service->definition, "slug", STR_NONE);
        service->department = department;
        service->personal = json_get_boolean(service->definition, "personal", false);
        ck_assert(archetype_named(json_get_string(service->definition, "archetype", STR_NONE), &service->archetype));
        ck_assert(level_named(json_get_string(service->definition, "level", STR_NONE), &service->level));
        mappings += mapping_compile(arena, service, &of_service, &good) != NULL;
    }
}

START_TEST(every_mapping_of_the_catalogue_compiles)
{
    char path[512];
    snprintf(path, sizeof path, "%s/catalogue", getenv("SHIMIN_SCHEMA"));
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    struct text faults = text_open(arena, 1024);
    unsigned files = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct json_error error;
        if (!str_ends(str_of(entry->d_name), STR(".yaml")))
            continue;
        const struct json *document = yaml_parse(arena, file_of("catalogue", entry->d_name), &json_limits_document, &error);
        ck_assert_msg(document != NULL, "%s:%u: %s", entry->d_name, error.line, error.reason);
        if (!json_get(document, "department")) /* the categories */
            continue;
        compile(document, &faults);
        files++;
    }
    closedir(folder);
    ck_assert_msg(faults.len == 0, "%.*s", STR_ARG(text_str(&faults)));
    ck_assert_uint_eq(departments, files);
    ck_assert_uint_ge(mappings, 60);
}
END_TEST

RUN_FLOOR_TESTS("federation catalogue", every_mapping_of_the_catalogue_compiles)
