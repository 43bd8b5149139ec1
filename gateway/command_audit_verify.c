/* shimin audit verify: proves the chain from what the rows hold, or names the first broken link. */
#include "command_audit.h"
#include "edge/audit_chain.h"
#include "edge/audit_seal.h"
#include "owner.h"

#include <shimin/clock.h>
#include <shimin/file.h>
#include <shimin/id.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH INT64_C(946684800000000) /* 2000-01-01, Postgres' zero, in microseconds since 1970 */
#define RETENTION (INT64_C(183) * 86400000000)
enum { PAGE = 4096, PROGRESS_SECONDS = 5, WITNESS_BYTES = 64 << 20 };

/* One of the cursors: rows, links and checkpoints are read side by side, a page of each at a time. */
struct reader {
    PGconn *connection;
    const char *fetch;
    PGresult *page;
    int at;
    bool failed;
};

struct verify {
    struct arena *arena;
    PGconn *connection;
    const struct record_keys *keys;
    struct reader rows, links, checkpoints;
    struct audit_proof *proof;
    int64_t start, stop; /* behind this id; up to this one, INT64_MAX for all */
    int64_t head;
    int64_t link_count, checkpoint_count, last_signed;
    struct audit_checkpoint *witnesses; /* kept elsewhere, in the order of audit_id */
    size_t witness_count, witness_at;
    int64_t began, told;
    struct str fault;
};

/* ---- reading ---- */

static PGresult *ask(PGconn *connection, const char *sql)
{
    PGresult *result = PQexecParams(connection, sql, 0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK)
        return result;
    fprintf(stderr, "shimin audit: Postgres refused: %s", PQerrorMessage(connection));
    PQclear(result);
    return NULL;
}

/* The next row is at reader->at of its page; false at the end. */
static bool reader_peek(struct reader *reader)
{
    if (reader->page && reader->at < PQntuples(reader->page))
        return true;
    PQclear(reader->page);
    reader->page = reader->failed ? NULL : ask(reader->connection, reader->fetch);
    reader->failed = !reader->page;
    reader->at = 0;
    return reader->page && PQntuples(reader->page);
}

static struct str value(const struct reader *reader, int column)
{
    if (PQgetisnull(reader->page, reader->at, column))
        return STR_NONE;
    return (struct str){PQgetvalue(reader->page, reader->at, column), (size_t)PQgetlength(reader->page, reader->at, column)};
}

static int64_t integer(const struct reader *reader, int column)
{
    return audit_integer(PQgetvalue(reader->page, reader->at, column));
}

static struct audit_row row_of(const struct reader *reader)
{
    return (struct audit_row){.id = integer(reader, 0),
                              .at = integer(reader, 1) + EPOCH,
                              .record = value(reader, 2),
                              .actor = value(reader, 3),
                              .action = value(reader, 4),
                              .object = value(reader, 5),
                              .address = value(reader, 6),
                              .result = value(reader, 7),
                              .trace_id = value(reader, 8),
                              .detail = value(reader, 9),
                              .prev_hash = value(reader, 10),
                              .hash = value(reader, 11)};
}

static struct audit_link link_of(const struct reader *reader)
{
    return (struct audit_link){.first_id = integer(reader, 0),
                               .last_id = integer(reader, 1),
                               .rule = integer(reader, 2),
                               .prev_hash = value(reader, 3),
                               .hash = value(reader, 4)};
}

static struct audit_checkpoint checkpoint_of(const struct reader *reader)
{
    return (struct audit_checkpoint){.audit_id = integer(reader, 0),
                                     .hash = value(reader, 1),
                                     .key_id = value(reader, 2),
                                     .signature = value(reader, 3),
                                     .signed_at = integer(reader, 4) + EPOCH};
}

#define CHECKPOINT "SELECT audit_id, hash, convert_to(key_id, 'UTF8'), signature, signed_at FROM shimin.audit_checkpoint "

