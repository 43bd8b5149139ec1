/* From the bytes of an OpenAPI document to a contract, or to the list of all that is wrong with it. */
#include "contract/load.h"
#include "contract/locate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Enough to mend by; a document of another kind altogether would list thousands. */
#define FAULTS_MAX 200
#define REFERENCE_HOPS 32

void load_fault(struct loader *loader, const struct json *where, const char *format, ...)
{
    struct contract_faults *faults = loader->faults;
    if (faults->count >= FAULTS_MAX)
        return;
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    size_t kept = length < (int)sizeof reason ? (size_t)length : sizeof reason - 1;
    for (size_t i = 0; i < faults->count; i++)
        if (loader->fault_places[i] == where && str_equal(faults->list[i].reason, (struct str){reason, kept}))
            return;
    if (!faults->list) {
        faults->list = arena_array(loader->report, struct contract_fault, FAULTS_MAX);
        loader->fault_places = arena_array(loader->report, const struct json *, FAULTS_MAX);
    }
    loader->fault_places[faults->count] = where;
    struct str pointer = json_locate(loader->report, loader->contract->document, where);
    faults->list[faults->count++] = (struct contract_fault){
        .pointer = pointer.at ? pointer : STR(""),
        .line = where ? where->line : 0,
        .reason = str_copy(loader->report, (struct str){reason, kept}),
    };
}

static void schema_fault(void *context, const struct json *where, struct str reason)
{
    load_fault(context, where, "%.*s", STR_ARG(reason));
}

const struct json *follow_references(struct arena *arena, const struct json *document, const struct json *node,
                                     const struct json **broken)
{
    const struct json *reference = NULL;
    for (unsigned hops = 0; node && hops < REFERENCE_HOPS; hops++) {
        const struct json *next = json_get(node, "$ref");
        if (!next)
            return node;
        reference = next;
        struct str pointer = STR_NONE;
        bool is_local = reference->type == JSON_STRING && str_starts(reference->string, STR("#"));
        if (!is_local || !str_percent_decode(arena, str_slice(reference->string, 1, reference->string.len), false, &pointer))
            break;
        node = json_at(document, pointer);
    }
    if (broken)
        *broken = reference;
    return NULL;
}

const struct json *load_resolve(struct loader *loader, const struct json *node)
{
    const struct json *broken = NULL, *found = follow_references(loader->arena, loader->contract->document, node, &broken);
    if (found)
        return found;
    if (!broken)
        return NULL;
    if (broken->type != JSON_STRING)
        load_fault(loader, broken, "a reference must be a string");
    else if (!str_starts(broken->string, STR("#")))
        load_fault(loader, broken, "only references within the document (#/…) are followed: %.*s", STR_ARG(broken->string));
    else
        load_fault(loader, broken, "refers to nothing: %.*s", STR_ARG(broken->string));
    return NULL;
}

const struct json *load_member(struct loader *loader, const struct json *object, const char *name, enum json_type type)
{
    static const char *const names[] = {"null", "a boolean", "an integer", "a number", "a string", "an array", "an object"};
    const struct json *value = json_get(object, name);
    if (!value || value->type == type)
        return value;
    bool unquoted = type == JSON_STRING && (value->type == JSON_INTEGER || value->type == JSON_NUMBER);
    load_fault(loader, value, "%s must be %s%s", name, names[type], unquoted ? ": write it in quotes" : "");
    return NULL;
}

const struct schema *load_schema(struct loader *loader, const struct json *source)
{
    return source ? schema_compiler_add(loader->schemas, source) : NULL;
}

/* ---- the document ---- */

static bool check_version(struct loader *loader, const struct json *document)
{
    const struct json *version = json_get(document, "openapi");
    if (!version && json_get(document, "swagger")) {
        load_fault(loader, json_get(document, "swagger"),
                   "this is Swagger 2.0; convert it to OpenAPI 3 (for example with swagger2openapi) and try again");
        return false;
    }
    if (!version) {
        load_fault(loader, document, "not an OpenAPI document: the member openapi is missing");
        return false;
    }
    if (version->type == JSON_STRING &&
        (str_starts(version->string, STR("3.0.")) || str_starts(version->string, STR("3.1.")))) {
        loader->contract->is_3_1 = version->string.at[2] == '1';
        return true;
    }
    load_fault(loader, version, "unknown version of OpenAPI: \"3.0.x\" and \"3.1.x\" are read");
    return false;
}

