/* Reads the catalogue's files into one document and proves it by compiling a snapshot. */
#include "catalogue/files.h"

#include "catalogue/areas_csv.h"
#include "catalogue/snapshot.h"
#include "contract/schema.h"
#include "crypto/digest.h"

#include <shimin/file.h>
#include <shimin/id.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 16 << 20 };

/* What is put together while the files are read. */
struct reading {
    struct arena *arena;
    const struct catalogue_paths *paths;
    struct text *faults;
    const struct schema *schema;
    struct json *departments, *services;
    struct catalogue_contract *contracts;
    size_t contract_count, contract_room;
};

static struct str read_file(struct reading *reading, const char *path)
{
    struct str bytes;
    const char *reason = file_read(reading->arena, path, FILE_MOST, FILE_PUBLIC, &bytes);
    if (reason)
        text_printf(reading->faults, "%s: %s\n", path, reason);
    return bytes;
}

static const struct json *read_yaml(struct reading *reading, const char *path)
{
    struct str bytes = read_file(reading, path);
    struct json_error error;
    if (!bytes.at)
        return NULL;
    const struct json *document = yaml_parse(reading->arena, bytes, &json_limits_document, &error);
    if (!document)
        text_printf(reading->faults, "%s:%u: %s\n", path, error.line, error.reason);
    return document;
}

static bool load_schema(struct reading *reading)
{
    const char *path =
        str_to_c(reading->arena, str_printf(reading->arena, "%s/catalogue.schema.json", reading->paths->directory));
    const struct json *source = read_yaml(reading, path);
    struct str reason = STR("");
    if (source)
        reading->schema = schema_compile(reading->arena, source, &(struct schema_options){.assert_formats = true}, &reason);
    if (source && !reading->schema)
        text_printf(reading->faults, "%s: %.*s\n", path, STR_ARG(reason));
    return reading->schema != NULL;
}

/* The line of the value at a pointer, or of the nearest value above it. */
static uint32_t line_of(const struct json *document, struct str pointer)
{
    for (;;) {
        const struct json *value = json_at(document, pointer);
        if (value && value->line)
            return value->line;
        if (!pointer.len)
            return 1;
        while (pointer.len && pointer.at[pointer.len - 1] != '/')
            pointer.len--;
        if (pointer.len)
            pointer.len--;
    }
}

static bool obeys_schema(struct reading *reading, const char *path, const struct json *document)
{
    struct schema_errors errors = {.arena = reading->arena};
    if (schema_validate(reading->schema, document, &errors))
        return true;
    for (size_t i = 0; i < errors.count; i++)
        text_printf(reading->faults, "%s:%u: %.*s: %.*s\n", path, line_of(document, errors.list[i].pointer),
                    STR_ARG(errors.list[i].pointer), STR_ARG(errors.list[i].detail.en));
    return false;
}

static struct str version_of(struct reading *reading, struct str bytes)
{
    struct json_error error;
    const struct json *contract = yaml_parse(reading->arena, bytes, &json_limits_document, &error);
    return json_get_string(json_get(contract, "info"), "version", STR("1"));
}

/* Replaces the contract's file name by what a snapshot knows it by. */
static void add_contract(struct reading *reading, struct json *department)
{
    struct arena *arena = reading->arena;
    struct str name = json_get_string(department, "contract", STR("")), slug = json_get_string(department, "slug", STR(""));
    const char *path = str_to_c(arena, str_printf(arena, "%s/%.*s", reading->paths->contracts, STR_ARG(name)));
    struct str bytes = read_file(reading, path);
    if (!bytes.at)
        return;
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(bytes, digest);
    struct catalogue_contract *contract = &reading->contracts[reading->contract_count++];
    *contract =
        (struct catalogue_contract){slug, name, version_of(reading, bytes), hex_encode(arena, digest, sizeof digest), bytes};
    struct json *entry = json_make_object(arena);
    json_set(arena, entry, STR("name"), json_make_string(arena, name));
    json_set(arena, entry, STR("sha256"), json_make_string(arena, contract->sha256));
    json_set(arena, department, STR("contract"), entry);
}

