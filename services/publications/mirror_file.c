/* The copies on disk: whole files, replaced by renaming. */
#include "mirror.h"

#include <shimin/log.h>
#include <shimin/module.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct path {
    char text[4096];
};

/* A slug has letters, digits and hyphens only, and cannot lead out of the directory. */
static bool path_of(struct str slug, const char *ending, struct path *path)
{
    const char *directory = state_directory();
    if (!directory)
        return false;
    int length = snprintf(path->text, sizeof path->text, "%s/publications/%.*s%s", directory, STR_ARG(slug), ending);
    return length > 0 && (size_t)length < sizeof path->text;
}

static void close_descriptor(const int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
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

bool mirror_save(struct str slug, struct str text)
{
    struct path directory, path, aside;
    if (!path_of(STR(""), "", &directory) || !path_of(slug, ".json", &path) || !path_of(slug, ".new", &aside))
        return false;
    mkdir(directory.text, 0700);
    CLEANUP(close_descriptor) int descriptor = open(aside.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor >= 0 && write_whole(descriptor, text) && rename(aside.text, path.text) == 0)
        return true;
    log_error("cannot write %s: %s", path.text, strerror(errno));
    return false;
}

struct str mirror_load(struct arena *arena, struct str slug)
{
    struct path path;
    if (!path_of(slug, ".json", &path))
        return STR_NONE;
    CLEANUP(close_descriptor) int descriptor = open(path.text, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return STR_NONE;
    size_t size = (size_t)status.st_size, got = 0;
    char *bytes = arena_alloc_raw(arena, size + 1);
    while (got < size) {
        ssize_t n = read(descriptor, bytes + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return STR_NONE;
        got += (size_t)n;
    }
    return (struct str){bytes, size};
}
