/* Pages of the service list, rendered once and kept by each worker until the catalogue or a switch changes. */
#ifndef SERVICES_CATALOGUE_PAGE_H
#define SERVICES_CATALOGUE_PAGE_H

#include <shimin/catalogue.h>
#include <shimin/request.h>

struct page;

/* The page kept for this snapshot and key (the raw query string), with a reference for the caller; or NULL. */
struct page *page_find(const struct snapshot *snapshot, struct str key);
/* Keeps a page made from `body` (copied) and `link` (the Link header's value, may be empty); a reference for the caller. */
struct page *page_keep(const struct snapshot *snapshot, struct str key, struct str body, struct str link);
/* Replies with it, and takes over the reference. */
void page_reply(struct request *request, struct page *page);

#endif
