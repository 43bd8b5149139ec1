/* Groups: fibers that one fiber has spawned and joins. */
#include <assert.h>

#include "runtime/internal.h"

static void enter(struct fiber_group *group, struct fiber *fiber)
{
    fiber->group = group;
    fiber->sibling_previous = NULL;
    fiber->sibling_next = group->first;
    if (group->first)
        group->first->sibling_previous = fiber;
    group->first = fiber;
    group->running++;
}

void group_leave(struct fiber *fiber)
{
    struct fiber_group *group = fiber->group;
    if (fiber->sibling_previous)
        fiber->sibling_previous->sibling_next = fiber->sibling_next;
    else
        group->first = fiber->sibling_next;
    if (fiber->sibling_next)
        fiber->sibling_next->sibling_previous = fiber->sibling_previous;
    /* An owner that waits for something else meanwhile is left to it. */
    if (--group->running == 0 && group->owner->joining == group)
        fiber_wake(group->owner);
}

static void open_group(struct fiber_group *group, struct fiber *owner)
{
    group->owner = owner;
    group->outer = owner->groups;
    owner->groups = group;
}

/* Groups are mostly joined in the reverse order of their opening, but need not be. */
static void close_group(struct fiber_group *group)
{
    struct fiber_group **link = &group->owner->groups;
    while (*link != group)
        link = &(*link)->outer;
    *link = group->outer;
    *group = (struct fiber_group){0};
}

/* Ends the waits of those that are still running, in whichever way their shields leave open. */
static void end_group(struct fiber_group *group, enum wait why)
{
    for (struct fiber *fiber = group->first; fiber; fiber = fiber->sibling_next) {
        fiber_cancel(fiber);
        if (why == WAIT_DEADLINE && fiber->shield > 0)
            fiber_expire(fiber);
    }
}

void fiber_spawn(struct fiber_group *group, void (*function)(void *argument), void *argument)
{
    struct fiber *owner = fiber_self();
    assert(owner && "only a fiber spawns; fiber_start starts one from the loop");
    assert(!group->owner || group->owner == owner);
    if (!group->owner)
        open_group(group, owner);
    struct fiber *fiber = fiber_create(owner->worker, function, argument, owner->deadline);
    fiber->cancelled = owner->cancelled;
    fiber->inherited = fiber->shield = owner->shield > 0;
    enter(group, fiber);
}

enum wait fiber_join(struct fiber_group *group, int64_t deadline)
{
    if (!group->owner)
        return WAIT_DONE;
    assert(group->owner == fiber_self() && "the spawner joins");
    enum wait outcome = WAIT_DONE;
    group->owner->joining = group;
    while (group->running > 0 && outcome == WAIT_DONE)
        outcome = fiber_wait(deadline);
    if (outcome != WAIT_DONE)
        end_group(group, outcome);
    while (group->running > 0)
        fiber_wait_for_wake();
    group->owner->joining = NULL;
    close_group(group);
    return outcome;
}
