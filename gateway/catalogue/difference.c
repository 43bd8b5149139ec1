/* Compares two catalogues entry by entry and field by field. */
#include "catalogue/difference.h"

#include "catalogue/definitions.h"
#include "catalogue/export.h"

/* One kind of entry in a document. */
struct kind {
    const char *name, *list, *key;
    bool ordered; /* the order of the list is something that citizens see */
};
static const struct kind kinds[] = {
    {"category", "categories", "slug", true},
    {"department", "departments", "slug", false},
    {"service", "services", "slug", true},
    {"area", "areas", NULL, false},
};

struct comparing {
    struct arena *arena;
    struct json *changes;
    struct json *fields; /* of the entry that is compared */
};

static void add_field(struct comparing *comparing, struct str path, const struct json *from, const struct json *to)
{
    struct json *field = json_make_object(comparing->arena);
    json_set(comparing->arena, field, STR("path"), json_make_string(comparing->arena, path));
    if (from)
        json_set(comparing->arena, field, STR("from"), from);
    if (to)
        json_set(comparing->arena, field, STR("to"), to);
    json_append(comparing->arena, comparing->fields, field);
}

/* The member's name as a step of a JSON Pointer. */
static struct str step(struct arena *arena, struct str path, struct str name)
{
    struct text text = text_open(arena, path.len + name.len + 8);
    text_add(&text, path);
    text_add_char(&text, '/');
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] == '~' || name.at[i] == '/')
            text_add_c(&text, name.at[i] == '~' ? "~0" : "~1");
        else
            text_add_char(&text, name.at[i]);
    return text_str(&text);
}

/* The contract's version is told by its bytes. */
static bool is_derived(struct str path)
{
    return str_is(path, "/contract/version");
}

/* Depth is that of what was parsed, which is bounded. */
static void compare(struct comparing *comparing, struct str path, const struct json *from, const struct json *to)
{
    if ((from && to && json_equal(from, to)) || is_derived(path))
        return;
    if (!from || !to || from->type != JSON_OBJECT || to->type != JSON_OBJECT) {
        add_field(comparing, path, from, to);
        return;
    }
    for (uint32_t i = 0; i < from->count; i++)
        compare(comparing, step(comparing->arena, path, from->members[i].name), &from->members[i].value,
                json_get_str(to, from->members[i].name));
    for (uint32_t i = 0; i < to->count; i++)
        if (!json_get_str(from, to->members[i].name))
            compare(comparing, step(comparing->arena, path, to->members[i].name), NULL, &to->members[i].value);
}

static void add_change(struct comparing *comparing, const struct kind *kind, struct str name, const char *action)
{
    struct json *change = json_make_object(comparing->arena);
    json_set(comparing->arena, change, STR("kind"), json_make_string(comparing->arena, str_of(kind->name)));
    json_set(comparing->arena, change, STR("name"), json_make_string(comparing->arena, name));
    json_set(comparing->arena, change, STR("action"), json_make_string(comparing->arena, str_of(action)));
    json_set(comparing->arena, change, STR("fields"), comparing->fields);
    json_append(comparing->arena, comparing->changes, change);
}

/* ---- the lists ---- */

struct side {
    const struct json *list;
    struct slug_table places;
    const struct kind *kind;
};

static size_t count_of(const struct json *list)
{
    return list && list->type == JSON_ARRAY ? list->count : 0;
}

static struct str name_of(const struct kind *kind, const struct json *entry)
{
    return kind->key ? json_get_string(entry, kind->key, STR("")) : entry->items[0].string;
}

static bool is_compared(const struct json *entry)
{
    return entry->type == JSON_ARRAY || catalogue_is_from_files(entry);
}

static struct side side_of(struct arena *arena, const struct kind *kind, const struct json *document)
{
    struct side side = {.list = json_get(document, kind->list), .kind = kind};
    slug_table_open(&side.places, arena, count_of(side.list));
    for (uint32_t i = 0; i < count_of(side.list); i++)
        if (is_compared(&side.list->items[i]))
            (void)!slug_table_add(&side.places, name_of(kind, &side.list->items[i]), i);
    return side;
}

static const struct json *find(const struct side *side, struct str name)
{
    int64_t place = slug_table_find(&side->places, name);
    return place < 0 ? NULL : &side->list->items[place];
}

/* An area is a row, not an object. */
static const struct json *as_object(struct arena *arena, const struct json *entry)
{
    static const char *const names[] = {"code", "name", "level", "parent"};
    if (entry->type != JSON_ARRAY)
        return entry;
    struct json *object = json_make_object(arena);
    for (uint32_t i = 0; i < entry->count && i < COUNT_OF(names); i++)
        json_set(arena, object, str_of(names[i]), &entry->items[i]);
    return object;
}

/* Which entry of the same department, or of the whole list, comes before it; of those that are on both sides. */
static struct str one_before(const struct side *side, const struct side *other, uint32_t place)
{
    struct str department = json_get_string(&side->list->items[place], "department", STR_NONE);
    while (place-- > 0) {
        const struct json *entry = &side->list->items[place];
        struct str name = name_of(side->kind, entry);
        if (str_equal(json_get_string(entry, "department", STR_NONE), department) && find(side, name) && find(other, name))
            return name;
    }
    return STR_NONE;
}

static void compare_order(struct comparing *comparing, const struct side *from, const struct side *to, struct str name)
{
    struct str before = one_before(from, to, (uint32_t)slug_table_find(&from->places, name));
    struct str after = one_before(to, from, (uint32_t)slug_table_find(&to->places, name));
    if (!str_equal(before, after))
        add_field(comparing, STR("/comes_after"), before.at ? json_make_string(comparing->arena, before) : NULL,
                  after.at ? json_make_string(comparing->arena, after) : NULL);
}

static void compare_lists(struct comparing *comparing, const struct side *from, const struct side *to)
{
    struct arena *arena = comparing->arena;
    for (uint32_t i = 0; i < count_of(to->list); i++) {
        struct str name = name_of(to->kind, &to->list->items[i]);
        const struct json *old = find(from, name);
        comparing->fields = json_make_array(arena);
        if (!is_compared(&to->list->items[i]))
            continue;
        compare(comparing, STR(""), old ? as_object(arena, old) : NULL, as_object(arena, &to->list->items[i]));
        if (old && to->kind->ordered)
            compare_order(comparing, from, to, name);
        if (comparing->fields->count)
            add_change(comparing, to->kind, name, old ? "change" : "add");
    }
    for (uint32_t i = 0; i < count_of(from->list); i++) {
        struct str name = name_of(from->kind, &from->list->items[i]);
        if (!is_compared(&from->list->items[i]) || find(to, name))
            continue;
        comparing->fields = json_make_array(arena);
        add_change(comparing, from->kind, name, "remove");
    }
}

const struct json *catalogue_difference(struct arena *arena, const struct json *from, const struct json *to)
{
    struct comparing comparing = {.arena = arena, .changes = json_make_array(arena)};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct side old = side_of(arena, &kinds[i], from), new = side_of(arena, &kinds[i], to);
        compare_lists(&comparing, &old, &new);
    }
    return comparing.changes;
}
