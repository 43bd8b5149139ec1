/* Walking a value along the nodes of its schema, within bounds of depth and work. */
#include "contract/locate.h"
#include "contract/schema_node.h"

#include <stdlib.h>
#include <string.h>

/* Some 450 bytes of stack a level, 30 KiB in all: a fiber has 64 (measured; the unit test runs in 48). */
#define DEPTH_MAX 64
#define WORK_MAX 20000000
#define ERRORS_MAX 20

/* ---- what keywords have seen ---- */

void evaluated_open(struct evaluated *evaluated, uint32_t count)
{
    evaluated->few = 0;
    evaluated->bits = count <= 64 ? NULL : memory_alloc((count + 63) / 64 * sizeof(uint64_t));
}

void evaluated_close(struct evaluated *evaluated)
{
    free(evaluated->bits);
    evaluated->bits = NULL;
}

static uint64_t *words(struct evaluated *evaluated)
{
    return evaluated->bits ? evaluated->bits : &evaluated->few;
}

void evaluated_mark(struct evaluated *evaluated, uint32_t index)
{
    words(evaluated)[index / 64] |= 1ull << index % 64;
}

void evaluated_mark_all(struct evaluated *evaluated, uint32_t count)
{
    memset(words(evaluated), 0xff, evaluated->bits ? (count + 63) / 64 * sizeof(uint64_t) : sizeof(uint64_t));
}

bool evaluated_has(const struct evaluated *evaluated, uint32_t index)
{
    const uint64_t *bits = evaluated->bits ? evaluated->bits : &evaluated->few;
    return bits[index / 64] >> index % 64 & 1;
}

void evaluated_merge(struct evaluated *into, const struct evaluated *from, uint32_t count)
{
    if (!into->bits) {
        into->few |= from->few;
        return;
    }
    for (uint32_t i = 0; i < (count + 63) / 64; i++)
        into->bits[i] |= from->bits[i];
}

/* ---- faults ---- */

static struct str pointer_of(struct arena *arena, const struct place *place)
{
    const struct place *places[2 * DEPTH_MAX];
    size_t depth = 0;
    for (; place && depth < COUNT_OF(places); place = place->parent)
        places[depth++] = place;
    struct text pointer = text_open(arena, 32);
    while (depth-- > 0) {
        if (places[depth]->name.at)
            pointer_add(&pointer, places[depth]->name);
        else
            pointer_add_index(&pointer, places[depth]->index);
    }
    return pointer.len > 0 ? text_str(&pointer) : STR("");
}

static struct str with_argument(struct arena *arena, const char *words_of_row, struct str argument)
{
    struct str text = str_of(words_of_row);
    ptrdiff_t hole = str_find(text, STR("{}"));
    if (hole < 0)
        return text;
    return str_printf(arena, "%.*s%.*s%s", (int)hole, text.at, STR_ARG(argument), text.at + hole + 2);
}

static __attribute__((noinline)) void record(struct schema_errors *errors, const struct keyword *keyword,
                                             const struct place *place, struct str argument)
{
    size_t most = errors->most ? errors->most : ERRORS_MAX;
    if (errors->count >= most)
        return;
    struct schema_error error = {.pointer = pointer_of(errors->arena, place), .keyword = str_of(keyword->name)};
    error.detail.zh = with_argument(errors->arena, keyword->zh, argument);
    error.detail.en = with_argument(errors->arena, keyword->en, argument);
    if (!errors->list)
        errors->list = arena_array(errors->arena, struct schema_error, most);
    errors->list[errors->count++] = error;
}

bool visit_fault_at(const struct visit *visit, const struct keyword *keyword, const struct place *place, struct str argument)
{
    if (visit->run->errors)
        record(visit->run->errors, keyword, place, argument);
    return false;
}

bool visit_fault(const struct visit *visit, const struct keyword *keyword, struct str argument)
{
    return visit_fault_at(visit, keyword, visit->place, argument);
}

bool visit_goes_on(const struct visit *visit)
{
    const struct schema_errors *errors = visit->run->errors;
    return errors && !visit->run->exhausted && errors->count < (errors->most ? errors->most : ERRORS_MAX);
}

/* ---- the walk ---- */

static bool accepts_type(const struct schema *schema, const struct json *value)
{
    if (schema->types & TYPE_BIT(value->type))
        return true;
    return schema->types & TYPE_WHOLE && value->type == JSON_NUMBER && number_is_whole(value);
}

