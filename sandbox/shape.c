/* Compiling schemas into shapes. */
#include "shape.h"

#include <math.h>
#include <string.h>

enum { DECIMALS_MOST = 9, DECIMALS_DEFAULT = 2, ITEMS_DEFAULT = 3, TEXT_DEFAULT = 12, FOLDS_MOST = 256 };

/* Schemas that are referred to are compiled once: they may refer to themselves. */
struct known {
    const struct json *source;
    struct shape *shape;
    struct known *next;
};

struct shape_compiler {
    struct arena *arena;
    const struct contract *contract;
    struct known *known;
    struct str fault;
    unsigned depth;
};

struct shape_compiler *shape_compiler_new(struct arena *arena, const struct contract *contract)
{
    struct shape_compiler *compiler = arena_new(arena, struct shape_compiler);
    compiler->arena = arena;
    compiler->contract = contract;
    return compiler;
}

static struct shape *compile(struct shape_compiler *compiler, const struct json *source);

static bool is_container(const struct json *value)
{
    return value && (value->type == JSON_OBJECT || value->type == JSON_ARRAY);
}

/* ---- values that are listed ---- */

static void set_choices(struct shape_compiler *compiler, struct shape *shape, const struct json *values, uint32_t count)
{
    struct str *choices = arena_array(compiler->arena, struct str, count);
    for (uint32_t i = 0; i < count; i++)
        choices[i] = json_text(compiler->arena, &values[i]);
    shape->kind = SHAPE_CHOICE;
    shape->choices = choices;
    shape->choice_count = count;
}

/* const, examples (also of x-sandbox, since 3.0 knows only `example`), enum. Examples of what has members are left: its members
 * say more. */
static bool take_listed(struct shape_compiler *compiler, struct shape *shape, const struct json *schema,
                        const struct json *hints)
{
    const struct json *fixed = json_get(schema, "const");
    const struct json *lists[] = {json_get(hints, "examples"), json_get(schema, "examples"), NULL, json_get(schema, "enum")};
    const struct json *example = json_get(schema, "example");
    if (fixed) {
        set_choices(compiler, shape, fixed, 1);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (i == 2 && example && !is_container(example)) {
            set_choices(compiler, shape, example, 1);
            return true;
        }
        if (!lists[i] || lists[i]->type != JSON_ARRAY || lists[i]->count == 0 || is_container(&lists[i]->items[0]))
            continue;
        set_choices(compiler, shape, lists[i]->items, lists[i]->count);
        return true;
    }
    return false;
}

/* ---- numbers ---- */

static int64_t power_of_ten(unsigned exponent)
{
    int64_t power = 1;
    while (exponent--)
        power *= 10;
    return power;
}

static unsigned decimals_of(double value)
{
    unsigned decimals = 0;
    while (decimals < DECIMALS_MOST &&
           fabs(value * (double)power_of_ten(decimals) - nearbyint(value * (double)power_of_ten(decimals))) > 1e-6)
        decimals++;
    return decimals;
}

static double bound(const struct json *schema, const char *inclusive, const char *exclusive, double fallback, bool *excluded)
{
    const struct json *own = json_get(schema, inclusive), *other = json_get(schema, exclusive);
    double value = own ? json_as_double(own) : fallback;
    *excluded = false;
    if (other && other->type == JSON_BOOLEAN) { /* 3.0 */
        *excluded = own && other->boolean;
    } else if (other) {
        *excluded = true;
        value = json_as_double(other);
    }
    return value;
}

