/* Keywords about a value itself: its type, equality, numbers, strings, counts. */
#include "contract/schema_node.h"

#include <string.h>

/* What of an allowed list is shown in an error's words. */
#define SHOWN_MAX 200

static struct str source_text(const struct visit *visit, const struct rule *rule)
{
    if (!visit->run->errors)
        return STR_NONE;
    struct arena *arena = visit->run->errors->arena;
    struct str text = json_text(arena, rule->source);
    if (rule->source->type == JSON_ARRAY)
        text = str_slice(text, 1, text.len - 1);
    if (text.len <= SHOWN_MAX)
        return text;
    size_t cut = SHOWN_MAX;
    while (cut > 0 && ((unsigned char)text.at[cut] & 0xc0) == 0x80)
        cut--;
    return str_printf(arena, "%.*s…", (int)cut, text.at);
}

bool compile_nullable(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    if (!compiler->options.openapi_3_0)
        return false;
    if (rule->source->type != JSON_BOOLEAN)
        compile_fault(compiler, rule->source, "nullable must be a boolean");
    else
        node->nullable = rule->source->boolean;
    return false;
}

static unsigned type_named(struct str name)
{
    static const struct {
        const char *name;
        unsigned types;
    } types[] = {
        {"string", TYPES_STRING},
        {"object", TYPES_OBJECT},
        {"array", TYPES_ARRAY},
        {"number", TYPES_NUMBER},
        {"boolean", TYPE_BIT(JSON_BOOLEAN)},
        {"null", TYPE_BIT(JSON_NULL)},
        {"integer", TYPE_BIT(JSON_INTEGER) | TYPE_WHOLE},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_is(name, types[i].name))
            return types[i].types;
    return 0;
}

/* No rule: the node's mask is looked at before any rule. */
bool compile_type(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    const struct json *source = rule->source;
    bool several = source->type == JSON_ARRAY && !compiler->options.openapi_3_0;
    uint32_t count = several ? source->count : 1;
    unsigned types = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct json *name = several ? &source->items[i] : source;
        unsigned named = name->type == JSON_STRING ? type_named(name->string) : 0;
        if (named == 0) {
            compile_fault(compiler, name, "must be one of string, number, integer, boolean, object, array%s",
                          compiler->options.openapi_3_0 ? "" : ", null");
            return false;
        }
        types |= named;
    }
    node->types = (uint8_t)types;
    return false;
}

bool compile_const(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)compiler, (void)node, (void)rule;
    return true;
}

bool check_const(const struct visit *visit, const struct rule *rule)
{
    return json_equal(rule->source, visit->value) || visit_fault(visit, rule->keyword, source_text(visit, rule));
}

bool compile_enum(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)node;
    if (rule->source->type == JSON_ARRAY)
        return true;
    compile_fault(compiler, rule->source, "enum must be an array");
    return false;
}

bool check_enum(const struct visit *visit, const struct rule *rule)
{
    const struct json *value = visit->value;
    for (uint32_t i = 0; i < rule->source->count; i++) {
        const struct json *allowed = &rule->source->items[i];
        /* Most enums are of strings, which need no deep comparison. */
        if (value->type == JSON_STRING ? allowed->type == JSON_STRING && str_equal(allowed->string, value->string)
                                       : json_equal(allowed, value))
            return true;
    }
    return visit_fault(visit, rule->keyword, source_text(visit, rule));
}

bool compile_limit_of(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)node;
    return compile_limit(compiler, rule->source, &rule->limit);
}

static bool within(const struct visit *visit, const struct rule *rule, uint64_t count)
{
    bool is_most = rule->keyword->name[1] == 'a'; /* max…, not min… */
    if (is_most ? count <= rule->limit : count >= rule->limit)
        return true;
    return visit_fault(visit, rule->keyword, source_text(visit, rule));
}

