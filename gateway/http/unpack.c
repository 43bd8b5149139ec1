/* Packed files, portion by portion. */
#include <shimin/unpack.h>

#include <errno.h>
#include <iconv.h>
#include <openssl/evp.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

enum { PORTION = 256 * 1024, LINE_MOST = 64 * 1024, FILES_MOST = 64, GZIP_BITS = 15 + 16, ZLIB_BITS = 15 };

struct unpack {
    struct arena *arena;
    enum unpack_form form;
    struct str packed;
    size_t room; /* that may still come out */
    const char *fault;
    bool opened, ended; /* a file is open; all of it has come out */
    z_stream stream;    /* gzip, zlib */
    bool streaming;
    zip_t *zip;
    zip_file_t *file;
    zip_int64_t next;
    iconv_t convert; /* or (iconv_t)-1 */
    char *raw;       /* a portion as it came out: PORTION bytes */
    size_t raw_len;  /* what conversion has left of it, at its front */
    char *text;      /* converted, with what of a line was left: at[from, to) is unread */
    size_t from, to, text_room;
    EVP_MD_CTX *sum; /* or NULL */
};

static void release(void *argument)
{
    struct unpack *unpack = argument;
    if (unpack->streaming)
        inflateEnd(&unpack->stream);
    if (unpack->file)
        zip_fclose(unpack->file);
    if (unpack->zip)
        zip_discard(unpack->zip);
    EVP_MD_CTX_free(unpack->sum);
    if (unpack->convert != (iconv_t)-1)
        iconv_close(unpack->convert);
}

static void open_zip(struct unpack *unpack)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(unpack->packed.at, unpack->packed.len, 0, &error);
    unpack->zip = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error) : NULL;
    if (source && !unpack->zip)
        zip_source_free(source);
    zip_error_fini(&error);
    if (!unpack->zip)
        unpack->fault = "it is no zip archive";
    else if (zip_get_num_entries(unpack->zip, 0) > FILES_MOST)
        unpack->fault = "it holds too many files";
}

struct unpack *unpack_open(struct arena *arena, enum unpack_form form, struct str packed, size_t most)
{
    struct unpack *unpack = arena_new(arena, struct unpack);
    *unpack = (struct unpack){.arena = arena,
                              .form = form,
                              .packed = packed,
                              .room = most,
                              .convert = (iconv_t)-1,
                              .opened = form != UNPACK_ZIP,
                              .raw = arena_alloc_raw(arena, PORTION),
                              .text = arena_alloc_raw(arena, PORTION),
                              .text_room = PORTION};
    arena_defer(arena, release, unpack);
    if (form == UNPACK_ZIP) {
        open_zip(unpack);
    } else if (form != UNPACK_PLAIN) {
        unpack->streaming = inflateInit2(&unpack->stream, form == UNPACK_GZIP ? GZIP_BITS : ZLIB_BITS) == Z_OK;
        unpack->stream.next_in = (Bytef *)(uintptr_t)packed.at;
        unpack->stream.avail_in = (uInt)packed.len;
        if (!unpack->streaming || packed.len > UINT32_MAX)
            unpack->fault = "it cannot be read";
    }
    return unpack;
}

bool unpack_next(struct unpack *unpack, struct str *name)
{
    if (unpack->form != UNPACK_ZIP || unpack->fault)
        return false;
    if (unpack->file)
        zip_fclose(unpack->file);
    unpack->file = NULL;
    unpack->opened = unpack->ended = false;
    unpack->from = unpack->to = unpack->raw_len = 0;
    if (unpack->next >= zip_get_num_entries(unpack->zip, 0))
        return false;
    const char *path = zip_get_name(unpack->zip, (zip_uint64_t)unpack->next, ZIP_FL_ENC_RAW);
    unpack->file = path ? zip_fopen_index(unpack->zip, (zip_uint64_t)unpack->next, 0) : NULL;
    unpack->next++;
    if (!unpack->file) {
        unpack->fault = "a file of the archive cannot be read";
        return false;
    }
    const char *slash = strrchr(path, '/');
    *name = str_copy(unpack->arena, str_of(slash ? slash + 1 : path));
    unpack->opened = true;
    return true;
}

void unpack_gbk(struct unpack *unpack)
{
    if (unpack->convert == (iconv_t)-1)
        unpack->convert = iconv_open("UTF-8", "GB18030");
    if (unpack->convert == (iconv_t)-1)
        unpack->fault = "this system knows no GBK";
}

/* Up to `size` bytes as they are in the file; *got 0 at its end. */
static void inflate_some(struct unpack *unpack, char *at, size_t size, size_t *got)
{
    unpack->stream.next_out = (Bytef *)at;
    unpack->stream.avail_out = (uInt)size;
    int status = inflate(&unpack->stream, Z_NO_FLUSH);
    *got = size - unpack->stream.avail_out;
    if (status == Z_STREAM_END && unpack->form == UNPACK_GZIP && unpack->stream.avail_in) /* several members */
        status = inflateReset(&unpack->stream);
    else if (status == Z_STREAM_END)
        unpack->ended = true;
    if (status == Z_BUF_ERROR || (status == Z_OK && !*got && !unpack->stream.avail_in))
        unpack->fault = "it is cut short";
    else if (status != Z_OK && status != Z_STREAM_END)
        unpack->fault = "it is damaged";
}

