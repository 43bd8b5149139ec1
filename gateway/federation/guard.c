/* Levels, switches and masks of services, applied to their operations. */
#include "federation/guard.h"

#include "catalogue/demand.h"
#include <shimin/arena.h>
#include <shimin/citizen.h>

static const struct problem *admit(const struct guard *guard, struct request *request, enum level proved)
{
    const struct problem *problem = demand_level(request, proved, guard->service->level);
    enum act act = guard->mapping->template->safe ? ACT_READ : ACT_SUBMIT;
    return problem ? problem : demand_switch(request, request_snapshot(request), guard->service, act);
}

const struct problem *guard_admit(const struct guard *guards, struct request *request, const struct citizen *citizen)
{
    enum level proved = citizen ? citizen->level : LEVEL_GUEST, least = LEVELS;
    const struct guard *easiest = NULL;
    for (const struct guard *guard = guards; guard; guard = guard->next) {
        if (guard->service->level <= proved && !admit(guard, request, proved))
            return NULL;
        if (!easiest || guard->service->level < least) {
            easiest = guard;
            least = guard->service->level;
        }
    }
    return easiest ? admit(easiest, request, proved) : NULL;
}

bool guard_is_personal(const struct guard *guards)
{
    bool personal = false;
    for (; guards; guards = guards->next)
        personal |= guards->service->personal;
    return personal;
}

struct str guard_mask(const struct guard *guards, struct arena *arena, const struct json *body, struct str bytes)
{
    struct mask_hits hits = {.arena = arena};
    for (; guards && body; guards = guards->next) {
        const struct mapping *mapping = guards->mapping;
        masks_find(&hits, &mapping->masks, mapping->items.at ? json_at(body, mapping->items) : body);
    }
    if (!hits.count)
        return bytes;
    struct text text = text_open(arena, bytes.len + 64);
    struct json_out out = json_write(&text);
    masks_write_hits(&out, &hits, body);
    return text_str(&text);
}
