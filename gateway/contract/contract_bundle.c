/* Many contracts as one document: what /openapi.json serves. */
#include "contract/load.h"
#include "contract/locate.h"

#include <stdarg.h>
#include <stdio.h>

/* The kinds of components that references lead to. Security schemes are taken by name, as `security` names them. */
static const char *const kinds[] = {"schemas", "responses", "parameters", "examples", "requestBodies",
                                    "headers", "links",     "callbacks",  "pathItems"};

/* A component of a contract that goes by another name in the bundle. */
struct rename {
    struct rename *next;
    const char *kind;
    struct str from, to;
};

struct bundle {
    struct arena *arena;
    struct contract_faults *faults;
    struct json *paths, *webhooks, *components, *tags;
    const struct contract *contract; /* being added */
    struct rename *renames;          /* of that contract */
};

static void bundle_fault(struct bundle *bundle, const struct json *where, const char *format, ...) PRINTF_LIKE(3, 4);

static void bundle_fault(struct bundle *bundle, const struct json *where, const char *format, ...)
{
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    struct contract_faults *faults = bundle->faults;
    size_t size = faults->count * sizeof *faults->list;
    faults->list = arena_grow(bundle->arena, faults->list, size, size + sizeof *faults->list);
    struct str pointer = json_locate(bundle->arena, bundle->contract->document, where);
    faults->list[faults->count++] = (struct contract_fault){
        .pointer = pointer.at ? pointer : STR(""),
        .line = where ? where->line : 0,
        .reason = str_printf(bundle->arena, "%.*s: %s", STR_ARG(bundle->contract->name), reason),
    };
}

/* ---- rewriting ---- */

static const struct rename *rename_find(const struct bundle *bundle, const char *kind, struct str name)
{
    const struct rename *rename = bundle->renames;
    while (rename && !(str_is(str_of(kind), rename->kind) && str_equal(rename->from, name)))
        rename = rename->next;
    return rename;
}

/* The renamed component that "#/components/<kind>/<name>…" leads to, and what follows the name; NULL when none. */
static const struct rename *rename_of(const struct bundle *bundle, struct str reference, struct str *tail)
{
    if (!str_starts(reference, STR("#/components/")))
        return NULL;
    struct str rest = str_slice(reference, sizeof("#/components/") - 1, reference.len);
    struct str kind = str_cut(&rest, '/'), name = rest;
    ptrdiff_t slash = str_find(name, STR("/"));
    *tail = slash < 0 ? STR("") : str_slice(name, (size_t)slash, name.len);
    name = slash < 0 ? name : str_slice(name, 0, (size_t)slash);
    for (const struct rename *rename = bundle->renames; rename; rename = rename->next)
        if (str_is(kind, rename->kind) && str_equal(rename->from, name))
            return rename;
    return NULL;
}

static struct str new_reference(const struct bundle *bundle, struct str reference)
{
    struct str tail;
    const struct rename *rename = rename_of(bundle, reference, &tail);
    if (!rename)
        return reference;
    return str_printf(bundle->arena, "#/components/%s/%.*s%.*s", rename->kind, STR_ARG(rename->to), STR_ARG(tail));
}

/* A copy without x-shimin members, with references to renamed components put right. */
static const struct json *rewritten(const struct bundle *bundle, const struct json *value, bool is_mapping)
{
    struct arena *arena = bundle->arena;
    if (value->type == JSON_ARRAY) {
        struct json *array = json_make_array(arena);
        for (uint32_t i = 0; i < value->count; i++)
            json_append(arena, array, rewritten(bundle, &value->items[i], false));
        return array;
    }
    if (value->type != JSON_OBJECT)
        return value;
    struct json *object = json_make_object(arena);
    for (uint32_t i = 0; i < value->count; i++) {
        const struct json_member *member = &value->members[i];
        if (str_starts(member->name, STR("x-shimin")))
            continue;
        bool is_reference = member->value.type == JSON_STRING && (is_mapping || str_is(member->name, "$ref"));
        const struct json *copy = is_reference ? json_make_string(arena, new_reference(bundle, member->value.string))
                                               : rewritten(bundle, &member->value,
                                                           str_is(member->name, "mapping") && json_get(value, "propertyName"));
        json_set(arena, object, member->name, copy);
    }
    return object;
}

