/* Each worker's view of the current snapshot, and the pins that keep an old one alive while a request uses it. */
#include "catalogue/definitions.h"
#include "catalogue/presence.h"

#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/worker.h>

#include <stdlib.h>

/* One snapshot as this worker holds it: one reference for all its pins. */
struct view {
    struct view *next;
    struct snapshot *snapshot;
    unsigned pins;
};

/* The first view is the current one. */
static _Thread_local struct view *views;

static void release(void *argument)
{
    snapshot_release(argument);
}

static void retire(void *argument)
{
    while (!offload_aside(release, argument))
        (void)fiber_sleep(milliseconds(10));
}

void snapshot_retire(struct snapshot *snapshot)
{
    if (snapshot)
        fiber_start(retire, snapshot, DEADLINE_NEVER);
}

static void drop_unused(void)
{
    for (struct view **link = views ? &views->next : NULL; link && *link;) {
        struct view *view = *link;
        if (view->pins) {
            link = &view->next;
            continue;
        }
        *link = view->next;
        snapshot_retire(view->snapshot);
        free(view);
    }
}

static void adopt(void *argument)
{
    struct view *view = memory_alloc(sizeof *view);
    *view = (struct view){.next = views, .snapshot = argument};
    views = view;
    drop_unused();
    if (atomic_fetch_sub(&view->snapshot->awaited, 1) == 1) {
        snapshot_reference(view->snapshot);
        worker_post(worker_at(0), presence_confirm, view->snapshot);
    }
}

void snapshot_publish(struct snapshot *snapshot)
{
    atomic_store(&snapshot->awaited, worker_count());
    for (unsigned i = 0; i < worker_count(); i++) {
        snapshot_reference(snapshot);
        worker_post(worker_at(i), adopt, snapshot);
    }
    snapshot_release(snapshot);
}

const struct snapshot *catalogue_snapshot(void)
{
    return views ? views->snapshot : NULL;
}

const struct snapshot *snapshot_pin(void)
{
    if (!views)
        return NULL;
    views->pins++;
    return views->snapshot;
}

void snapshot_unpin(const struct snapshot *snapshot)
{
    struct view *view = views;
    while (view && view->snapshot != snapshot)
        view = view->next;
    if (!view)
        fatal("a snapshot was unpinned that this worker does not hold");
    if (--view->pins == 0 && view != views)
        drop_unused();
}
