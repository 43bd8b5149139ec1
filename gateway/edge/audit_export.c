/* Exports of the audit: digest, last line, and the check of a file. */
#include "edge/audit_export.h"

#include "edge/audit_checkpoint.h"

#include <shimin/clock.h>
#include <shimin/log.h>

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 1 << 20 };

struct audit_export_job {
    const struct record_key *key;
    struct audit_export end;
    EVP_MD_CTX *digest;
};

static void free_digest(void *digest)
{
    EVP_MD_CTX_free(digest);
}

static EVP_MD_CTX *digest_open(struct arena *arena)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        fatal("SHA-256 cannot be had");
    arena_defer(arena, free_digest, digest);
    return digest;
}

static void digest_add(EVP_MD_CTX *digest, struct str bytes)
{
    if (EVP_DigestUpdate(digest, bytes.at, bytes.len) != 1)
        fatal("SHA-256 fails");
}

static struct str digest_end(EVP_MD_CTX *digest, struct arena *arena)
{
    char *out = arena_alloc(arena, DIGEST_SIZE);
    if (EVP_DigestFinal_ex(digest, (unsigned char *)out, NULL) != 1)
        fatal("SHA-256 fails");
    return (struct str){out, DIGEST_SIZE};
}

/* ---- writing ---- */

struct audit_export_job *audit_export_begin(struct arena *arena, const struct record_key *key, const struct audit_export *end)
{
    struct audit_export_job *job = arena_new(arena, struct audit_export_job);
    *job = (struct audit_export_job){.key = key, .end = *end, .digest = digest_open(arena)};
    return job;
}

struct audit_export_job *audit_export_open(struct arena *arena, int64_t from, int64_t to, int64_t head_id, struct str head_hash,
                                           struct str made_by)
{
    const struct audit_export end = {.from = from, .to = to, .head_id = head_id, .head_hash = head_hash, .made_by = made_by};
    return audit_signing_key() ? audit_export_begin(arena, audit_signing_key(), &end) : NULL;
}

void audit_export_add(struct audit_export_job *job, struct str lines, size_t count)
{
    digest_add(job->digest, lines);
    job->end.count += (int64_t)count;
}

struct str audit_export_end(struct audit_export_job *job, struct arena *arena)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    job->end.digest = digest_end(job->digest, arena);
    job->end.made_at = clock_wall();
    if (!audit_export_sign(arena, job->key, &job->end))
        return STR_NONE;
    audit_export_write(&out, &job->end);
    text_add_char(&text, '\n');
    return text_str(&text);
}

/* ---- checking ---- */

/* One line with its LF, in a buffer of LINE_MOST bytes; the length, 0 at the end, -1 for one that is too long or torn. */
static ptrdiff_t read_line(FILE *file, char *line)
{
    size_t len = 0;
    for (int c; (c = getc(file)) != EOF;) {
        line[len++] = (char)c;
        if (c == '\n')
            return (ptrdiff_t)len;
        if (len == LINE_MOST)
            return -1;
    }
    return len ? -1 : 0;
}

static const char *compare(struct arena *arena, const struct record_keys *keys, const struct audit_export *end, int64_t count,
                           struct str digest)
{
    switch (record_keys_verify(keys, end->key_id, audit_export_text(arena, end), end->signature)) {
    case RECORD_KEY_UNKNOWN:
        return str_printf(arena, "it is signed by the key %.*s, which is not known here", STR_ARG(end->key_id)).at;
    case RECORD_FORGED:
        return "its signature does not fit";
    case RECORD_GOOD:
        break;
    }
    if (end->count != count)
        return str_printf(arena, "it has %lld records and says %lld", (long long)count, (long long)end->count).at;
    return str_equal(end->digest, digest) ? NULL : "its records are not those that were signed";
}

/* The last line is known as such once nothing follows. */
const char *audit_export_check(struct arena *arena, FILE *file, const struct record_keys *keys, struct audit_export *end)
{
    char *line = arena_alloc_raw(arena, LINE_MOST), *before = arena_alloc_raw(arena, LINE_MOST);
    EVP_MD_CTX *digest = digest_open(arena);
    ptrdiff_t len, before_len = 0;
    int64_t count = 0;
    while ((len = read_line(file, line)) > 0) {
        if (before_len) {
            digest_add(digest, (struct str){before, (size_t)before_len});
            count++;
        }
        char *swap = before;
        before = line;
        line = swap;
        before_len = len;
    }
    if (len < 0)
        return str_printf(arena, "line %lld is torn or too long", (long long)count + 2 - !before_len).at;
    struct json_error error;
    const struct json *last =
        before_len ? json_parse(arena, (struct str){before, (size_t)before_len - 1}, &json_limits_document, &error) : NULL;
    if (!last || !audit_export_read(arena, last, end))
        return "its last line is not the signed end of an export";
    return compare(arena, keys, end, count, digest_end(digest, arena));
}
