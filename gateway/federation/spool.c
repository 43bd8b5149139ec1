/* The spool: an append-only file that survives what Postgres and the process may not. */
#include "federation/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <shimin/log.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADOPT_BYTES (1u << 20)

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

bool spool_open(struct spool *spool, const char *dir, const char *name, unsigned worker, size_t bytes_most)
{
    spool->bytes_most = bytes_most;
    int path = snprintf(spool->path, sizeof spool->path, "%s/%s-%u.jsonl", dir, name, worker);
    int replay = snprintf(spool->replay, sizeof spool->replay, "%s/%s-%u.replay", dir, name, worker);
    return path > 0 && (size_t)path < sizeof spool->path && replay > 0 && (size_t)replay < sizeof spool->replay;
}

static bool write_all(int descriptor, struct str bytes)
{
    while (bytes.len) {
        ssize_t n = write(descriptor, bytes.at, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return true;
}

bool spool_append(const struct spool *spool, struct str lines)
{
    CLEANUP(close_descriptor) int descriptor = open(spool->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        log_error("spool %s: %s", spool->path, strerror(errno));
        return false;
    }
    if ((size_t)status.st_size + lines.len > spool->bytes_most) {
        log_error("spool %s is full", spool->path);
        return false;
    }
    /* The line break in front ends a row that a crash may have torn; empty lines mean nothing. */
    if (write_all(descriptor, STR("\n")) && write_all(descriptor, lines) && fdatasync(descriptor) == 0)
        return true;
    log_error("spool %s: %s", spool->path, strerror(errno));
    if (ftruncate(descriptor, status.st_size) != 0) /* half a batch would be written twice */
        log_error("spool %s keeps a torn batch", spool->path);
    return false;
}

bool spool_is_waiting(const struct spool *spool)
{
    return access(spool->path, F_OK) == 0 || access(spool->replay, F_OK) == 0;
}

bool spool_begin(const struct spool *spool)
{
    if (access(spool->replay, F_OK) == 0) /* an earlier replay did not end */
        return true;
    return rename(spool->path, spool->replay) == 0;
}

struct str spool_read(const struct spool *spool, struct arena *arena, size_t most, size_t *offset)
{
    CLEANUP(close_descriptor) int descriptor = open(spool->replay, O_RDONLY | O_CLOEXEC);
    for (size_t room = most; descriptor >= 0; room *= 2) {
        char *at = arena_alloc_raw(arena, room);
        ssize_t n = pread(descriptor, at, room, (off_t)*offset);
        if (n <= 0)
            break;
        const char *end = memrchr(at, '\n', (size_t)n);
        if (end) {
            size_t len = (size_t)(end - at) + 1;
            *offset += len;
            return (struct str){at, len};
        }
        if ((size_t)n < room) {
            log_error("spool %s: the last row is torn and left out", spool->replay);
            break;
        }
    }
    return STR_NONE;
}

void spool_end(const struct spool *spool)
{
    if (unlink(spool->replay) != 0 && errno != ENOENT)
        log_error("spool %s: %s", spool->replay, strerror(errno));
}

static void adopt_file(const struct spool *spool, const char *path)
{
    struct spool source = {0};
    snprintf(source.replay, sizeof source.replay, "%s", path);
    if (access(path, F_OK) != 0)
        return;
    for (size_t offset = 0;;) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        struct str lines = spool_read(&source, arena, ADOPT_BYTES, &offset);
        if (!lines.len)
            break;
        if (!spool_append(spool, lines))
            return; /* tried again at the next start; rows that are there twice are written once */
    }
    spool_end(&source);
}

void spool_adopt(const struct spool *spool, const struct spool *orphan)
{
    adopt_file(spool, orphan->replay);
    adopt_file(spool, orphan->path);
}
