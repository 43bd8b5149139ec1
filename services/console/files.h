/* The files of the console, read once. */
#ifndef SHIMIN_CONSOLE_FILES_H
#define SHIMIN_CONSOLE_FILES_H

#include <shimin/str.h>

struct file {
    struct str name; /* relative to the directory: assets/index-4f1c2a.js */
    const char *type;
    struct str bytes, gzip; /* gzip.at == NULL: the build made none */
    char tag[17];
    bool immutable; /* its name has a hash of its content */
};

/* Reads all of the directory; calls after the first do nothing. Waits for the disk: for starts. */
void files_open(const char *directory);
const struct file *file_named(struct str name); /* or NULL */

#endif
