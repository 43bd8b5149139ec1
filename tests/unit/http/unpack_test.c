/* Packed files: lines, character sets, and what must not get through. */
#include <shimin/unpack.h>

#include "../suite.h"

#include <zlib.h>

enum { MOST = 8 << 20, BOMB = 64 << 20 };

static struct str packed(struct str plain, int bits)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)plain.at, .avail_in = (uInt)plain.len};
    ck_assert_int_eq(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&stream, plain.len) + 32;
    char *out = arena_alloc(arena, room);
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    return (struct str){out, size};
}

static struct str gzip(struct str plain)
{
    return packed(plain, 15 + 16);
}

START_TEST(lines_come_without_their_ends_the_last_one_too)
{
    struct unpack *file = unpack_open(arena, UNPACK_GZIP, gzip(STR("one\r\n\ntwo\nlast")), MOST);
    static const char *const wanted[] = {"one", "", "two", "last"};
    struct str line;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        ck_assert(unpack_line(file, &line));
        ASSERT_STR(line, wanted[i]);
    }
    ck_assert(!unpack_line(file, &line));
    ck_assert_ptr_null(unpack_fault(file));
}
END_TEST

START_TEST(a_file_longer_than_a_portion_is_read_whole_and_summed)
{
    struct text text = text_open(arena, 4 << 20);
    struct str line;
    for (int i = 0; i < 100000; i++)
        text_printf(&text, "line %d of many\n", i);
    struct unpack *file = unpack_open(arena, UNPACK_ZLIB, packed(text_str(&text), 15), MOST);
    unpack_sum(file);
    int count = 0;
    for (; unpack_line(file, &line); count++)
        ck_assert(str_equal(line, str_printf(arena, "line %d of many", count)));
    ck_assert_int_eq(count, 100000);
    ck_assert_ptr_null(unpack_fault(file));
    ck_assert_uint_eq(unpack_sha1(file).len, 40);
}
END_TEST

START_TEST(gbk_becomes_utf8_also_where_a_portion_ends_within_a_character)
{
    struct text text = text_open(arena, 1 << 20);
    struct str line;
    text_add_char(&text, 'x');
    for (int i = 0; i < 300000; i++)
        text_add_c(&text, i % 1000 == 999 ? "\n" : "\xd2\xb5"); /* 业 */
    struct unpack *file = unpack_open(arena, UNPACK_PLAIN, text_str(&text), MOST);
    unpack_gbk(file);
    for (int i = 0; i < 300; i++) {
        ck_assert(unpack_line(file, &line));
        ck_assert_uint_eq(line.len, i ? 999 * 3 : 999 * 3 + 1);
        ck_assert(str_is_utf8(line) && str_ends(line, STR("业")));
    }
    ck_assert(!unpack_line(file, &line));
    ck_assert_ptr_null(unpack_fault(file));
}
END_TEST

START_TEST(what_is_not_gbk_is_a_fault)
{
    struct str line;
    struct unpack *file = unpack_open(arena, UNPACK_PLAIN, STR("good\nbad \xff\xff\n"), MOST);
    unpack_gbk(file);
    while (unpack_line(file, &line))
        ;
    ck_assert_ptr_nonnull(unpack_fault(file));
}
END_TEST

START_TEST(no_more_comes_out_than_may)
{
    char *zeros = arena_alloc(arena, BOMB);
    struct str line, rest, bomb = gzip((struct str){zeros, BOMB});
    ck_assert_uint_lt(bomb.len, MOST / 8);
    struct unpack *file = unpack_open(arena, UNPACK_GZIP, bomb, MOST);
    ck_assert(!unpack_rest(file, &rest));
    ck_assert_str_eq(unpack_fault(file), "it is larger than it may be");
    ck_assert_uint_le(rest.len, MOST);
    file = unpack_open(arena, UNPACK_GZIP, bomb, MOST);
    ck_assert(!unpack_line(file, &line)); /* nor a line without an end */
    ck_assert_str_eq(unpack_fault(file), "a line is too long");
}
END_TEST

START_TEST(what_is_cut_or_damaged_is_a_fault_and_never_a_shorter_file)
{
    struct str line, whole = gzip(STR("one\ntwo\nthree\n"));
    for (size_t size = 0; size < whole.len; size++) {
        struct unpack *file = unpack_open(arena, UNPACK_GZIP, str_slice(whole, 0, size), MOST);
        while (unpack_line(file, &line))
            ;
        ck_assert_ptr_nonnull(unpack_fault(file));
    }
    char *copy = arena_copy(arena, whole.at, whole.len);
    copy[whole.len - 6] ^= 1; /* the check sum */
    struct unpack *file = unpack_open(arena, UNPACK_GZIP, (struct str){copy, whole.len}, MOST);
    while (unpack_line(file, &line))
        ;
    ck_assert_ptr_nonnull(unpack_fault(file));
}
END_TEST

START_TEST(what_is_no_zip_is_a_fault)
{
    struct str name;
    struct unpack *archive = unpack_open(arena, UNPACK_ZIP, STR("PK\x03\x04 and nothing behind it"), MOST);
    ck_assert(!unpack_next(archive, &name));
    ck_assert_ptr_nonnull(unpack_fault(archive));
}
END_TEST

RUN_TESTS("unpack", lines_come_without_their_ends_the_last_one_too, a_file_longer_than_a_portion_is_read_whole_and_summed,
          gbk_becomes_utf8_also_where_a_portion_ends_within_a_character, what_is_not_gbk_is_a_fault, no_more_comes_out_than_may,
          what_is_cut_or_damaged_is_a_fault_and_never_a_shorter_file, what_is_no_zip_is_a_fault)
