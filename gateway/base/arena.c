/* Arenas: bump allocation in blocks; the first blocks of closed arenas are kept by the thread that closed them. */
#include <shimin/arena.h>
#include <shimin/log.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
/* Between two allocations, so that running over the end of one is seen. */
#define RED_ZONE 16
#else
#define ASAN_POISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#define RED_ZONE 0
#endif

#define ALIGNMENT 16
/* A federated query of one page fits. */
#define FIRST_BLOCK ((size_t)8192)
#define LARGEST_BLOCK ((size_t)65536)
/* From here on an allocation gets a block of its own, so that no block loses more than this at its end. */
#define OWN_BLOCK (LARGEST_BLOCK / 4)
/* 1 MiB a thread: more than the requests that one worker has in flight under load. */
#define POOL_MAX 256

struct block {
    struct block *next;
    size_t size; /* with this header */
    _Alignas(ALIGNMENT) char bytes[];
};

struct deferred {
    struct deferred *next;
    void (*function)(void *argument);
    void *argument;
};

/* Lives at the start of its own first block, which is always the last of the list. */
struct arena {
    struct block *blocks; /* the one being filled, then the older ones */
    char *at;
    char *end;
    struct block *own_blocks; /* of large allocations, the latest first */
    char *latest;             /* start of the latest allocation, the one that can grow */
    size_t next_size;         /* of the next ordinary block */
    size_t size;
    struct deferred *deferred;
};

struct pool {
    struct block *free;
    unsigned count;
    bool registered;
};

static _Thread_local struct pool pool;
static pthread_key_t pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

