/* Footprints: they arrive in the schema's own table, once. */
#include "federation/footprint.h"
#include "federation/metrics.h"
#include "inside.h"
#include "store/migrate.h"
#include "store/pg_pool.h"

#include <shimin/log.h>
#include <shimin/pg.h>
#include <stdio.h>
#include <unistd.h>

static const struct pg_statement count = {
    "test.count",
    "SELECT count(*), min(service_slug), min(department_slug), min(reader), min(purpose), min(trace_id) FROM shimin.footprint",
    0};

static struct server server;
static char spool[] = "/tmp/shimin-spool-XXXXXX";

static void leave(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url}));
    footprints_open(spool);
    const struct department fund = {.slug = STR("housing-fund")};
    const struct service balance = {.slug = STR("fund-balance-query"), .department = &fund};
    const struct citizen citizen = {.id = STR("0190a000-0000-7000-8000-000000000001")};
    for (int i = 0; i < 300; i++)
        footprint_record(&citizen, &balance, STR("citizen"), STR("own_query"), str_printf(arena, "%032d", i));
    ck_assert(footprints_flush());
    const struct pg_result *result;
    ck_assert_int_eq(pg_query(arena, &count, PG_NO_ARGS, &result), PG_OK);
    ck_assert_int_eq(pg_int(result, 0, 0), 300);
    ck_assert(str_is(pg_str(result, 0, 1), "fund-balance-query"));
    ck_assert(str_is(pg_str(result, 0, 2), "housing-fund"));
    ck_assert(str_is(pg_str(result, 0, 3), "citizen"));
    ck_assert(str_is(pg_str(result, 0, 4), "own_query"));
    ck_assert(str_is(pg_str(result, 0, 5), "00000000000000000000000000000000"));
    footprints_close();
    pg_close();
}

START_TEST(a_read_leaves_its_footprint_in_the_table)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text faults = text_open(arena, 64);
    char directory[256];
    log_set_level(LOG_ERROR);
    federation_metrics_register();
    postgres_create(&server);
    ck_assert_ptr_nonnull(mkdtemp(spool));
    snprintf(directory, sizeof directory, "%s/migrations", getenv("SHIMIN_SCHEMA"));
    FILE *quiet = fopen("/dev/null", "we");
    bool migrated = migrate(&(struct migrate_settings){.directory = directory, .owner = server.url}, quiet, &faults);
    fclose(quiet);
    ck_assert_msg(migrated, "%.*s", STR_ARG(text_str(&faults)));
    inside(1, leave);
    rmdir(spool);
    server_destroy(&server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("federation footprint");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, a_read_leaves_its_footprint_in_the_table);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
