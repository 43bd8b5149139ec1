/* From a schema's source to nodes: a queue of nodes to fill, so that recursion in the schema costs no stack. */
#include "contract/locate.h"
#include "contract/schema_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KEYWORDS_MAX 64
#define REFERENCE_HOPS 64

void compile_fault(struct schema_compiler *compiler, const struct json *where, const char *format, ...)
{
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    compiler->failed = true;
    size_t kept = length < (int)sizeof reason ? (size_t)length : sizeof reason - 1;
    if (compiler->fault)
        compiler->fault(compiler->fault_context, where, str_copy(compiler->arena, (struct str){reason, kept}));
}

bool compile_limit(struct schema_compiler *compiler, const struct json *source, uint64_t *limit)
{
    bool is_number = source->type == JSON_INTEGER || source->type == JSON_NUMBER;
    if (!is_number || !number_is_whole(source) || json_as_double(source) < 0) {
        compile_fault(compiler, source, "must be a non-negative integer");
        return false;
    }
    double value = json_as_double(source);
    *limit = source->type == JSON_INTEGER ? (uint64_t)source->integer : value < 1e18 ? (uint64_t)value : UINT64_MAX;
    return true;
}

bool compile_list(struct schema_compiler *compiler, const struct schema *node, const struct json *source,
                  struct schema_list *out)
{
    if (source->type != JSON_ARRAY || source->count == 0) {
        compile_fault(compiler, source, "must be a non-empty array of schemas");
        return false;
    }
    out->count = source->count;
    out->list = arena_array(compiler->arena, const struct schema *, source->count);
    for (uint32_t i = 0; i < source->count; i++)
        out->list[i] = compile_child(compiler, node, &source->items[i]);
    return true;
}

static struct schema *node_new(struct schema_compiler *compiler, const struct json *source, const struct resource *resource)
{
    struct schema *node = arena_new(compiler->arena, struct schema);
    node->source = source;
    node->resource = resource;
    node->types = TYPES_ALL;
    return node;
}

const struct schema *compile_node(struct schema_compiler *compiler, const struct json *source, struct resource *resource)
{
    struct spot *spot = spot_index(compiler, source, resource);
    if (spot->schema)
        return spot->schema;
    struct schema *node = node_new(compiler, source, spot->resource);
    spot->schema = node;
    if (compiler->queued == compiler->queue_room) {
        size_t room = compiler->queue_room ? compiler->queue_room * 2 : 64;
        compiler->queue = arena_grow_raw(compiler->arena, compiler->queue, compiler->queue_room * sizeof *compiler->queue,
                                         room * sizeof *compiler->queue);
        compiler->queue_room = room;
    }
    compiler->queue[compiler->queued++] = node;
    return node;
}

static struct schema *refuse_all(struct schema_compiler *compiler, const struct json *source, const struct resource *resource)
{
    struct schema *node = node_new(compiler, source, resource);
    node->never = true;
    return node;
}

/* Whether nothing but $ref says anything here. */
static bool is_lone_reference(const struct schema_compiler *compiler, const struct json *source)
{
    if (!json_get(source, "$ref"))
        return false;
    if (compiler->options.openapi_3_0)
        return true;
    for (uint32_t i = 0; i < source->count; i++) {
        struct str name = source->members[i].name;
        if (str_is(name, "$ref"))
            continue;
        if (str_is(name, "$id"))
            return false;
        for (size_t k = 0; k < schema_keyword_count; k++)
            if (str_is(name, schema_keywords[k].name))
                return false;
    }
    return true;
}

/* The source and its resource after lone references. A reference that leads into another resource is not followed any
 * further: that resource belongs to the dynamic scope. */
static bool follow(struct schema_compiler *compiler, const struct json **source, struct resource **resource)
{
    const struct json *first = *source;
    const struct resource *home = *resource;
    for (unsigned hops = 0; *resource == home && is_lone_reference(compiler, *source); hops++) {
        if (hops == REFERENCE_HOPS) {
            compile_fault(compiler, json_get(first, "$ref"), "refers to itself");
            return false;
        }
        *source = reference_resolve(compiler, *resource, json_get(*source, "$ref"), resource);
        if (!*source)
            return false;
    }
    return true;
}

const struct schema *compile_child(struct schema_compiler *compiler, const struct schema *parent, const struct json *source)
{
    struct spot *spot = spot_index(compiler, source, (struct resource *)parent->resource);
    struct resource *resource = spot->resource;
    if (resource == parent->resource && !follow(compiler, &source, &resource))
        return refuse_all(compiler, source, parent->resource);
    return compile_node(compiler, source, resource);
}

const struct schema *compile_reference(struct schema_compiler *compiler, const struct resource *base,
                                       const struct json *reference)
{
    struct resource *resource;
    const struct json *source = reference_resolve(compiler, base, reference, &resource);
    if (!source)
        return NULL;
    if (resource == base && !follow(compiler, &source, &resource))
        return NULL;
    return compile_node(compiler, source, resource);
}