static bool open_readers(struct verify *verify)
{
    long long start = verify->start;
    const char *rows =
        str_printf(verify->arena,
                   "DECLARE audit_rows NO SCROLL CURSOR FOR SELECT id, occurred_at, record::text, actor, action, object, "
                   "address, result, trace_id, detail, prev_hash, hash FROM shimin.audit WHERE id > %lld ORDER BY id",
                   start)
            .at;
    const char *links =
        str_printf(verify->arena,
                   "DECLARE audit_links NO SCROLL CURSOR FOR SELECT first_id, last_id, rule::bigint, prev_hash, hash "
                   "FROM shimin.audit_link WHERE last_id > %lld ORDER BY last_id",
                   start)
            .at;
    const char *checkpoints =
        str_printf(verify->arena,
                   "DECLARE audit_checkpoints NO SCROLL CURSOR FOR " CHECKPOINT "WHERE audit_id >= %lld ORDER BY audit_id, id",
                   start)
            .at;
    verify->rows = (struct reader){.connection = verify->connection, .fetch = "FETCH 4096 FROM audit_rows"};
    verify->links = (struct reader){.connection = verify->connection, .fetch = "FETCH 1024 FROM audit_links"};
    verify->checkpoints = (struct reader){.connection = verify->connection, .fetch = "FETCH 1024 FROM audit_checkpoints"};
    return owner_run(verify->connection, rows, NULL, 0) && owner_run(verify->connection, links, NULL, 0) &&
           owner_run(verify->connection, checkpoints, NULL, 0);
}

static void close_readers(struct verify *verify)
{
    PQclear(verify->rows.page);
    PQclear(verify->links.page);
    PQclear(verify->checkpoints.page);
}

/* ---- what is broken ---- */

#define BROKEN(verify, ...) broken((verify), str_printf((verify)->arena, __VA_ARGS__))

static bool broken(struct verify *verify, struct str what)
{
    verify->fault = what;
    return false;
}

static bool check_signature(struct verify *verify, const struct audit_checkpoint *checkpoint, const char *kind)
{
    const char *what = NULL;
    switch (record_keys_verify(verify->keys, checkpoint->key_id, audit_checkpoint_text(verify->arena, checkpoint),
                               checkpoint->signature)) {
    case RECORD_GOOD:
        return true;
    case RECORD_FORGED:
        what = "its signature does not fit";
        break;
    case RECORD_KEY_UNKNOWN:
        what = "its key is not known here (--public-key)";
    }
    return BROKEN(verify, "%s at row %lld of %.*s, key %.*s: %s", kind, (long long)checkpoint->audit_id,
                  STR_ARG(time_rfc3339_micro(verify->arena, checkpoint->signed_at)), STR_ARG(checkpoint->key_id), what);
}

/* A checkpoint of the row that the proof has reached, or has passed. */
static bool check_checkpoint(struct verify *verify, const struct audit_checkpoint *checkpoint, const char *kind)
{
    if (!check_signature(verify, checkpoint, kind))
        return false;
    const char *what = NULL;
    if (checkpoint->audit_id > audit_proof_id(verify->proof))
        what = "the chain ends before it";
    else if (checkpoint->audit_id != audit_proof_id(verify->proof))
        what = "it signs no end of a link";
    else if (checkpoint->hash.len != DIGEST_SIZE ||
             memcmp(checkpoint->hash.at, audit_proof_hash(verify->proof), DIGEST_SIZE) != 0)
        what = "the chain's hash there is another than was signed";
    if (what)
        return BROKEN(verify, "%s at row %lld of %.*s: %s", kind, (long long)checkpoint->audit_id,
                      STR_ARG(time_rfc3339_micro(verify->arena, checkpoint->signed_at)), what);
    verify->checkpoint_count++;
    verify->last_signed = checkpoint->audit_id;
    return true;
}

/* All up to `id`, which is the end of a link. */
static bool check_checkpoints(struct verify *verify, int64_t id)
{
    for (; reader_peek(&verify->checkpoints) && integer(&verify->checkpoints, 0) <= id; verify->checkpoints.at++) {
        const struct audit_checkpoint checkpoint = checkpoint_of(&verify->checkpoints);
        if (!check_checkpoint(verify, &checkpoint, "checkpoint"))
            return false;
    }
    for (; verify->witness_at < verify->witness_count && verify->witnesses[verify->witness_at].audit_id <= id;
         verify->witness_at++)
        if (verify->witnesses[verify->witness_at].audit_id >= verify->start &&
            !check_checkpoint(verify, &verify->witnesses[verify->witness_at], "checkpoint kept elsewhere"))
            return false;
    return !verify->checkpoints.failed;
}

