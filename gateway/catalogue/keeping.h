/* Writes the last good document and switches to disk behind the snapshot that is out. */
#ifndef SHIMIN_CATALOGUE_KEEPING_H
#define SHIMIN_CATALOGUE_KEEPING_H

#include <shimin/arena.h>
#include <shimin/str.h>

/* Keeps the document that lies in `arena`, which it takes over; `over_definitions`: the switches. What still waits and is
 * older is dropped. On the first worker. */
void keep_on_disk(struct arena *arena, struct str document, bool over_definitions);

/* Runs it in an offload thread, and waits for a place in its queue. false when the fiber must leave before. */
MUST_CHECK bool offload_patiently(bool (*lane)(void (*function)(void *argument), void *argument),
                                  void (*function)(void *argument), void *argument);

#endif
