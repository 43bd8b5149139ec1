/* Compiles the catalogue's document into departments, services, categories and areas, and says every fault it finds. */
#include "catalogue/definitions.h"

#include <shimin/clock.h>

#include <inttypes.h>

static const struct snapshot_compiler *compiler;

void snapshot_set_compiler(const struct snapshot_compiler *given)
{
    compiler = given;
}

struct bilingual bilingual_read(const struct json *object, const char *name)
{
    const struct json *pair = json_get(object, name);
    return (struct bilingual){json_get_string(pair, "zh", STR("")), json_get_string(pair, "en", STR(""))};
}

static struct str copied(struct definitions *all, const struct json *object, const char *name)
{
    return str_copy(all->arena, json_get_string(object, name, STR("")));
}

static size_t count_of(const struct json *document, const char *name)
{
    const struct json *list = json_get(document, name);
    return list && list->type == JSON_ARRAY ? list->count : 0;
}

static void compile_categories(struct definitions *all, const struct json *document, struct text *faults)
{
    all->category_count = count_of(document, "categories");
    all->categories = arena_array(all->arena, struct category, all->category_count);
    slug_table_open(&all->category_slugs, all->arena, all->category_count);
    for (unsigned i = 0; i < all->category_count; i++) {
        const struct json *entry = &json_get(document, "categories")->items[i];
        struct category *category = &all->categories[i];
        category->slug = copied(all, entry, "slug");
        category->name = bilingual_read(entry, "name");
        if (!slug_table_add(&all->category_slugs, category->slug, i))
            text_printf(faults, "category %.*s: declared twice\n", STR_ARG(category->slug));
    }
}

static void compile_department(struct definitions *all, unsigned index, const struct json *entry,
                               struct str (*contract_bytes)(struct arena *arena, struct str sha256), struct text *faults)
{
    struct department *department = &all->departments[index];
    const struct json *contract = json_get(entry, "contract");
    *department = (struct department){
        .index = index,
        .number = (unsigned)json_get_integer(entry, "number", 0),
        .slug = copied(all, entry, "slug"),
        .name = bilingual_read(entry, "name"),
        .kind = copied(all, entry, "kind"),
        .contract_name = copied(all, contract, "name"),
        .definition = entry,
    };
    if (!slug_table_add(&all->department_slugs, department->slug, index))
        text_printf(faults, "department %.*s: declared twice\n", STR_ARG(department->slug));
    if (contract)
        department->contract = contract_share(all->arena, department->contract_name,
                                              json_get_string(contract, "sha256", STR("")), contract_bytes, faults);
    if (compiler && compiler->department && (department->contract || !contract))
        (void)compiler->department(all->arena, department, faults);
}

/* A system is its department with a contract and a backend of its own: whoever asks a service's department asks it. */
static void compile_system(struct definitions *all, unsigned index, const struct json *entry,
                           struct str (*contract_bytes)(struct arena *arena, struct str sha256), struct text *faults)
{
    struct department *system = &all->systems[index];
    struct str owner = json_get_string(entry, "department", STR("")), key = copied(all, entry, "key");
    const struct json *contract = json_get(entry, "contract");
    int64_t department = slug_table_find(&all->department_slugs, owner);
    if (department < 0 || !slug_table_add(&all->system_keys, key, index)) {
        text_printf(faults, "system %.*s: %s\n", STR_ARG(key), department < 0 ? "unknown department" : "declared twice");
        return;
    }
    *system = all->departments[department];
    system->system = copied(all, entry, "name");
    system->contract_name = copied(all, contract, "name");
    system->definition = entry;
    system->backend = NULL;
    system->contract =
        contract_share(all->arena, system->contract_name, json_get_string(contract, "sha256", STR("")), contract_bytes, faults);
    if (compiler && compiler->department && system->contract)
        (void)compiler->department(all->arena, system, faults);
}

