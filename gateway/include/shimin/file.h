/* Whole files: read at once, or replaced by renaming, so that whoever reads sees the old or the new and never a half. */
#ifndef SHIMIN_FILE_H
#define SHIMIN_FILE_H

#include <shimin/arena.h>
#include <shimin/str.h>

/* Whether others than the owner may read it: what holds keys must be closed to group and others. */
enum file_privacy { FILE_PUBLIC, FILE_PRIVATE };

/* The whole regular file of at most `most` bytes, in the arena; a NUL stands behind it. NULL, or the reason as a sentence's end
 * ("does not exist"), static. Waits for the disk: for starts, reloads and offload threads. */
const char *file_read(struct arena *arena, const char *path, size_t most, enum file_privacy privacy,
                      struct str *bytes) MUST_CHECK;
/* Writes the bytes aside, to the disk, and renames them into place, mode 0600. false after logging why. Waits for the disk. */
MUST_CHECK bool file_replace(const char *path, struct str bytes);

#endif
