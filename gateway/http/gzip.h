/* gzip of whole bodies, with one compressor a worker. */
#ifndef SHIMIN_HTTP_GZIP_H
#define SHIMIN_HTTP_GZIP_H

#include <shimin/arena.h>
#include <shimin/str.h>

/* Types that compress: JSON and text, not what is compressed already. */
bool gzip_suits(const char *type);
/* The compressed bytes in the arena, or STR_NONE when they would not be smaller. level 1 to 9. */
struct str gzip_compress(struct arena *arena, struct str body, int level);
/* Frees the calling worker's compressor. */
void gzip_close(void);

#endif
