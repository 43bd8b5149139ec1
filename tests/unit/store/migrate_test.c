/* Migrations: what is applied, what is refused and why, and what the application may then do. */
#include "inside.h"

#include "store/migrate.h"
#include "store/statements.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server server;
static char directory[64];
static struct arena *arena;
static struct text faults;
static char database_url[200];

static void create_server(void)
{
    postgres_create(&server);
}

static void destroy_server(void)
{
    server_destroy(&server);
}

/* A value from a query on a connection of its own, or the SQLSTATE of its failure. */
static const char *ask_as(const char *url, const char *sql)
{
    PGconn *link = PQconnectdb(url);
    PGresult *result = PQexec(link, sql);
    const char *answer = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!answer)
        answer = PQntuples(result) ? PQgetvalue(result, 0, 0) : PQcmdStatus(result);
    if (PQstatus(link) != CONNECTION_OK)
        answer = PQerrorMessage(link);
    char *copy = str_to_c(arena, str_of(answer));
    PQclear(result);
    PQfinish(link);
    return copy;
}

static const char *ask(const char *sql)
{
    return ask_as(database_url, sql);
}

/* Each test has a database and a folder to itself. */
static void make_database(void)
{
    arena = arena_open();
    faults = text_open(arena, 256);
    snprintf(directory, sizeof directory, "/tmp/shimin-migrations-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_str_eq(ask_as(server.url, str_printf(arena, "CREATE DATABASE test_%d", getpid()).at), "CREATE DATABASE");
    snprintf(database_url, sizeof database_url, "host=%s user=owner dbname=test_%d", server.directory, getpid());
}

static void remove_database(void)
{
    ck_assert_int_eq(system(str_printf(arena, "rm -rf %s", directory).at), 0);
    arena_close(arena);
}

static void put(const char *file, const char *sql)
{
    FILE *out = fopen(str_printf(arena, "%s/%s", directory, file).at, "w");
    fputs(sql, out);
    fclose(out);
}

static bool run(bool list_only, char **said)
{
    size_t size;
    FILE *out = open_memstream(said, &size);
    bool done = migrate(&(struct migrate_settings){.directory = directory, .owner = database_url, .list_only = list_only}, out,
                        &faults);
    fclose(out);
    return done;
}

static bool migrates(void)
{
    char *said;
    bool done = run(false, &said);
    free(said);
    return done;
}

#define ASSERT_FAULT(words) ck_assert_msg(strstr(faults.at, words), "\"%s\" is not in: %s", words, faults.at)

START_TEST(a_fresh_database_gets_every_file_once)
{
    put("0001_first.sql", "CREATE TABLE first (n int); INSERT INTO first VALUES (1);");
    put("0002_second.sql", "INSERT INTO first VALUES (2);");
    char *said;
    ck_assert(run(true, &said));
    ck_assert_str_eq(said, "pending 0001_first.sql\npending 0002_second.sql\n");
    free(said);
    ck_assert_str_eq(ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'shimin'"), "0");
    ck_assert(migrates());
    ck_assert(migrates());
    ck_assert_str_eq(ask("SELECT sum(n) FROM first"), "3");
    put("0003_third.sql", "INSERT INTO first VALUES (4);");
    ck_assert(run(true, &said));
    ck_assert_str_eq(said, "applied 0001_first.sql\napplied 0002_second.sql\npending 0003_third.sql\n");
    free(said);
    ck_assert(migrates());
    ck_assert_str_eq(ask("SELECT sum(n) FROM first"), "7");
    ck_assert_uint_eq(faults.len, 0);
}
END_TEST

START_TEST(a_file_that_was_edited_after_it_was_applied_is_refused)
{
    put("0001_first.sql", "SELECT 1;");
    ck_assert(migrates());
    put("0001_first.sql", "SELECT 2;");
    put("0002_second.sql", "CREATE TABLE second ();");
    ck_assert(!migrates());
    ASSERT_FAULT("0001_first.sql was edited after it was applied");
    ck_assert_str_eq(ask("SELECT to_regclass('second') IS NULL"), "t");
}
END_TEST

START_TEST(a_file_that_was_applied_and_is_gone_is_refused)
{
    put("0001_first.sql", "SELECT 1;");
    put("0002_second.sql", "SELECT 1;");
    ck_assert(migrates());
    unlink(str_printf(arena, "%s/0002_second.sql", directory).at);
    ck_assert(!migrates());
    ASSERT_FAULT("0002_second.sql is missing");
}
END_TEST

START_TEST(a_gap_a_double_and_a_strange_name_are_refused_before_anything_is_applied)
{
    put("0001_first.sql", "CREATE TABLE first ();");
    put("0003_third.sql", "SELECT 1;");
    ck_assert(!migrates());
    ASSERT_FAULT("0003_third.sql: number 0002 is missing before it");
    put("0002_second.sql", "SELECT 1;");
    put("0002_zweitens.sql", "SELECT 1;");
    ck_assert(!migrates());
    ASSERT_FAULT("0002_zweitens.sql: number 0003 is there already");
    put("new.sql", "SELECT 1;");
    ck_assert(!migrates());
    ASSERT_FAULT("new.sql: the name must be");
    ck_assert_str_eq(ask("SELECT to_regclass('first') IS NULL"), "t");
}
END_TEST

START_TEST(a_file_that_fails_leaves_nothing_and_says_where)
{
    put("0001_first.sql", "CREATE TABLE first ();");
    put("0002_second.sql", "CREATE TABLE second ();\n-- 市民\nSELECT\n  nonsense;\n");
    put("0003_third.sql", "CREATE TABLE third ();");
    ck_assert(!migrates());
    ASSERT_FAULT("0002_second.sql:4: column \"nonsense\" does not exist");
    ck_assert_str_eq(
        ask("SELECT to_regclass('first') IS NOT NULL AND to_regclass('second') IS NULL AND to_regclass('third') IS NULL"), "t");
    ck_assert_str_eq(ask("SELECT string_agg(name, ',') FROM shimin.schema_migration"), "first");
    put("0002_second.sql", "CREATE TABLE second ();");
    ck_assert(migrates());
    ck_assert_str_eq(ask("SELECT to_regclass('third') IS NOT NULL"), "t");
}
END_TEST

START_TEST(a_file_may_not_end_its_transaction)
{
    put("0001_first.sql", "SELECT 1; COMMIT; SELECT 2;");
    ck_assert(!migrates());
    ASSERT_FAULT("0001_first.sql: ends the transaction it runs in");
    ck_assert_str_eq(ask("SELECT count(*) FROM shimin.schema_migration"), "0");
}
END_TEST

/* ---- the project's own schema ---- */

static void migrate_project(char *application, size_t size)
{
    snprintf(application, size, "host=%s dbname=test_%d user=gateway_%d password=secret", server.directory, getpid(), getpid());
    struct migrate_settings settings = {.directory = MIGRATIONS, .owner = database_url, .application = application};
    char *said;
    for (int i = 0; i < 2; i++) {
        size_t length;
        FILE *out = open_memstream(&said, &length);
        bool done = migrate(&settings, out, &faults);
        fclose(out);
        free(said);
        ck_assert_msg(done, "%s", faults.at);
    }
}

START_TEST(the_application_may_serve_but_not_rewrite_history)
{
    static const struct {
        const char *sql, *answer;
    } table[] = {
        {"SELECT shimin.catalogue_document() ->> 'version'", "1"},
        {"INSERT INTO shimin.category VALUES ('x', 1, '民生', 'Life')", "INSERT 0 1"},
        {"INSERT INTO shimin.contract (department, version, name, bytes) VALUES ('bus', '1', 'bus.yaml', 'abc')", "INSERT 0 1"},
        {"INSERT INTO shimin.department SELECT 'bus', 1, '{\"name\": {\"zh\": \"公交\", \"en\": \"Bus\"}}', sha256 FROM "
         "shimin.contract",
         "INSERT 0 1"},
        {"INSERT INTO shimin.service VALUES ('ride', 'bus', 1, '{\"slug\": \"ride\", \"category\": \"x\"}')", "INSERT 0 1"},
        {"INSERT INTO shimin.service VALUES ('walk', 'bus', 1, '{\"slug\": \"walk\", \"category\": \"y\"}')", "23503"},
        {"INSERT INTO shimin.area VALUES ('510100', '成都市', 'city', NULL), ('510104', '锦江区', 'district', '510100')",
         "INSERT 0 2"},
        {"INSERT INTO shimin.switch (scope, target, position, set_by) VALUES ('service', 'ride', 'off', 'li')", "42501"},
        {"SELECT shimin.switch_set('{\"scope\": \"service\", \"target\": \"ride\", \"position\": \"open\"}', 'li', "
         "'{\"second_person_above\": 5}') ? 'switch'",
         "t"},
        {"SELECT shimin.switch_set('{\"scope\": \"service\", \"target\": \"ride\", \"position\": \"read_only\", "
         "\"reason\": {\"zh\": \"x\", \"en\": \"x\"}}', 'li', '{\"second_person_above\": 5}') ? 'switch'",
         "t"},
        {"SELECT shimin.switches_document() #>> '{switches,0,position}'", "read_only"},
        {"SELECT shimin.switches_document() ->> 'switches_version'", "3"},
        {"SELECT shimin.catalogue_document() ->> 'version'", "5"},
        {"SELECT shimin.catalogue_document() #>> '{departments,0,contract,sha256}'",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"SELECT shimin.catalogue_document() #>> '{services,0,department}'", "bus"},
        {"SELECT shimin.catalogue_document() -> 'areas' ->> 1", "[\"510104\", \"锦江区\", \"district\", \"510100\"]"},
        {"UPDATE shimin.catalogue_state SET version = 1", "42501"},
        {"UPDATE shimin.switch SET set_by = 'wang'", "42501"},
        {"DELETE FROM shimin.contract", "42501"},
        {"INSERT INTO shimin.audit (id, actor, action, result, prev_hash, hash) VALUES (7, 'li', 'switch', 'ok', '', 'forged')",
         "42501"},
        {"SELECT shimin.audit_append(jsonb_agg(jsonb_build_object('id', gen_random_uuid(), 'at', extract(epoch FROM "
         "now())::bigint * 1000000, "
         "'actor', 'li', 'action', 'switch', 'address', '::1', 'status', '200', 'trace_id', n::text))) FROM generate_series(1, "
         "3) n",
         "3"},
        {"SELECT shimin.audit_append((SELECT jsonb_agg(jsonb_build_object('id', record, 'at', extract(epoch FROM "
         "occurred_at)::bigint * 1000000, 'action', action, 'status', '200')) FROM shimin.audit WHERE id > 2) || "
         "jsonb_build_array(jsonb_build_object('id', gen_random_uuid(), 'at', extract(epoch FROM now())::bigint * 1000000, "
         "'session', '市', 'action', 'switch', 'status', '200', 'detail', 'a b')))",
         "1"},
        {"SELECT string_agg(first_id || '-' || last_id, ' ' ORDER BY last_id) FROM shimin.audit_link", "1-3 4-4"},
        /* rule 3 of 0017_audit_links.sql, written a second time */
        {"SELECT count(*) FROM shimin.audit_link l WHERE hash = sha256(prev_hash || (SELECT string_agg(convert_to(id || ' ' || "
         "extract(epoch FROM occurred_at)::bigint * 1000000 || ' 36 ' || length(actor) || ' ' || length(action) || ' ' || "
         "length(object) || ' ' || length(address) || ' ' || length(result) || ' ' || length(trace_id) || ' ' || "
         "length(detail) || ' ' || record || actor || action || object || address || result || trace_id || detail, 'UTF8'), '' "
         "ORDER BY id) FROM shimin.audit WHERE id BETWEEN first_id AND last_id))",
         "2"},
        {"SELECT count(*) FROM shimin.audit_link a JOIN shimin.audit_link b ON b.first_id = a.last_id + 1 AND b.prev_hash = "
         "a.hash "
         "JOIN shimin.audit_head h ON h.id = b.last_id AND h.hash = b.hash",
         "1"},
        {"UPDATE shimin.audit_head SET id = 0", "42501"},
        {"INSERT INTO shimin.audit_link VALUES (9, 5, 3, '', '')", "42501"},
        {"UPDATE shimin.audit SET actor = 'wang'", "42501"},
        {"INSERT INTO shimin.footprint (citizen_id, service_slug, department_slug, reader, purpose, trace_id) "
         "VALUES (gen_random_uuid(), 'ride', 'bus', 'bus', 'ride', '0')",
         "INSERT 0 1"},
        {"DELETE FROM shimin.footprint", "42501"},
        {"TRUNCATE shimin.footprint", "42501"},
        {"SELECT shimin.create_partitions(13)", "2"},
        {"CREATE TABLE shimin.mine ()", "42501"},
        {"DELETE FROM shimin.schema_migration", "42501"},
        {"INSERT INTO shimin.place (service_slug, id, name, position, opening, as_of, source) VALUES "
         "('ride', '1', 'Stop', 'POINT(104.06 30.67)', '{[540,1020)}', now(), 'bus')",
         "INSERT 0 1"},
        {"SELECT count(*) FROM shimin.place WHERE opening @> 600 AND ST_DWithin(position, 'POINT(104.06 30.68)', 2000)", "1"},
        {"INSERT INTO shimin.place (service_slug, id, name, opening, as_of, source) VALUES ('ride', '2', 'x', '{[0,20000)}', "
         "now(), 'bus')",
         "23514"},
    };
    char application[240];
    migrate_project(application, sizeof application);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const char *answer = ask_as(application, table[i].sql);
        ck_assert_msg(!strcmp(answer, table[i].answer), "%s\ngives %s, not %s", table[i].sql, answer, table[i].answer);
    }
    /* not even the owner, short of dropping a trigger */
    ck_assert_str_eq(ask("UPDATE shimin.audit SET actor = 'wang'"), "23001");
    ck_assert_str_eq(ask("DELETE FROM shimin.footprint"), "23001");
    ck_assert_str_eq(ask("TRUNCATE shimin.switch CASCADE"), "23001");
    ck_assert_str_eq(ask("DO $$ BEGIN EXECUTE format('TRUNCATE shimin.%I', 'audit' || to_char(now() AT TIME ZONE "
                         "'Asia/Shanghai', '_YYYY_MM')); END $$"),
                     "23001");
}
END_TEST

START_TEST(the_application_must_be_somebody_else_than_the_owner)
{
    char application[240];
    migrate_project(application, sizeof application);
    struct migrate_settings settings = {.directory = MIGRATIONS, .owner = database_url, .application = database_url};
    ck_assert(!migrate(&settings, stderr, &faults));
    ASSERT_FAULT("must not log in as owner");
}
END_TEST

static const struct pg_statement good = {"test.good", "SELECT $1::int + $2::int", 2};
static const struct pg_statement bad = {"test.bad", "SELECT nothing FROM nowhere", 0};
static const struct pg_statement miscounted = {"test.miscounted", "SELECT $1::int", 3};
STATEMENT_REGISTER(good);
STATEMENT_REGISTER(bad);
STATEMENT_REGISTER(miscounted);

START_TEST(every_statement_of_the_program_is_checked_against_the_schema)
{
    const struct pg_statement *const *all;
    ck_assert_uint_eq(statements_all(&all), 3);
    ck_assert(!statements_check(database_url, &faults));
    ASSERT_FAULT("test.bad: ERROR:  relation \"nowhere\" does not exist");
    ASSERT_FAULT("test.miscounted: takes 1 parameters, not 3");
    ck_assert_ptr_null(strstr(faults.at, "test.good"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("migrations");
    TCase *tests = tcase_create("migrate");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, create_server, destroy_server);
    tcase_add_checked_fixture(tests, make_database, remove_database);
    tcase_add_test(tests, a_fresh_database_gets_every_file_once);
    tcase_add_test(tests, a_file_that_was_edited_after_it_was_applied_is_refused);
    tcase_add_test(tests, a_file_that_was_applied_and_is_gone_is_refused);
    tcase_add_test(tests, a_gap_a_double_and_a_strange_name_are_refused_before_anything_is_applied);
    tcase_add_test(tests, a_file_that_fails_leaves_nothing_and_says_where);
    tcase_add_test(tests, a_file_may_not_end_its_transaction);
    tcase_add_test(tests, the_application_may_serve_but_not_rewrite_history);
    tcase_add_test(tests, the_application_must_be_somebody_else_than_the_owner);
    tcase_add_test(tests, every_statement_of_the_program_is_checked_against_the_schema);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
