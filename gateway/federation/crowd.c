/* Counts calls under way by service. Only services that are bounded are here, and only while they are called: a short list. */
#include "federation/crowd.h"

#include <shimin/arena.h>
#include <shimin/worker.h>

#include <stdlib.h>
#include <string.h>

struct crowd {
    struct crowd *next;
    unsigned count;
    size_t len;
    char slug[];
};

static _Thread_local struct crowd *crowds;

static struct crowd **find(struct str service)
{
    struct crowd **link = &crowds;
    while (*link && !str_equal((struct str){(*link)->slug, (*link)->len}, service))
        link = &(*link)->next;
    return link;
}

bool crowd_enter(struct str service, unsigned most)
{
    unsigned share = most < worker_count() ? 1 : most / worker_count();
    struct crowd **link = find(service), *crowd = *link;
    if (!crowd) {
        crowd = *link = memory_alloc(sizeof *crowd + service.len);
        crowd->len = service.len;
        memcpy(crowd->slug, service.at, service.len);
    }
    if (crowd->count >= share)
        return false;
    crowd->count++;
    return true;
}

void crowd_leave(struct str service)
{
    struct crowd **link = find(service), *crowd = *link;
    if (--crowd->count)
        return;
    *link = crowd->next;
    free(crowd);
}
