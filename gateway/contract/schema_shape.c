/* What a compiled schema tells of the shape of its values, for those who make values from texts. */
#include "contract/schema_node.h"

#define LOOK_DEPTH 8

static unsigned types_of(const struct schema *schema, unsigned depth)
{
    unsigned types = schema->never ? 0 : schema->types & TYPES_ALL;
    if (schema->nullable)
        types |= TYPE_BIT(JSON_NULL);
    for (uint32_t i = 0; i < schema->rule_count && depth < LOOK_DEPTH; i++) {
        const struct rule *rule = &schema->rules[i];
        bool (*check)(const struct visit *, const struct rule *) = rule->keyword->check;
        bool is_union = check == check_any_of || check == check_one_of;
        if (check == check_ref)
            types &= types_of(rule->schema, depth + 1);
        if (!is_union && check != check_all_of)
            continue;
        unsigned several = is_union ? 0 : TYPES_ALL;
        for (uint32_t k = 0; k < rule->schemas.count; k++) {
            unsigned one = types_of(rule->schemas.list[k], depth + 1);
            several = is_union ? several | one : several & one;
        }
        types &= several;
    }
    return types;
}

unsigned schema_types(const struct schema *schema)
{
    return types_of(schema, 0);
}

static const struct schema *items_of(const struct schema *schema, unsigned depth)
{
    for (uint32_t i = 0; i < schema->rule_count && depth < LOOK_DEPTH; i++) {
        const struct rule *rule = &schema->rules[i];
        bool (*check)(const struct visit *, const struct rule *) = rule->keyword->check;
        const struct schema *found = NULL;
        if (check == check_items)
            found = rule->items.rest;
        else if (check == check_ref)
            found = items_of(rule->schema, depth + 1);
        else if (check == check_all_of || check == check_any_of || check == check_one_of)
            for (uint32_t k = 0; k < rule->schemas.count && !found; k++)
                found = items_of(rule->schemas.list[k], depth + 1);
        if (found)
            return found;
    }
    return NULL;
}

const struct schema *schema_items(const struct schema *schema)
{
    return items_of(schema, 0);
}
