/* An export of the audit as anybody may hand it in: never taken for signed when it is not, and always when it is. */
#include "edge/audit_export.h"

#include <shimin/arena.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct arena *settings;
static struct record_key *key;
static struct record_keys *keys;

static void make_key(void)
{
    char folder[] = "/tmp/shimin-fuzz-XXXXXX";
    struct str id;
    settings = arena_open();
    struct text faults = text_open(settings, 256);
    if (!mkdtemp(folder))
        abort();
    char *path = str_to_c(settings, str_printf(settings, "%s/key", folder));
    if (!record_key_create(settings, path, folder, SUITE_INTL, &id, &faults) ||
        !(key = record_key_load(settings, path, &faults)))
        abort();
    keys = record_keys_open(settings);
    record_keys_add_own(keys, key);
    unlink(path);
    unlink(str_to_c(settings, str_printf(settings, "%s/%.*s.pem", folder, STR_ARG(id))));
    rmdir(folder);
}

static const char *check(struct arena *arena, struct str bytes, struct audit_export *end)
{
    FILE *file = fmemopen((void *)(uintptr_t)bytes.at, bytes.len, "r");
    if (!file)
        abort();
    const char *fault = audit_export_check(arena, file, keys, end);
    fclose(file);
    return fault;
}

/* The bytes as lines of an export that is ours. */
static void check_own(struct arena *arena, struct str lines)
{
    static const char hash[DIGEST_SIZE];
    struct audit_export end = {
        .from = 1, .to = 2, .head_id = 3, .head_hash = {hash, sizeof hash}, .made_by = STR("machine:fuzz")};
    struct audit_export_job *job = audit_export_begin(arena, key, &end);
    size_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.at[i] == '\n';
    audit_export_add(job, lines, count);
    struct str last = audit_export_end(job, arena);
    struct str whole = str_printf(arena, "%.*s%.*s", STR_ARG(lines), STR_ARG(last));
    if (check(arena, whole, &end) || end.count != (int64_t)count)
        abort();
    if (!lines.len)
        return;
    char *changed = memcpy(arena_alloc(arena, whole.len), whole.at, whole.len);
    changed[lines.len / 2] ^= 1;
    if (!check(arena, (struct str){changed, whole.len}, &end))
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (!settings)
        make_key();
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct str bytes = {(const char *)data, size};
    struct audit_export end;
    /* nobody but the key's holder can make one that is good */
    if (size && !check(arena, bytes, &end))
        abort();
    if (!size || data[size - 1] == '\n')
        if (!memchr(data, 0, size))
            check_own(arena, bytes);
    return 0;
}