static void empty_pool(void *argument)
{
    struct pool *ended = argument;
    for (struct block *block = ended->free, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *ended = (struct pool){0};
}

static void make_pool_key(void)
{
    if (pthread_key_create(&pool_key, empty_pool) != 0)
        fatal("no thread-specific key left");
}

NORETURN static void out_of_memory(size_t n)
{
    fatal("out of memory: %zu bytes refused", n);
}

static size_t rounded(size_t n)
{
    size_t up = (n + RED_ZONE + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (up < n)
        out_of_memory(n);
    return up;
}

static struct block *block_new(size_t size)
{
    struct block *block = malloc(size);
    if (!block)
        out_of_memory(size);
    block->size = size;
    return block;
}

static struct block *first_block(void)
{
    struct block *block = pool.free;
    if (!block)
        return block_new(FIRST_BLOCK);
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, FIRST_BLOCK - sizeof(*block));
    pool.free = block->next;
    pool.count--;
    return block;
}

static void keep_first_block(struct block *block)
{
    if (!pool.registered) {
        pthread_once(&pool_once, make_pool_key);
        pthread_setspecific(pool_key, &pool);
        pool.registered = true;
    }
    if (pool.count == POOL_MAX) {
        free(block);
        return;
    }
    block->next = pool.free;
    pool.free = block;
    pool.count++;
    /* Not the header: LeakSanitizer follows no pointer in poisoned memory. */
    ASAN_POISON_MEMORY_REGION(block->bytes, FIRST_BLOCK - sizeof(*block));
}

struct arena *arena_open(void)
{
    struct block *block = first_block();
    block->next = NULL;
    struct arena *arena = (struct arena *)block->bytes;
    *arena = (struct arena){
        .blocks = block,
        .at = block->bytes + rounded(sizeof(*arena)),
        .end = (char *)block + FIRST_BLOCK,
        .next_size = 2 * FIRST_BLOCK,
        .size = FIRST_BLOCK,
    };
    ASAN_POISON_MEMORY_REGION(arena->at, arena->end - arena->at);
    return arena;
}

void arena_close(struct arena *arena)
{
    if (!arena)
        return;
    /* A deferred function may defer another. */
    for (struct deferred *next; (next = arena->deferred) != NULL;) {
        arena->deferred = next->next;
        next->function(next->argument);
    }
    for (struct block *block = arena->own_blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    for (struct block *block = arena->blocks, *next;; block = next) {
        next = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block, block->size);
        if (!next) {
            keep_first_block(block);
            return;
        }
        free(block);
    }
}

static void *alloc_own_block(struct arena *arena, size_t n)
{
    if (n > PTRDIFF_MAX - sizeof(struct block))
        out_of_memory(n);
    struct block *block = block_new(sizeof(struct block) + n);
    block->next = arena->own_blocks;
    arena->own_blocks = block;
    arena->size += block->size;
    arena->latest = block->bytes;
    return block->bytes;
}

static void next_block(struct arena *arena, size_t needed)
{
    while (arena->next_size < needed + sizeof(struct block))
        arena->next_size *= 2;
    struct block *block = block_new(arena->next_size);
    block->next = arena->blocks;
    arena->blocks = block;
    arena->size += block->size;
    arena->at = block->bytes;
    arena->end = (char *)block + block->size;
    ASAN_POISON_MEMORY_REGION(arena->at, arena->end - arena->at);
    if (arena->next_size < LARGEST_BLOCK)
        arena->next_size *= 2;
}

void *arena_alloc_raw(struct arena *arena, size_t n)
{
    size_t needed = rounded(n);
    if (needed > (size_t)(arena->end - arena->at)) {
        if (needed >= OWN_BLOCK)
            return alloc_own_block(arena, n);
        next_block(arena, needed);
    }
    char *at = arena->at;
    arena->at += needed;
    arena->latest = at;
    ASAN_UNPOISON_MEMORY_REGION(at, n);
    return at;
}

void *arena_alloc(struct arena *arena, size_t n)
{
    return memset(arena_alloc_raw(arena, n), 0, n);
}

void *arena_alloc_array(struct arena *arena, size_t size, size_t count)
{
    size_t n;
    if (__builtin_mul_overflow(size, count, &n))
        fatal("out of memory: %zu times %zu bytes", count, size);
    return arena_alloc(arena, n);
}

static void *grow_own_block(struct arena *arena, size_t new_size)
{
    if (new_size > PTRDIFF_MAX - sizeof(struct block))
        out_of_memory(new_size);
    struct block *block = realloc(arena->own_blocks, sizeof(struct block) + new_size);
    if (!block)
        out_of_memory(new_size);
    arena->own_blocks = block;
    arena->size += sizeof(struct block) + new_size - block->size;
    block->size = sizeof(struct block) + new_size;
    arena->latest = block->bytes;
    return block->bytes;
}

void *arena_grow_raw(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
    if (new_size <= old_size)
        return old;
    if (old && old == arena->latest) {
        if (arena->own_blocks && arena->latest == arena->own_blocks->bytes)
            return grow_own_block(arena, new_size);
        size_t needed = rounded(new_size);
        if (needed <= (size_t)(arena->end - arena->latest)) {
            arena->at = arena->latest + needed;
            ASAN_UNPOISON_MEMORY_REGION(arena->latest, new_size);
            return old;
        }
    }
    void *copy = arena_alloc_raw(arena, new_size);
    if (old_size > 0)
        memcpy(copy, old, old_size);
    return copy;
}

void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
    char *grown = arena_grow_raw(arena, old, old_size, new_size);
    if (new_size > old_size)
        memset(grown + old_size, 0, new_size - old_size);
    return grown;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t n)
{
    void *copy = arena_alloc_raw(arena, n);
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

void arena_defer(struct arena *arena, void (*function)(void *argument), void *argument)
{
    struct deferred *deferred = arena_new(arena, struct deferred);
    *deferred = (struct deferred){arena->deferred, function, argument};
    arena->deferred = deferred;
}

size_t arena_size(const struct arena *arena)
{
    return arena->size;
}

void *memory_alloc(size_t n)
{
    void *memory = calloc(1, n ? n : 1);
    if (!memory)
        out_of_memory(n);
    return memory;
}

void *memory_grow(void *old, size_t n)
{
    void *memory = realloc(old, n ? n : 1);
    if (!memory)
        out_of_memory(n);
    return memory;
}
