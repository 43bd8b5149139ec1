/* Contexts: makecontext for the first entry, _setjmp and _longjmp for every later switch.
 *
 * swapcontext alone would do, but saves the signal mask by a system call each time; _longjmp touches user space only.
 * The fortified longjmp aborts when it jumps "upwards", which is what a switch between stacks looks like: this one file is
 * compiled without it. */
#undef _FORTIFY_SOURCE
#include "runtime/context.h"

#include <stdlib.h>
#include <ucontext.h>

#ifdef CONTEXT_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CONTEXT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifdef CONTEXT_ASAN
/* libh2o keeps freed buffers in lists of each thread and offers no call to free them when the thread ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n";
}
#endif

/* What the first frame of a new stack must know; makecontext passes only ints. */
static _Thread_local struct {
    struct context *from;
    void (*function)(void);
} entering;

/* The last thing on the old stack. `from` is NULL when it is left for good: then ASan frees its fake stack. Always inlined:
 * TSan notes the entry of a function on one stack, and would note its exit on the other. */
static inline __attribute__((always_inline)) void depart(struct context *from, struct context *to)
{
#ifdef CONTEXT_ASAN
    __sanitizer_start_switch_fiber(from ? &from->fake_stack : NULL, to->bottom, to->size);
#endif
#ifdef CONTEXT_TSAN
    __tsan_switch_to_fiber(to->thread, 0);
#endif
    (void)from;
    (void)to;
}

/* The first thing on a stack that goes on. */
static inline __attribute__((always_inline)) void arrive(struct context *self)
{
#ifdef CONTEXT_ASAN
    __sanitizer_finish_switch_fiber(self->fake_stack, NULL, NULL);
#endif
    (void)self;
}

static void first_frame(void)
{
#ifdef CONTEXT_ASAN
    /* Where a thread's own stack lies is learnt when it is first left. */
    __sanitizer_finish_switch_fiber(NULL, &entering.from->bottom, &entering.from->size);
#endif
    entering.function();
    abort();
}

void context_adopt(struct context *context)
{
    *context = (struct context){0};
#ifdef CONTEXT_TSAN
    context->thread = __tsan_get_current_fiber();
#endif
}

void context_create(struct context *context)
{
    *context = (struct context){0};
#ifdef CONTEXT_TSAN
    context->thread = __tsan_create_fiber(0);
#endif
}

void context_dispose(struct context *context)
{
#ifdef CONTEXT_TSAN
    __tsan_destroy_fiber(context->thread);
#endif
    (void)context;
}

__attribute__((noinline)) void context_enter(struct context *from, struct context *to, void *bottom, size_t size,
                                             void (*function)(void))
{
#ifdef CONTEXT_ASAN
    to->bottom = bottom;
    to->size = size;
#endif
    entering.from = from;
    entering.function = function;
    ucontext_t first;
    if (getcontext(&first) != 0)
        abort();
    first.uc_stack.ss_sp = bottom;
    first.uc_stack.ss_size = size;
    first.uc_link = NULL;
    makecontext(&first, first_frame, 0);
    if (_setjmp(from->registers) == 0) {
        depart(from, to);
        setcontext(&first);
        abort();
    }
    arrive(from);
}

__attribute__((noinline)) void context_switch(struct context *from, struct context *to)
{
    if (_setjmp(from->registers) == 0) {
        depart(from, to);
        _longjmp(to->registers, 1);
    }
    arrive(from);
}

void context_leave(struct context *to)
{
    depart(NULL, to);
    _longjmp(to->registers, 1);
}
