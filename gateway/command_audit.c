/* shimin audit: prove the chain, sign its end, take records out of it. */
#include "command_audit.h"

#include "edge/audit_export.h"
#include "owner.h"

#include <shimin/clock.h>
#include <shimin/id.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void audit_clear(PGresult **result)
{
    PQclear(*result);
}

int64_t audit_integer(const char *bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return (int64_t)number;
}

struct record_key *audit_own_key(struct arena *arena, const struct config *config)
{
    struct text faults = text_open(arena, 256);
    const char *path = config_string(config, "audit.signing_key");
    struct record_key *key = path ? record_key_load(arena, path, &faults) : NULL;
    if (!key)
        fprintf(stderr, "shimin audit: %.*s",
                STR_ARG(path ? text_str(&faults) : STR("the configuration must name audit.signing_key\n")));
    return key;
}

struct record_keys *audit_keys(struct arena *arena, const struct config *config, const char *path)
{
    struct record_keys *keys = record_keys_open(arena);
    struct text faults = text_open(arena, 256);
    if (!path)
        path = config_string(config, "audit.public_keys");
    if (!path || !record_keys_add(keys, path, &faults)) {
        fprintf(stderr, "shimin audit: %.*s",
                STR_ARG(path ? text_str(&faults) : STR("say --public-key, or name audit.public_keys\n")));
        return NULL;
    }
    return keys;
}

static bool insert_checkpoint(struct arena *arena, PGconn *connection, const struct audit_checkpoint *checkpoint)
{
    const char *const values[] = {
        str_printf(arena, "%lld", (long long)checkpoint->audit_id).at,
        str_printf(arena, "\\x%.*s", STR_ARG(hex_encode(arena, checkpoint->hash.at, checkpoint->hash.len))).at,
        str_to_c(arena, checkpoint->key_id),
        str_printf(arena, "\\x%.*s", STR_ARG(hex_encode(arena, checkpoint->signature.at, checkpoint->signature.len))).at,
        str_to_c(arena, time_rfc3339_micro(arena, checkpoint->signed_at))};
    return owner_run(connection,
                     "INSERT INTO shimin.audit_checkpoint (audit_id, hash, key_id, signature, signed_at) "
                     "VALUES ($1::bigint, $2::bytea, $3, $4::bytea, $5::timestamptz)",
                     values, COUNT_OF(values));
}

static void print_checkpoint(struct arena *arena, const struct audit_checkpoint *checkpoint)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    audit_checkpoint_write(&out, checkpoint);
    json_end(&out);
    puts(text.at);
}

static int checkpoint(struct arena *arena, const struct config *config, int argc, char **argv)
{
    (void)argv;
    if (argc)
        return usage_fault(&command_audit, "checkpoint takes no further words");
    uint8_t hash[DIGEST_SIZE];
    const struct record_key *key = audit_own_key(arena, config);
    CLEANUP(owner_close) PGconn *connection = key ? application_connect(config) : NULL;
    if (!connection || !operator_record(connection, "signAudit", "audit", "done", NULL) ||
        !owner_run(connection, "BEGIN", NULL, 0) ||
        !owner_run(connection, "SELECT pg_advisory_xact_lock(hashtext('shimin.audit_checkpoint'))", NULL, 0))
        return EXIT_FAILED;
    CLEANUP(audit_clear)
    PGresult *head = owner_query(connection, "SELECT id, encode(hash, 'hex') FROM shimin.audit_head", NULL, 0);
    if (!head || PQntuples(head) != 1 || !hex_decode(str_of(PQgetvalue(head, 0, 1)), hash, DIGEST_SIZE))
        return EXIT_FAILED;
    struct audit_checkpoint made = {
        .audit_id = atoll(PQgetvalue(head, 0, 0)), .hash = {(const char *)hash, DIGEST_SIZE}, .signed_at = clock_wall()};
    if (!audit_checkpoint_sign(arena, key, &made) || !insert_checkpoint(arena, connection, &made) ||
        !owner_run(connection, "COMMIT", NULL, 0))
        return EXIT_FAILED;
    print_checkpoint(arena, &made);
    return EXIT_DONE;
}

static int check(struct arena *arena, const struct config *config, int argc, char **argv)
{
    const char *public_key = option_take(&argc, argv, "--public-key");
    if (argc != 1)
        return usage_fault(&command_audit, "check takes one file");
    const struct record_keys *keys = audit_keys(arena, config, public_key);
    FILE *file = keys ? fopen(argv[0], "r") : NULL;
    if (!file) {
        if (keys)
            perror(argv[0]);
        return EXIT_FAILED;
    }
    struct audit_export end;
    const char *fault = audit_export_check(arena, file, keys, &end);
    fclose(file);
    if (fault) {
        printf("%s: not as it was signed: %s\n", argv[0], fault);
        return EXIT_FAILED;
    }
    printf("%s: good: %lld records from %.*s to before %.*s, made by %.*s at %.*s, when the chain ended at row %lld\n", argv[0],
           (long long)end.count, STR_ARG(time_rfc3339(arena, end.from)), STR_ARG(time_rfc3339(arena, end.to)),
           STR_ARG(end.made_by), STR_ARG(time_rfc3339(arena, end.made_at)), (long long)end.head_id);
    return EXIT_DONE;
}

static const struct {
    const char *name;
    int (*run)(struct arena *arena, const struct config *config, int argc, char **argv);
} parts[] = {{"verify", audit_verify}, {"checkpoint", checkpoint}, {"export", audit_export}, {"check", check}};

static int run_audit(int argc, char **argv)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    for (size_t i = 0; argc && i < COUNT_OF(parts); i++)
        if (strcmp(argv[0], parts[i].name) == 0)
            return parts[i].run(arena, config, argc - 1, argv + 1);
    return usage_fault(&command_audit, "say verify, checkpoint, export or check");
}

const struct command command_audit = {
    .name = "audit",
    .usage = "verify [--from ID|TIME] [--to ID|TIME] [--public-key FILE] [--checkpoints FILE]\n"
             "       shimin audit checkpoint\n"
             "       shimin audit export [--from TIME] [--to TIME] [FILE]\n"
             "       shimin audit check [--public-key FILE] FILE",
    .summary = "Prove the audit's chain, sign its end, export records.",
    .help =
        "\nverify computes every hash anew from what the rows hold and proves the chain, or names the first broken link; 0: "
        "proved,\n"
        "1: broken. --public-key names a file or directory in place of audit.public_keys; --checkpoints a file of checkpoints "
        "that\n"
        "were kept elsewhere (the gateway's log): with them a tail that was cut off together with its checkpoints is found.\n"
        "checkpoint signs the chain's end now, and prints what was signed. export writes records as JSON Lines with a signed "
        "last\n"
        "line; check proves such a file without a database.\n",
    .run = run_audit,
};
