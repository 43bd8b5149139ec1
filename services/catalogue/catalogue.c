/* The catalogue as citizens see it: services, departments, categories and areas. */
#include "filter.h"
#include "page.h"
#include "write.h"

#include <shimin/cursor.h>
#include <shimin/module.h>

MODULE_CONTRACT(catalogue);

enum { PAGE_MOST = 100 };

/* "/v1/services?…&cursor=…" with the other parameters as they were sent. */
static struct str link_to_next(struct request *request, struct str cursor)
{
    struct text link = text_open(request_arena(request), 256);
    text_add_c(&link, "<");
    text_add(&link, request_path(request));
    text_add_char(&link, '?');
    struct str rest = request_query(request);
    while (rest.at) {
        struct str pair = str_cut(&rest, '&');
        if (pair.len && !str_starts(pair, STR("cursor="))) {
            text_add(&link, pair);
            text_add_char(&link, '&');
        }
    }
    text_add_c(&link, "cursor=");
    text_add(&link, cursor);
    text_add_c(&link, ">; rel=\"next\"");
    return text_str(&link);
}

/* The index after the service that a cursor names; a service that has left the catalogue makes its cursor invalid. */
static bool start_of_page(struct request *request, size_t *start)
{
    struct str cursor = request_string(request, "cursor"), slug;
    *start = 0;
    if (!cursor.at)
        return true;
    const struct service *last = NULL;
    if (cursor_read(request_arena(request), "services", cursor, &slug))
        last = snapshot_service(request_snapshot(request), slug);
    if (!last) {
        reply_fault(request, PROBLEM_INVALID_CURSOR,
                    BILINGUAL("cursor 无效或已过期，请从第一页重新开始",
                              "The cursor is invalid or has expired; start again from the first page"));
        return false;
    }
    *start = last->index + 1;
    return true;
}

static struct page *render_page(struct request *request, size_t start)
{
    struct arena *arena = request_arena(request);
    const struct snapshot *snapshot = request_snapshot(request);
    const struct service *services;
    size_t count = snapshot_services(snapshot, &services);
    struct filter filter = filter_read(request);
    int64_t room = request_integer(request, "limit", 20);
    if (room > PAGE_MOST)
        room = PAGE_MOST;

    struct text body = text_open(arena, 32768);
    struct json_out out = json_write(&body);
    json_object(&out);
    json_key(&out, "items");
    json_array(&out);
    const struct service *last = NULL;
    bool more = false;
    for (size_t i = start; i < count && !more; i++) {
        if (!filter_matches(&filter, &services[i]))
            continue;
        more = room == 0;
        if (more)
            break;
        json_object(&out);
        write_service(&out, arena, snapshot, &services[i]);
        json_end(&out);
        last = &services[i];
        room--;
    }
    json_end(&out);
    struct str cursor = more ? cursor_make(arena, "services", last->slug) : STR_NONE;
    json_key(&out, "next_cursor");
    if (more)
        json_put(&out, cursor);
    else
        json_put_null(&out);
    json_end_all(&out);
    return page_keep(snapshot, request_query(request), text_str(&body), more ? link_to_next(request, cursor) : STR(""));
}

static void list_services(struct request *request)
{
    struct page *page = page_find(request_snapshot(request), request_query(request));
    size_t start;
    if (!page && start_of_page(request, &start))
        page = render_page(request, start);
    if (page)
        page_reply(request, page);
}

/* The catalogue changes with its snapshot, and its switches with the clock as well: there the next moment tells the tag. */
static void tag_with_version(struct request *request, bool has_switches)
{
    const struct snapshot *snapshot = request_snapshot(request);
    int64_t changes = has_switches ? snapshot_switch_changes_at(snapshot) : 0;
    reply_etag(request, str_printf(request_arena(request), "%.*s-%llx", STR_ARG(snapshot_version(snapshot)),
                                   (unsigned long long)(changes == INT64_MAX ? 0 : changes)));
    reply_cache(request, "public, no-cache");
}

static void read_service(struct request *request)
{
    const struct service *service = request_service(request);
    const struct snapshot *snapshot = request_snapshot(request);
    tag_with_version(request, true);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    write_service(out, request_arena(request), snapshot, service);
    write_service_details(out, service);
}

/* How many services each department has, by index. */
static unsigned *count_by_department(struct request *request)
{
    const struct service *services;
    const struct department *departments;
    size_t count = snapshot_services(request_snapshot(request), &services);
    unsigned *counts =
        arena_array(request_arena(request), unsigned, snapshot_departments(request_snapshot(request), &departments));
    for (size_t i = 0; i < count; i++)
        counts[services[i].department->index]++;
    return counts;
}

static void list_departments(struct request *request)
{
    const struct department *departments;
    size_t count = snapshot_departments(request_snapshot(request), &departments);
    const unsigned *services = count_by_department(request);
    tag_with_version(request, true);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        write_department(out, request_arena(request), request_snapshot(request), &departments[i], services[i]);
        json_end(out);
    }
}

static void read_department(struct request *request)
{
    const struct department *department = snapshot_department(request_snapshot(request), request_string(request, "slug"));
    if (!department) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个部门", "There is no such department"));
        return;
    }
    tag_with_version(request, true);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    write_department(out, request_arena(request), request_snapshot(request), department,
                     count_by_department(request)[department->index]);
}

static void list_categories(struct request *request)
{
    const struct category *categories;
    size_t count = snapshot_categories(request_snapshot(request), &categories);
    tag_with_version(request, false);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        json_field(out, "slug", categories[i].slug);
        write_bilingual(out, "name", categories[i].name);
        json_field_i64(out, "services", categories[i].services);
        json_end(out);
    }
}

static const struct area *find_area(struct request *request)
{
    const struct area *area = snapshot_area(request_snapshot(request), request_string(request, "code"));
    if (!area)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个区划代码", "There is no area of this code"));
    else
        tag_with_version(request, false);
    return area;
}

static void read_area(struct request *request)
{
    const struct area *area = find_area(request);
    if (!area)
        return;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    write_area(out, request_snapshot(request), area);
}

static void list_area_children(struct request *request)
{
    const struct area *area = find_area(request);
    if (!area)
        return;
    const struct snapshot *snapshot = request_snapshot(request);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (unsigned i = 0; i < area->children; i++) {
        json_object(out);
        write_area(out, snapshot, snapshot_area_at(snapshot, area->first_child + i));
        json_end(out);
    }
}

const struct module catalogue_module = {
    .name = "catalogue",
    .contract = catalogue_contract,
    .contract_size = &catalogue_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"listServices", list_services},
            {"readService", read_service},
            {"listDepartments", list_departments},
            {"readDepartment", read_department},
            {"listCategories", list_categories},
            {"readArea", read_area},
            {"listAreaChildren", list_area_children},
            {0},
        },
};