static void fill(struct schema_compiler *compiler, struct schema *node)
{
    const struct json *source = node->source;
    if (source->type == JSON_BOOLEAN) {
        node->never = !source->boolean;
        return;
    }
    if (source->type != JSON_OBJECT) {
        compile_fault(compiler, source, "a schema must be an object or a boolean");
        node->never = true;
        return;
    }
    struct rule rules[KEYWORDS_MAX];
    uint32_t count = 0;
    bool hides = compiler->options.openapi_3_0 && json_get(source, "$ref"); /* $ref hides its siblings in 3.0 */
    for (size_t i = 0; i < schema_keyword_count && count < KEYWORDS_MAX; i++) {
        const struct keyword *keyword = &schema_keywords[i];
        const struct json *value = json_get(source, keyword->name);
        if (!value || !(keyword->vocabulary & node->resource->vocabularies) || (hides && strcmp(keyword->name, "$ref") != 0))
            continue;
        rules[count] = (struct rule){.keyword = keyword, .source = value};
        if (keyword->compile(compiler, node, &rules[count]))
            count++;
    }
    node->rules = arena_copy(compiler->arena, rules, count * sizeof *rules);
    node->rule_count = count;
}

/* The i-th node that a rule applies to the same value, or NULL. */
static const struct schema *in_place(const struct rule *rule, uint32_t i)
{
    bool (*check)(const struct visit *, const struct rule *) = rule->keyword->check;
    if (check == check_ref || check == check_not)
        return i == 0 ? rule->schema : NULL;
    if (check == check_all_of || check == check_any_of || check == check_one_of)
        return i < rule->schemas.count ? rule->schemas.list[i] : NULL;
    if (check == check_dependent_schemas)
        return i < rule->named.count ? rule->named.list[i] : NULL;
    if (check == check_if) {
        const struct schema *three[3] = {NULL}, *const all[] = {rule->branch.condition, rule->branch.then,
                                                                rule->branch.otherwise};
        uint32_t count = 0;
        for (size_t k = 0; k < COUNT_OF(all); k++)
            if (all[k])
                three[count++] = all[k];
        return i < count ? three[i] : NULL;
    }
    return NULL;
}

enum { WHITE, GREY, BLACK };
struct step {
    struct schema *node;
    uint32_t rule, child;
};

/* A schema that leads back to itself for the same value would never end (core §9.4.1). Depth first, on a stack of ours. */
static void refuse_cycles(struct schema_compiler *compiler, struct schema *start, struct step *stack)
{
    size_t depth = 0;
    stack[depth++] = (struct step){start, 0, 0};
    start->colour = GREY;
    while (depth > 0) {
        struct step *top = &stack[depth - 1];
        if (top->rule == top->node->rule_count) {
            top->node->colour = BLACK;
            depth--;
            continue;
        }
        struct schema *next = (struct schema *)in_place(&top->node->rules[top->rule], top->child);
        if (!next) {
            top->rule++;
            top->child = 0;
            continue;
        }
        top->child++;
        if (next->colour == GREY) {
            compile_fault(compiler, next->source, "leads back to itself without going into the value: it would never end");
        } else if (next->colour == WHITE) {
            next->colour = GREY;
            stack[depth++] = (struct step){next, 0, 0};
        }
    }
}

bool schema_compiler_finish(struct schema_compiler *compiler)
{
    size_t first = compiler->taken;
    while (compiler->taken < compiler->queued)
        fill(compiler, compiler->queue[compiler->taken++]);
    struct step *stack = arena_array(compiler->arena, struct step, compiler->queued + 1);
    for (size_t i = first; i < compiler->queued; i++)
        if (compiler->queue[i]->colour == WHITE)
            refuse_cycles(compiler, compiler->queue[i], stack);
    return !compiler->failed;
}

struct schema_compiler *schema_compiler_new(struct arena *arena, const struct schema_options *options, schema_fault_fn *fault,
                                            void *fault_context)
{
    struct schema_compiler *compiler = arena_new(arena, struct schema_compiler);
    compiler->arena = arena;
    compiler->options = options ? *options : (struct schema_options){0};
    compiler->fault = fault;
    compiler->fault_context = fault_context;
    if (compiler->options.document)
        resource_add(compiler, STR(""), compiler->options.document);
    return compiler;
}

const struct schema *schema_compiler_add(struct schema_compiler *compiler, const struct json *source)
{
    /* Without a document of its own the first schema is the document. */
    struct resource *home = compiler->options.document ? compiler->resources : NULL;
    struct spot *spot = spot_index(compiler, source, home);
    struct resource *resource = spot->resource;
    if (resource == home && !follow(compiler, &source, &resource))
        return refuse_all(compiler, source, resource);
    return compile_node(compiler, source, resource);
}

struct first_fault {
    struct arena *arena;
    const struct json *root;
    struct str reason;
};

static void keep_first(void *context, const struct json *where, struct str reason)
{
    struct first_fault *first = context;
    if (first->reason.at)
        return;
    struct str pointer = json_locate(first->arena, first->root, where);
    first->reason = pointer.at ? str_printf(first->arena, "%.*s: %.*s", STR_ARG(pointer), STR_ARG(reason)) : reason;
}

const struct schema *schema_compile(struct arena *arena, const struct json *source, const struct schema_options *options,
                                    struct str *reason)
{
    struct first_fault first = {arena, options && options->document ? options->document : source, STR_NONE};
    struct schema_compiler *compiler = schema_compiler_new(arena, options, keep_first, &first);
    const struct schema *schema = schema_compiler_add(compiler, source);
    if (schema_compiler_finish(compiler))
        return schema;
    *reason = first.reason;
    return NULL;
}

const struct json *schema_source(const struct schema *schema)
{
    return schema->source;
}