static void take_number(struct shape *shape, const struct json *schema, const struct json *hints, bool whole)
{
    const struct json *multiple = json_get(schema, "multipleOf");
    double step = multiple ? json_as_double(multiple) : 0;
    unsigned decimals = whole      ? 0
                        : step > 0 ? decimals_of(step)
                                   : (unsigned)json_get_integer(hints, "decimals", DECIMALS_DEFAULT);
    decimals = decimals > DECIMALS_MOST ? DECIMALS_MOST : decimals;
    bool above, below;
    bool has_most = json_get(schema, "maximum") || json_get(schema, "exclusiveMaximum");
    bool has_least = json_get(schema, "minimum") || json_get(schema, "exclusiveMinimum");
    double most = bound(schema, "maximum", "exclusiveMaximum", 0, &below);
    double least = bound(schema, "minimum", "exclusiveMinimum", has_most ? fmin(0, most - 1000) : 0, &above);
    if (!has_most)
        most = has_least ? least + 1000 : 1000;
    /* A narrow range of reals needs finer units. */
    while (!whole && step <= 0 && decimals < DECIMALS_MOST && (most - least) * (double)power_of_ten(decimals) < 2 &&
           most > least)
        decimals++;
    double units = (double)power_of_ten(decimals);
    double widest = 4e18;
    shape->kind = SHAPE_NUMBER;
    shape->decimals = decimals;
    shape->step = step > 0 ? (int64_t)nearbyint(step * units) : 1;
    shape->step = shape->step > 0 ? shape->step : 1;
    shape->least = (int64_t)ceil(fmax(least * units - 1e-6, -widest));
    shape->most = (int64_t)floor(fmin(most * units + 1e-6, widest));
    if (above && (double)shape->least <= least * units)
        shape->least++;
    if (below && (double)shape->most >= most * units)
        shape->most--;
    int64_t rest = shape->least % shape->step;
    shape->least += rest > 0 ? shape->step - rest : -rest;
}

/* ---- texts ---- */

static void take_string(struct shape *shape, const struct json *schema)
{
    shape->format = json_get_string(schema, "format", STR_NONE);
    shape->pattern = json_get_string(schema, "pattern", STR_NONE);
    shape->length_least = json_get_integer(schema, "minLength", 0);
    shape->length_most =
        json_get_integer(schema, "maxLength", shape->length_least > TEXT_DEFAULT ? shape->length_least : TEXT_DEFAULT);
    shape->kind = shape->pattern.at ? SHAPE_PATTERN : shape->format.at ? SHAPE_FORMAT : SHAPE_TEXT;
}

static bool take_moment(struct shape *shape, const struct json *schema, const struct json *hints)
{
    const struct json *past = json_get(hints, "past_days"), *future = json_get(hints, "future_days");
    struct str format = json_get_string(schema, "format", STR_NONE);
    bool listed =
        json_get(schema, "const") || json_get(schema, "enum") || json_get(schema, "examples") || json_get(schema, "example");
    if (!past && !future && (listed || (!str_is(format, "date") && !str_is(format, "date-time"))))
        return false;
    shape->kind = SHAPE_MOMENT;
    shape->is_date = str_is(format, "date");
    shape->past = (int32_t)json_get_integer(hints, "past_days", future ? 0 : 365);
    shape->future = (int32_t)json_get_integer(hints, "future_days", 0);
    return true;
}

/* ---- containers ---- */

static bool is_listed(const struct json *names, struct str name)
{
    for (uint32_t i = 0; names && names->type == JSON_ARRAY && i < names->count; i++)
        if (names->items[i].type == JSON_STRING && str_equal(names->items[i].string, name))
            return true;
    return false;
}

