/* Identifiers and references: resources by URI, anchors, JSON Pointers (core §8.2, §9.2). */
#include "contract/schema_node.h"

#include <string.h>

/* ---- spots: a hash table by address ---- */

static size_t spot_slot(const struct schema_compiler *compiler, const struct json *source)
{
    uint64_t hash = (uintptr_t)source * 0x9e3779b97f4a7c15u;
    size_t slot = (size_t)(hash >> 20) & (compiler->spot_room - 1);
    while (compiler->spots[slot].source && compiler->spots[slot].source != source)
        slot = (slot + 1) & (compiler->spot_room - 1);
    return slot;
}

struct spot *spot_find(struct schema_compiler *compiler, const struct json *source)
{
    if (compiler->spot_room == 0)
        return NULL;
    struct spot *spot = &compiler->spots[spot_slot(compiler, source)];
    return spot->source ? spot : NULL;
}

static void spot_add(struct schema_compiler *compiler, const struct json *source, struct resource *resource)
{
    if ((compiler->spot_count + 1) * 2 > compiler->spot_room) {
        struct spot *old = compiler->spots;
        size_t old_room = compiler->spot_room;
        compiler->spot_room = old_room ? old_room * 2 : 64;
        compiler->spots = arena_array(compiler->arena, struct spot, compiler->spot_room);
        for (size_t i = 0; i < old_room; i++)
            if (old[i].source)
                compiler->spots[spot_slot(compiler, old[i].source)] = old[i];
    }
    compiler->spot_count++;
    compiler->spots[spot_slot(compiler, source)] = (struct spot){source, resource, NULL};
}

/* ---- resources ---- */

static struct resource *resource_find(struct schema_compiler *compiler, struct str uri)
{
    struct resource *resource = compiler->resources;
    while (resource && !str_equal(resource->uri, uri))
        resource = resource->next;
    return resource;
}

static const struct {
    const char *uri;
    unsigned vocabularies;
} vocabulary_uris[] = {
    {"https://json-schema.org/draft/2020-12/vocab/core", VOCABULARY_CORE},
    {"https://json-schema.org/draft/2020-12/vocab/applicator", VOCABULARY_APPLICATOR},
    {"https://json-schema.org/draft/2020-12/vocab/unevaluated", VOCABULARY_UNEVALUATED},
    {"https://json-schema.org/draft/2020-12/vocab/validation", VOCABULARY_VALIDATION},
    {"https://json-schema.org/draft/2020-12/vocab/format-annotation", VOCABULARY_CORE},
    {"https://json-schema.org/draft/2020-12/vocab/format-assertion", VOCABULARY_FORMAT_ASSERTION},
    {"https://json-schema.org/draft/2020-12/vocab/meta-data", VOCABULARY_CORE},
    {"https://json-schema.org/draft/2020-12/vocab/content", VOCABULARY_CORE},
    {"https://spec.openapis.org/oas/3.1/vocab/base", VOCABULARY_CORE},
};

/* What the metaschema named by $schema says (core §8.1.2). */
static unsigned vocabularies_of(struct schema_compiler *compiler, const struct json *root)
{
    struct str uri = json_get_string(root, "$schema", STR_NONE);
    if (!uri.at || str_is(uri, "https://json-schema.org/draft/2020-12/schema") || !compiler->options.load)
        return VOCABULARIES_STANDARD;
    const struct json *listed = json_get(compiler->options.load(compiler->options.context, uri), "$vocabulary");
    if (!listed || listed->type != JSON_OBJECT)
        return VOCABULARIES_STANDARD;
    unsigned vocabularies = VOCABULARY_CORE;
    for (uint32_t i = 0; i < listed->count; i++) {
        const struct json_member *member = &listed->members[i];
        bool known = false;
        for (size_t k = 0; k < COUNT_OF(vocabulary_uris); k++) {
            if (str_is(member->name, vocabulary_uris[k].uri)) {
                vocabularies |= vocabulary_uris[k].vocabularies;
                known = true;
            }
        }
        if (!known && member->value.type == JSON_BOOLEAN && member->value.boolean)
            compile_fault(compiler, root, "its metaschema requires an unknown vocabulary: %.*s", STR_ARG(member->name));
    }
    return vocabularies;
}

