/* The table of keywords, in the order in which a node's rules are checked: cheap ones first, unevaluated ones last. */
#include "contract/schema_node.h"

#include <string.h>

const struct keyword schema_keywords[] = {
    {"nullable", VOCABULARY_CORE, TYPES_ALL, compile_nullable, NULL, "", ""},
    {"type", VOCABULARY_VALIDATION, TYPES_ALL, compile_type, NULL, "类型应为 {}", "must be of type {}"},
    {"const", VOCABULARY_VALIDATION, TYPES_ALL, compile_const, check_const, "必须是 {}", "must be {}"},
    {"enum", VOCABULARY_VALIDATION, TYPES_ALL, compile_enum, check_enum, "必须是以下之一：{}", "must be one of {}"},
    {"minLength", VOCABULARY_VALIDATION, TYPES_STRING, compile_limit_of, check_string_length, "至少 {} 个字符",
     "must have at least {} characters"},
    {"maxLength", VOCABULARY_VALIDATION, TYPES_STRING, compile_limit_of, check_string_length, "至多 {} 个字符",
     "must have at most {} characters"},
    {"pattern", VOCABULARY_VALIDATION, TYPES_STRING, compile_pattern, check_pattern, "格式不符：{}",
     "must match the pattern {}"},
    {"format", VOCABULARY_CORE, TYPES_STRING | TYPES_NUMBER, compile_format, check_format, "应为{}", "must be {}"},
    {"minimum", VOCABULARY_VALIDATION, TYPES_NUMBER, compile_bound, check_bound, "不得小于 {}", "must not be less than {}"},
    {"maximum", VOCABULARY_VALIDATION, TYPES_NUMBER, compile_bound, check_bound, "不得大于 {}", "must not be more than {}"},
    {"exclusiveMinimum", VOCABULARY_VALIDATION, TYPES_NUMBER, compile_bound, check_bound, "必须大于 {}",
     "must be more than {}"},
    {"exclusiveMaximum", VOCABULARY_VALIDATION, TYPES_NUMBER, compile_bound, check_bound, "必须小于 {}",
     "must be less than {}"},
    {"multipleOf", VOCABULARY_VALIDATION, TYPES_NUMBER, compile_multiple_of, check_multiple_of, "必须是 {} 的倍数",
     "must be a multiple of {}"},
    {"minItems", VOCABULARY_VALIDATION, TYPES_ARRAY, compile_limit_of, check_count, "至少 {} 项",
     "must have at least {} items"},
    {"maxItems", VOCABULARY_VALIDATION, TYPES_ARRAY, compile_limit_of, check_count, "至多 {} 项", "must have at most {} items"},
    {"minProperties", VOCABULARY_VALIDATION, TYPES_OBJECT, compile_limit_of, check_count, "至少 {} 个成员",
     "must have at least {} members"},
    {"maxProperties", VOCABULARY_VALIDATION, TYPES_OBJECT, compile_limit_of, check_count, "至多 {} 个成员",
     "must have at most {} members"},
    {"required", VOCABULARY_VALIDATION, TYPES_OBJECT, compile_required, check_required, "不能缺少", "is required"},
    {"dependentRequired", VOCABULARY_VALIDATION, TYPES_OBJECT, compile_dependent_required, check_dependent_required,
     "在填写 {} 时不能缺少", "is required when {} is given"},
    {"properties", VOCABULARY_APPLICATOR, TYPES_OBJECT, compile_members, check_members, "", ""},
    {"patternProperties", VOCABULARY_APPLICATOR, TYPES_OBJECT, compile_members, check_members, "", ""},
    {"additionalProperties", VOCABULARY_APPLICATOR, TYPES_OBJECT, compile_members, check_members, "不允许出现",
     "is not allowed here"},
    {"propertyNames", VOCABULARY_APPLICATOR, TYPES_OBJECT, compile_property_names, check_property_names, "名称不符合要求",
     "has a name that is not allowed"},
    {"prefixItems", VOCABULARY_APPLICATOR, TYPES_ARRAY, compile_items, check_items, "", ""},
    {"items", VOCABULARY_APPLICATOR, TYPES_ARRAY, compile_items, check_items, "不允许更多的项", "is one item too many"},
    {"contains", VOCABULARY_APPLICATOR, TYPES_ARRAY, compile_contains, check_contains, "符合要求的项太少",
     "has too few items of the kind it must contain"},
    {"maxContains", VOCABULARY_VALIDATION, TYPES_ARRAY, compile_max_contains, NULL, "符合要求的项多于 {} 个",
     "has more than {} items of the kind it must contain"},
    {"uniqueItems", VOCABULARY_VALIDATION, TYPES_ARRAY, compile_unique_items, check_unique_items, "各项不得重复",
     "must not have equal items"},
    {"$ref", VOCABULARY_CORE, TYPES_ALL, compile_ref, check_ref, "", ""},
    {"$dynamicRef", VOCABULARY_CORE, TYPES_ALL, compile_dynamic_ref, check_dynamic_ref, "", ""},
    {"allOf", VOCABULARY_APPLICATOR, TYPES_ALL, compile_all_of, check_all_of, "", ""},
    {"if", VOCABULARY_APPLICATOR, TYPES_ALL, compile_if, check_if, "", ""},
    {"dependentSchemas", VOCABULARY_APPLICATOR, TYPES_OBJECT, compile_dependent_schemas, check_dependent_schemas, "", ""},
    {"oneOf", VOCABULARY_APPLICATOR, TYPES_ALL, compile_one_of, check_one_of, "必须恰好符合一种形式，现符合 {} 种",
     "must match exactly one of the allowed forms, but matches {}"},
    {"anyOf", VOCABULARY_APPLICATOR, TYPES_ALL, compile_any_of, check_any_of, "不符合任何一种允许的形式",
     "matches none of the allowed forms"},
    {"not", VOCABULARY_APPLICATOR, TYPES_ALL, compile_not, check_not, "是不允许的形式", "has a form that is not allowed"},
    {"unevaluatedItems", VOCABULARY_UNEVALUATED, TYPES_ARRAY, compile_unevaluated_items, check_unevaluated_items, "", ""},
    {"unevaluatedProperties", VOCABULARY_UNEVALUATED, TYPES_OBJECT, compile_unevaluated_properties,
     check_unevaluated_properties, "", ""},
};
const size_t schema_keyword_count = COUNT_OF(schema_keywords);

/* Faults that no keyword of the schema has words for. */
const struct keyword keyword_false = {.name = "false", .zh = "不允许出现", .en = "is not allowed"};
const struct keyword keyword_bounds = {
    .name = "bounds", .zh = "嵌套过深或过于复杂", .en = "is nested too deeply or too complex"};

const struct keyword *keyword_named(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(schema_keywords); i++)
        if (strcmp(schema_keywords[i].name, name) == 0)
            return &schema_keywords[i];
    return NULL;
}
