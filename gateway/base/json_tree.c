/* Trees of JSON values: finding, comparing, and making them by code. */
#include <shimin/json.h>

#include <shimin/arena.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding ---- */

const struct json *json_get_str(const struct json *object, struct str name)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (uint32_t i = 0; i < object->count; i++)
        if (str_equal(object->members[i].name, name))
            return &object->members[i].value;
    return NULL;
}

const struct json *json_get(const struct json *object, const char *name)
{
    return json_get_str(object, str_of(name));
}

/* A reference token of RFC 6901 with ~0 and ~1 undone; false on any other use of the tilde. */
static bool token_names(struct str token, struct str name, bool *broken)
{
    size_t at = 0;
    bool same = true;
    for (size_t i = 0; i < token.len; i++, at++) {
        char c = token.at[i];
        if (c == '~') {
            char which = ++i < token.len ? token.at[i] : '\0';
            *broken = *broken || (which != '0' && which != '1');
            c = which == '1' ? '/' : '~';
        }
        same = same && at < name.len && name.at[at] == c;
    }
    return same && at == name.len && !*broken;
}

static const struct json *find_member(const struct json *object, struct str token)
{
    bool broken = false;
    for (uint32_t i = 0; i < object->count && !broken; i++)
        if (token_names(token, object->members[i].name, &broken))
            return &object->members[i].value;
    return NULL;
}

static const struct json *find_item(const struct json *array, struct str token)
{
    int64_t index;
    if (token.len > 1 && token.at[0] == '0')
        return NULL;
    if (!str_to_i64(token, &index) || token.at[0] == '-' || index >= array->count)
        return NULL;
    return &array->items[index];
}

const struct json *json_at(const struct json *root, struct str pointer)
{
    if (pointer.len == 0)
        return root;
    if (pointer.at[0] != '/')
        return NULL;
    struct str rest = str_slice(pointer, 1, pointer.len);
    while (root && rest.at) {
        struct str token = str_cut(&rest, '/');
        root = root->type == JSON_OBJECT ? find_member(root, token) : root->type == JSON_ARRAY ? find_item(root, token) : NULL;
    }
    return root;
}

struct str json_get_string(const struct json *object, const char *name, struct str fallback)
{
    const struct json *value = json_get(object, name);
    return value && value->type == JSON_STRING ? value->string : fallback;
}

int64_t json_get_integer(const struct json *object, const char *name, int64_t fallback)
{
    const struct json *value = json_get(object, name);
    if (!value || value->type != JSON_NUMBER)
        return value && value->type == JSON_INTEGER ? value->integer : fallback;
    /* "5.0" and "5e0" are integers to a schema (JSON Schema core §4.2.3), so they are here as far as a double is exact */
    return fabs(value->number) <= 0x1p53 && trunc(value->number) == value->number ? (int64_t)value->number : fallback;
}

bool json_get_boolean(const struct json *object, const char *name, bool fallback)
{
    const struct json *value = json_get(object, name);
    return value && value->type == JSON_BOOLEAN ? value->boolean : fallback;
}

double json_as_double(const struct json *value)
{
    if (!value)
        return 0;
    return value->type == JSON_INTEGER ? (double)value->integer : value->type == JSON_NUMBER ? value->number : 0;
}

/* ---- comparing ---- */

/* Objects with more members are sorted to be compared: reversed ones would take the square of their size. */
#define SEARCH_MAX 24

static int compare_names(const void *a, const void *b)
{
    const struct json_member *const *left = a, *const *right = b;
    return str_compare((*left)->name, (*right)->name);
}

static const struct json_member **sorted_members(const struct json *object)
{
    const struct json_member **sorted = memory_alloc(object->count * sizeof(struct json_member *));
    for (uint32_t i = 0; i < object->count; i++)
        sorted[i] = &object->members[i];
    qsort(sorted, object->count, sizeof(struct json_member *), compare_names);
    return sorted;
}

static bool large_objects_equal(const struct json *a, const struct json *b)
{
    const struct json_member **left = sorted_members(a), **right = sorted_members(b);
    bool equal = true;
    for (uint32_t i = 0; i < a->count && equal; i++)
        equal = str_equal(left[i]->name, right[i]->name) && json_equal(&left[i]->value, &right[i]->value);
    free(left);
    free(right);
    return equal;
}

