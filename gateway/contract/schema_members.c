/* Keywords about the members of an object. properties, patternProperties and additionalProperties are one rule: each member
 * of the value is looked at once. */
#include "contract/schema_node.h"

#include <string.h>

/* Up to this many properties are compared one after the other; more are hashed. */
#define LINEAR_MAX 8

struct property {
    struct str name;
    uint64_t hash;
    const struct schema *schema;
};

struct pattern_property {
    const struct pattern *pattern;
    const struct schema *schema;
};

struct members {
    const struct property *properties;
    uint32_t property_count;
    uint32_t mask;         /* of the table; 0 without one */
    const uint32_t *table; /* 1 + index of a property, by hash */
    const struct pattern_property *patterns;
    uint32_t pattern_count;
    const struct schema *additional; /* NULL: anything */
};

static bool expect_object(struct schema_compiler *compiler, const struct json *source)
{
    if (source->type == JSON_OBJECT)
        return true;
    compile_fault(compiler, source, "must be an object");
    return false;
}

static void make_table(struct arena *arena, struct members *members)
{
    uint32_t room = 16;
    while (room < members->property_count * 2)
        room *= 2;
    uint32_t *table = arena_array(arena, uint32_t, room);
    members->mask = room - 1;
    for (uint32_t i = 0; i < members->property_count; i++) {
        uint32_t slot = (uint32_t)members->properties[i].hash & members->mask;
        while (table[slot])
            slot = (slot + 1) & members->mask;
        table[slot] = i + 1;
    }
    members->table = table;
}

static void compile_properties(struct schema_compiler *compiler, struct schema *node, struct members *members)
{
    const struct json *source = json_get(node->source, "properties");
    if (!source || !expect_object(compiler, source))
        return;
    struct property *properties = arena_array(compiler->arena, struct property, source->count);
    for (uint32_t i = 0; i < source->count; i++) {
        struct str name = source->members[i].name;
        properties[i] = (struct property){name, str_hash(name), compile_child(compiler, node, &source->members[i].value)};
    }
    members->properties = properties;
    members->property_count = source->count;
    if (source->count > LINEAR_MAX)
        make_table(compiler->arena, members);
}

static void compile_pattern_properties(struct schema_compiler *compiler, struct schema *node, struct members *members)
{
    const struct json *source = json_get(node->source, "patternProperties");
    if (!source || compiler->options.openapi_3_0 || !expect_object(compiler, source))
        return;
    struct pattern_property *patterns = arena_array(compiler->arena, struct pattern_property, source->count);
    for (uint32_t i = 0; i < source->count; i++) {
        const struct json_member *member = &source->members[i];
        struct pattern_property *pattern = &patterns[members->pattern_count];
        pattern->pattern = pattern_compile(compiler, member->name, &member->value);
        pattern->schema = compile_child(compiler, node, &member->value);
        members->pattern_count += pattern->pattern != NULL;
    }
    members->patterns = patterns;
}

bool compile_members(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    /* The first of the three that is present makes the rule of all. */
    static const char *const three[] = {"properties", "patternProperties", "additionalProperties"};
    for (size_t i = 0; strcmp(three[i], rule->keyword->name) != 0; i++)
        if (json_get(node->source, three[i]))
            return false;
    struct members *members = arena_new(compiler->arena, struct members);
    compile_properties(compiler, node, members);
    compile_pattern_properties(compiler, node, members);
    const struct json *additional = json_get(node->source, "additionalProperties");
    if (additional)
        members->additional = compile_child(compiler, node, additional);
    rule->members = members;
    return true;
}

/* The property of this name. Values mostly come in the order of their schema: `guess` is tried first. */
static const struct property *property_find(const struct members *members, struct str name, uint32_t *guess)
{
    const struct property *properties = members->properties;
    if (*guess < members->property_count && str_equal(properties[*guess].name, name))
        return &properties[(*guess)++];
    if (!members->table) {
        for (uint32_t i = 0; i < members->property_count; i++) {
            if (str_equal(properties[i].name, name)) {
                *guess = i + 1;
                return &properties[i];
            }
        }
        return NULL;
    }
    uint64_t hash = str_hash(name);
    for (uint32_t slot = (uint32_t)hash & members->mask; members->table[slot]; slot = (slot + 1) & members->mask) {
        const struct property *property = &properties[members->table[slot] - 1];
        if (property->hash == hash && str_equal(property->name, name)) {
            *guess = members->table[slot];
            return property;
        }
    }
    return NULL;
}

static bool additional_fault(const struct visit *visit, struct str name)
{
    struct place place = {.parent = visit->place, .name = name};
    return visit_fault_at(visit, keyword_named("additionalProperties"), &place, STR_NONE);
}

