/* Keywords that apply other schemas to the same value: references, allOf and its kin, conditions. */
#include "contract/schema_node.h"

bool compile_ref(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    rule->schema = compile_reference(compiler, node->resource, rule->source);
    return rule->schema != NULL;
}

bool check_ref(const struct visit *visit, const struct rule *rule)
{
    return visit_again(visit, rule->schema, visit->evaluated);
}

/* Core §8.2.3.2: dynamic only when what it first leads to is a $dynamicAnchor of the same name. */
bool compile_dynamic_ref(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    if (compiler->options.openapi_3_0)
        return false;
    rule->dynamic.initial = compile_reference(compiler, node->resource, rule->source);
    if (!rule->dynamic.initial)
        return false;
    ptrdiff_t hash = str_find(rule->source->string, STR("#"));
    rule->dynamic.anchor = STR_NONE;
    if (hash >= 0) {
        struct str name = str_slice(rule->source->string, (size_t)hash + 1, rule->source->string.len);
        struct resource *resource;
        const struct json *target = reference_resolve(compiler, node->resource, rule->source, &resource);
        if (str_equal(json_get_string(target, "$dynamicAnchor", STR_NONE), name) && name.len > 0)
            rule->dynamic.anchor = name;
    }
    return true;
}

static const struct anchor *dynamic_anchor(const struct resource *resource, struct str name)
{
    for (const struct anchor *anchor = resource->anchors; anchor; anchor = anchor->next)
        if (anchor->schema && str_equal(anchor->name, name))
            return anchor;
    return NULL;
}

bool check_dynamic_ref(const struct visit *visit, const struct rule *rule)
{
    const struct schema *target = rule->dynamic.initial;
    if (rule->dynamic.anchor.at) {
        /* The outermost resource on the way here that has the anchor. */
        for (const struct scope *scope = &visit->scope; scope; scope = scope->parent) {
            const struct anchor *anchor = dynamic_anchor(scope->resource, rule->dynamic.anchor);
            if (anchor)
                target = anchor->schema;
        }
    }
    return visit_again(visit, target, visit->evaluated);
}

bool compile_all_of(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    return compile_list(compiler, node, rule->source, &rule->schemas);
}

bool check_all_of(const struct visit *visit, const struct rule *rule)
{
    bool good = true;
    for (uint32_t i = 0; i < rule->schemas.count; i++) {
        if (visit_again(visit, rule->schemas.list[i], visit->evaluated))
            continue;
        good = false;
        if (!visit_goes_on(visit))
            break;
    }
    return good;
}

/* A trial whose outcome decides: what it saw counts only when it succeeds. */
static __attribute__((noinline)) bool try_evaluating(const struct visit *visit, const struct schema *schema)
{
    struct evaluated own;
    evaluated_open(&own, visit->value->count);
    bool good = visit_quietly(visit, schema, visit->value, &own);
    if (good)
        evaluated_merge(visit->evaluated, &own, visit->value->count);
    evaluated_close(&own);
    return good;
}

static bool try_quietly(const struct visit *visit, const struct schema *schema)
{
    return visit->evaluated ? try_evaluating(visit, schema) : visit_quietly(visit, schema, visit->value, NULL);
}

/* When no form matches but only one is of the value's type, its own faults say more than "none matches". */
static bool explain(const struct visit *visit, const struct rule *rule)
{
    if (!visit->run->errors)
        return false;
    const struct schema *likely = NULL;
    for (uint32_t i = 0; i < rule->schemas.count; i++) {
        const struct schema *schema = rule->schemas.list[i];
        if (schema->never || !(schema->types & TYPE_BIT(visit->value->type)))
            continue;
        if (likely)
            return false;
        likely = schema;
    }
    return likely && !visit_again(visit, likely, NULL);
}

bool compile_any_of(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    return compile_list(compiler, node, rule->source, &rule->schemas);
}

bool check_any_of(const struct visit *visit, const struct rule *rule)
{
    bool good = false;
    for (uint32_t i = 0; i < rule->schemas.count && (!good || visit->evaluated); i++)
        good = try_quietly(visit, rule->schemas.list[i]) || good;
    if (good || explain(visit, rule))
        return good;
    return visit_fault(visit, rule->keyword, STR_NONE);
}

bool compile_one_of(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    return compile_list(compiler, node, rule->source, &rule->schemas);
}

bool check_one_of(const struct visit *visit, const struct rule *rule)
{
    uint32_t matched = 0;
    for (uint32_t i = 0; i < rule->schemas.count && matched < 2; i++)
        matched += try_quietly(visit, rule->schemas.list[i]);
    if (matched == 1)
        return true;
    if (matched == 0 && explain(visit, rule))
        return false;
    return visit_fault(visit, rule->keyword, matched == 0 ? STR("0") : STR("2+"));
}

bool compile_not(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    rule->schema = compile_child(compiler, node, rule->source);
    return true;
}

bool check_not(const struct visit *visit, const struct rule *rule)
{
    return !visit_quietly(visit, rule->schema, visit->value, NULL) || visit_fault(visit, rule->keyword, STR_NONE);
}

bool compile_if(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    if (compiler->options.openapi_3_0)
        return false;
    const struct json *then = json_get(node->source, "then"), *otherwise = json_get(node->source, "else");
    rule->branch.condition = compile_child(compiler, node, rule->source);
    rule->branch.then = then ? compile_child(compiler, node, then) : NULL;
    rule->branch.otherwise = otherwise ? compile_child(compiler, node, otherwise) : NULL;
    return true;
}

bool check_if(const struct visit *visit, const struct rule *rule)
{
    bool holds = try_quietly(visit, rule->branch.condition);
    const struct schema *next = holds ? rule->branch.then : rule->branch.otherwise;
    return !next || visit_again(visit, next, visit->evaluated);
}
