/* What the federation kept and reads back: the envelope of a cached answer (first byte even; Redis is the target's own), and
 * the rows of a spool (odd): whole lines, every one of them once, whatever the size of the reads. */
#include "federation/cache.h"
#include "federation/spool.h"

#include <shimin/clock.h>
#include <shimin/log.h>
#include <shimin/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct str in_redis;

bool redis_is_up(void)
{
    return true;
}

enum redis_status redis_command(struct arena *arena, struct redis_reply *reply, const char *format, ...)
{
    (void)arena, (void)format;
    *reply = (struct redis_reply){.type = REDIS_STRING, .string = in_redis};
    return REDIS_OK;
}

static void read_cached(struct arena *arena, struct str bytes)
{
    const struct cache_key key = {{0}};
    struct cached cached;
    in_redis = bytes;
    if (!cache_get(arena, NULL, &key, false, &cached))
        return;
    if (cached.body.len >= bytes.len || cached.as_of > clock_wall() + seconds(60))
        abort();
    if (cached.body.len && (cached.body.at < bytes.at || cached.body.at + cached.body.len > bytes.at + bytes.len))
        abort();
}

static char directory[] = "/tmp/shimin-fuzz-spool-XXXXXX";

static void remove_directory(void)
{
    rmdir(directory);
}

static void read_spool(struct arena *arena, struct str bytes)
{
    static struct spool spool;
    if (!spool.path[0] &&
        (!mkdtemp(directory) || !spool_open(&spool, directory, "rows", 0, 1 << 20) || atexit(remove_directory) != 0))
        abort();
    if (bytes.len == 0)
        return;
    size_t most = (unsigned char)bytes.at[0] + (size_t)1, offset = 0;
    bytes = str_slice(bytes, 1, bytes.len);
    FILE *file = fopen(spool.path, "we");
    if (!file || fwrite(bytes.at, 1, bytes.len, file) != bytes.len || fclose(file) != 0 || !spool_begin(&spool))
        abort();
    struct text all = text_open(arena, bytes.len);
    for (;;) {
        struct str lines = spool_read(&spool, arena, most, &offset);
        if (!lines.len)
            break;
        if (!str_ends(lines, STR("\n")))
            abort();
        text_add(&all, lines);
    }
    spool_end(&spool);
    const char *end = bytes.len ? memrchr(bytes.at, '\n', bytes.len) : NULL;
    if (spool_is_waiting(&spool) || !str_equal(text_str(&all), str_slice(bytes, 0, end ? (size_t)(end - bytes.at) + 1 : 0)))
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size == 0)
        return 0;
    log_set_level(LOG_ERROR + 1);
    struct arena *arena = arena_open();
    struct str bytes = {(const char *)data + 1, size - 1};
    if (data[0] % 2)
        read_spool(arena, bytes);
    else
        read_cached(arena, bytes);
    arena_close(arena);
    return 0;
}
