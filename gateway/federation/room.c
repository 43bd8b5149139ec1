/* A waiting room. */
#include "federation/room.h"

struct room_guest {
    struct room_guest *next;
    struct fiber *fiber;
    bool called;
};

enum wait room_wait(struct room *room)
{
    struct room_guest guest = {.next = room->first, .fiber = fiber_self()};
    room->first = &guest;
    enum wait wait = fiber_wait(DEADLINE_NEVER);
    if (guest.called) /* room_call took us off the list, and may have freed the room since */
        return wait;
    for (struct room_guest **link = &room->first; *link; link = &(*link)->next)
        if (*link == &guest) {
            *link = guest.next;
            break;
        }
    return wait;
}

void room_call(struct room *room)
{
    while (room->first) {
        struct room_guest *guest = room->first;
        room->first = guest->next;
        guest->called = true;
        fiber_wake(guest->fiber);
    }
}
