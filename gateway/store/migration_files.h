/* The files of a folder of migrations. */
#ifndef SHIMIN_MIGRATION_FILES_H
#define SHIMIN_MIGRATION_FILES_H

#include <shimin/str.h>

struct migration {
    unsigned number;
    const char *file;    /* its name, "0001_roles.sql" */
    struct str name;     /* "roles" */
    struct str sql;      /* NUL-terminated */
    struct str checksum; /* SHA-256 in hex */
};

struct migrations {
    struct migration *list; /* list[i].number is i + 1 */
    size_t count;
};

/* Reads all; false, with one line for each fault, when the folder cannot be read, a name is no NNNN_name.sql, or the numbers
 * have a gap or a double. */
MUST_CHECK bool migration_files_read(struct arena *arena, const char *directory, struct migrations *migrations,
                                     struct text *faults);

#endif
