/* Keywords about the items of an array. */
#include "contract/schema_node.h"

#include <string.h>

/* prefixItems and items are one rule, made by the first of them that is present. */
bool compile_items(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    const struct json *prefix = json_get(node->source, "prefixItems"), *rest = json_get(node->source, "items");
    if (compiler->options.openapi_3_0)
        prefix = NULL;
    bool is_rest = strcmp(rule->keyword->name, "items") == 0;
    if (is_rest ? prefix != NULL : prefix == NULL)
        return false;
    if (prefix) {
        struct schema_list list;
        if (!compile_list(compiler, node, prefix, &list))
            return false;
        rule->items.prefix = list.list;
        rule->items.prefix_count = list.count;
    }
    rule->items.rest = rest ? compile_child(compiler, node, rest) : NULL;
    return true;
}

bool check_items(const struct visit *visit, const struct rule *rule)
{
    bool good = true;
    for (uint32_t i = 0; i < visit->value->count; i++) {
        const struct schema *schema = i < rule->items.prefix_count ? rule->items.prefix[i] : rule->items.rest;
        if (!schema)
            break;
        if (visit->evaluated)
            evaluated_mark(visit->evaluated, i);
        if (!visit_item(visit, schema, i)) {
            good = false;
            if (!visit_goes_on(visit))
                break;
        }
    }
    return good;
}

bool compile_contains(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    if (compiler->options.openapi_3_0)
        return false;
    rule->contains.schema = compile_child(compiler, node, rule->source);
    rule->contains.least = 1;
    rule->contains.most = UINT64_MAX;
    if (!(node->resource->vocabularies & VOCABULARY_VALIDATION))
        return true;
    const struct json *least = json_get(node->source, "minContains"), *most = json_get(node->source, "maxContains");
    return (!least || compile_limit(compiler, least, &rule->contains.least)) &&
           (!most || compile_limit(compiler, most, &rule->contains.most));
}

/* Its row has the words; contains does the counting. */
bool compile_max_contains(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)compiler, (void)node, (void)rule;
    return false;
}

bool check_contains(const struct visit *visit, const struct rule *rule)
{
    uint64_t found = 0;
    for (uint32_t i = 0; i < visit->value->count; i++) {
        if (!visit_quietly(visit, rule->contains.schema, &visit->value->items[i], NULL))
            continue;
        found++;
        if (visit->evaluated)
            evaluated_mark(visit->evaluated, i);
        else if (found >= rule->contains.least && rule->contains.most == UINT64_MAX)
            return true;
    }
    if (found < rule->contains.least)
        return visit_fault(visit, rule->keyword, STR_NONE);
    if (found <= rule->contains.most)
        return true;
    struct str most = STR_NONE;
    if (visit->run->errors)
        most = str_printf(visit->run->errors->arena, "%llu", (unsigned long long)rule->contains.most);
    return visit_fault(visit, keyword_named("maxContains"), most);
}

bool compile_unique_items(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)node;
    if (rule->source->type == JSON_BOOLEAN)
        return rule->source->boolean;
    compile_fault(compiler, rule->source, "uniqueItems must be a boolean");
    return false;
}

bool check_unique_items(const struct visit *visit, const struct rule *rule)
{
    return items_are_unique(visit->value, &visit->run->work) || visit_fault(visit, rule->keyword, STR_NONE);
}

bool compile_unevaluated_items(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    if (compiler->options.openapi_3_0)
        return false;
    rule->schema = compile_child(compiler, node, rule->source);
    node->wants_evaluated = true;
    return true;
}

bool check_unevaluated_items(const struct visit *visit, const struct rule *rule)
{
    bool good = true;
    for (uint32_t i = 0; i < visit->value->count; i++) {
        if (evaluated_has(visit->evaluated, i))
            continue;
        if (!visit_item(visit, rule->schema, i))
            good = false;
        evaluated_mark(visit->evaluated, i);
    }
    return good;
}
