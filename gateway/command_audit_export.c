/* shimin audit export: records as signed JSON Lines. */
#include "command_audit.h"
#include "edge/audit_export.h"
#include "owner.h"

#include <shimin/clock.h>
#include <shimin/id.h>

#include <stdio.h>
#include <stdlib.h>

static bool write_page(FILE *out, struct audit_export_job *job, const PGresult *page)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text lines = text_open(arena, 256 * 1024);
    for (int i = 0; i < PQntuples(page); i++) {
        text_add_c(&lines, PQgetvalue(page, i, 0));
        text_add_char(&lines, '\n');
    }
    audit_export_add(job, text_str(&lines), (size_t)PQntuples(page));
    return fwrite(lines.at, 1, lines.len, out) == lines.len;
}

static bool write_rows(FILE *out, struct audit_export_job *job, PGconn *connection, int64_t from, int64_t to, int64_t head)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const char *cursor = str_printf(arena,
                                    "DECLARE exported NO SCROLL CURSOR FOR SELECT shimin.audit_json(a) FROM shimin.audit a "
                                    "WHERE occurred_at >= to_timestamp(%lld.%06lld) AND occurred_at < "
                                    "to_timestamp(%lld.%06lld) AND id <= %lld ORDER BY occurred_at, id",
                                    (long long)(from / seconds(1)), (long long)(from % seconds(1)),
                                    (long long)(to / seconds(1)), (long long)(to % seconds(1)), (long long)head)
                             .at;
    if (!owner_run(connection, cursor, NULL, 0))
        return false;
    for (;;) {
        CLEANUP(audit_clear) PGresult *page = owner_query(connection, "FETCH 1000 FROM exported", NULL, 0);
        if (!page || !PQntuples(page))
            return page != NULL;
        if (!write_page(out, job, page)) {
            perror("shimin audit");
            return false;
        }
    }
}

static bool export_to(FILE *out, struct arena *arena, PGconn *connection, const struct record_key *key, int64_t from,
                      int64_t to)
{
    uint8_t hash[DIGEST_SIZE];
    CLEANUP(audit_clear)
    PGresult *head = owner_query(connection, "SELECT id, encode(hash, 'hex') FROM shimin.audit_head", NULL, 0);
    if (!head || PQntuples(head) != 1 || !hex_decode(str_of(PQgetvalue(head, 0, 1)), hash, DIGEST_SIZE))
        return false;
    const struct audit_export end = {.from = from,
                                     .to = to,
                                     .head_id = atoll(PQgetvalue(head, 0, 0)),
                                     .head_hash = {(const char *)hash, DIGEST_SIZE},
                                     .made_by = operator_label(arena)};
    struct audit_export_job *job = audit_export_begin(arena, key, &end);
    if (!write_rows(out, job, connection, from, to, end.head_id))
        return false;
    struct str last = audit_export_end(job, arena);
    return last.at && fwrite(last.at, 1, last.len, out) == last.len && fflush(out) == 0;
}

int audit_export(struct arena *arena, const struct config *config, int argc, char **argv)
{
    const char *from_text = option_take(&argc, argv, "--from"), *to_text = option_take(&argc, argv, "--to");
    int64_t from = 0, to = clock_wall();
    if (argc > 1 || (from_text && !time_parse_rfc3339(str_of(from_text), &from)) ||
        (to_text && !time_parse_rfc3339(str_of(to_text), &to)) || from > to)
        return usage_fault(&command_audit,
                           "export takes --from and --to, times such as 2026-03-01T00:00:00+08:00, and one file");
    const struct record_key *key = audit_own_key(arena, config);
    CLEANUP(owner_close) PGconn *connection = key ? application_connect(config) : NULL;
    FILE *out = !connection ? NULL : argc ? fopen(argv[0], "wx") : stdout;
    if (!out) {
        if (connection)
            perror(argv[0]);
        return EXIT_FAILED;
    }
    bool good = owner_run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0) &&
                export_to(out, arena, connection, key, from, to) && owner_run(connection, "COMMIT", NULL, 0);
    if (out != stdout && fclose(out) != 0)
        good = false;
    return good && operator_record(connection, "exportAudit", "audit", "done", NULL) ? EXIT_DONE : EXIT_FAILED;
}
