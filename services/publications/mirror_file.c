/* The copies on disk: whole files, replaced by renaming. */
#include "mirror.h"

#include <shimin/file.h>
#include <shimin/module.h>

#include <stdio.h>
#include <sys/stat.h>

enum { FILE_MOST = 64 << 20 };

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

bool mirror_save(struct str slug, struct str text)
{
    struct path directory, path;
    if (!path_of(STR(""), "", &directory) || !path_of(slug, ".json", &path))
        return false;
    mkdir(directory.text, 0700);
    return file_replace(path.text, text);
}

struct str mirror_load(struct arena *arena, struct str slug)
{
    struct path path;
    if (!path_of(slug, ".json", &path))
        return STR_NONE;
    struct str bytes;
    return file_read(arena, path.text, FILE_MOST, FILE_PUBLIC, &bytes) ? STR_NONE : bytes;
}
