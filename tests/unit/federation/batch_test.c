/* Batches: every row arrives once, whatever happens to Postgres in between. */
#include "federation/batch.h"
#include "federation/metrics.h"
#include "inside.h"
#include "store/pg_pool.h"

#include <dirent.h>
#include <fcntl.h>
#include <shimin/log.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pg_statement create = {"test.create",
                                           "CREATE TABLE IF NOT EXISTS taken (id bigint PRIMARY KEY, word text NOT NULL)", 0};
static const struct pg_statement insert = {
    "test.insert",
    "INSERT INTO taken SELECT id, word FROM jsonb_to_recordset($1::jsonb) AS row (id bigint, word text) ON CONFLICT DO NOTHING",
    1};
static const struct pg_statement count = {"test.count", "SELECT count(*) FROM taken", 0};

static struct server server;
static char spool[] = "/tmp/shimin-spool-XXXXXX";
static struct batch_settings settings;
static struct arena *arena;

static void make(void)
{
    log_set_level(LOG_ERROR + 1);
    federation_metrics_register();
    postgres_create(&server);
    strcpy(spool + sizeof spool - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(spool));
    settings = (struct batch_settings){.name = "taken", .statement = &insert, .spool_dir = spool};
    arena = arena_open();
}

static unsigned spool_files(bool remove)
{
    DIR *folder = opendir(spool);
    unsigned files = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        files++;
        if (remove)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    return files;
}

static void drop(void)
{
    arena_close(arena);
    spool_files(true);
    rmdir(spool);
    server_destroy(&server);
}

static void open_worker(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url}));
    ck_assert_int_eq(pg_query(arena, &create, PG_NO_ARGS, NULL), PG_OK);
}

static int64_t rows(void)
{
    const struct pg_result *result;
    return pg_query(arena, &count, PG_NO_ARGS, &result) == PG_OK ? pg_int(result, 0, 0) : -1;
}

static void add(struct batch *batch, int from, int to)
{
    for (int i = from; i < to; i++)
        batch_add(batch, str_printf(arena, "{\"id\":%d,\"word\":\"市民 \\n %d\"}", i, i));
}

static void write_many(void)
{
    open_worker();
    struct batch *batch = batch_open(&settings);
    add(batch, 0, 3000);
    WAIT_UNTIL(rows() == 3000);
    add(batch, 3000, 3001);
    WAIT_UNTIL(rows() == 3001);
    add(batch, 0, 100); /* seen before */
    ck_assert(batch_flush(batch));
    ck_assert_int_eq(rows(), 3001);
    pg_close();
}

START_TEST(rows_are_written_in_batches_and_once)
{
    make();
    inside(1, write_many);
    ck_assert_uint_eq(spool_files(false), 0);
    drop();
}
END_TEST

static void lose_postgres(void)
{
    open_worker();
    struct batch *batch = batch_open(&settings);
    add(batch, 0, 500);
    server_kill(&server);
    add(batch, 500, 3000);
    WAIT_UNTIL(spool_files(false) > 0); /* more than memory may hold goes to disk */
    add(batch, 3000, 3100);
    postgres_start(&server);
    WAIT_UNTIL(rows() == 3100);
    WAIT_UNTIL(spool_files(false) == 0);
    add(batch, 3100, 3200);
    WAIT_UNTIL(rows() == 3200);
    pg_close();
}

START_TEST(nothing_is_lost_when_postgres_restarts)
{
    make();
    settings.rows_in_memory = 1000;
    inside(1, lose_postgres);
    drop();
}
END_TEST

static void stop_without_postgres(void)
{
    open_worker();
    struct batch *batch = batch_open(&settings);
    server_kill(&server);
    WAIT_UNTIL(!pg_is_up());
    add(batch, 0, 700);
    batch_close(batch);
    WAIT_UNTIL(spool_files(false) > 0);
    add(batch, 700, 710); /* a fiber that was still running */
    (void)fiber_sleep(milliseconds(300));
    pg_close();
}

static void start_again(void)
{
    open_worker();
    (void)batch_open(&settings);
    WAIT_UNTIL(rows() == 710);
    WAIT_UNTIL(spool_files(false) == 0);
    pg_close();
}

START_TEST(what_was_left_at_the_end_is_written_at_the_next_start)
{
    make();
    inside(1, stop_without_postgres);
    char path[128];
    snprintf(path, sizeof path, "%s/taken-0.jsonl", spool);
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    postgres_start(&server);
    inside(1, start_again);
    drop();
}
END_TEST

static void read_torn(void)
{
    open_worker();
    (void)batch_open(&settings);
    WAIT_UNTIL(rows() == 2);
    WAIT_UNTIL(spool_files(false) == 1); /* the refused row is put aside */
    pg_close();
}

START_TEST(rows_of_a_worker_that_is_no_more_are_taken_over)
{
    make();
    char path[128];
    static const char *const names[] = {"taken-7.jsonl", "taken-3.replay"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", spool, names[i]);
        FILE *file = fopen(path, "we");
        for (int row = 0; row < 355; row++)
            fprintf(file, "{\"id\":%d,\"word\":\"a\"}\n", i * 355 + row);
        fclose(file);
    }
    inside(1, start_again);
    drop();
}
END_TEST

START_TEST(a_torn_row_does_not_hold_up_the_others)
{
    make();
    char path[128];
    snprintf(path, sizeof path, "%s/taken-0.jsonl", spool);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    static const char text[] = "\n{\"id\":1,\"word\":\"a\"}\n{\"id\":2,\"wo\n\n{\"id\":3,\"word\":\"c\"}\n{\"id\":4,\"w";
    ck_assert(write(file, text, sizeof text - 1) == sizeof text - 1);
    close(file);
    inside(1, read_torn);
    drop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("federation batch");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, rows_are_written_in_batches_and_once);
    tcase_add_test(all, nothing_is_lost_when_postgres_restarts);
    tcase_add_test(all, what_was_left_at_the_end_is_written_at_the_next_start);
    tcase_add_test(all, rows_of_a_worker_that_is_no_more_are_taken_over);
    tcase_add_test(all, a_torn_row_does_not_hold_up_the_others);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
