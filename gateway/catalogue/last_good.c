/* The last good catalogue on disk: whole files, replaced by renaming. */
#include "catalogue/last_good.h"

#include "crypto/digest.h"

#include <shimin/file.h>
#include <shimin/id.h>
#include <shimin/log.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A document of 18,700 services has 20 MB. */
enum { FILE_MOST = 256 << 20 };

static char root[3072];

static bool make_directory(const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    log_error("cannot make the directory %s: %s", path, strerror(errno));
    return false;
}

bool last_good_open(struct str directory)
{
    if (directory.len + 80 > sizeof root) {
        log_error("the path of the snapshot directory is too long");
        return false;
    }
    snprintf(root, sizeof root, "%.*s", STR_ARG(directory));
    char contracts[sizeof root + 16];
    snprintf(contracts, sizeof contracts, "%s/contracts", root);
    return make_directory(root) && make_directory(contracts);
}

struct file_path {
    char text[sizeof root + 128];
};

static struct file_path path_of(const char *name)
{
    struct file_path path;
    snprintf(path.text, sizeof path.text, "%s/%s", root, name);
    return path;
}

/* A digest is hexadecimal, so it cannot lead out of the directory; anything else gets a name that does not exist. */
static struct file_path contract_path(struct str sha256)
{
    struct file_path path;
    bool plain = sha256.len == 64;
    for (size_t i = 0; plain && i < sha256.len; i++)
        plain = (sha256.at[i] >= '0' && sha256.at[i] <= '9') || (sha256.at[i] >= 'a' && sha256.at[i] <= 'f');
    snprintf(path.text, sizeof path.text, "%s/contracts/%.*s", root, plain ? 64 : 1, plain ? sha256.at : "-");
    return path;
}

static struct str read_kept(struct arena *arena, const char *path)
{
    struct str bytes;
    return file_read(arena, path, FILE_MOST, FILE_PUBLIC, &bytes) ? STR_NONE : bytes;
}

struct str last_good_document(struct arena *arena)
{
    return read_kept(arena, path_of("catalogue.json").text);
}

struct str last_good_switches(struct arena *arena)
{
    return read_kept(arena, path_of("switches.json").text);
}

/* A file whose bytes are not those of its name is as good as none: it is fetched again. */
struct str last_good_contract(struct arena *arena, struct str sha256)
{
    uint8_t digest[DIGEST_SIZE];
    struct str bytes = read_kept(arena, contract_path(sha256).text);
    if (!bytes.at)
        return STR_NONE;
    digest_sha256(bytes, digest);
    return str_equal(hex_encode(arena, digest, sizeof digest), sha256) ? bytes : STR_NONE;
}

bool last_good_has_contract(struct str sha256)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    return last_good_contract(scratch, sha256).at != NULL;
}

bool last_good_keep_document(struct str document)
{
    return file_replace(path_of("catalogue.json").text, document);
}

bool last_good_keep_switches(struct str document)
{
    return file_replace(path_of("switches.json").text, document);
}

bool last_good_keep_contract(struct str sha256, struct str bytes)
{
    return file_replace(contract_path(sha256).text, bytes);
}
