/* A small direct-mapped table of rendered pages; its entries are counted, so that a reply under way keeps its bytes. */
#include "page.h"

#include <shimin/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 256, KEY_MOST = 512 };

struct page {
    unsigned references; /* the table's and those of replies; one worker only, so a plain number */
    int64_t good_until;  /* wall time of the next switch window */
    struct str version, key, body, link;
    char tag[17]; /* the ETag: hash of the body */
    char bytes[];
};

static _Thread_local struct page *pages[PAGES];

static void release(void *argument)
{
    struct page *page = argument;
    if (page && --page->references == 0)
        free(page);
}

static struct page **place_of(struct str key)
{
    return &pages[str_hash(key) % PAGES];
}

struct page *page_find(const struct snapshot *snapshot, struct str key)
{
    struct page *page = *place_of(key);
    if (!page || !str_equal(page->key, key) || !str_equal(page->version, snapshot_version(snapshot)) ||
        (page->good_until != INT64_MAX && clock_wall() >= page->good_until))
        return NULL;
    page->references++;
    return page;
}

static struct str put(char **at, struct str s)
{
    struct str copy = {*at, s.len};
    if (s.len)
        memcpy(*at, s.at, s.len);
    *at += s.len;
    return copy;
}

struct page *page_keep(const struct snapshot *snapshot, struct str key, struct str body, struct str link)
{
    struct str version = snapshot_version(snapshot);
    struct page *page = memory_alloc(sizeof *page + version.len + key.len + body.len + link.len);
    char *at = page->bytes;
    page->references = 1;
    page->good_until = snapshot_switch_changes_at(snapshot);
    page->version = put(&at, version);
    page->key = put(&at, key);
    page->body = put(&at, body);
    page->link = put(&at, link);
    snprintf(page->tag, sizeof page->tag, "%016llx", (unsigned long long)str_hash(body));
    if (key.len <= KEY_MOST) {
        release(*place_of(key));
        *place_of(key) = page;
        page->references++;
    }
    return page;
}

void page_reply(struct request *request, struct page *page)
{
    reply_hold(request, release, page);
    reply_etag(request, str_of(page->tag));
    reply_cache(request, "public, no-cache");
    if (page->link.len)
        reply_header(request, "link", page->link);
    reply_bytes(request, 200, "application/json", page->body);
}