static void compile_systems(struct definitions *all, const struct json *document,
                            struct str (*contract_bytes)(struct arena *arena, struct str sha256), struct text *faults)
{
    all->system_count = count_of(document, "systems");
    all->systems = arena_array(all->arena, struct department, all->system_count);
    slug_table_open(&all->system_keys, all->arena, all->system_count);
    for (unsigned i = 0; i < all->system_count; i++)
        compile_system(all, i, &json_get(document, "systems")->items[i], contract_bytes, faults);
}

static void compile_aliases(struct definitions *all, struct service *service, struct text *faults)
{
    const struct json *aliases = json_get(service->definition, "aliases");
    size_t count = aliases && aliases->type == JSON_ARRAY ? aliases->count : 0;
    struct str *list = arena_array(all->arena, struct str, count);
    for (unsigned i = 0; i < count; i++) {
        if (aliases->items[i].type != JSON_STRING) {
            text_printf(faults, "service %.*s: /aliases/%u: no string\n", STR_ARG(service->slug), i);
            return;
        }
        list[i] = aliases->items[i].string;
        if (!slug_table_add(&all->service_slugs, list[i], service->index))
            text_printf(faults, "service %.*s: alias %.*s is taken\n", STR_ARG(service->slug), STR_ARG(list[i]));
    }
    service->aliases = list;
    service->alias_count = (unsigned)count;
}

static size_t count_aliases(const struct json *document)
{
    size_t total = 0;
    for (size_t i = 0; i < count_of(document, "services"); i++)
        total += count_of(&json_get(document, "services")->items[i], "aliases");
    return total;
}

static void compile_declared_switch(struct service *service, const struct json *entry, struct text *faults)
{
    const struct json *declared = json_get(entry, "switch");
    service->declared.reason = bilingual_read(declared, "reason");
    service->declared.set_by = STR("catalogue");
    if (!switch_position_named(json_get_string(declared, "position", STR("open")), &service->declared.position))
        text_printf(faults, "service %.*s: /switch/position: unknown position\n", STR_ARG(service->slug));
}

/* Whom the service asks: the department, or one of its systems. */
static const struct department *department_of(struct definitions *all, const struct json *entry)
{
    int64_t department = slug_table_find(&all->department_slugs, json_get_string(entry, "department", STR("")));
    struct str key = json_get_string(entry, "system", STR_NONE);
    if (department < 0 || !key.at)
        return department < 0 ? NULL : &all->departments[department];
    int64_t system = slug_table_find(&all->system_keys, key);
    const struct department *found = system < 0 ? NULL : &all->systems[system];
    return found && str_equal(found->slug, all->departments[department].slug) ? found : NULL;
}

static int64_t time_member(const struct json *entry, const char *name)
{
    struct str text = json_get_string(entry, name, STR_NONE);
    int64_t wall;
    return text.at && time_parse_rfc3339(text, &wall) ? wall : 0;
}

/* All but what belongs to the place in the catalogue, which a version on trial shares. */
static void compile_entry(struct definitions *all, struct service *service, unsigned index, const struct json *entry,
                          struct text *faults)
{
    const struct json *retirement = json_get(entry, "retirement");
    *service = (struct service){
        .index = index,
        .version = (unsigned)json_get_integer(entry, "version", 0),
        .deprecated_at = time_member(retirement, "deprecated_at"),
        .sunset_at = time_member(retirement, "sunset_at"),
        .notice = bilingual_read(retirement, "notice"),
        .successor = copied(all, retirement, "successor"),
        .slug = copied(all, entry, "slug"),
        .name = bilingual_read(entry, "name"),
        .summary = bilingual_read(entry, "summary"),
        .pinyin = copied(all, entry, "pinyin"),
        .category = copied(all, entry, "category"),
        .area = AREA_NONE,
        .personal = json_get_boolean(entry, "personal", false),
        .definition = entry,
    };
    size_t before = faults->len;
    service->department = department_of(all, entry);
    if (!service->department)
        text_printf(faults, "service %.*s: unknown department %.*s %.*s\n", STR_ARG(service->slug),
                    STR_ARG(json_get_string(entry, "department", STR(""))), STR_ARG(json_get_string(entry, "system", STR(""))));
    int64_t category = slug_table_find(&all->category_slugs, service->category);
    if (category < 0)
        text_printf(faults, "service %.*s: unknown category %.*s\n", STR_ARG(service->slug), STR_ARG(service->category));
    else
        service->category_index = (unsigned)category;
    if (!archetype_named(json_get_string(entry, "archetype", STR("")), &service->archetype))
        text_printf(faults, "service %.*s: /archetype: unknown archetype\n", STR_ARG(service->slug));
    if (!level_named(json_get_string(entry, "level", STR("")), &service->level))
        text_printf(faults, "service %.*s: /level: unknown level\n", STR_ARG(service->slug));
    compile_declared_switch(service, entry, faults);
    if (faults->len == before && compiler && compiler->service)
        (void)compiler->service(all->arena, service, faults);
}

