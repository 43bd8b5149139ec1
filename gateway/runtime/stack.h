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
    STACKS_WARM = 64,       /* in the pool as they were left */
    STACKS_KEPT = 1024,     /* in the pool at all: */
    STACK_KEPT = 16 * 1024, /* those beyond the warm ones keep only this much memory */
};

/* Free stacks, last used first. */
struct stacks {
    struct fiber *free;
    unsigned count;
};

/* A fiber at the top of a stack: zeroed when it has just been mapped, as it was left when it comes from the pool. */
struct fiber *stack_take(struct stacks *stacks);
/* Keeps the stack for the next fiber; false if the pool is full (then stack_unmap it). */
bool stack_keep(struct stacks *stacks, struct fiber *fiber);
void stack_unmap(struct fiber *fiber);
/* The lowest byte a fiber may use, and how many there are below its control block. */
void *stack_bottom(struct fiber *fiber);
size_t stack_room(struct fiber *fiber);

#endif