static __attribute__((noinline)) bool type_fault(const struct visit *visit)
{
    static const char *const names[] = {"null", "boolean", NULL, "number", "string", "array", "object", "integer"};
    if (!visit->run->errors)
        return false;
    struct text text = text_open(visit->run->errors->arena, 32);
    unsigned types = visit->schema->types;
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        if (!names[i] || !(types >> i & 1) || (i == 7 && types & TYPE_BIT(JSON_NUMBER)))
            continue;
        if (text.len > 0)
            text_add_c(&text, " / ");
        text_add_c(&text, names[i]);
    }
    return visit_fault(visit, keyword_named("type"), text_str(&text));
}

static bool check_rules(const struct visit *visit)
{
    const struct schema *schema = visit->schema;
    bool good = true;
    for (uint32_t i = 0; i < schema->rule_count; i++) {
        const struct rule *rule = &schema->rules[i];
        if (!(rule->keyword->types & TYPE_BIT(visit->value->type)) || rule->keyword->check(visit, rule))
            continue;
        good = false;
        if (!visit_goes_on(visit))
            break;
    }
    return good;
}

/* A node that asks what was seen of its value has a set of its own; what it saw its parent has seen too. */
static __attribute__((noinline)) bool check_evaluating(struct visit *visit)
{
    struct evaluated own, *outer = visit->evaluated;
    evaluated_open(&own, visit->value->count);
    visit->evaluated = &own;
    bool good = check_rules(visit);
    if (good && outer)
        evaluated_merge(outer, &own, visit->value->count);
    visit->evaluated = outer;
    evaluated_close(&own);
    return good;
}

bool schema_visit(struct run *run, const struct schema *schema, const struct json *value, const struct place *place,
                  struct evaluated *evaluated, const struct scope *scope)
{
    struct visit visit = {.run = run, .schema = schema, .value = value, .place = place, .evaluated = evaluated};
    if (schema->never)
        return visit_fault(&visit, &keyword_false, STR_NONE);
    if (schema->nullable && value->type == JSON_NULL)
        return true;
    if (!accepts_type(schema, value))
        return type_fault(&visit);
    if (schema->rule_count == 0)
        return true;

    uint64_t cost = 1 + schema->rule_count;
    if (run->exhausted || run->depth >= DEPTH_MAX || run->work < cost) {
        if (!run->exhausted)
            visit_fault(&visit, &keyword_bounds, STR_NONE);
        run->exhausted = true;
        return false;
    }
    run->work -= cost;
    run->depth++;
    if (scope && scope->resource == schema->resource)
        visit.scope = *scope;
    else
        visit.scope = (struct scope){scope, schema->resource};
    bool is_container = value->type == JSON_OBJECT || value->type == JSON_ARRAY;
    bool good = schema->wants_evaluated && is_container ? check_evaluating(&visit) : check_rules(&visit);
    run->depth--;
    return good;
}

bool visit_again(const struct visit *visit, const struct schema *schema, struct evaluated *evaluated)
{
    return schema_visit(visit->run, schema, visit->value, visit->place, evaluated, &visit->scope);
}

bool visit_quietly(const struct visit *visit, const struct schema *schema, const struct json *value,
                   struct evaluated *evaluated)
{
    struct schema_errors *errors = visit->run->errors;
    visit->run->errors = NULL;
    bool good = schema_visit(visit->run, schema, value, visit->place, evaluated, &visit->scope);
    visit->run->errors = errors;
    return good;
}

bool visit_member(const struct visit *visit, const struct schema *schema, uint32_t index)
{
    const struct json_member *member = &visit->value->members[index];
    struct place place = {.parent = visit->place, .name = {member->name.at ? member->name.at : "", member->name.len}};
    return schema_visit(visit->run, schema, &member->value, &place, NULL, &visit->scope);
}

bool visit_item(const struct visit *visit, const struct schema *schema, uint32_t index)
{
    struct place place = {.parent = visit->place, .index = index};
    return schema_visit(visit->run, schema, &visit->value->items[index], &place, NULL, &visit->scope);
}

bool schema_validate(const struct schema *schema, const struct json *value, struct schema_errors *errors)
{
    struct run run = {.errors = errors, .work = WORK_MAX};
    bool good = schema_visit(&run, schema, value, NULL, NULL, NULL);
    if (run.exhausted && errors && errors->count == 0) {
        /* The bound was met in a branch that is tried quietly. */
        record(errors, &keyword_bounds, NULL, STR_NONE);
    }
    return good && !run.exhausted;
}