/* ---- the walk ---- */

static void tell_progress(struct verify *verify)
{
    int64_t now = clock_steady();
    if (now - verify->told < seconds(PROGRESS_SECONDS))
        return;
    verify->told = now;
    fprintf(stderr, "row %lld of %lld, %.0f rows a second\n", (long long)audit_proof_id(verify->proof), (long long)verify->head,
            (double)audit_proof_rows(verify->proof) * 1e6 / (double)(now - verify->began));
}

static bool prove(struct verify *verify, bool good)
{
    return good || broken(verify, audit_proof_fault(verify->proof));
}

static bool give_links(struct verify *verify, int64_t first)
{
    for (; !audit_proof_in_link(verify->proof) && reader_peek(&verify->links) && integer(&verify->links, 0) <= first;
         verify->links.at++, verify->link_count++) {
        const struct audit_link link = link_of(&verify->links);
        if (!prove(verify, audit_proof_link(verify->proof, &link)))
            return false;
    }
    return !verify->links.failed;
}

static bool walk(struct verify *verify)
{
    for (; reader_peek(&verify->rows); verify->rows.at++) {
        const struct audit_row row = row_of(&verify->rows);
        if (row.id > verify->stop && !audit_proof_in_link(verify->proof))
            break;
        if (!give_links(verify, row.id) || !prove(verify, audit_proof_row(verify->proof, &row)))
            return false;
        if (!audit_proof_in_link(verify->proof) && !check_checkpoints(verify, row.id))
            return false;
        if (row.id % 1024 == 0)
            tell_progress(verify);
    }
    return !verify->rows.failed;
}

/* What may still lie behind the last row: links without rows, a head or a checkpoint that knows of more. */
static bool check_end(struct verify *verify, struct str head_hash)
{
    int64_t last = audit_proof_id(verify->proof);
    if (!prove(verify, audit_proof_end(verify->proof)))
        return false;
    if (last > verify->stop || verify->stop != INT64_MAX)
        return last >= verify->stop ||
               BROKEN(verify, "rows %lld to %lld are missing", (long long)last + 1, (long long)verify->stop);
    if (reader_peek(&verify->links))
        return BROKEN(verify, "link %lld to %lld: its rows are missing", (long long)integer(&verify->links, 0),
                      (long long)integer(&verify->links, 1));
    if (last < verify->head)
        return BROKEN(verify, "rows %lld to %lld are missing: the chain's head knows of them", (long long)last + 1,
                      (long long)verify->head);
    if (last > verify->head || head_hash.len != DIGEST_SIZE ||
        memcmp(head_hash.at, audit_proof_hash(verify->proof), DIGEST_SIZE) != 0)
        return BROKEN(verify, "the head (row %lld) is not the end of the chain (row %lld)", (long long)verify->head,
                      (long long)last);
    return check_checkpoints(verify, INT64_MAX);
}

/* ---- where it begins and ends ---- */

/* A single number of a statement; `fallback` for NULL or no row. */
static bool ask_number(struct verify *verify, const char *sql, int64_t fallback, int64_t *number)
{
    CLEANUP(audit_clear) PGresult *result = ask(verify->connection, sql);
    *number = result && PQntuples(result) && !PQgetisnull(result, 0, 0) ? audit_integer(PQgetvalue(result, 0, 0)) : fallback;
    return result != NULL;
}

