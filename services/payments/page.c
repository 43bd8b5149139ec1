/* Pages of lists, by a cursor of order and id: rows that come meanwhile move no page. */
#include "page.h"

#include <shimin/cursor.h>

enum { LIMIT = 20, LIMIT_MOST = 100 };

bool page_read(struct request *request, const char *purpose, struct page *page)
{
    int64_t limit = request_integer(request, "limit", LIMIT);
    struct str cursor = request_string(request, "cursor");
    *page = (struct page){.purpose = purpose,
                          .after = STR_NONE,
                          .id = STR("ffffffff-ffff-ffff-ffff-ffffffffffff"),
                          .limit = limit > LIMIT_MOST ? LIMIT_MOST : limit};
    if (!cursor.at)
        return true;
    if (cursor_read(request_arena(request), purpose, cursor, &page->id)) {
        page->after = str_cut(&page->id, ' ');
        return true;
    }
    reply_fault(request, PROBLEM_INVALID_CURSOR,
                BILINGUAL("cursor 无效，请从第一页重新开始", "The cursor is invalid; start again from the first page"));
    return false;
}

int64_t page_time(const struct page *page)
{
    int64_t wall;
    return page->after.at && str_to_i64(page->after, &wall) ? wall : INT64_MAX / 2;
}

void page_write(struct json_out *out, struct arena *arena, const struct page *page, const struct pg_result *rows)
{
    bool more = pg_rows(rows) > (size_t)page->limit;
    size_t count = more ? (size_t)page->limit : pg_rows(rows);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++)
        json_put_raw(out, pg_str(rows, i, 2));
    json_end(out);
    json_key(out, "next_cursor");
    if (more)
        json_put(out, cursor_make(arena, page->purpose,
                                  str_printf(arena, "%.*s %.*s", STR_ARG(pg_str(rows, count - 1, 1)),
                                             STR_ARG(pg_str(rows, count - 1, 0)))));
    else
        json_put_null(out);
}
