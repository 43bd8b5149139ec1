/* Random bytes: OpenSSL's generator, asked for a page at a time; UUID version 7. */
#include <shimin/id.h>

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/log.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define STOCK 1024

struct stock {
    unsigned generation;
    size_t left;
    unsigned char bytes[STOCK];
};

static _Thread_local struct stock stock;
/* A child process must not hand out what its parent hands out too. */
static atomic_uint generation = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin_generation(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, begin_generation);
}

static void generate(void *out, size_t n)
{
    if (RAND_bytes(out, (int)n) != 1)
        fatal("the system has no random bytes");
}

void random_bytes(void *out, size_t n)
{
    if (n > STOCK / 4) {
        for (size_t done = 0; done < n; done += 1 << 20)
            generate((char *)out + done, n - done < 1 << 20 ? n - done : 1 << 20);
        return;
    }
    unsigned now = atomic_load_explicit(&generation, memory_order_relaxed);
    if (stock.left < n || stock.generation != now) {
        pthread_once(&once, watch_forks);
        generate(stock.bytes, STOCK);
        stock.left = STOCK;
        stock.generation = now;
    }
    stock.left -= n;
    memcpy(out, stock.bytes + stock.left, n);
    OPENSSL_cleanse(stock.bytes + stock.left, n);
}

/* RFC 9562 §6.2 method 3: the 12 bits after the version carry the part of the millisecond, so that identifiers of one thread
 * sort in the order they were made, and those of several nearly so. */
static uint64_t next_tick(void)
{
    static _Thread_local uint64_t last;
    uint64_t wall = (uint64_t)clock_wall();
    uint64_t tick = wall / 1000 << 12 | wall % 1000 * 4096 / 1000;
    if (tick <= last)
        tick = last + 1;
    return last = tick;
}

struct str id_new(struct arena *arena)
{
    uint64_t tick = next_tick();
    unsigned char bytes[16];
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(tick >> (52 - 8 * i));
    bytes[6] = (unsigned char)(0x70 | (tick >> 8 & 0x0F));
    bytes[7] = (unsigned char)tick;
    random_bytes(bytes + 8, 8);
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));

    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc_raw(arena, 37);
    size_t n = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[n++] = '-';
        text[n++] = digits[bytes[i] >> 4];
        text[n++] = digits[bytes[i] & 15];
    }
    text[n] = '\0';
    return (struct str){text, n};
}

bool id_is_uuid(struct str s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        char c = s.at[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !digit)
            return false;
    }
    return true;
}
