/* Arenas: memory that lives as long as its request, or its snapshot, and is freed at once. */
#ifndef SHIMIN_ARENA_H
#define SHIMIN_ARENA_H

#include <shimin/attributes.h>
#include <stddef.h>

struct arena;

/* A new arena. Its first block comes from a pool of the calling thread. Never NULL: out of memory aborts the process
 * (the one place where running out of memory is handled). */
struct arena *arena_open(void);
/* Runs the deferred functions, last first, and frees everything. Any thread, but one at a time. NULL is ignored. */
void arena_close(struct arena *arena);
/* For scratch memory of one block: CLEANUP(arena_close_held) struct arena *scratch = arena_open(); */
static inline void arena_close_held(struct arena **arena)
{
    arena_close(*arena);
}
/* For CLEANUP: struct arena *arena CLEANUP(arena_close_at) = arena_open(); */
static inline void arena_close_at(struct arena **arena)
{
    arena_close(*arena);
}
/* n zeroed bytes aligned to 16. Never NULL. */
void *arena_alloc(struct arena *arena, size_t n);
#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), sizeof(type), (count)))
/* As arena_alloc(size * count); an overflow of the product aborts. */
void *arena_alloc_array(struct arena *arena, size_t size, size_t count);
/* Grows the latest allocation in place if it can, or copies; the added bytes are zeroed. old may be NULL with old_size 0;
 * a new_size that is not larger returns old. */
void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size);
/* As arena_alloc and arena_grow, but what is new is not zeroed: for buffers that are filled at once. */
void *arena_alloc_raw(struct arena *arena, size_t n);
void *arena_grow_raw(struct arena *arena, void *old, size_t old_size, size_t new_size);
void *arena_copy(struct arena *arena, const void *bytes, size_t n);
/* Calls function(argument) when the arena closes; for what an arena cannot free: descriptors, PGresults, references. */
void arena_defer(struct arena *arena, void (*function)(void *argument), void *argument);
/* Bytes taken from the system for this arena, for the memory metrics. */
size_t arena_size(const struct arena *arena);

/* malloc and friends that abort in the same one place. For long-lived objects with an owner. */
void *memory_alloc(size_t n); /* zeroed */
void *memory_grow(void *old, size_t n);

#endif