static void compile_canary(struct definitions *all, struct service *service, struct text *faults)
{
    const struct json *entry = json_get(service->definition, "canary");
    if (!entry || entry->type != JSON_OBJECT)
        return;
    struct service *canary = arena_new(all->arena, struct service);
    compile_entry(all, canary, service->index, entry, faults);
    canary->aliases = service->aliases;
    canary->alias_count = service->alias_count;
    service->canary = canary;
    service->canary_share = (unsigned)json_get_integer(entry, "share", 0);
    if (!str_equal(canary->slug, service->slug))
        text_printf(faults, "service %.*s: /canary/slug: is another service\n", STR_ARG(service->slug));
}

static void compile_service(struct definitions *all, unsigned index, const struct json *entry, struct text *faults)
{
    struct service *service = &all->services[index];
    compile_entry(all, service, index, entry, faults);
    if (service->category_index < all->category_count)
        all->categories[service->category_index].services++;
    if (!slug_table_add(&all->service_slugs, service->slug, index))
        text_printf(faults, "service %.*s: declared twice\n", STR_ARG(service->slug));
    compile_aliases(all, service, faults);
    compile_canary(all, service, faults);
}

/* Rows are [code, name, level, parent code or null]; put breadth first, so that the children of a node lie together. */
struct area_rows {
    const struct json *rows;
    unsigned *first, *last, *next; /* of each row's children; the last element stands for "no parent" */
};

static bool is_row(const struct json *row)
{
    if (row->type != JSON_ARRAY || row->count != 4)
        return false;
    for (uint32_t i = 0; i < 3; i++)
        if (row->items[i].type != JSON_STRING)
            return false;
    return row->items[3].type == JSON_STRING || row->items[3].type == JSON_NULL;
}

static void link_areas(struct definitions *all, struct area_rows *links, struct text *faults)
{
    struct slug_table codes;
    size_t count = all->area_count, before = faults->len;
    slug_table_open(&codes, all->arena, count);
    for (unsigned i = 0; i < count; i++)
        if (!is_row(&links->rows->items[i]) || !slug_table_add(&codes, links->rows->items[i].items[0].string, i))
            text_printf(faults, "areas: row %u is broken or declared twice\n", i + 1);
    if (faults->len != before)
        return;
    for (size_t i = 0; i <= count; i++)
        links->first[i] = links->last[i] = AREA_NONE;
    for (unsigned i = 0; i < count; i++) {
        const struct json *parent = &links->rows->items[i].items[3];
        int64_t at =
            parent->type == JSON_STRING && parent->string.len ? slug_table_find(&codes, parent->string) : (int64_t)count;
        if (at < 0) {
            text_printf(faults, "areas: row %u: its parent is missing\n", i + 1);
            continue;
        }
        links->next[i] = AREA_NONE;
        if (links->first[at] == AREA_NONE)
            links->first[at] = i;
        else
            links->next[links->last[at]] = i;
        links->last[at] = i;
    }
}

/* Appends the children of one row after what is placed already. */
static unsigned place_children(struct definitions *all, const struct area_rows *links, unsigned *row_of, unsigned placed,
                               unsigned parent)
{
    unsigned row = links->first[parent == AREA_NONE ? all->area_count : row_of[parent]];
    unsigned first = placed;
    for (; row != AREA_NONE; row = links->next[row]) {
        const struct json *cells = links->rows->items[row].items;
        row_of[placed] = row;
        all->areas[placed] =
            (struct area){.code = cells[0].string, .name = cells[1].string, .level = cells[2].string, .parent = parent};
        (void)!slug_table_add(&all->area_codes, cells[0].string, placed);
        placed++;
    }
    if (parent != AREA_NONE) {
        all->areas[parent].first_child = first;
        all->areas[parent].children = placed - first;
    }
    return placed;
}

