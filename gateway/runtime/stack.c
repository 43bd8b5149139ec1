/* The stacks of one worker's fibers: mapped with a guard below, pooled, and trimmed when many are free. */
#include "runtime/stack.h"

#include <errno.h>
#include <shimin/log.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/internal.h"

#ifdef CONTEXT_ASAN
/* Memory that only a sleeping fiber knows is not leaked. */
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_register_root_region(start, size) ((void)(start))
#define __lsan_unregister_root_region(start, size) ((void)(start))
#endif

enum { CACHE_LINE = 64, CONTROL = (sizeof(struct fiber) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE };

static char *top(struct fiber *fiber)
{
    return (char *)fiber + CONTROL;
}

void *stack_bottom(struct fiber *fiber)
{
    return top(fiber) - STACK_SIZE;
}

size_t stack_room(struct fiber *fiber)
{
    (void)fiber;
    return STACK_SIZE - CONTROL;
}

static struct fiber *map(void)
{
    char *start =
        mmap(NULL, STACK_GUARD + STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (start == MAP_FAILED || mprotect(start + STACK_GUARD, STACK_SIZE, PROT_READ | PROT_WRITE) != 0)
        fatal("cannot map a stack for a fiber: %s (a stack takes two of vm.max_map_count)", strerror(errno));
    struct fiber *fiber = (struct fiber *)(void *)(start + STACK_GUARD + STACK_SIZE - CONTROL);
    context_create(&fiber->context);
    __lsan_register_root_region(start + STACK_GUARD, STACK_SIZE);
    return fiber;
}

static struct fiber *pop(struct stack_list *list)
{
    struct fiber *fiber = list->first;
    if (fiber) {
        list->first = fiber->next;
        list->length--;
    }
    return fiber;
}

static void push(struct stack_list *list, struct fiber *fiber)
{
    fiber->next = list->first;
    list->first = fiber;
    list->length++;
}

struct fiber *stack_take(struct stacks *stacks)
{
    struct fiber *fiber = pop(&stacks->warm);
    if (!fiber)
        fiber = pop(&stacks->cold);
    return fiber ? fiber : map();
}

bool stack_keep(struct stacks *stacks, struct fiber *fiber)
{
    if (stacks->warm.length < STACKS_WARM) {
        push(&stacks->warm, fiber);
        return true;
    }
    if (stacks->cold.length >= STACKS_COLD)
        return false;
    /* Failure would only leave the memory where it is. */
    madvise(stack_bottom(fiber), STACK_SIZE - STACK_KEPT, MADV_DONTNEED);
    push(&stacks->cold, fiber);
    return true;
}

unsigned stacks_free(const struct stacks *stacks)
{
    return stacks->warm.length + stacks->cold.length;
}

void stack_unmap(struct fiber *fiber)
{
    context_dispose(&fiber->context);
    __lsan_unregister_root_region(stack_bottom(fiber), STACK_SIZE);
    munmap((char *)stack_bottom(fiber) - STACK_GUARD, STACK_GUARD + STACK_SIZE);
}
