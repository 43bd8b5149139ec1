/* The last good catalogue document and the contracts it names, as files: what a gateway starts from while Postgres is away. */
#ifndef SHIMIN_LAST_GOOD_H
#define SHIMIN_LAST_GOOD_H

#include <shimin/arena.h>
#include <shimin/str.h>

/* Makes the directory if needed. The path is copied. Call before any other. false when it cannot be made. */
MUST_CHECK bool last_good_open(struct str directory);
/* STR_NONE when there is none. Blocks on the disk. */
struct str last_good_document(struct arena *arena);
struct str last_good_switches(struct arena *arena); /* set after that document was kept, or older: compare versions */
struct str last_good_contract(struct arena *arena, struct str sha256);
bool last_good_has_contract(struct str sha256);
/* Written aside, synced and renamed: what was there before stays whole until then. false, with the reason in the log. */
MUST_CHECK bool last_good_keep_document(struct str document);
MUST_CHECK bool last_good_keep_switches(struct str document);
MUST_CHECK bool last_good_keep_contract(struct str sha256, struct str bytes);

#endif
