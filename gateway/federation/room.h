/* A waiting room: fibers of one worker that wait for the same thing. */
#ifndef FEDERATION_ROOM_H
#define FEDERATION_ROOM_H

#include <shimin/fiber.h>

struct room_guest;
struct room {
    struct room_guest *first;
};

/* Waits until room_call, the fiber's deadline or cancellation. */
enum wait room_wait(struct room *room) MUST_CHECK;
/* Wakes all who wait now. */
void room_call(struct room *room);

#endif
