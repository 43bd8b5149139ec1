/* gzip of whole bodies, with one compressor a worker. */
#include "http/gzip.h"

#include <shimin/log.h>
#include <zlib.h>

static const struct str suited[] = {
    STR("application/json"),
    STR("application/problem+json"),
    STR("application/linkset+json"),
    STR("application/geo+json"),
    STR("application/xml"),
    STR("application/javascript"),
    STR("image/svg+xml"),
    STR("text/"),
};

/* 15 bits of window, 8 of memory, 16 for the gzip wrapper: 256 KiB a worker, kept for its life. */
static _Thread_local z_stream compressor;
static _Thread_local int compressor_level;

bool gzip_suits(const char *type)
{
    struct str name = str_of(type);
    for (size_t i = 0; i < COUNT_OF(suited); i++)
        if (str_starts(name, suited[i]))
            return !str_starts(name, STR("text/event-stream"));
    return false;
}

static void prepare(int level)
{
    if (compressor_level == level) {
        deflateReset(&compressor);
        return;
    }
    if (compressor_level)
        deflateEnd(&compressor);
    if (deflateInit2(&compressor, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        fatal("no memory for a compressor");
    compressor_level = level;
}

struct str gzip_compress(struct arena *arena, struct str body, int level)
{
    if (body.len > UINT32_MAX / 2)
        return STR_NONE;
    prepare(level);
    uInt room = (uInt)body.len; /* what does not fit is not worth it */
    char *out = arena_alloc_raw(arena, room);
    compressor.next_in = (Bytef *)(uintptr_t)body.at;
    compressor.avail_in = (uInt)body.len;
    compressor.next_out = (Bytef *)out;
    compressor.avail_out = room;
    if (deflate(&compressor, Z_FINISH) != Z_STREAM_END)
        return STR_NONE;
    return (struct str){out, room - compressor.avail_out};
}

void gzip_close(void)
{
    if (compressor_level)
        deflateEnd(&compressor);
    compressor_level = 0;
}