bool check_members(const struct visit *visit, const struct rule *rule)
{
    const struct members *members = rule->members;
    const struct json *value = visit->value;
    bool good = true;
    uint32_t guess = 0;
    for (uint32_t i = 0; i < value->count; i++) {
        struct str name = value->members[i].name;
        const struct property *property = property_find(members, name, &guess);
        bool seen = property != NULL;
        bool member_good = !property || visit_member(visit, property->schema, i);
        for (uint32_t k = 0; k < members->pattern_count; k++) {
            if (!pattern_matches(members->patterns[k].pattern, name, &visit->run->work))
                continue;
            seen = true;
            member_good = visit_member(visit, members->patterns[k].schema, i) && member_good;
        }
        if (!seen && members->additional) {
            seen = true;
            member_good =
                members->additional->never ? additional_fault(visit, name) : visit_member(visit, members->additional, i);
        }
        if (seen && visit->evaluated)
            evaluated_mark(visit->evaluated, i);
        if (!member_good) {
            good = false;
            if (!visit_goes_on(visit))
                break;
        }
    }
    return good;
}

/* The member's index, or -1. The search starts where the last one ended. */
static int64_t member_find(const struct json *object, struct str name, uint32_t *cursor)
{
    for (uint32_t step = 0, i = *cursor; step < object->count; step++, i++) {
        if (i >= object->count)
            i = 0;
        if (str_equal(object->members[i].name, name)) {
            *cursor = i + 1;
            return i;
        }
    }
    return -1;
}

static bool check_names(const struct visit *visit, const struct keyword *keyword, const struct json *names, struct str argument)
{
    bool good = true;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        if (member_find(visit->value, names->items[i].string, &cursor) >= 0)
            continue;
        struct place place = {.parent = visit->place, .name = names->items[i].string};
        good = visit_fault_at(visit, keyword, &place, argument);
        if (!visit_goes_on(visit))
            break;
    }
    return good;
}

static bool expect_names(struct schema_compiler *compiler, const struct json *source)
{
    bool good = source->type == JSON_ARRAY;
    for (uint32_t i = 0; good && i < source->count; i++)
        good = source->items[i].type == JSON_STRING;
    if (!good)
        compile_fault(compiler, source, "must be an array of strings");
    return good;
}

bool compile_required(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)node;
    return expect_names(compiler, rule->source) && rule->source->count > 0;
}

bool check_required(const struct visit *visit, const struct rule *rule)
{
    return check_names(visit, rule->keyword, rule->source, STR_NONE);
}

bool compile_dependent_required(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    (void)node;
    bool good = expect_object(compiler, rule->source);
    for (uint32_t i = 0; good && i < rule->source->count; i++)
        good = expect_names(compiler, &rule->source->members[i].value);
    return good;
}

bool check_dependent_required(const struct visit *visit, const struct rule *rule)
{
    bool good = true;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < rule->source->count; i++) {
        const struct json_member *member = &rule->source->members[i];
        if (member_find(visit->value, member->name, &cursor) >= 0)
            good = check_names(visit, rule->keyword, &member->value, member->name) && good;
    }
    return good;
}

bool compile_property_names(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    rule->schema = compile_child(compiler, node, rule->source);
    return true;
}

bool check_property_names(const struct visit *visit, const struct rule *rule)
{
    bool good = true;
    for (uint32_t i = 0; i < visit->value->count; i++) {
        struct str text = visit->value->members[i].name;
        const struct json name = {.type = JSON_STRING, .string = text};
        if (visit_quietly(visit, rule->schema, &name, NULL))
            continue;
        struct place place = {.parent = visit->place, .name = text};
        good = visit_fault_at(visit, rule->keyword, &place, STR_NONE);
        if (!visit_goes_on(visit))
            break;
    }
    return good;
}

bool compile_dependent_schemas(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    const struct json *source = rule->source;
    if (!expect_object(compiler, source))
        return false;
    rule->named.names = source->members;
    rule->named.count = source->count;
    rule->named.list = arena_array(compiler->arena, const struct schema *, source->count);
    for (uint32_t i = 0; i < source->count; i++)
        rule->named.list[i] = compile_child(compiler, node, &source->members[i].value);
    return true;
}

bool check_dependent_schemas(const struct visit *visit, const struct rule *rule)
{
    bool good = true;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < rule->named.count; i++)
        if (member_find(visit->value, rule->named.names[i].name, &cursor) >= 0)
            good = visit_again(visit, rule->named.list[i], visit->evaluated) && good;
    return good;
}

bool compile_unevaluated_properties(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
{
    if (compiler->options.openapi_3_0)
        return false;
    rule->schema = compile_child(compiler, node, rule->source);
    node->wants_evaluated = true;
    return true;
}

bool check_unevaluated_properties(const struct visit *visit, const struct rule *rule)
{
    bool good = true;
    for (uint32_t i = 0; i < visit->value->count; i++) {
        if (evaluated_has(visit->evaluated, i))
            continue;
        if (!visit_member(visit, rule->schema, i))
            good = false;
        evaluated_mark(visit->evaluated, i);
    }
    return good;
}
