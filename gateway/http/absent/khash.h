/* Stands in for the khash.h that h2o/http2_internal.h includes and Debian does not install: just enough for its declarations.
 * The table of streams is never looked into. */
#ifndef SHIMIN_HTTP_ABSENT_KHASH_H
#define SHIMIN_HTTP_ABSENT_KHASH_H

typedef unsigned khiter_t;
#define khash_t(name) struct kh_##name##_s
#define KHASH_MAP_INIT_INT64(name, type) struct kh_##name##_s;
#define kh_get(name, table, key) ((khiter_t)0)
#define kh_end(table) ((khiter_t)0)
#define kh_val(table, at) NULL

#endif