/* "1200" or a time: the first record at or after it. */
static bool read_bound(struct verify *verify, const char *words, bool is_end, int64_t *id)
{
    int64_t wall;
    if (str_to_i64(str_of(words), id))
        return *id > 0;
    if (!time_parse_rfc3339(str_of(words), &wall))
        return false;
    const char *sql = str_printf(verify->arena,
                                 is_end ? "SELECT max(id) FROM shimin.audit WHERE occurred_at < to_timestamp(%lld.%06lld)"
                                        : "SELECT min(id) FROM shimin.audit WHERE occurred_at >= to_timestamp(%lld.%06lld)",
                                 (long long)(wall / seconds(1)), (long long)(wall % seconds(1)))
                          .at;
    return ask_number(verify, sql, is_end ? 0 : INT64_MAX, id);
}

/* Begins behind the one checkpoint of a statement, if its signature is good. *found says whether there is one. */
static bool anchor_at(struct verify *verify, const char *sql, uint8_t hash[DIGEST_SIZE], bool *found)
{
    struct reader one = {.connection = verify->connection, .fetch = sql};
    bool good = true;
    *found = reader_peek(&one);
    if (*found) {
        const struct audit_checkpoint checkpoint = checkpoint_of(&one);
        good = check_signature(verify, &checkpoint, "checkpoint") && checkpoint.hash.len == DIGEST_SIZE;
        verify->start = checkpoint.audit_id;
        if (good)
            memcpy(hash, checkpoint.hash.at, DIGEST_SIZE);
    }
    PQclear(one.page);
    return good && !one.failed;
}

/* Months whose time is over are gone: the chain begins at the first checkpoint that was signed after what is gone, and that
 * must be older than the retention, or somebody has deleted what had to stay. */
static bool anchor_kept(struct verify *verify, int64_t first, uint8_t hash[DIGEST_SIZE])
{
    bool found;
    const char *sql =
        str_printf(
            verify->arena,
            CHECKPOINT
            "WHERE audit_id >= %lld AND signed_at < to_timestamp(%lld) AND signed_at >= coalesce((SELECT "
            "to_date(min(right(c.relname, 7)), "
            "'YYYY_MM')::timestamp AT TIME ZONE 'Asia/Shanghai' FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'shimin.audit'::regclass), '-infinity') ORDER BY audit_id, id LIMIT 1",
            (long long)first - 1, (long long)((clock_wall() - RETENTION) / seconds(1)))
            .at;
    if (!anchor_at(verify, sql, hash, &found))
        return false;
    if (!found)
        return BROKEN(verify, "rows 1 to %lld are missing, and no checkpoint older than the retention (183 days) signs them",
                      (long long)first - 1);
    printf("rows before %lld are not there any more, or not proved: the chain begins at a signed checkpoint\n",
           (long long)verify->start + 1);
    return true;
}

static bool find_start(struct verify *verify, int64_t from, uint8_t hash[DIGEST_SIZE])
{
    int64_t first;
    bool found;
    memset(hash, 0, DIGEST_SIZE);
    if (!ask_number(verify, "SELECT id FROM shimin.audit ORDER BY id LIMIT 1", 1, &first))
        return false;
    if (from > first)
        return anchor_at(verify,
                         str_printf(verify->arena,
                                    CHECKPOINT
                                    "WHERE audit_id < %lld AND audit_id >= %lld ORDER BY audit_id DESC, id DESC LIMIT 1",
                                    (long long)from, (long long)first - 1)
                             .at,
                         hash, &found) &&
               (found || first == 1 || anchor_kept(verify, first, hash));
    return first == 1 || anchor_kept(verify, first, hash);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct audit_checkpoint *)a)->audit_id, y = ((const struct audit_checkpoint *)b)->audit_id;
    return x < y ? -1 : x > y;
}