struct resource *resource_add(struct schema_compiler *compiler, struct str uri, const struct json *root)
{
    struct resource *resource = arena_new(compiler->arena, struct resource);
    *resource = (struct resource){.next = compiler->resources, .uri = uri, .root = root};
    compiler->resources = resource;
    resource->vocabularies = vocabularies_of(compiler, root);
    return resource;
}

static struct str without_fragment(struct str uri)
{
    ptrdiff_t hash = str_find(uri, STR("#"));
    return hash < 0 ? uri : str_slice(uri, 0, (size_t)hash);
}

/* ---- indexing ---- */

enum shape { SHAPE_SCHEMA, SHAPE_ARRAY, SHAPE_MAP };
/* Where subschemas stand: an $id elsewhere (in an enum, in an unknown keyword) is no identifier. */
static const struct {
    const char *keyword;
    enum shape shape;
} subschemas[] = {
    {"$defs", SHAPE_MAP},
    {"definitions", SHAPE_MAP},
    {"properties", SHAPE_MAP},
    {"patternProperties", SHAPE_MAP},
    {"dependentSchemas", SHAPE_MAP},
    {"allOf", SHAPE_ARRAY},
    {"anyOf", SHAPE_ARRAY},
    {"oneOf", SHAPE_ARRAY},
    {"prefixItems", SHAPE_ARRAY},
    {"items", SHAPE_SCHEMA},
    {"additionalProperties", SHAPE_SCHEMA},
    {"propertyNames", SHAPE_SCHEMA},
    {"contains", SHAPE_SCHEMA},
    {"not", SHAPE_SCHEMA},
    {"if", SHAPE_SCHEMA},
    {"then", SHAPE_SCHEMA},
    {"else", SHAPE_SCHEMA},
    {"unevaluatedItems", SHAPE_SCHEMA},
    {"unevaluatedProperties", SHAPE_SCHEMA},
    {"contentSchema", SHAPE_SCHEMA},
};

static void index_anchor(struct schema_compiler *compiler, const struct json *source, struct resource *resource,
                         const struct json *name, bool dynamic)
{
    if (name->type != JSON_STRING) {
        compile_fault(compiler, name, "an anchor must be a string");
        return;
    }
    struct anchor *anchor = arena_new(compiler->arena, struct anchor);
    *anchor = (struct anchor){.next = resource->anchors, .name = name->string, .source = source};
    resource->anchors = anchor;
    if (dynamic)
        anchor->schema = compile_node(compiler, source, resource);
}

static struct resource *index_identifier(struct schema_compiler *compiler, const struct json *source, struct resource *resource)
{
    const struct json *id = json_get(source, "$id");
    if (!id || (compiler->options.openapi_3_0))
        return resource;
    if (id->type != JSON_STRING) {
        compile_fault(compiler, id, "$id must be a string");
        return resource;
    }
    struct str base = resource ? resource->uri : STR("");
    struct str uri = without_fragment(uri_resolve(compiler->arena, base, id->string));
    if (resource && resource->root == source && str_equal(resource->uri, uri))
        return resource;
    struct resource *own = resource_add(compiler, uri, source);
    if (resource && !json_get(source, "$schema"))
        own->vocabularies = resource->vocabularies;
    return own;
}

