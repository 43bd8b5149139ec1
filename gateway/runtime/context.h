/* Contexts: the switch from one stack to another, and what the sanitizers must be told about it. */
#ifndef SHIMIN_RUNTIME_CONTEXT_H
#define SHIMIN_RUNTIME_CONTEXT_H

#include <setjmp.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONTEXT_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define CONTEXT_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define CONTEXT_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define CONTEXT_TSAN 1
#endif

/* A stack that is not running now, and where it goes on. */
struct context {
    jmp_buf registers;
#ifdef CONTEXT_ASAN
    void *fake_stack;
    const void *bottom;
    size_t size;
#endif
#ifdef CONTEXT_TSAN
    void *thread; /* what ThreadSanitizer takes for a thread of its own */
#endif
};

/* Makes `context` stand for the calling thread's own stack. */
void context_adopt(struct context *context);
/* Prepares a context that has not run yet; context_dispose when its stack will not run again. */
void context_create(struct context *context);
void context_dispose(struct context *context);
/* Leaves `from` and calls function() on the stack of `size` bytes above `bottom`; function must never return. */
void context_enter(struct context *from, struct context *to, void *bottom, size_t size, void (*function)(void));
/* Leaves `from`, goes on where `to` was left; returns when something switches to `from`. */
void context_switch(struct context *from, struct context *to);
/* Leaves the running stack for good. */
void context_leave(struct context *to) __attribute__((noreturn));

#endif