static void check_info(struct loader *loader, const struct json *document)
{
    const struct json *info = load_member(loader, document, "info", JSON_OBJECT);
    if (!info) {
        if (!json_get(document, "info"))
            load_fault(loader, document, "info is missing");
        return;
    }
    static const char *const names[] = {"title", "version"};
    struct str *const texts[] = {&loader->contract->title, &loader->contract->version};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *text = load_member(loader, info, names[i], JSON_STRING);
        if (text)
            *texts[i] = text->string;
        else if (!json_get(info, names[i]))
            load_fault(loader, info, "info.%s is missing", names[i]);
    }
}

/* References in components that no operation uses. What examples hold is data. */
static void check_references(struct loader *loader, const struct json *node)
{
    if (node->type == JSON_ARRAY) {
        for (uint32_t i = 0; i < node->count; i++)
            check_references(loader, &node->items[i]);
        return;
    }
    if (node->type != JSON_OBJECT)
        return;
    struct str reference = json_get_string(node, "$ref", STR_NONE);
    if (str_starts(reference, STR("#/")))
        (void)load_resolve(loader, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct json_member *member = &node->members[i];
        bool is_data = str_is(member->name, "example") || str_is(member->name, "examples") || str_is(member->name, "default") ||
                       str_is(member->name, "enum") || str_is(member->name, "const") || str_starts(member->name, STR("x-"));
        if (!is_data)
            check_references(loader, &member->value);
    }
}

/* Schemas and references that no operation uses are checked as well. */
static void check_components(struct loader *loader, const struct json *document)
{
    const struct json *components = load_member(loader, document, "components", JSON_OBJECT);
    const struct json *schemas = load_member(loader, components, "schemas", JSON_OBJECT);
    for (uint32_t i = 0; schemas && i < schemas->count; i++)
        (void)load_schema(loader, &schemas->members[i].value);
    for (uint32_t i = 0; components && i < components->count; i++)
        if (!str_is(components->members[i].name, "schemas"))
            check_references(loader, &components->members[i].value);
}

static void load_document(struct loader *loader, const struct json *document)
{
    if (document->type != JSON_OBJECT) {
        load_fault(loader, document, "not an OpenAPI document: it must be an object");
        return;
    }
    if (!check_version(loader, document))
        return;
    const struct schema_options options = {
        .openapi_3_0 = !loader->contract->is_3_1, .assert_formats = true, .document = document};
    loader->schemas = schema_compiler_new(loader->arena, &options, schema_fault, loader);
    check_info(loader, document);
    const struct json *paths = load_member(loader, document, "paths", JSON_OBJECT);
    if (paths)
        load_paths(loader, paths);
    else if (!json_get(document, "paths") &&
             (!loader->contract->is_3_1 || (!json_get(document, "components") && !json_get(document, "webhooks"))))
        load_fault(loader, document, "paths is missing");
    check_components(loader, document);
    if (!schema_compiler_finish(loader->schemas))
        return; /* its faults have been listed one by one */
}

static const struct json *parse(struct loader *loader, struct str bytes)
{
    struct str start = str_trim(bytes);
    struct json_error error = {0};
    bool is_json = start.len > 0 && start.at[0] == '{';
    const struct json *document = is_json ? json_parse(loader->arena, bytes, &json_limits_document, &error)
                                          : yaml_parse(loader->arena, bytes, &json_limits_document, &error);
    if (!document) {
        load_fault(loader, NULL, "%s cannot be read: %s (column %u)", is_json ? "JSON" : "YAML",
                   error.reason ? error.reason : "not a document", error.column);
        loader->faults->list[loader->faults->count - 1].line = error.line;
    }
    return document;
}

const struct contract *contract_load(struct str name, struct str bytes, struct arena *report, struct contract_faults *faults)
{
    struct arena *arena = arena_open();
    struct contract *contract = arena_new(arena, struct contract);
    struct loader loader = {.arena = arena, .report = report, .faults = faults, .contract = contract};
    *faults = (struct contract_faults){0};
    contract->arena = arena;
    contract->name = str_copy(arena, name);
    contract->document = parse(&loader, str_copy(arena, bytes));
    if (contract->document)
        load_document(&loader, contract->document);
    if (faults->count > 0) {
        arena_close(arena);
        return NULL;
    }
    contract->operations = loader.operations;
    contract->operation_count = (unsigned)loader.operation_count;
    return contract;
}

void contract_free(const struct contract *contract)
{
    if (contract)
        arena_close(contract->arena);
}