static void compile_areas(struct definitions *all, const struct json *document, struct text *faults)
{
    size_t count = all->area_count = count_of(document, "areas");
    struct area_rows links = {
        .rows = json_get(document, "areas"),
        .first = arena_array(all->arena, unsigned, count + 1),
        .last = arena_array(all->arena, unsigned, count + 1),
        .next = arena_array(all->arena, unsigned, count + 1),
    };
    all->areas = arena_array(all->arena, struct area, count);
    slug_table_open(&all->area_codes, all->arena, count);
    size_t before = faults->len;
    link_areas(all, &links, faults);
    if (faults->len != before || !count)
        return;
    unsigned *row_of = arena_array(all->arena, unsigned, count);
    unsigned placed = place_children(all, &links, row_of, 0, AREA_NONE);
    for (unsigned i = 0; i < placed; i++)
        placed = place_children(all, &links, row_of, placed, i);
    if (placed != count)
        text_printf(faults, "areas: %zu rows hang on a circle\n", count - placed);
}

/* A service lies where it says, else where its department does. Areas are compiled last, so this comes after them. */
static void place_services(struct definitions *all, struct text *faults)
{
    for (size_t i = 0; i < all->service_count; i++) {
        struct service *service = &all->services[i];
        struct str code = json_get_string(service->definition, "area", STR_NONE);
        if (!code.at && service->department)
            code = json_get_string(all->departments[service->department->index].definition, "area", STR_NONE);
        int64_t area = code.at ? slug_table_find(&all->area_codes, code) : -1;
        if (area >= 0)
            service->area = (unsigned)area;
        else if (code.at)
            text_printf(faults, "service %.*s: there is no area %.*s\n", STR_ARG(service->slug), STR_ARG(code));
        if (service->canary)
            ((struct service *)(uintptr_t)service->canary)->area = service->area; /* not published yet */
    }
}

struct definitions *definitions_compile(struct str text, struct str (*contract_bytes)(struct arena *arena, struct str sha256),
                                        struct text *faults)
{
    struct arena *arena = arena_open();
    struct json_error error;
    const struct json *document = json_parse(arena, str_copy(arena, text), &json_limits_document, &error);
    if (!document) {
        text_printf(faults, "catalogue document:%u: %s\n", error.line, error.reason);
        arena_close(arena);
        return NULL;
    }
    struct definitions *all = arena_new(arena, struct definitions);
    *all = (struct definitions){
        .references = 1,
        .arena = arena,
        .version = str_printf(arena, "%" PRId64, json_get_integer(document, "version", 0)),
        .number = json_get_integer(document, "version", 0),
        .document = document,
        .department_count = count_of(document, "departments"),
        .service_count = count_of(document, "services"),
    };
    size_t before = faults->len;
    compile_categories(all, document, faults);
    all->departments = arena_array(arena, struct department, all->department_count);
    all->services = arena_array(arena, struct service, all->service_count);
    slug_table_open(&all->department_slugs, arena, all->department_count);
    slug_table_open(&all->service_slugs, arena, all->service_count + count_aliases(document));
    for (unsigned i = 0; i < all->department_count; i++)
        compile_department(all, i, &json_get(document, "departments")->items[i], contract_bytes, faults);
    compile_systems(all, document, contract_bytes, faults);
    for (unsigned i = 0; i < all->service_count; i++)
        compile_service(all, i, &json_get(document, "services")->items[i], faults);
    compile_areas(all, document, faults);
    place_services(all, faults);
    if (faults->len == before)
        return all;
    arena_close(arena);
    return NULL;
}

void definitions_release(struct definitions *all)
{
    if (all && atomic_fetch_sub(&all->references, 1) == 1)
        arena_close(all->arena);
}
