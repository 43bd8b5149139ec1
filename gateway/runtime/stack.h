/* The stacks of one worker's fibers. */
#ifndef SHIMIN_RUNTIME_STACK_H
#define SHIMIN_RUNTIME_STACK_H

#include <stdbool.h>

#include "runtime/context.h"

struct fiber;

enum {
#if defined(CONTEXT_ASAN) || defined(CONTEXT_TSAN)
    STACK_SIZE = 256 * 1024, /* instrumented frames are several times larger */
#else
    STACK_SIZE = 64 * 1024,
#endif
    /* Larger than a page, so that a frame with a large local cannot step over it into the neighbour; address space is free. */
    STACK_GUARD = 64 * 1024,
    STACKS_WARM = 256,      /* free stacks kept as they were left; */
    STACKS_COLD = 1024,     /* and beyond them those trimmed to the */
    STACK_KEPT = 16 * 1024, /* topmost bytes */
/* In use by requests, in the whole process: see worker_has_room. ThreadSanitizer has room for 8128 threads. */
#ifdef CONTEXT_TSAN
    STACKS_MOST = 4000,
#else
    STACKS_MOST = 24000,
#endif
};

/* Free stacks, last used first. Two lists, so that only what a burst leaves behind is trimmed: with one list and a bound,
 * every return to a full pool paid for the system call. */
struct stacks {
    struct stack_list {
        struct fiber *first;
        unsigned length;
    } warm, cold;
};

/* A fiber at the top of a stack: zeroed when it has just been mapped, as it was left when it comes from the pool. */
struct fiber *stack_take(struct stacks *stacks);
/* Keeps the stack for the next fiber; false if the pool is full (then stack_unmap it). */
bool stack_keep(struct stacks *stacks, struct fiber *fiber);
unsigned stacks_free(const struct stacks *stacks);
void stack_unmap(struct fiber *fiber);
/* The lowest byte a fiber may use, and how many there are below its control block. */
void *stack_bottom(struct fiber *fiber);
size_t stack_room(struct fiber *fiber);

#endif
