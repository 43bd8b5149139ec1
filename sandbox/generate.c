/* Writing an answer from its shape.
 *
 * The seed of the whole is SHA-256 of department, operation and what identifies the person; the seed of a value is that of its
 * container mixed with its name or number, so it depends on the JSON Pointer and on nothing beside. */
#include "generate.h"

#include <inttypes.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <stdio.h>
#include <string.h>

/* Recursive schemas end here: optional containers are left out, arrays stay as short as they may. */
enum { DEPTH_MOST = 8, DEPTH_LAST = 60, PAGE_MOST = 10000 };

struct making {
    struct arena *arena;
    struct json_out out;
    const struct generate_order *order; /* NULL: no request */
    int64_t now;
    int64_t number; /* {n} outside arrays */
    unsigned depth;
};

/* Where a value stands: its seed and its item's number over all pages. */
struct place {
    uint64_t seed;
    int64_t item;
    bool in_array;
};

uint64_t generate_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t mix(uint64_t seed, uint64_t step)
{
    uint64_t state = seed ^ (step * 0xd6e8feb86659fd93u);
    return generate_random(&state);
}

/* ---- which of the choices ---- */

static uint32_t choice_of(const struct shape *shape, struct place place, struct place container, unsigned depth)
{
    if (shape->choice_count == 0)
        return 0;
    if (shape->pick_with && depth < 4) {
        const struct shape_member *sibling = shape->pick_with;
        struct place there = container;
        there.seed = mix(container.seed, sibling->hash);
        return choice_of(sibling->shape, there, container, depth + 1) % shape->choice_count;
    }
    if (shape->in_order)
        return (uint32_t)((uint64_t)place.item % shape->choice_count);
    uint64_t state = place.seed;
    return (uint32_t)(generate_random(&state) % shape->choice_count);
}

/* ---- texts ---- */

static void put_number(struct making *making, const struct shape *shape, uint64_t seed)
{
    uint64_t steps = shape->most >= shape->least ? ((uint64_t)shape->most - (uint64_t)shape->least) / (uint64_t)shape->step : 0;
    int64_t value = shape->least + (int64_t)(steps ? generate_random(&seed) % (steps + 1) : 0) * shape->step;
    if (shape->decimals == 0) {
        json_put_i64(&making->out, value);
        return;
    }
    int64_t units = 1;
    for (unsigned i = 0; i < shape->decimals; i++)
        units *= 10;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[48];
    int length = snprintf(digits, sizeof digits, "%s%" PRIu64 ".%0*" PRIu64, value < 0 ? "-" : "", size / (uint64_t)units,
                          (int)shape->decimals, size % (uint64_t)units);
    while (digits[length - 1] == '0')
        length--;
    length -= digits[length - 1] == '.';
    json_put_raw(&making->out, str_copy(making->arena, (struct str){digits, (size_t)length}));
}

#define DAY INT64_C(86400)

/* One to N whole days from the present day, in office hours: moves with the day and not with the clock. With 0 the present. */
static void put_moment(struct making *making, const struct shape *shape, uint64_t seed)
{
    int64_t at = making->now, range = shape->past > 0 ? shape->past : shape->future;
    if (range > 0) {
        int64_t days = 1 + (int64_t)(generate_random(&seed) % (uint64_t)range);
        int64_t minute = 8 * 60 + (int64_t)(generate_random(&seed) % (10 * 60));
        int64_t offset = 8 * 3600; /* China Standard Time */
        int64_t today = (at / seconds(1) + offset) / DAY * DAY - offset;
        at = seconds(today + (shape->past > 0 ? -days : days) * DAY + minute * 60);
    }
    struct str text = time_rfc3339(making->arena, at);
    json_put(&making->out, shape->is_date ? str_slice(text, 0, 10) : text);
}

static void put_numbered(struct making *making, const struct shape *shape, struct place place)
{
    int64_t number = place.in_array ? place.item + 1 : making->number;
    ptrdiff_t at = str_find(shape->sequence, STR("{n}"));
    struct str before = at < 0 ? shape->sequence : str_slice(shape->sequence, 0, (size_t)at);
    struct str after = at < 0 ? STR("") : str_slice(shape->sequence, (size_t)at + 3, shape->sequence.len);
    json_put(&making->out, str_printf(making->arena, "%.*s%" PRId64 "%.*s", STR_ARG(before), number, STR_ARG(after)));
}

static struct str random_word(struct arena *arena, uint64_t seed, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char *at = arena_alloc_raw(arena, length + 1);
    for (size_t i = 0; i < length; i++)
        at[i] = letters[generate_random(&seed) % (sizeof letters - 1 - (i ? 0 : 10))];
    return (struct str){at, length};
}

