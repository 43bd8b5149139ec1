/* The loader with a Postgres of its own: changes reach every worker, faults reach none, the disk bridges an outage. */
#define MIGRATIONS SCHEMA "/migrations"
#include "migrated.h"

#include "catalogue/last_good.h"
#include "catalogue/loader.h"
#include "catalogue/snapshot.h"
#include "store/pg_pool.h"

#include <libpq-fe.h>
#include <shimin/log.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() (void)0
#endif

static struct server server;
static char directory[] = "/tmp/shimin-good-XXXXXX";

/* As the owner, beside the gateway. */
static void run(const char *sql)
{
    PGconn *connection = PQconnectdb(server.url);
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static bool is_waiting_for(const char *words)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%%s%%'", words);
    PGconn *connection = PQconnectdb(server.url);
    PGresult *result = PQexec(connection, sql);
    bool waits = PQntuples(result) > 0;
    PQclear(result);
    PQfinish(connection);
    return waits;
}

#define SERVICE(slug, archetype)                                                                                               \
    "INSERT INTO shimin.service (slug, department, ordering, definition) VALUES ('" slug "', 'metro', 1, "                     \
    "'{\"slug\":\"" slug "\",\"category\":\"travel\",\"archetype\":\"" archetype "\",\"level\":\"L1\"}');"
#define SWITCH(position, from, until)                                                                                          \
    "INSERT INTO shimin.switch (scope, target, position, starts_at, ends_at, set_by) VALUES ('service', 'ride', '" position    \
    "', " from ", " until ", 'test');"

static void fill(void)
{
    run("INSERT INTO shimin.category VALUES ('travel', 1, 'a', 'b');"
        "INSERT INTO shimin.department (slug, number, definition) VALUES ('metro', 1, '{}');" SERVICE("ride", "query"));
}

static void set_up(void)
{
    log_set_level(LOG_ERROR);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    postgres_copy(&server, &migrated);
}

static void tear_down(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
    server_destroy(&server);
}

/* What a worker holds of snapshots lives as long as the process. */
static bool open_worker(void)
{
    __lsan_disable();
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .may_be_absent = true}));
    return catalogue_open(str_of(directory));
}

static enum switch_position position(void)
{
    const struct snapshot *snapshot = catalogue_snapshot();
    return snapshot_switch(snapshot, snapshot_service(snapshot, STR("ride")), NULL).position;
}

static atomic_uint done;

static void see_the_switch(void)
{
    ck_assert(open_worker());
    ck_assert_int_eq(position(), SWITCH_OPEN);
    done++;
    WAIT_UNTIL(done >= 2);
    if (worker_index() == 0)
        run(SWITCH("off", "NULL", "NULL"));
    WAIT_UNTIL(position() == SWITCH_OFF);
    done++;
    WAIT_UNTIL(done == 4);
    /* the connection that would read the change dies with its notice, the one that listens does not */
    if (worker_index() == 0)
        run(SWITCH("no_new", "NULL",
                   "NULL") "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                           "AND pid <> pg_backend_pid() AND query NOT LIKE 'LISTEN%'");
    WAIT_UNTIL(position() == SWITCH_NO_NEW);
    done++;
    WAIT_UNTIL(done == 6);
    pg_close();
}

START_TEST(a_switch_is_seen_by_every_worker_even_if_the_reading_connection_dies)
{
    fill();
    inside(2, see_the_switch);
}
END_TEST

static void plan(void)
{
    ck_assert(open_worker());
    run(SWITCH("no_new", "NULL", "NULL"));
    WAIT_UNTIL(position() == SWITCH_NO_NEW);
    int64_t before = snapshot_switch_changes_at(catalogue_snapshot());
    ck_assert_int_eq(before, INT64_MAX);
    run(SWITCH("off", "now() + interval '3 seconds'", "now() + interval '6 seconds'")
            SWITCH("off", "now() + interval '1 day'", "now() + interval '2 days'"));
    WAIT_UNTIL(snapshot_switch_changes_at(catalogue_snapshot()) != INT64_MAX);
    ck_assert_int_eq(position(), SWITCH_NO_NEW); /* still, and not open */
    WAIT_UNTIL(position() == SWITCH_OFF);
    WAIT_UNTIL(position() == SWITCH_NO_NEW); /* again */
    ck_assert_int_gt(snapshot_switch_changes_at(catalogue_snapshot()), clock_wall() + seconds(3600));
    run(SWITCH("open", "NULL", "NULL"));
    WAIT_UNTIL(position() == SWITCH_OPEN);
    ck_assert_int_eq(snapshot_switch_changes_at(catalogue_snapshot()), INT64_MAX); /* the plan for tomorrow is off */
    pg_close();
}

START_TEST(a_planned_window_lies_over_what_was_set_before)
{
    fill();
    inside(1, plan);
}
END_TEST

static void refuse(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(open_worker());
    struct str version = str_copy(arena, snapshot_version(catalogue_snapshot()));
    version.len = (size_t)str_find(version, STR(".")) + 1; /* of the definitions */
    run(SERVICE("broken", "fly"));
    run(SWITCH("off", "NULL", "NULL"));
    WAIT_UNTIL(position() == SWITCH_OFF); /* switches go on over the definitions that are good */
    ck_assert_ptr_null(snapshot_service(catalogue_snapshot(), STR("broken")));
    ck_assert(str_starts(snapshot_version(catalogue_snapshot()), version));
    run("DELETE FROM shimin.service WHERE slug = 'broken';" SERVICE("good", "query"));
    WAIT_UNTIL(snapshot_service(catalogue_snapshot(), STR("good")));
    run("DELETE FROM shimin.service");
    (void)fiber_sleep(milliseconds(300)); /* there is nothing to poll for: nothing happens */
    ck_assert_ptr_nonnull(snapshot_service(catalogue_snapshot(), STR("good")));
    pg_close();
}

START_TEST(a_refused_or_emptied_catalogue_leaves_the_old_one)
{
    fill();
    inside(1, refuse);
}
END_TEST

/* Whoever holds the areas holds up the reading of definitions. */
static void switch_meanwhile(void)
{
    ck_assert(open_worker());
    PGconn *holder = PQconnectdb(server.url);
    PQclear(PQexec(holder, "BEGIN; LOCK TABLE shimin.area"));
    run(SERVICE("late", "query"));
    WAIT_UNTIL(is_waiting_for("catalogue_frame"));
    run(SWITCH("off", "NULL", "NULL"));
    WAIT_UNTIL(position() == SWITCH_OFF);
    ck_assert_ptr_null(snapshot_service(catalogue_snapshot(), STR("late")));
    ck_assert(is_waiting_for("catalogue_frame")); /* still */
    run(SWITCH("no_new", "NULL", "NULL"));
    WAIT_UNTIL(position() == SWITCH_NO_NEW);
    PQfinish(holder);
    WAIT_UNTIL(snapshot_service(catalogue_snapshot(), STR("late")));
    ck_assert_int_eq(position(), SWITCH_NO_NEW); /* not what held when the reading began */
    pg_close();
}

START_TEST(a_switch_holds_at_once_while_new_definitions_are_still_being_read)
{
    fill();
    inside(1, switch_meanwhile);
}
END_TEST

static bool is_on_disk(const char *words)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    return str_find(last_good_switches(arena), str_of(words)) >= 0 || str_find(last_good_document(arena), str_of(words)) >= 0;
}

