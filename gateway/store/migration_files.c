/* The files of a folder of migrations: read whole, numbered, digested. */
#include "store/migration_files.h"

#include "crypto/digest.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <shimin/arena.h>
#include <shimin/file.h>
#include <shimin/id.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 4, FILE_MOST = 16 << 20 };

static int is_sql(const struct dirent *entry)
{
    return str_ends(str_of(entry->d_name), STR(".sql"));
}

static bool read_name(struct arena *arena, const char *file, struct migration *migration)
{
    struct str name = str_of(file);
    int64_t number;
    if (name.len < DIGITS + sizeof "_x.sql" - 1 || name.at[DIGITS] != '_' || !str_to_i64(str_slice(name, 0, DIGITS), &number) ||
        number < 1)
        return false;
    struct str words = str_slice(name, DIGITS + 1, name.len - 4);
    for (size_t i = 0; i < words.len; i++)
        if (!islower((unsigned char)words.at[i]) && !isdigit((unsigned char)words.at[i]) && words.at[i] != '_')
            return false;
    migration->number = (unsigned)number;
    migration->file = str_copy(arena, (struct str){name.at, name.len + 1}).at;
    migration->name = str_copy(arena, words);
    return true;
}

static bool read_file(struct arena *arena, const char *directory, struct migration *migration)
{
    const char *path = str_printf(arena, "%s/%s", directory, migration->file).at;
    uint8_t digest[DIGEST_SIZE];
    if (file_read(arena, path, FILE_MOST, FILE_PUBLIC, &migration->sql))
        return false;
    digest_sha256(migration->sql, digest);
    migration->checksum = hex_encode(arena, digest, sizeof digest);
    /* a NUL would hide the rest of the file from libpq */
    return strlen(migration->sql.at) == migration->sql.len;
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

bool migration_files_read(struct arena *arena, const char *directory, struct migrations *migrations, struct text *faults)
{
    struct dirent **entries;
    int found = scandir(directory, &entries, is_sql, alphasort);
    if (found < 0) {
        text_printf(faults, "%s: %s\n", directory, strerror(errno));
        return false;
    }
    size_t before = faults->len;
    *migrations = (struct migrations){.list = arena_array(arena, struct migration, (size_t)found)};
    for (int i = 0; i < found; i++) {
        struct migration *migration = &migrations->list[migrations->count];
        const char *file = entries[i]->d_name;
        size_t expected = migrations->count + 1;
        if (!read_name(arena, file, migration)) {
            text_printf(faults, "%s/%s: the name must be NNNN_words_in_lower_case.sql\n", directory, file);
            continue;
        }
        if (migration->number != expected)
            text_printf(faults, "%s/%s: number %04zu is %s\n", directory, file, expected,
                        migration->number > expected ? "missing before it" : "there already");
        if (!read_file(arena, directory, migration))
            text_printf(faults, "%s/%s: cannot be read as text\n", directory, file);
        migrations->count++;
    }
    free_entries(entries, found);
    if (!migrations->count && faults->len == before)
        text_printf(faults, "%s: no migrations here\n", directory);
    return faults->len == before;
}
