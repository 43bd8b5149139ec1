/* Slots: the place where a fiber waits for its statement, and which outlives it when it leaves early. */
#include "store/pg_connection.h"

#include <shimin/fiber.h>
#include <stdlib.h>

enum { KEPT_SLOTS = 4096 };

static _Thread_local struct pg_slot *kept;
static _Thread_local unsigned kept_count;

struct pg_slot *pg_slot_take(struct arena *arena, const struct pg_statement *statement, const struct pg_value *values,
                             size_t count, bool nobody)
{
    struct pg_slot *slot = kept;
    if (slot) {
        kept = slot->next;
        kept_count--;
    } else {
        slot = memory_alloc(sizeof *slot);
    }
    *slot = (struct pg_slot){
        .fiber = nobody ? NULL : fiber_self(),
        .arena = arena,
        .statement = statement,
        .values = values,
        .count = count,
    };
    return slot;
}

void pg_slot_free(struct pg_slot *slot)
{
    if (kept_count == KEPT_SLOTS) {
        free(slot);
        return;
    }
    slot->next = kept;
    kept = slot;
    kept_count++;
}

void pg_slots_forget(void)
{
    while (kept) {
        struct pg_slot *slot = kept;
        kept = slot->next;
        free(slot);
    }
    kept_count = 0;
}

void pg_slot_finish(struct pg_slot *slot, enum pg_status status)
{
    slot->status = status;
    slot->done = true;
    if (slot->fiber)
        fiber_wake(slot->fiber);
    else
        pg_slot_free(slot);
}

enum pg_status pg_slot_wait(struct pg_slot *slot, const struct pg_result **result)
{
    static const enum pg_status statuses[] = {[WAIT_DEADLINE] = PG_DEADLINE, [WAIT_CANCELLED] = PG_CANCELLED};
    while (!slot->done) {
        enum wait how = fiber_wait(DEADLINE_NEVER);
        if (how != WAIT_DONE && !slot->done) {
            slot->fiber = NULL;
            slot->values = NULL;
            return statuses[how];
        }
    }
    enum pg_status status = slot->status;
    if (status == PG_OK && result)
        *result = slot->result;
    pg_slot_free(slot);
    return status;
}
