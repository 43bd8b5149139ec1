/* Reading the console's files into memory, once for all workers; read-only then. */
#include "files.h"

#include <shimin/file.h>
#include <shimin/log.h>

#include <fts.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MOST = 500, BYTES_MOST = 32 << 20 };

static const struct {
    struct str ending;
    const char *type;
} types[] = {
    {STR(".html"), "text/html; charset=utf-8"},
    {STR(".js"), "text/javascript; charset=utf-8"},
    {STR(".css"), "text/css; charset=utf-8"},
    {STR(".svg"), "image/svg+xml"},
    {STR(".png"), "image/png"},
    {STR(".woff2"), "font/woff2"},
    {STR(".txt"), "text/plain; charset=utf-8"},
};

static struct file files[FILES_MOST];
static size_t file_count;
static struct arena *memory; /* for the life of the process */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static const char *type_of(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_ends(name, types[i].ending))
            return types[i].type;
    return NULL;
}

static void read_one(const char *path, struct str name, const char *type)
{
    struct file *file = &files[file_count];
    size_t left = BYTES_MOST - arena_size(memory);
    const char *fault = file_count == FILES_MOST           ? "is one file too many"
                        : arena_size(memory) >= BYTES_MOST ? "is more than there is room for"
                                                           : file_read(memory, path, left, FILE_PUBLIC, &file->bytes);
    if (fault) {
        log_error("console: %s %s", path, fault);
        return;
    }
    file->name = str_copy(memory, name);
    file->type = type;
    file->immutable = str_starts(name, STR("assets/"));
    snprintf(file->tag, sizeof file->tag, "%016llx", (unsigned long long)str_hash(file->bytes));
    if (file_read(memory, str_printf(memory, "%s.gz", path).at, BYTES_MOST, FILE_PUBLIC, &file->gzip))
        file->gzip = STR_NONE;
    file_count++;
}

static void read_all(const char *directory)
{
    char *roots[] = {(char *)(uintptr_t)directory, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && (entry = fts_read(tree));) {
        struct str path = {entry->fts_path, entry->fts_pathlen};
        struct str name = str_slice(path, strlen(directory) + 1, path.len);
        const char *type = entry->fts_info == FTS_F ? type_of(name) : NULL;
        if (type)
            read_one(entry->fts_path, name, type);
    }
    if (tree)
        fts_close(tree);
}

void files_open(const char *directory)
{
    if (!directory)
        return;
    pthread_mutex_lock(&opening);
    if (!memory) {
        memory = arena_open();
        read_all(directory);
        if (!file_named(STR("index.html")))
            log_warning("console: there is no index.html in %s: /console/ answers 404", directory);
    }
    pthread_mutex_unlock(&opening);
}

const struct file *file_named(struct str name)
{
    for (size_t i = 0; i < file_count; i++)
        if (str_equal(files[i].name, name))
            return &files[i];
    return NULL;
}
