/* The copies on disk: written when the snapshot is out, for to sync a disk may take longer than a switch may. */
#include "catalogue/keeping.h"

#include "catalogue/last_good.h"

#include <shimin/fiber.h>

/* A document and, after it, the switches that were set over it. */
static struct kept {
    struct arena *arena; /* NULL: there is nothing to be written */
    struct str document;
    bool (*write)(struct str document);
} kept[2] = {{.write = last_good_keep_document}, {.write = last_good_keep_switches}};
static bool keeping;

bool offload_patiently(bool (*lane)(void (*function)(void *argument), void *argument), void (*function)(void *argument),
                       void *argument)
{
    while (!lane(function, argument))
        if (fiber_sleep(milliseconds(10)) != WAIT_DONE)
            return false;
    return true;
}

/* What cannot be kept is good all the same; the log has the reason. */
static void write_kept(void *argument)
{
    const struct kept *copy = argument;
    (void)!copy->write(copy->document);
    arena_close(copy->arena);
}

static void keep_waiting(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        struct kept copy = kept[i];
        if (!copy.arena)
            continue;
        kept[i].arena = NULL;
        if (!offload_patiently(offload, write_kept, &copy))
            arena_close(copy.arena);
        i = SIZE_MAX; /* another may have come meanwhile */
    }
    keeping = false;
}

void keep_on_disk(struct arena *arena, struct str document, bool over_definitions)
{
    struct kept *copy = &kept[over_definitions];
    arena_close(copy->arena);
    copy->arena = arena;
    copy->document = document;
    if (keeping)
        return;
    keeping = true;
    fiber_start(keep_waiting, NULL, DEADLINE_NEVER);
}
