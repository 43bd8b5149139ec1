/* Whole files: read at once, replaced by renaming. */
#include <shimin/file.h>

#include <shimin/log.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_descriptor(const int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

static bool read_whole(int descriptor, char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(descriptor, bytes + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    bytes[size] = '\0';
    return true;
}

const char *file_read(struct arena *arena, const char *path, size_t most, enum file_privacy privacy, struct str *bytes)
{
    *bytes = STR_NONE;
    CLEANUP(close_descriptor) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return errno == ENOENT ? "does not exist" : errno == EACCES ? "may not be read" : "cannot be opened";
    if (!S_ISREG(status.st_mode))
        return "is no regular file";
    if ((uint64_t)status.st_size > most)
        return "is larger than it may be";
    if (privacy == FILE_PRIVATE && status.st_mode & (S_IRWXG | S_IRWXO))
        return "holds secrets and must be closed to group and others (mode 0600 or 0400)";
    size_t size = (size_t)status.st_size;
    char *at = arena_alloc_raw(arena, size + 1);
    if (!read_whole(descriptor, at, size))
        return "changed or failed while it was read";
    *bytes = (struct str){at, size};
    return NULL;
}

static bool write_whole(int descriptor, struct str bytes)
{
    while (bytes.len) {
        ssize_t n = write(descriptor, bytes.at, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return fsync(descriptor) == 0;
}

bool file_replace(const char *path, struct str bytes)
{
    char aside[PATH_MAX];
    int length = snprintf(aside, sizeof aside, "%s.new", path);
    bool fits = length > 0 && (size_t)length < sizeof aside;
    errno = ENAMETOOLONG;
    CLEANUP(close_descriptor) int descriptor = fits ? open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (descriptor >= 0 && write_whole(descriptor, bytes) && rename(aside, path) == 0)
        return true;
    log_error("cannot write %s: %s", path, strerror(errno));
    return false;
}