/* Whether something below leads to a component that goes by another name. */
static bool leads_to_renamed(const struct bundle *bundle, const struct json *value)
{
    struct str tail;
    if (value->type == JSON_STRING)
        return rename_of(bundle, value->string, &tail) != NULL;
    if (value->type != JSON_ARRAY && value->type != JSON_OBJECT)
        return false;
    for (uint32_t i = 0; i < value->count; i++)
        if (leads_to_renamed(bundle, value->type == JSON_ARRAY ? &value->items[i] : &value->members[i].value))
            return true;
    return false;
}

/* ---- components ---- */

static const struct json *component_of(const struct json *components, const char *kind, struct str name)
{
    return json_get_str(json_get(components, kind), name);
}

/* "Page" of contract "payments.yaml" becomes "payments_Page". */
static void rename_add(struct bundle *bundle, const char *kind, struct str name)
{
    struct str rest = bundle->contract->name, stem = str_cut(&rest, '.');
    struct text text = text_open(bundle->arena, stem.len + name.len + 2);
    for (size_t i = 0; i < stem.len; i++) {
        char c = stem.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        text_add_char(&text, is_plain ? c : '_');
    }
    text_add_char(&text, '_');
    text_add(&text, name);
    while (component_of(bundle->components, kind, text_str(&text)) ||
           component_of(json_get(bundle->contract->document, "components"), kind, text_str(&text)))
        text_add_char(&text, '_');
    struct rename *rename = arena_new(bundle->arena, struct rename);
    *rename = (struct rename){bundle->renames, kind, name, text_str(&text)};
    bundle->renames = rename;
}

/* A component clashes when another contract has a different one of its name. Equal ones are shared, unless they lead to one
 * that was renamed: repeated until nothing changes. */
static void find_renames(struct bundle *bundle, const struct json *components)
{
    bundle->renames = NULL;
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            const struct json *group = json_get(components, kinds[k]);
            for (uint32_t i = 0; group && group->type == JSON_OBJECT && i < group->count; i++) {
                const struct json_member *member = &group->members[i];
                const struct json *earlier = component_of(bundle->components, kinds[k], member->name);
                if (!earlier || rename_find(bundle, kinds[k], member->name))
                    continue;
                bool is_same =
                    !leads_to_renamed(bundle, &member->value) && json_equal(earlier, rewritten(bundle, &member->value, false));
                if (is_same)
                    continue;
                rename_add(bundle, kinds[k], member->name);
                changed = true;
            }
        }
    }
}

static struct json *group_of(struct bundle *bundle, struct json *components, const char *kind)
{
    struct json *group = (struct json *)json_get(components, kind);
    if (!group) {
        json_set(bundle->arena, components, str_of(kind), json_make_object(bundle->arena));
        group = (struct json *)json_get(components, kind);
    }
    return group;
}

static void add_components(struct bundle *bundle, const struct json *components)
{
    find_renames(bundle, components);
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        const struct json *source = json_get(components, kinds[k]);
        for (uint32_t i = 0; source && source->type == JSON_OBJECT && i < source->count; i++) {
            const struct json_member *member = &source->members[i];
            const struct rename *rename = rename_find(bundle, kinds[k], member->name);
            struct str name = rename ? rename->to : member->name;
            if (!component_of(bundle->components, kinds[k], name))
                json_set(bundle->arena, group_of(bundle, bundle->components, kinds[k]), name,
                         rewritten(bundle, &member->value, false));
        }
    }
    const struct json *schemes = json_get(components, "securitySchemes");
    for (uint32_t i = 0; schemes && schemes->type == JSON_OBJECT && i < schemes->count; i++)
        if (!component_of(bundle->components, "securitySchemes", schemes->members[i].name)) /* the head's wins */
            json_set(bundle->arena, group_of(bundle, bundle->components, "securitySchemes"), schemes->members[i].name,
                     rewritten(bundle, &schemes->members[i].value, false));
}

/* ---- paths and tags ---- */

/* A contract's own `security` does not survive the merge: each operation that relied on it says so itself. */
static void keep_security(struct bundle *bundle, struct json *item)
{
    const struct json *security = json_get(bundle->contract->document, "security");
    for (uint32_t i = 0; security && i < item->count; i++) {
        enum http_method method;
        struct json *operation = &item->members[i].value;
        if (method_named(item->members[i].name, &method) && operation->type == JSON_OBJECT && !json_get(operation, "security"))
            json_set(bundle->arena, operation, STR("security"), rewritten(bundle, security, false));
    }
}