static void take_object(struct shape_compiler *compiler, struct shape *shape, const struct json *schema)
{
    struct arena *arena = compiler->arena;
    const struct json *properties = json_get(schema, "properties"), *required = json_get(schema, "required");
    uint32_t most = properties && properties->type == JSON_OBJECT ? properties->count : 0;
    uint32_t asked = required && required->type == JSON_ARRAY ? required->count : 0;
    struct shape_member *members = arena_array(arena, struct shape_member, most + asked + 1);
    shape->kind = SHAPE_OBJECT;
    shape->members = members;
    for (uint32_t i = 0; i < most; i++) {
        const struct json_member *property = &properties->members[i];
        if (json_get_boolean(property->value.type == JSON_OBJECT ? &property->value : NULL, "writeOnly", false) ||
            (property->value.type == JSON_BOOLEAN && !property->value.boolean))
            continue;
        members[shape->member_count++] = (struct shape_member){
            property->name, str_hash(property->name), compile(compiler, &property->value), is_listed(required, property->name)};
    }
    /* What is required without being described is described by additionalProperties, if by anything. */
    const struct json *others = json_get(schema, "additionalProperties");
    for (uint32_t i = 0; i < asked; i++) {
        struct str name = required->items[i].type == JSON_STRING ? required->items[i].string : STR_NONE;
        if (!name.at || (most && json_get_str(properties, name)))
            continue;
        static const struct json anything = {.type = JSON_BOOLEAN, .boolean = true};
        members[shape->member_count++] =
            (struct shape_member){name, str_hash(name), compile(compiler, is_container(others) ? others : &anything), true};
    }
    for (uint32_t i = 0; i < shape->member_count; i++) {
        const struct json *described = properties ? json_get_str(properties, members[i].name) : NULL;
        const struct json *folded = described ? shape_fold(arena, compiler->contract, described) : NULL;
        struct str sibling = json_get_string(json_get(folded, "x-sandbox"), "pick_with", STR_NONE);
        for (uint32_t j = 0; sibling.at && j < shape->member_count; j++)
            if (j != i && str_equal(members[j].name, sibling))
                members[i].shape->pick_with = &members[j];
    }
}

static void take_array(struct shape_compiler *compiler, struct shape *shape, const struct json *schema,
                       const struct json *hints)
{
    static const struct json anything = {.type = JSON_BOOLEAN, .boolean = true};
    const struct json *items = json_get(schema, "items");
    int64_t least = json_get_integer(schema, "minItems", 0), most = json_get_integer(schema, "maxItems", INT64_MAX);
    int64_t count = json_get_integer(hints, "count",
                                     least > ITEMS_DEFAULT  ? least
                                     : most < ITEMS_DEFAULT ? most
                                                            : ITEMS_DEFAULT);
    shape->kind = SHAPE_ARRAY;
    shape->items = compile(compiler, items ? items : &anything);
    if (json_get_boolean(schema, "uniqueItems", false) && shape->items->kind == SHAPE_CHOICE) {
        shape->items->in_order = true;
        count = count > shape->items->choice_count ? shape->items->choice_count : count;
    }
    shape->length_least = least;
    shape->length_most = count;
    shape->page = json_get_string(hints, "page", STR_NONE);
    shape->size = json_get_string(hints, "size", STR_NONE);
}

/* One of the alternatives, each with what stands beside them. */
static bool take_alternatives(struct shape_compiler *compiler, struct shape *shape, const struct json *schema)
{
    const struct json *alternatives = json_get(schema, "oneOf");
    if (!alternatives)
        alternatives = json_get(schema, "anyOf");
    if (!alternatives || alternatives->type != JSON_ARRAY || alternatives->count == 0)
        return false;
    struct arena *arena = compiler->arena;
    struct json *beside = json_make_object(arena);
    for (uint32_t i = 0; i < schema->count; i++)
        if (!str_is(schema->members[i].name, "oneOf") && !str_is(schema->members[i].name, "anyOf"))
            json_set(arena, beside, schema->members[i].name, &schema->members[i].value);
    struct shape_member *members = arena_array(arena, struct shape_member, alternatives->count);
    for (uint32_t i = 0; i < alternatives->count; i++) {
        struct shape *one;
        if (beside->count == 0) {
            one = compile(compiler, &alternatives->items[i]);
        } else {
            struct json *both = json_make_array(arena), *schema_of_both = json_make_object(arena);
            json_append(arena, both, beside);
            json_append(arena, both, &alternatives->items[i]);
            json_set(arena, schema_of_both, STR("allOf"), both);
            one = compile(compiler, schema_of_both);
        }
        if (one->kind != SHAPE_NULL)
            members[shape->member_count++].shape = one;
    }
    shape->kind = shape->member_count ? SHAPE_ONE_OF : SHAPE_NULL;
    shape->members = members;
    return true;
}

