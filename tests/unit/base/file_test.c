/* Whole files. */
#include "../suite.h"

#include <shimin/file.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static void open_folder(void)
{
    open_arena();
    strcpy(folder, "/tmp/shimin-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/one", folder);
}

static void shut_folder(void)
{
    unlink(path);
    rmdir(folder);
    shut_arena();
}

START_TEST(what_was_replaced_is_read_back_whole)
{
    struct str bytes;
    ck_assert(file_replace(path, STR("the first")));
    ck_assert(file_replace(path, STR("a\0b")));
    ck_assert_ptr_null(file_read(arena, path, 3, FILE_PRIVATE, &bytes));
    ck_assert(str_equal(bytes, STR("a\0b")));
    ck_assert_int_eq(bytes.at[bytes.len], '\0');
    /* nothing stays aside */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/shimin-file-XXXXXX")));
}
END_TEST

START_TEST(an_empty_file_is_empty_and_not_missing)
{
    struct str bytes;
    ck_assert(file_replace(path, STR("")));
    ck_assert_ptr_null(file_read(arena, path, 0, FILE_PUBLIC, &bytes));
    ck_assert(bytes.at != NULL && bytes.len == 0);
}
END_TEST

START_TEST(what_cannot_be_read_says_why)
{
    struct str bytes = STR("before");
    ck_assert_str_eq(file_read(arena, path, 10, FILE_PUBLIC, &bytes), "does not exist");
    ck_assert_ptr_null(bytes.at);
    ck_assert_str_eq(file_read(arena, folder, 1 << 20, FILE_PUBLIC, &bytes), "is no regular file");
    ck_assert(file_replace(path, STR("12345678901")));
    ck_assert_str_eq(file_read(arena, path, 10, FILE_PUBLIC, &bytes), "is larger than it may be");
}
END_TEST

START_TEST(a_private_file_that_others_may_read_is_refused)
{
    struct str bytes;
    ck_assert(file_replace(path, STR("key")));
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_ptr_null(file_read(arena, path, 10, FILE_PUBLIC, &bytes));
    ck_assert_ptr_nonnull(strstr(file_read(arena, path, 10, FILE_PRIVATE, &bytes), "closed to group and others"));
    ck_assert_ptr_null(bytes.at);
}
END_TEST

START_TEST(where_nothing_can_be_written_the_old_file_stays)
{
    struct str bytes;
    char longest[5000];
    ck_assert(file_replace(path, STR("old")));
    ck_assert(!file_replace("/tmp/shimin-no-such-folder/one", STR("new")));
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert(!file_replace(longest, STR("new")));
    ck_assert_ptr_null(file_read(arena, path, 10, FILE_PUBLIC, &bytes));
    ck_assert(str_is(bytes, "old"));
}
END_TEST

RUN_TESTS_BETWEEN(open_folder, shut_folder, "file", what_was_replaced_is_read_back_whole,
                  an_empty_file_is_empty_and_not_missing, what_cannot_be_read_says_why,
                  a_private_file_that_others_may_read_is_refused, where_nothing_can_be_written_the_old_file_stays)