bool check_string_length(const struct visit *visit, const struct rule *rule)
{
    struct str s = visit->value->string;
    /* n bytes are between n/4 and n code points: mostly there is nothing to count. */
    bool is_most = rule->keyword->name[1] == 'a';
    if (is_most ? s.len <= rule->limit : s.len / 4 >= rule->limit)
        return true;
    return within(visit, rule, str_code_points(s));
}

bool check_count(const struct visit *visit, const struct rule *rule)
{
    return within(visit, rule, visit->value->count);
}

bool compile_pattern(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)node;
    if (rule->source->type != JSON_STRING) {
        compile_fault(compiler, rule->source, "pattern must be a string");
        return false;
    }
    rule->pattern = pattern_compile(compiler, rule->source->string, rule->source);
    return rule->pattern != NULL;
}

bool check_pattern(const struct visit *visit, const struct rule *rule)
{
    return pattern_matches(rule->pattern, visit->value->string, &visit->run->work) ||
           visit_fault(visit, rule->keyword, rule->source->string);
}

/* An unknown format is an annotation (validation §7.2.3). */
bool compile_format(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    if (rule->source->type != JSON_STRING) {
        compile_fault(compiler, rule->source, "format must be a string");
        return false;
    }
    if (!compiler->options.assert_formats && !(node->resource->vocabularies & VOCABULARY_FORMAT_ASSERTION))
        return false;
    rule->format = format_find(rule->source->string);
    return rule->format != NULL;
}

bool check_format(const struct visit *visit, const struct rule *rule)
{
    if (!(format_types(rule->format) & TYPE_BIT(visit->value->type)) || format_accepts(rule->format, visit->value))
        return true;
    if (visit->run->errors) { /* each format has its own words in both languages */
        const struct bilingual detail = format_detail(rule->format);
        const struct keyword words = {.name = "format", .zh = detail.zh.at, .en = detail.en.at};
        (void)visit_fault(visit, &words, STR_NONE);
    }
    return false;
}

/* In OpenAPI 3.0 the exclusive keywords are booleans that sharpen minimum and maximum. */
bool compile_bound(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    bool is_exclusive = rule->keyword->name[0] == 'e';
    if (compiler->options.openapi_3_0) {
        if (is_exclusive && rule->source->type == JSON_BOOLEAN)
            return false;
        const char *exclusive = strcmp(rule->keyword->name, "minimum") == 0 ? "exclusiveMinimum" : "exclusiveMaximum";
        if (!is_exclusive && json_get_boolean(node->source, exclusive, false))
            rule->keyword = keyword_named(exclusive);
    }
    if (TYPE_BIT(rule->source->type) & TYPES_NUMBER)
        return true;
    compile_fault(compiler, rule->source, "must be a number");
    return false;
}

bool check_bound(const struct visit *visit, const struct rule *rule)
{
    int order = number_compare(visit->value, rule->source);
    const char *name = rule->keyword->name;
    bool is_exclusive = name[0] == 'e';
    bool is_most = is_exclusive ? name[10] == 'a' : name[1] == 'a'; /* exclusiveM[a]ximum, m[a]ximum */
    bool good = is_most ? (is_exclusive ? order < 0 : order <= 0) : (is_exclusive ? order > 0 : order >= 0);
    return good || visit_fault(visit, rule->keyword, source_text(visit, rule));
}

bool compile_multiple_of(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)node;
    bool is_number = TYPE_BIT(rule->source->type) & TYPES_NUMBER;
    if (is_number && json_as_double(rule->source) > 0 && decimal_of(rule->source, &rule->divisor))
        return true;
    compile_fault(compiler, rule->source, "multipleOf must be a number above 0");
    return false;
}

bool check_multiple_of(const struct visit *visit, const struct rule *rule)
{
    struct decimal value;
    return (decimal_of(visit->value, &value) && decimal_divides(rule->divisor, value)) ||
           visit_fault(visit, rule->keyword, source_text(visit, rule));
}
