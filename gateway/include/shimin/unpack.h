/* Files that somebody sent packed, read line by line: gzip (RFC 1952), zlib (RFC 1950), raw deflate, zip; UTF-8 or GBK (GB
 * 18030).
 *
 * What comes out is bounded, whatever the archive says of itself. Packing and decoding burn the processor: in a fiber each
 * portion is unpacked on an offload thread, so reading waits, and others run meanwhile. */
#ifndef SHIMIN_UNPACK_H
#define SHIMIN_UNPACK_H

#include <shimin/arena.h>
#include <shimin/str.h>

enum unpack_form { UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZLIB, UNPACK_ZIP };

struct unpack;

/* Of the packed bytes, which must live as long as the arena; `most` bytes may come out of it, all files of a zip together. What
 * it holds ends with the arena. */
struct unpack *unpack_open(struct arena *arena, enum unpack_form form, struct str packed, size_t most);
/* Zip: goes on to the next file, with its name as it stands there, without a path; false behind the last, and when the archive
 * cannot be read (unpack_fault). The others are one file without a name, which is open at once. */
MUST_CHECK bool unpack_next(struct unpack *unpack, struct str *name);
/* From here on lines are GBK, and come as UTF-8. */
void unpack_gbk(struct unpack *unpack);
/* The next line of the file without its line end; it lives until the next call. false behind the last line, and on a fault. A
 * line is at most 64 KiB. */
MUST_CHECK bool unpack_line(struct unpack *unpack, struct str *line);
/* The rest of the file at once, in the arena; for small ones, and archives within archives. */
MUST_CHECK bool unpack_rest(struct unpack *unpack, struct str *bytes);
/* Before anything is read: the SHA-1 of all that comes out is wanted. */
void unpack_sum(struct unpack *unpack);
/* In lower-case hex, once the end was reached. */
struct str unpack_sha1(struct unpack *unpack);
/* Why it ended before its end, static: "it is larger than it may be", "it is cut short"; NULL: nothing was wrong. */
const char *unpack_fault(const struct unpack *unpack);

#endif