static void load_and_switch(void)
{
    ck_assert(open_worker());
    run(SWITCH("read_only", "NULL", "NULL"));
    WAIT_UNTIL(position() == SWITCH_READ_ONLY);
    WAIT_UNTIL(is_on_disk("read_only"));
    pg_close();
}

static void start_without_postgres(void)
{
    ck_assert(open_worker());
    ck_assert_int_eq(position(), SWITCH_READ_ONLY);
    pg_close();
}

static void start_with_nothing(void)
{
    ck_assert(!open_worker());
    pg_close();
}

/* Workers start once a process. */
static void in_a_process(void (*body)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        inside(1, body);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

START_TEST(without_postgres_a_gateway_starts_from_the_disk_switches_included)
{
    fill();
    in_a_process(load_and_switch);
    server_kill(&server);
    in_a_process(start_without_postgres);
    char path[96];
    snprintf(path, sizeof path, "%s/catalogue.json", directory);
    ck_assert_int_eq(truncate(path, 100), 0); /* torn */
    in_a_process(start_with_nothing);
    unlink(path);
    in_a_process(start_with_nothing);
}
END_TEST

START_TEST(contracts_on_disk_are_those_of_their_digest_and_lead_nowhere_else)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    /* of "abc" (FIPS 180-4) */
    struct str digest = STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert(last_good_open(str_of(directory)));
    ck_assert(!last_good_has_contract(digest));
    ck_assert(last_good_keep_contract(digest, STR("abc")));
    ck_assert(last_good_has_contract(digest) && str_is(last_good_contract(arena, digest), "abc"));
    ck_assert(last_good_keep_contract(digest, STR("ab"))); /* as a torn file would be */
    ck_assert(!last_good_has_contract(digest));
    ck_assert_ptr_null(last_good_contract(arena, digest).at);
    ck_assert(last_good_keep_document(STR("{}")));
    static const char *const others[] = {"../catalogue.json",
                                         "",
                                         ".",
                                         "/etc/hostname",
                                         "../../../../../../../../../../../../../../../../../../etc/hostname/",
                                         "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        ck_assert_ptr_null(last_good_contract(arena, str_of(others[i])).at);
    struct stat status;
    char path[96];
    snprintf(path, sizeof path, "%s/catalogue.json", directory);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("catalogue loader");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 90);
    tcase_add_unchecked_fixture(all, make_migrated, drop_migrated);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_switch_is_seen_by_every_worker_even_if_the_reading_connection_dies);
    tcase_add_test(all, a_switch_holds_at_once_while_new_definitions_are_still_being_read);
    tcase_add_test(all, a_planned_window_lies_over_what_was_set_before);
    tcase_add_test(all, a_refused_or_emptied_catalogue_leaves_the_old_one);
    tcase_add_test(all, without_postgres_a_gateway_starts_from_the_disk_switches_included);
    tcase_add_test(all, contracts_on_disk_are_those_of_their_digest_and_lead_nowhere_else);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