static void copy_some(struct unpack *unpack, char *at, size_t size, size_t *got)
{
    *got = unpack->packed.len < size ? unpack->packed.len : size;
    if (*got)
        memcpy(at, unpack->packed.at, *got);
    unpack->packed = str_slice(unpack->packed, *got, unpack->packed.len);
    unpack->ended = unpack->packed.len == 0;
}

static void unzip_some(struct unpack *unpack, char *at, size_t size, size_t *got)
{
    zip_int64_t count = zip_fread(unpack->file, at, size);
    *got = count > 0 ? (size_t)count : 0;
    unpack->ended = count == 0;
    if (count < 0) /* also a wrong check sum, at the end */
        unpack->fault = "it is damaged";
}

/* Converts raw into text, as far as it goes: half a character waits for the next portion. */
static void convert(struct unpack *unpack)
{
    char *in = unpack->raw, *out = unpack->text + unpack->to;
    size_t in_left = unpack->raw_len, out_left = unpack->text_room - unpack->to;
    size_t done = iconv(unpack->convert, &in, &in_left, &out, &out_left);
    if (done == (size_t)-1 && (errno == EILSEQ || errno == E2BIG || (errno == EINVAL && unpack->ended)))
        unpack->fault = "its text is not GBK";
    memmove(unpack->raw, in, in_left);
    unpack->raw_len = in_left;
    unpack->to = (size_t)(out - unpack->text);
}

/* On an offload thread, or in place outside of fibers: one more portion of text. */
static void fill(void *argument)
{
    struct unpack *unpack = argument;
    size_t size = PORTION - unpack->raw_len, got = 0;
    char *at = unpack->raw + unpack->raw_len;
    if (unpack->form == UNPACK_PLAIN)
        copy_some(unpack, at, size, &got);
    else if (unpack->form == UNPACK_ZIP)
        unzip_some(unpack, at, size, &got);
    else
        inflate_some(unpack, at, size, &got);
    if (got > unpack->room) {
        unpack->fault = "it is larger than it may be";
        return;
    }
    unpack->room -= got;
    if (unpack->sum && EVP_DigestUpdate(unpack->sum, at, got) != 1)
        unpack->fault = "it cannot be digested";
    unpack->raw_len += got;
    if (unpack->fault)
        return;
    if (unpack->convert != (iconv_t)-1) {
        convert(unpack);
        return;
    }
    memcpy(unpack->text + unpack->to, unpack->raw, unpack->raw_len);
    unpack->to += unpack->raw_len;
    unpack->raw_len = 0;
}

/* Makes room for a portion, in which GBK's two bytes become three, or GB 18030's four four; and fills it. */
static bool more(struct unpack *unpack)
{
    if (!unpack->opened || unpack->ended || unpack->fault)
        return false;
    size_t left = unpack->to - unpack->from, wanted = left + 2 * PORTION;
    if (left)
        memmove(unpack->text, unpack->text + unpack->from, left);
    unpack->from = 0;
    unpack->to = left;
    if (wanted > unpack->text_room) {
        unpack->text = arena_grow_raw(unpack->arena, unpack->text, unpack->text_room, wanted);
        unpack->text_room = wanted;
    }
    if (!fiber_self())
        fill(unpack);
    else if (!offload(fill, unpack))
        unpack->fault = "the offload threads are busy";
    return !unpack->fault;
}

bool unpack_line(struct unpack *unpack, struct str *line)
{
    for (size_t seen = 0;;) {
        char *start = unpack->text + unpack->from;
        size_t length = unpack->to - unpack->from;
        char *end = length > seen ? memchr(start + seen, '\n', length - seen) : NULL;
        if (end || (unpack->ended && length && !unpack->fault)) {
            size_t size = end ? (size_t)(end - start) : length;
            unpack->from += end ? size + 1 : size;
            *line = (struct str){start, size && start[size - 1] == '\r' ? size - 1 : size};
            return true;
        }
        seen = length;
        if (length > LINE_MOST)
            unpack->fault = "a line is too long";
        if (unpack->fault || !more(unpack))
            return false;
    }
}

bool unpack_rest(struct unpack *unpack, struct str *bytes)
{
    struct text all = text_open(unpack->arena, PORTION);
    do {
        text_add(&all, (struct str){unpack->text + unpack->from, unpack->to - unpack->from});
        unpack->from = unpack->to = 0;
    } while (more(unpack));
    *bytes = text_str(&all);
    return !unpack->fault;
}

void unpack_sum(struct unpack *unpack)
{
    unpack->sum = EVP_MD_CTX_new();
    if (!unpack->sum || EVP_DigestInit_ex(unpack->sum, EVP_sha1(), NULL) != 1)
        unpack->fault = "it cannot be digested";
}

struct str unpack_sha1(struct unpack *unpack)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!unpack->sum || EVP_DigestFinal_ex(unpack->sum, out, &size) != 1)
        return STR("");
    return hex_encode(unpack->arena, out, size);
}

const char *unpack_fault(const struct unpack *unpack)
{
    return unpack->fault;
}