/* Checkpoints that left the machine: lines of the log, or of `shimin audit checkpoint`; other lines are passed over. */
static bool read_witnesses(struct verify *verify, const char *path)
{
    struct str bytes;
    const char *fault = file_read(verify->arena, path, WITNESS_BYTES, FILE_PUBLIC, &bytes);
    if (fault) {
        fprintf(stderr, "shimin audit: %s: %s\n", path, fault);
        return false;
    }
    size_t room = 0;
    struct json_error error;
    while (bytes.at && bytes.len) {
        const struct json *json = json_parse(verify->arena, str_cut(&bytes, '\n'), &json_limits_document, &error);
        struct audit_checkpoint checkpoint;
        if (!json || !audit_checkpoint_read(verify->arena, json, &checkpoint))
            continue;
        if (verify->witness_count == room) {
            size_t more = room ? room * 2 : 64;
            verify->witnesses =
                arena_grow(verify->arena, verify->witnesses, room * sizeof checkpoint, more * sizeof checkpoint);
            room = more;
        }
        verify->witnesses[verify->witness_count++] = checkpoint;
    }
    if (verify->witness_count)
        qsort(verify->witnesses, verify->witness_count, sizeof *verify->witnesses, by_id);
    printf("%zu checkpoints kept elsewhere are compared\n", verify->witness_count);
    return true;
}

static void print_proof(const struct verify *verify)
{
    double took = (double)(clock_steady() - verify->began) / 1e6;
    int64_t last = audit_proof_id(verify->proof);
    struct str hash = hex_encode(verify->arena, audit_proof_hash(verify->proof), DIGEST_SIZE);
    printf("proved: rows %lld to %lld, %lld links, %lld checkpoints; %.1f s, %.0f rows a second\n",
           (long long)verify->start + 1, (long long)last, (long long)verify->link_count, (long long)verify->checkpoint_count,
           took, (double)audit_proof_rows(verify->proof) / (took > 0 ? took : 1));
    printf("end: row %lld, hash %.*s; %lld rows after the last checkpoint are chained and not yet signed\n", (long long)last,
           STR_ARG(hash), (long long)(last - (verify->last_signed > verify->start ? verify->last_signed : verify->start)));
}

static int run(struct verify *verify, int64_t from)
{
    uint8_t hash[DIGEST_SIZE];
    CLEANUP(audit_clear) PGresult *head = ask(verify->connection, "SELECT id, hash FROM shimin.audit_head");
    if (!head || PQntuples(head) != 1)
        return EXIT_FAILED;
    verify->head = audit_integer(PQgetvalue(head, 0, 0));
    bool good = find_start(verify, from, hash) && open_readers(verify);
    if (good) {
        CLEANUP(audit_proof_close) struct audit_proof *proof = audit_proof_open(verify->arena, verify->start, hash);
        verify->proof = proof;
        good = check_checkpoints(verify, verify->start) && walk(verify) &&
               check_end(verify, (struct str){PQgetvalue(head, 0, 1), (size_t)PQgetlength(head, 0, 1)});
        if (good)
            print_proof(verify);
        close_readers(verify);
    }
    if (verify->fault.at)
        printf("broken: %.*s\n", STR_ARG(verify->fault));
    return good ? EXIT_DONE : EXIT_FAILED;
}

int audit_verify(struct arena *arena, const struct config *config, int argc, char **argv)
{
    const char *from = option_take(&argc, argv, "--from"), *to = option_take(&argc, argv, "--to");
    const char *public_key = option_take(&argc, argv, "--public-key"), *witnesses = option_take(&argc, argv, "--checkpoints");
    if (argc)
        return usage_fault(&command_audit, "verify takes no further words");
    CLEANUP(owner_close) PGconn *connection = application_connect(config);
    struct verify verify = {
        .arena = arena, .connection = connection, .stop = INT64_MAX, .began = clock_steady(), .told = clock_steady()};
    int64_t first = 0;
    verify.keys = connection ? audit_keys(arena, config, public_key) : NULL;
    if (!verify.keys || !owner_run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0))
        return EXIT_FAILED;
    if ((from && !read_bound(&verify, from, false, &first)) || (to && !read_bound(&verify, to, true, &verify.stop)))
        return usage_fault(&command_audit, "--from and --to are ids, or times such as 2026-03-01T00:00:00+08:00");
    if (witnesses && !read_witnesses(&verify, witnesses))
        return EXIT_FAILED;
    int status = run(&verify, first);
    bool recorded = owner_run(connection, "COMMIT", NULL, 0) &&
                    operator_record(connection, "verifyAudit", "audit", status == EXIT_DONE ? "done" : "failed", NULL);
    return status == EXIT_DONE && recorded ? EXIT_DONE : EXIT_FAILED;
}