static bool objects_equal(const struct json *a, const struct json *b)
{
    if (a->count != b->count)
        return false;
    if (a->count > SEARCH_MAX)
        return large_objects_equal(a, b);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct json *other = json_get_str(b, a->members[i].name);
        if (!other || !json_equal(&a->members[i].value, other))
            return false;
    }
    return true;
}

static bool arrays_equal(const struct json *a, const struct json *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!json_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

/* Exact: an integer beyond 2^53 equals no double that is merely near. */
static bool integer_equals(int64_t integer, double number)
{
    return number >= -9223372036854775808.0 && number < 9223372036854775808.0 && (int64_t)number == integer &&
           (double)(int64_t)number == number;
}

bool json_equal(const struct json *a, const struct json *b)
{
    if (a->type == JSON_INTEGER && b->type == JSON_NUMBER)
        return integer_equals(a->integer, b->number);
    if (a->type == JSON_NUMBER && b->type == JSON_INTEGER)
        return integer_equals(b->integer, a->number);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOLEAN:
        return a->boolean == b->boolean;
    case JSON_INTEGER:
        return a->integer == b->integer;
    case JSON_NUMBER:
        return a->number == b->number;
    case JSON_STRING:
        return str_equal(a->string, b->string);
    case JSON_ARRAY:
        return arrays_equal(a, b);
    case JSON_OBJECT:
        return objects_equal(a, b);
    }
    return false;
}

/* ---- making ---- */

static struct json *make(struct arena *arena, enum json_type type)
{
    struct json *value = arena_new(arena, struct json);
    value->type = type;
    return value;
}

struct json *json_make_object(struct arena *arena)
{
    return make(arena, JSON_OBJECT);
}

struct json *json_make_array(struct arena *arena)
{
    return make(arena, JSON_ARRAY);
}

struct json *json_make_string(struct arena *arena, struct str s)
{
    struct json *value = make(arena, JSON_STRING);
    value->string = s;
    return value;
}

struct json *json_make_integer(struct arena *arena, int64_t value)
{
    struct json *made = make(arena, JSON_INTEGER);
    made->integer = value;
    return made;
}

struct json *json_make_boolean(struct arena *arena, bool value)
{
    struct json *made = make(arena, JSON_BOOLEAN);
    made->boolean = value;
    return made;
}

/* Containers made by code have room for the next power of two, at least four: room needs no field of its own. */
static uint32_t room_for(uint32_t count)
{
    uint32_t room = count ? 4 : 0;
    while (room < count)
        room *= 2;
    return room;
}

static void *grown(struct arena *arena, void *children, uint32_t count, size_t size)
{
    uint32_t room = room_for(count), needed = room_for(count + 1);
    return needed > room ? arena_grow(arena, children, room * size, needed * size) : children;
}

void json_set(struct arena *arena, struct json *object, struct str name, const struct json *value)
{
    struct json *old = (struct json *)json_get_str(object, name);
    if (old) {
        *old = *value;
        return;
    }
    struct json copy = *value; /* it may lie in the members that move */
    object->members = grown(arena, object->members, object->count, sizeof(struct json_member));
    object->members[object->count++] = (struct json_member){name, copy};
}

void json_append(struct arena *arena, struct json *array, const struct json *value)
{
    struct json copy = *value;
    array->items = grown(arena, array->items, array->count, sizeof(struct json));
    array->items[array->count++] = copy;
}

/* Without `source`: what is cloned is about to be changed, and the bytes would no longer tell the truth. */
static void clone_into(struct arena *arena, struct json *to, const struct json *from)
{
    *to = *from;
    to->source = STR_NONE;
    if (from->type == JSON_ARRAY) {
        to->items = arena_array(arena, struct json, room_for(from->count));
        for (uint32_t i = 0; i < from->count; i++)
            clone_into(arena, &to->items[i], &from->items[i]);
    } else if (from->type == JSON_OBJECT) {
        to->members = arena_array(arena, struct json_member, room_for(from->count));
        for (uint32_t i = 0; i < from->count; i++) {
            to->members[i].name = from->members[i].name;
            clone_into(arena, &to->members[i].value, &from->members[i].value);
        }
    }
}

struct json *json_clone(struct arena *arena, const struct json *value)
{
    struct json *clone = arena_new(arena, struct json);
    clone_into(arena, clone, value);
    return clone;
}