/* ---- one schema ---- */

/* The type to play: the first that is not null, or what the keywords let guess. */
static struct str type_of(const struct json *schema)
{
    const struct json *type = json_get(schema, "type");
    for (uint32_t i = 0; type && type->type == JSON_ARRAY && i < type->count; i++)
        if (type->items[i].type == JSON_STRING && (!str_is(type->items[i].string, "null") || type->count == 1))
            return type->items[i].string;
    if (type && type->type == JSON_STRING)
        return type->string;
    static const struct {
        const char *keyword, *type;
    } hints[] = {{"properties", "object"}, {"required", "object"}, {"items", "array"},   {"minimum", "number"},
                 {"maximum", "number"},    {"pattern", "string"},  {"format", "string"}, {"maxLength", "string"}};
    for (size_t i = 0; i < COUNT_OF(hints); i++)
        if (json_get(schema, hints[i].keyword))
            return str_of(hints[i].type);
    return STR("string");
}

static void take_echo(struct shape_compiler *compiler, struct shape *shape, const struct json *schema, const struct json *hints)
{
    struct str reason;
    shape->echo = json_get_string(hints, "echo", STR_NONE);
    if (!shape->echo.at)
        return;
    const struct schema_options options = {
        .openapi_3_0 = !compiler->contract->is_3_1, .assert_formats = true, .document = compiler->contract->document};
    shape->echo_fits = schema_compile(compiler->arena, schema, &options, &reason);
    shape->echo_text = str_is(type_of(schema), "string");
    if (!shape->echo_fits)
        compiler->fault = reason;
}

static bool take_rule(struct shape *shape, struct str name)
{
    static const char *const rules[SHAPE_RULES] = {
        [RULE_PERSON_MATCH] = "person-match",
        [RULE_FACE_SERIAL] = "face-serial",
        [RULE_FACE_TOKEN] = "face-token",
        [RULE_FACE_RESULT] = "face-result",
    };
    for (enum shape_rule rule = 0; rule < SHAPE_RULES; rule++)
        if (str_is(name, rules[rule])) {
            shape->kind = SHAPE_TOLD;
            shape->rule = rule;
            return true;
        }
    return false;
}

static void take_scalar(struct shape_compiler *compiler, struct shape *shape, const struct json *schema,
                        const struct json *hints)
{
    struct str type = type_of(schema), rule = json_get_string(hints, "rule", STR_NONE);
    if (rule.at && take_rule(shape, rule)) {
        return;
    } else if (json_get(hints, "sequence")) {
        shape->kind = SHAPE_NUMBERED;
        shape->sequence = json_get_string(hints, "sequence", STR("{n}"));
    } else if (str_is(type, "string") && take_moment(shape, schema, hints)) {
        return;
    } else if (json_get(hints, "decimals") && str_is(type, "number")) {
        take_number(shape, schema, hints, false);
    } else if (take_listed(compiler, shape, schema, hints)) {
        return;
    } else if (str_is(type, "integer") || str_is(type, "number")) {
        take_number(shape, schema, hints, str_is(type, "integer"));
    } else if (str_is(type, "boolean")) {
        shape->kind = SHAPE_BOOLEAN;
    } else if (str_is(type, "null")) {
        shape->kind = SHAPE_NULL;
    } else {
        take_string(shape, schema);
    }
}

static struct shape *remember(struct shape_compiler *compiler, const struct json *source)
{
    struct known *known = arena_new(compiler->arena, struct known);
    *known = (struct known){source, arena_new(compiler->arena, struct shape), compiler->known};
    compiler->known = known;
    return known->shape;
}

