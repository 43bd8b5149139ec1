/* Pages of the lists here: rows whose first column is an id, whose second is what they are ordered by, and whose third is the
 * item. */
#ifndef PAYMENTS_PAGE_H
#define PAYMENTS_PAGE_H

#include <shimin/pg.h>
#include <shimin/request.h>

/* What the request asks for: rows after this position, the newest being the first. */
struct page {
    const char *purpose; /* of the cursor */
    struct str after;    /* what the last row of the page before is ordered by; at == NULL: this is the first page */
    struct str id;       /* and its id; above all ids on the first page */
    int64_t limit;       /* ask for one row more: it tells whether there is another page */
};

/* false after a reply: the cursor is none. */
MUST_CHECK bool page_read(struct request *request, const char *purpose, struct page *page);
/* The time that `after` is; beyond all on the first page. */
int64_t page_time(const struct page *page);
/* "items" and "next_cursor" into an open object. */
void page_write(struct json_out *out, struct arena *arena, const struct page *page, const struct pg_result *rows);

#endif
