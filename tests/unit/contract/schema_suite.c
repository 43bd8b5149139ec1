/* Measures schema_validate with the official JSON-Schema-Test-Suite: schema-suite <suite>/tests/draft2020-12 <suite>/remotes
 * <metaschemas>. Prints the rate and each failing case; fails under 95 %.
 *
 * The suite is not part of this repository. PyPI's source archive of `jsonschema` carries it (folder json/), PyPI's
 * `jsonschema-specifications` carries the metaschemas; deploy/test fetches both by name. */
#include "contract/schema.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMOTE "http://localhost:1234/"
#define METASCHEMA "https://json-schema.org/draft/2020-12/"

struct suite {
    struct arena *arena;
    const char *remotes;
    const char *metaschemas;
    bool formats;
    unsigned passed, failed;
};

static struct str read_whole(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return STR_NONE;
    struct text text = text_open(arena, 65536);
    size_t n;
    do {
        n = fread(text_reserve(&text, 65536), 1, 65536, file);
        text.len += n;
    } while (n > 0);
    fclose(file);
    return text_str(&text);
}

static const struct json *read_json(struct arena *arena, const char *path)
{
    struct str bytes = read_whole(arena, path);
    struct json_error error;
    return bytes.at ? json_parse(arena, bytes, &json_limits_document, &error) : NULL;
}

/* As jsonschema-specifications lays them out: metaschema.json, and vocabularies/core for meta/core. */
static const struct json *load_metaschema(struct suite *suite, struct str name)
{
    char path[1024];
    if (str_is(name, "schema"))
        snprintf(path, sizeof path, "%s/metaschema.json", suite->metaschemas);
    else if (str_starts(name, STR("meta/")))
        snprintf(path, sizeof path, "%s/vocabularies/%.*s", suite->metaschemas, STR_ARG(str_slice(name, 5, name.len)));
    else
        return NULL;
    return read_json(suite->arena, path);
}

static const struct json *load(void *context, struct str uri)
{
    struct suite *suite = context;
    char path[1024];
    if (str_starts(uri, STR(REMOTE))) {
        snprintf(path, sizeof path, "%s/%.*s", suite->remotes, STR_ARG(str_slice(uri, strlen(REMOTE), uri.len)));
        return read_json(suite->arena, path);
    }
    if (str_starts(uri, STR(METASCHEMA)))
        return load_metaschema(suite, str_slice(uri, strlen(METASCHEMA), uri.len));
    return NULL;
}

static void run_group(struct suite *suite, const char *file, const struct json *group)
{
    struct schema_options options = {.load = load, .context = suite, .assert_formats = suite->formats};
    struct str reason = STR_NONE, title = json_get_string(group, "description", STR(""));
    const struct schema *schema = schema_compile(suite->arena, json_get(group, "schema"), &options, &reason);
    const struct json *tests = json_get(group, "tests");
    for (uint32_t i = 0; i < tests->count; i++) {
        const struct json *test = &tests->items[i];
        bool expected = json_get_boolean(test, "valid", false);
        struct schema_errors errors = {.arena = suite->arena};
        bool quick = schema && schema_validate(schema, json_get(test, "data"), NULL);
        bool full = schema && schema_validate(schema, json_get(test, "data"), &errors);
        if (schema && quick == expected && full == expected && (errors.count == 0) == full) {
            suite->passed++;
            continue;
        }
        suite->failed++;
        printf("%s: %.*s: %.*s%s%.*s\n", file, STR_ARG(title), STR_ARG(json_get_string(test, "description", STR(""))),
               schema ? "" : ": does not compile: ", STR_ARG(reason));
    }
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".json") == 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: schema-suite <tests/draft2020-12> <remotes> <metaschemas> [formats]\n");
        return 2;
    }
    struct suite suite = {.remotes = argv[2], .metaschemas = argv[3], .formats = argc > 4};
    struct dirent **files = NULL;
    int count = scandir(argv[1], &files, is_json, by_name);
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", argv[1], files[i]->d_name);
        suite.arena = arena_open();
        const struct json *groups = read_json(suite.arena, path);
        for (uint32_t k = 0; groups && k < groups->count; k++)
            run_group(&suite, files[i]->d_name, &groups->items[k]);
        if (!groups)
            printf("%s: cannot be read\n", files[i]->d_name);
        arena_close(suite.arena);
        free(files[i]);
    }
    free(files);
    unsigned all = suite.passed + suite.failed;
    printf("%u of %u cases of %d files pass: %.2f %%\n", suite.passed, all, count, all ? 100.0 * suite.passed / all : 0);
    return all > 0 && suite.passed * 100ull >= all * 95ull ? 0 : 1;
}