static struct shape *compile(struct shape_compiler *compiler, const struct json *source)
{
    const struct json *resolved = source->type == JSON_OBJECT ? contract_resolve(compiler->contract, source) : source;
    bool plain_reference = json_get(source, "$ref") && source->count == 1 && resolved;
    const struct json *key = plain_reference ? resolved : source;
    for (const struct known *known = compiler->known; known; known = known->next)
        if (known->source == key)
            return known->shape;
    struct shape *shape = remember(compiler, key);
    if (++compiler->depth > FOLDS_MOST) {
        compiler->fault = STR("schemas are nested too deeply to be played");
        return shape;
    }
    const struct json *schema = shape_fold(compiler->arena, compiler->contract, key);
    const struct json *hints = json_get(schema, "x-sandbox");
    struct str type = type_of(schema);
    shape->in_order = json_get_boolean(hints, "in_order", false);
    take_echo(compiler, shape, schema, hints);
    if (schema->type == JSON_OBJECT && take_alternatives(compiler, shape, schema)) {
    } else if (str_is(type, "object") && (json_get(schema, "properties") || !take_listed(compiler, shape, schema, hints))) {
        take_object(compiler, shape, schema);
    } else if (str_is(type, "array")) {
        take_array(compiler, shape, schema, hints);
    } else if (!str_is(type, "object")) {
        take_scalar(compiler, shape, schema, hints);
    }
    compiler->depth--;
    return shape;
}

struct shape *shape_compile(struct shape_compiler *compiler, const struct json *schema, struct str *reason)
{
    compiler->fault = STR_NONE;
    struct shape *shape = compile(compiler, schema);
    *reason = compiler->fault;
    return compiler->fault.at ? NULL : shape;
}

/* ---- answers ---- */

/* Looks at every shape of the answer once: where its pages begin, and how long they are, when the request does not say (the
 * parameters' defaults); and what the answer depends on beside the request. */
static void survey(struct shape *shape, const struct operation *operation, struct answer_shape *answer)
{
    if (shape->surveyed == operation->index + 1)
        return;
    shape->surveyed = operation->index + 1;
    answer->rules |= shape->kind == SHAPE_TOLD ? 1u << shape->rule : 0;
    answer->tells_time |= shape->kind == SHAPE_MOMENT;
    for (unsigned i = 0; shape->kind == SHAPE_ARRAY && i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        const struct json *fallback = parameter->fallback;
        if (fallback && fallback->type == JSON_INTEGER && str_equal(parameter->name, shape->page))
            shape->first_page = fallback->integer;
        if (fallback && fallback->type == JSON_INTEGER && str_equal(parameter->name, shape->size))
            shape->default_size = fallback->integer;
    }
    if (shape->items)
        survey(shape->items, operation, answer);
    for (uint32_t i = 0; i < shape->member_count; i++)
        survey(shape->members[i].shape, operation, answer);
}

bool shape_answer(struct shape_compiler *compiler, const struct operation *operation, struct answer_shape *answer,
                  struct str *reason)
{
    const struct response *chosen = NULL;
    for (unsigned i = 0; i < operation->response_count; i++) {
        const struct response *response = &operation->responses[i];
        bool good = (response->status >= 200 && response->status < 300) || response->status == 2 || response->status == 0;
        if (good && (!chosen || chosen->status < 200 || (response->status >= 200 && response->status < chosen->status)))
            chosen = response;
    }
    *answer = (struct answer_shape){.status = 200};
    if (!chosen) {
        *reason = STR("describes no answer of 2xx");
        return false;
    }
    answer->status = chosen->status >= 200 ? chosen->status : 200;
    if (chosen->media_count == 0)
        return true;
    answer->media = media_for(chosen->media, chosen->media_count, STR("application/json"));
    for (unsigned i = 0; !answer->media && i < chosen->media_count; i++)
        if (chosen->media[i].example || str_ends(chosen->media[i].type, STR("+json")))
            answer->media = &chosen->media[i];
    if (!answer->media) {
        *reason = STR("answers in no form that can be played: only JSON, or what has an example");
        return false;
    }
    const struct json *schema = json_get(answer->media->source, "schema");
    if (!schema)
        return true;
    struct shape *shape = shape_compile(compiler, schema, reason);
    answer->shape = shape;
    if (shape)
        survey(shape, operation, answer);
    return shape != NULL;
}