static void add_department_file(struct reading *reading, const char *name)
{
    struct arena *arena = reading->arena;
    const char *path = str_to_c(arena, str_printf(arena, "%s/%s", reading->paths->directory, name));
    const struct json *document = read_yaml(reading, path);
    if (!document || !obeys_schema(reading, path, document))
        return;
    struct json *department = json_clone(arena, json_get(document, "department"));
    struct str slug = json_get_string(department, "slug", STR(""));
    if (json_get(department, "contract"))
        add_contract(reading, department);
    json_append(arena, reading->departments, department);
    const struct json *services = json_get(document, "services");
    for (uint32_t i = 0; services && i < services->count; i++) {
        struct json *service = json_clone(arena, &services->items[i]);
        json_set(arena, service, STR("department"), json_make_string(arena, slug));
        json_append(arena, reading->services, service);
    }
}

static const struct json *read_categories(struct reading *reading)
{
    const char *path = str_to_c(reading->arena, str_printf(reading->arena, "%s/categories.yaml", reading->paths->directory));
    const struct json *document = read_yaml(reading, path), *list = json_get(document, "categories");
    if (document && (!list || list->type != JSON_ARRAY))
        text_printf(reading->faults, "%s:1: needs a list named categories\n", path);
    return list;
}

static int is_department_file(const struct dirent *entry)
{
    struct str name = str_of(entry->d_name);
    return str_ends(name, STR(".yaml")) && !str_is(name, "categories.yaml") && name.at[0] != '.';
}

static void add_department_files(struct reading *reading)
{
    struct dirent **entries;
    int count = scandir(reading->paths->directory, &entries, is_department_file, alphasort);
    if (count < 0) {
        text_printf(reading->faults, "%s: %s\n", reading->paths->directory, strerror(errno));
        return;
    }
    reading->contracts = arena_array(reading->arena, struct catalogue_contract, (size_t)count);
    for (int i = 0; i < count; i++) {
        add_department_file(reading, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* The only place where a contract's bytes are looked for while the files are checked; commands have one thread. */
static const struct reading *current;

static struct str contract_bytes(struct arena *arena, struct str sha256)
{
    (void)arena;
    for (size_t i = 0; i < current->contract_count; i++)
        if (str_equal(current->contracts[i].sha256, sha256))
            return current->contracts[i].bytes;
    return STR_NONE;
}

static bool compiles(const struct reading *reading, struct str document)
{
    current = reading;
    struct snapshot *snapshot = snapshot_compile(document, contract_bytes, reading->faults);
    current = NULL;
    snapshot_release(snapshot);
    return snapshot != NULL;
}

bool catalogue_files_read(struct arena *arena, const struct catalogue_paths *paths, struct catalogue_files *files,
                          struct text *faults)
{
    struct reading reading = {
        .arena = arena,
        .paths = paths,
        .faults = faults,
        .departments = json_make_array(arena),
        .services = json_make_array(arena),
    };
    size_t before = faults->len;
    if (!load_schema(&reading))
        return false;
    const struct json *categories = read_categories(&reading);
    struct str csv = read_file(&reading, paths->areas);
    const struct json *areas = csv.at ? areas_csv_read(arena, paths->areas, csv, faults) : NULL;
    add_department_files(&reading);
    if (faults->len != before)
        return false;
    struct json *document = json_make_object(arena);
    json_set(arena, document, STR("categories"), categories);
    json_set(arena, document, STR("departments"), reading.departments);
    json_set(arena, document, STR("services"), reading.services);
    json_set(arena, document, STR("areas"), areas);
    *files = (struct catalogue_files){
        .document = json_text(arena, document),
        .contracts = reading.contracts,
        .contract_count = reading.contract_count,
        .departments = reading.departments->count,
        .services = reading.services->count,
        .areas = areas->count,
    };
    return compiles(&reading, files->document);
}