static struct str text_of_format(struct arena *arena, struct str format, uint64_t seed)
{
    uint64_t a = generate_random(&seed), b = generate_random(&seed);
    if (str_is(format, "uuid"))
        return str_printf(arena, "%08x-%04x-4%03x-8%03x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
                          (unsigned)a & 0xfff, (unsigned)(b >> 52), b & 0xffffffffffff);
    if (str_is(format, "email"))
        return str_printf(arena, "user%u@example.com", (unsigned)(a % 100000));
    if (str_is(format, "uri") || str_is(format, "url") || str_is(format, "uri-reference"))
        return str_printf(arena, "https://department.example/%u", (unsigned)(a % 100000));
    if (str_is(format, "hostname"))
        return str_printf(arena, "host-%u.example", (unsigned)(a % 1000));
    if (str_is(format, "ipv4"))
        return str_printf(arena, "192.0.2.%u", (unsigned)(a % 254 + 1));
    if (str_is(format, "ipv6"))
        return str_printf(arena, "2001:db8::%x", (unsigned)(a % 65535 + 1));
    if (str_is(format, "time"))
        return str_printf(arena, "%02u:%02u:00+08:00", (unsigned)(a % 24), (unsigned)(b % 60));
    if (str_is(format, "duration"))
        return str_printf(arena, "PT%uM", (unsigned)(a % 120 + 1));
    if (str_is(format, "byte") || str_is(format, "base64"))
        return base64_encode(arena, &a, sizeof a);
    if (str_is(format, "cn-id"))
        return a & 1 ? STR("11010519491231002X") : STR("440524188001010014");
    return STR_NONE;
}

static void put_text(struct making *making, const struct shape *shape, uint64_t seed)
{
    struct text text = text_open(making->arena, 0);
    struct str made = shape->format.at ? text_of_format(making->arena, shape->format, seed) : STR_NONE;
    if (made.at) {
        json_put(&making->out, made);
        return;
    }
    /* A repeat may make it too short or too long: other seeds are tried. */
    for (unsigned attempt = 0; shape->pattern.at && attempt < 32; attempt++) {
        text.len = 0;
        if (!generate_matching(&text, shape->pattern, seed + attempt))
            break;
        size_t length = str_code_points(text_str(&text));
        if (length >= (size_t)shape->length_least && (length <= (size_t)shape->length_most || shape->length_most <= 0)) {
            json_put(&making->out, text_str(&text));
            return;
        }
    }
    int64_t length = shape->length_least > 8 ? shape->length_least : shape->length_most < 8 ? shape->length_most : 8;
    json_put(&making->out, random_word(making->arena, seed, (size_t)(length > 0 ? length : 0)));
}

/* ---- what the request says ---- */

static bool put_echo(struct making *making, const struct shape *shape)
{
    const struct json *value = making->order ? inputs_find(making->order->inputs, shape->echo) : NULL;
    if (!value)
        return false;
    struct json text = *value;
    if (shape->echo_text && value->type != JSON_STRING)
        text = (struct json){.type = JSON_STRING, .string = json_text(making->arena, value)};
    if (!schema_validate(shape->echo_fits, &text, NULL))
        return false;
    json_put_value(&making->out, &text);
    return true;
}

static int64_t asked_number(const struct making *making, struct str name, int64_t fallback)
{
    const struct json *value = making->order && name.at ? inputs_find(making->order->inputs, name) : NULL;
    int64_t number = fallback;
    if (value && value->type == JSON_INTEGER)
        number = value->integer;
    else if (value && value->type == JSON_STRING && !str_to_i64(value->string, &number))
        number = fallback;
    return number;
}

static void put_told(struct making *making, enum shape_rule rule)
{
    static const struct str any[SHAPE_RULES] = {
        [RULE_PERSON_MATCH] = STR("false"),
        [RULE_FACE_SERIAL] = STR("\"RL-00000000-0000-4000-8000-000000000000\""),
        [RULE_FACE_TOKEN] = STR("\"0000000000000000000000000000000000000000000000000000000000000000\""),
        [RULE_FACE_RESULT] = STR("\"passed\""),
    };
    struct str told = making->order ? making->order->told[rule] : STR_NONE;
    json_put_raw(&making->out, told.at ? told : any[rule]);
}

/* ---- containers ---- */

static void put(struct making *making, const struct shape *shape, struct place place, struct place container);

static bool is_container(const struct shape *shape)
{
    return shape->kind == SHAPE_OBJECT || shape->kind == SHAPE_ARRAY || shape->kind == SHAPE_ONE_OF;
}

