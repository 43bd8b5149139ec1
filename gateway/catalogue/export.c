/* Departments, categories, areas and contracts, each into its file. */
#include "catalogue/export.h"

#include "catalogue/yaml_write.h"

#include <shimin/arena.h>
#include <shimin/file.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct exporting {
    struct arena *arena;
    const struct catalogue_export *to;
    struct text *faults;
    size_t files;
};

bool catalogue_is_from_files(const struct json *service)
{
    return !json_get(service, "version");
}

static bool make_folder(struct exporting *exporting, const char *name)
{
    struct arena *arena = exporting->arena;
    const char *path = str_to_c(arena, str_printf(arena, "%s/%s", exporting->to->directory, name));
    if (mkdir(path, 0755) == 0 || errno == EEXIST)
        return true;
    text_printf(exporting->faults, "%s: %s\n", path, strerror(errno));
    return false;
}

static bool write_file(struct exporting *exporting, const char *folder, struct str name, struct str bytes)
{
    struct arena *arena = exporting->arena;
    const char *path = str_to_c(arena, str_printf(arena, "%s/%s/%.*s", exporting->to->directory, folder, STR_ARG(name)));
    exporting->files++;
    if (file_replace(path, bytes) && chmod(path, 0644) == 0)
        return true;
    text_printf(exporting->faults, "%s could not be written\n", path);
    return false;
}

/* Without the members that are put in when the files are read. */
static struct json *without(struct arena *arena, const struct json *object, const char *name)
{
    struct json *copy = json_make_object(arena);
    for (uint32_t i = 0; i < object->count; i++)
        if (!str_is(object->members[i].name, name))
            json_set(arena, copy, object->members[i].name, &object->members[i].value);
    return copy;
}

static bool write_contract(struct exporting *exporting, const struct json *contract)
{
    struct str name = json_get_string(contract, "name", STR("")), sha256 = json_get_string(contract, "sha256", STR(""));
    struct str bytes = exporting->to->contract(exporting->to->context, exporting->arena, sha256);
    if (!name.len || str_find(name, STR("/")) >= 0 || name.at[0] == '.' || !bytes.at) {
        text_printf(exporting->faults, "contract %.*s: there are no bytes of it\n", STR_ARG(name));
        return false;
    }
    return write_file(exporting, "contracts", name, bytes);
}

static bool write_department(struct exporting *exporting, const struct json *document, const struct json *department)
{
    struct arena *arena = exporting->arena;
    struct str slug = json_get_string(department, "slug", STR(""));
    struct json *head = without(arena, department, "contract"), *list = json_make_array(arena), *file = json_make_object(arena);
    const struct json *services = json_get(document, "services"), *contract = json_get(department, "contract");
    for (uint32_t i = 0; services && i < services->count; i++)
        if (str_equal(json_get_string(&services->items[i], "department", STR("")), slug) &&
            catalogue_is_from_files(&services->items[i]))
            json_append(arena, list, without(arena, &services->items[i], "department"));
    if (contract) {
        struct str name = json_get_string(contract, "name", STR(""));
        json_set(arena, head, STR("contract"), json_make_string(arena, name));
        if (!write_contract(exporting, contract))
            return false;
    }
    json_set(arena, file, STR("department"), head);
    json_set(arena, file, STR("services"), list);
    struct text text = text_open(arena, 16384);
    text_printf(&text, "# Services of the department %.*s; see README.md and catalogue.schema.json.\n", STR_ARG(slug));
    yaml_write(&text, file);
    return write_file(exporting, "catalogue", str_printf(arena, "%.*s.yaml", STR_ARG(slug)), text_str(&text));
}

static bool write_categories(struct exporting *exporting, const struct json *categories)
{
    struct json *file = json_make_object(exporting->arena);
    struct text text = text_open(exporting->arena, 1024);
    json_set(exporting->arena, file, STR("categories"), categories);
    text_add_c(&text, "# The categories of the catalogue, in the order in which they are shown.\n");
    yaml_write(&text, file);
    return write_file(exporting, "catalogue", STR("categories.yaml"), text_str(&text));
}

/* Upper levels, whose codes are shorter, first. */
static int compare_areas(const void *a, const void *b)
{
    struct str left = (*(const struct json *const *)a)->items[0].string,
               right = (*(const struct json *const *)b)->items[0].string;
    return left.len != right.len ? (left.len > right.len) - (left.len < right.len) : str_compare(left, right);
}

/* A root's parent lies outside of the city: its own code without the last two digits. */
static bool write_areas(struct exporting *exporting, const struct json *areas)
{
    struct text text = text_open(exporting->arena, 1 << 18);
    size_t count = areas && areas->type == JSON_ARRAY ? areas->count : 0;
    const struct json **rows = arena_array(exporting->arena, const struct json *, count);
    for (size_t i = 0; i < count; i++)
        rows[i] = &areas->items[i];
    if (count)
        qsort(rows, count, sizeof *rows, compare_areas);
    text_add_c(&text, "code,name,level,parent_code\n");
    for (size_t i = 0; i < count; i++) {
        const struct json *cells = rows[i]->items;
        struct str code = cells[0].string, parent = cells[3].type == JSON_STRING
                                                        ? cells[3].string
                                                        : str_slice(code, 0, code.len > 2 ? code.len - 2 : 0);
        text_printf(&text, "%.*s,%.*s,%.*s,%.*s\n", STR_ARG(code), STR_ARG(cells[1].string), STR_ARG(cells[2].string),
                    STR_ARG(parent));
    }
    return write_file(exporting, "areas", str_of(exporting->to->areas), text_str(&text));
}

bool catalogue_export(struct arena *arena, const struct json *document, const struct catalogue_export *to, size_t *files,
                      struct text *faults)
{
    struct exporting exporting = {.arena = arena, .to = to, .faults = faults};
    if (mkdir(to->directory, 0755) != 0 && errno != EEXIST) {
        text_printf(faults, "%s: %s\n", to->directory, strerror(errno));
        return false;
    }
    const struct json *departments = json_get(document, "departments");
    bool good =
        make_folder(&exporting, "catalogue") && make_folder(&exporting, "contracts") && make_folder(&exporting, "areas") &&
        write_file(&exporting, "catalogue", STR("catalogue.schema.json"), to->schema) &&
        write_categories(&exporting, json_get(document, "categories")) && write_areas(&exporting, json_get(document, "areas"));
    for (uint32_t i = 0; good && departments && i < departments->count; i++)
        good = write_department(&exporting, document, &departments->items[i]);
    *files = exporting.files;
    return good;
}