struct spot *spot_index(struct schema_compiler *compiler, const struct json *source, struct resource *resource)
{
    struct spot *spot = spot_find(compiler, source);
    if (spot)
        return spot;
    if (source->type == JSON_OBJECT)
        resource = index_identifier(compiler, source, resource);
    if (!resource)
        resource = resource_add(compiler, STR(""), source);
    spot_add(compiler, source, resource);
    const struct json *anchor = json_get(source, "$anchor"), *dynamic = json_get(source, "$dynamicAnchor");
    if (anchor)
        index_anchor(compiler, source, resource, anchor, false);
    if (dynamic)
        index_anchor(compiler, source, resource, dynamic, true);
    for (size_t i = 0; i < COUNT_OF(subschemas) && source->type == JSON_OBJECT; i++) {
        const struct json *value = json_get(source, subschemas[i].keyword);
        if (!value)
            continue;
        if (subschemas[i].shape == SHAPE_SCHEMA)
            spot_index(compiler, value, resource);
        else if (subschemas[i].shape == SHAPE_ARRAY && value->type == JSON_ARRAY)
            for (uint32_t k = 0; k < value->count; k++)
                spot_index(compiler, &value->items[k], resource);
        else if (subschemas[i].shape == SHAPE_MAP && value->type == JSON_OBJECT)
            for (uint32_t k = 0; k < value->count; k++)
                spot_index(compiler, &value->members[k].value, resource);
    }
    return spot_find(compiler, source); /* the table may have moved */
}

/* ---- resolving ---- */

const struct anchor *anchor_find(const struct resource *resource, struct str name)
{
    const struct anchor *anchor = resource->anchors;
    while (anchor && !str_equal(anchor->name, name))
        anchor = anchor->next;
    return anchor;
}

/* The value at a JSON Pointer; a subschema with an identifier on the way changes the resource. */
static const struct json *walk(struct schema_compiler *compiler, struct str pointer, struct resource **resource)
{
    const struct json *at = (*resource)->root;
    struct str rest = str_slice(pointer, 1, pointer.len);
    if (pointer.len == 0)
        return at;
    while (at && rest.at) {
        struct str token = str_cut(&rest, '/');
        /* One token at a time, by the lookup that knows of ~0 and ~1. */
        at = json_at(at, str_printf(compiler->arena, "/%.*s", STR_ARG(token)));
        const struct spot *spot = at ? spot_find(compiler, at) : NULL;
        if (spot && spot->resource->root == at)
            *resource = spot->resource;
    }
    return at;
}

/* A document is known by the URI it was asked for and by the one it gives itself; the latter is its base. */
static struct resource *resource_obtain(struct schema_compiler *compiler, struct str uri)
{
    struct resource *resource = resource_find(compiler, uri);
    if (!resource && compiler->options.load && uri.len > 0) {
        const struct json *document = compiler->options.load(compiler->options.context, uri);
        if (document) {
            resource = resource_add(compiler, uri, document);
            (void)spot_index(compiler, document, resource);
        }
    }
    const struct spot *spot = resource ? spot_find(compiler, resource->root) : NULL;
    return spot ? spot->resource : resource;
}

const struct json *reference_resolve(struct schema_compiler *compiler, const struct resource *base,
                                     const struct json *reference, struct resource **resource)
{
    if (reference->type != JSON_STRING) {
        compile_fault(compiler, reference, "a reference must be a string");
        return NULL;
    }
    struct str uri = uri_resolve(compiler->arena, base->uri, reference->string), fragment = STR("");
    ptrdiff_t hash = str_find(uri, STR("#"));
    if (hash >= 0) {
        struct str raw = str_slice(uri, (size_t)hash + 1, uri.len);
        uri = str_slice(uri, 0, (size_t)hash);
        if (!str_percent_decode(compiler->arena, raw, false, &fragment)) {
            compile_fault(compiler, reference, "is not a URI reference");
            return NULL;
        }
    }
    /* A reference within the resource needs no look-up, and resources made by code have no URI. */
    *resource = str_equal(uri, base->uri) ? (struct resource *)base : resource_obtain(compiler, uri);
    const struct json *found = NULL;
    if (*resource && (fragment.len == 0 || fragment.at[0] == '/')) {
        found = walk(compiler, fragment, resource);
    } else if (*resource) {
        const struct anchor *anchor = anchor_find(*resource, fragment);
        found = anchor ? anchor->source : NULL;
    }
    if (!found)
        compile_fault(compiler, reference, "refers to nothing: %.*s", STR_ARG(reference->string));
    return found;
}