static void put_object(struct making *making, const struct shape *shape, struct place place)
{
    json_object(&making->out);
    for (uint32_t i = 0; i < shape->member_count; i++) {
        const struct shape_member *member = &shape->members[i];
        if (making->depth > DEPTH_MOST && !member->required && is_container(member->shape))
            continue;
        json_key_str(&making->out, member->name);
        struct place there = place;
        there.seed = mix(place.seed, member->hash);
        put(making, member->shape, there, place);
    }
    json_end(&making->out);
}

static void put_array(struct making *making, const struct shape *shape, struct place place)
{
    int64_t first = 0, end = making->depth > DEPTH_MOST ? shape->length_least : shape->length_most;
    if (shape->page.at && shape->size.at) {
        int64_t size = asked_number(making, shape->size, shape->default_size ? shape->default_size : end);
        int64_t page = asked_number(making, shape->page, shape->first_page) - shape->first_page;
        size = size < 0 ? 0 : size > PAGE_MOST ? PAGE_MOST : size;
        page = page < 0 ? 0 : page > PAGE_MOST ? PAGE_MOST : page;
        first = page * size;
        end = first + size < end ? first + size : end;
    }
    json_array(&making->out);
    for (int64_t item = first; item < end; item++) {
        struct place there = {mix(place.seed, (uint64_t)item + 1), item, true};
        put(making, shape->items, there, there);
    }
    json_end(&making->out);
}

static void put(struct making *making, const struct shape *shape, struct place place, struct place container)
{
    if (shape->echo.at && put_echo(making, shape))
        return;
    if (++making->depth > DEPTH_LAST) { /* required for ever: no answer could satisfy it */
        json_put_null(&making->out);
        making->depth--;
        return;
    }
    switch (shape->kind) {
    case SHAPE_NULL:
        json_put_null(&making->out);
        break;
    case SHAPE_CHOICE:
        json_put_raw(&making->out, shape->choices[choice_of(shape, place, container, 0)]);
        break;
    case SHAPE_BOOLEAN:
        json_put_bool(&making->out, generate_random(&place.seed) & 1);
        break;
    case SHAPE_TOLD:
        put_told(making, shape->rule);
        break;
    case SHAPE_NUMBER:
        put_number(making, shape, place.seed);
        break;
    case SHAPE_MOMENT:
        put_moment(making, shape, place.seed);
        break;
    case SHAPE_NUMBERED:
        put_numbered(making, shape, place);
        break;
    case SHAPE_FORMAT:
    case SHAPE_PATTERN:
    case SHAPE_TEXT:
        put_text(making, shape, place.seed);
        break;
    case SHAPE_OBJECT:
        put_object(making, shape, place);
        break;
    case SHAPE_ARRAY:
        put_array(making, shape, place);
        break;
    case SHAPE_ONE_OF: {
        uint64_t state = place.seed;
        put(making, shape->members[generate_random(&state) % shape->member_count].shape, place, container);
        break;
    }
    }
    making->depth--;
}

struct str generate_value(struct arena *arena, const struct shape *shape, uint64_t seed, int64_t now)
{
    struct text text = text_open(arena, 256);
    struct making making = {.arena = arena, .out = json_write(&text), .now = now, .number = 1};
    struct place place = {.seed = seed};
    put(&making, shape, place, place);
    return text_str(&text);
}

struct str generate_answer(struct arena *arena, const struct generate_order *order)
{
    const struct answer_shape *answer = order->answer;
    const struct json *example = answer->media ? answer->media->example : NULL;
    if (!answer->shape && example && example->type == JSON_STRING && str_find(answer->media->type, STR("json")) < 0)
        return example->string;
    if (!answer->shape)
        return example ? json_text(arena, example) : STR("");
    struct text text = text_open(arena, 1024);
    struct making making = {.arena = arena, .out = json_write(&text), .order = order, .now = order->now, .number = 1};
    uint8_t digest[32];
    uint64_t seed;
    inputs_digest(order->inputs, arena, order->department, order->operation->id, false, digest);
    memcpy(&seed, digest, sizeof seed);
    if (answer->status == 201) { /* what is made gets a number of its own; the same submission sent again gets the same */
        uint64_t state;
        inputs_digest(order->inputs, arena, order->department, order->operation->id, true, digest);
        memcpy(&state, digest, sizeof state);
        making.number = 100000 + (int64_t)(generate_random(&state) % 900000);
    }
    struct place place = {.seed = seed};
    put(&making, answer->shape, place, place);
    return text_str(&text);
}