static void add_path(struct bundle *bundle, const struct json_member *path)
{
    struct json *item = (struct json *)rewritten(bundle, &path->value, false);
    if (item->type != JSON_OBJECT)
        return;
    keep_security(bundle, item);
    struct json *earlier = (struct json *)json_get_str(bundle->paths, path->name);
    if (!earlier) {
        json_set(bundle->arena, bundle->paths, path->name, item);
        return;
    }
    /* Two contracts may share a path with different methods; what they say of the whole path must then be equal. */
    for (uint32_t i = 0; i < item->count; i++) {
        const struct json_member *member = &item->members[i];
        const struct json *other = json_get_str(earlier, member->name);
        enum http_method method;
        if (!other)
            json_set(bundle->arena, earlier, member->name, &member->value);
        else if (method_named(member->name, &method) || !json_equal(other, &member->value))
            bundle_fault(bundle, json_get_str(&path->value, member->name), "%.*s %.*s is in another contract too",
                         STR_ARG(member->name), STR_ARG(path->name));
    }
}

static void add_tags(struct bundle *bundle, const struct json *tags)
{
    for (uint32_t i = 0; tags && tags->type == JSON_ARRAY && i < tags->count; i++) {
        struct str name = json_get_string(&tags->items[i], "name", STR(""));
        bool known = false;
        for (uint32_t k = 0; k < bundle->tags->count; k++)
            known = known || str_equal(json_get_string(&bundle->tags->items[k], "name", STR("")), name);
        if (!known)
            json_append(bundle->arena, bundle->tags, rewritten(bundle, &tags->items[i], false));
    }
}

static void add_webhook(struct bundle *bundle, const struct json_member *webhook)
{
    if (json_get_str(bundle->webhooks, webhook->name))
        bundle_fault(bundle, &webhook->value, "webhook %.*s is another contract's as well", STR_ARG(webhook->name));
    else
        json_set(bundle->arena, bundle->webhooks, webhook->name, rewritten(bundle, &webhook->value, false));
}

static void add_contract(struct bundle *bundle, const struct contract *contract)
{
    bundle->contract = contract;
    const struct json *document = contract->document;
    if (!contract->is_3_1) {
        bundle_fault(bundle, json_get(document, "openapi"), "only OpenAPI 3.1 can be bundled");
        return;
    }
    const struct json *components = json_get(document, "components"), *paths = json_get(document, "paths");
    add_components(bundle, components);
    for (uint32_t i = 0; paths && i < paths->count; i++)
        if (str_starts(paths->members[i].name, STR("/")))
            add_path(bundle, &paths->members[i]);
    const struct json *webhooks = json_get(document, "webhooks");
    for (uint32_t i = 0; webhooks && i < webhooks->count; i++)
        add_webhook(bundle, &webhooks->members[i]);
    add_tags(bundle, json_get(document, "tags"));
}

const struct json *contract_bundle(struct arena *arena, const struct json *head, const struct contract *const *contracts,
                                   size_t count, struct contract_faults *faults)
{
    *faults = (struct contract_faults){0};
    struct bundle bundle = {.arena = arena, .faults = faults};
    struct json *document = (struct json *)rewritten(&bundle, head, false);
    struct json *copied = (struct json *)json_get(document, "components");
    bundle.paths = json_make_object(arena);
    bundle.webhooks = json_make_object(arena);
    bundle.components = copied ? copied : json_make_object(arena);
    bundle.tags = json_make_array(arena);
    if (!json_get(document, "openapi"))
        json_set(arena, document, STR("openapi"), json_make_string(arena, STR("3.1.1")));
    add_tags(&bundle, json_get(document, "tags"));
    for (size_t i = 0; i < count; i++)
        add_contract(&bundle, contracts[i]);
    if (faults->count > 0)
        return NULL;
    /* In the end, as values are copied into their object. */
    struct json *components = json_make_object(arena);
    for (uint32_t i = 0; i < bundle.components->count; i++)
        json_set(arena, components, bundle.components->members[i].name, &bundle.components->members[i].value);
    if (bundle.tags->count > 0)
        json_set(arena, document, STR("tags"), bundle.tags);
    json_set(arena, document, STR("paths"), bundle.paths);
    if (bundle.webhooks->count > 0)
        json_set(arena, document, STR("webhooks"), bundle.webhooks);
    json_set(arena, document, STR("components"), components);
    return document;
}
