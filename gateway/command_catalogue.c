/* shimin catalogue check|plan|apply|export: the catalogue's files, proved, compared with Postgres, brought there, and written
 * from it. */
#include "command.h"

#include "catalogue/difference.h"
#include "catalogue/export.h"
#include "catalogue/files.h"
#include "federation/federation.h"
#include "owner.h"

#include <shimin/file.h>
#include <shimin/id.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Terraform's -detailed-exitcode: nothing to do is 0, something is 2. */
enum { EXIT_DIFFERENT = 2, FILE_MOST = 16 << 20 };

struct run {
    struct config *config;
    struct arena *arena;
    PGconn *connection;
    bool yes, json;
};

static bool read_paths(const struct config *config, struct catalogue_paths *paths)
{
    *paths = (struct catalogue_paths){
        .directory = config_string(config, "catalogue.directory"),
        .contracts = config_string(config, "catalogue.contracts"),
        .areas = config_string(config, "catalogue.areas"),
    };
    if (paths->directory && paths->contracts && paths->areas)
        return true;
    fputs("shimin catalogue: the configuration must name catalogue.directory, catalogue.contracts and catalogue.areas\n",
          stderr);
    return false;
}

static bool read_files(struct run *run, struct catalogue_files *files)
{
    struct catalogue_paths paths;
    struct text faults = text_open(run->arena, 4096);
    if (!read_paths(run->config, &paths))
        return false;
    federation_prepare();
    if (catalogue_files_read(run->arena, &paths, files, &faults))
        return true;
    fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
    return false;
}

static void clear_result(PGresult **result)
{
    PQclear(*result);
}

/* What Postgres has; NULL after saying why not. */
static const struct json *read_postgres(struct run *run)
{
    if (!run->connection)
        run->connection = owner_connect(run->config);
    CLEANUP(clear_result)
    PGresult *row = run->connection ? owner_query(run->connection, "SELECT shimin.catalogue_document()", NULL, 0) : NULL;
    struct json_error error;
    return row ? json_parse(run->arena, str_copy(run->arena, str_of(PQgetvalue(row, 0, 0))), &json_limits_document, &error)
               : NULL;
}

/* ---- the plan ---- */

/* What lies between Postgres and the files. */
struct plan {
    struct catalogue_files files;
    int64_t version; /* of what Postgres has */
    const struct json *changes;
    unsigned adds, changed, removes;
};

static bool make_plan(struct run *run, struct plan *plan)
{
    const struct json *now;
    struct json_error error;
    if (!read_files(run, &plan->files) || !(now = read_postgres(run)))
        return false;
    plan->version = json_get_integer(now, "version", 0);
    plan->changes =
        catalogue_difference(run->arena, now, json_parse(run->arena, plan->files.document, &json_limits_document, &error));
    for (uint32_t i = 0; i < plan->changes->count; i++) {
        struct str action = json_get_string(&plan->changes->items[i], "action", STR(""));
        plan->adds += str_is(action, "add");
        plan->changed += str_is(action, "change");
        plan->removes += str_is(action, "remove");
    }
    return true;
}

static void print_side(struct arena *arena, const struct json *value)
{
    if (value)
        printf("%.*s", STR_ARG(json_text(arena, value)));
    else
        fputs("(none)", stdout);
}

static void print_change(struct arena *arena, const struct json *change)
{
    struct str action = json_get_string(change, "action", STR(""));
    printf("%s %.*s %.*s\n",
           str_is(action, "add")      ? "+"
           : str_is(action, "remove") ? "-"
                                      : "~",
           STR_ARG(json_get_string(change, "kind", STR(""))), STR_ARG(json_get_string(change, "name", STR(""))));
    const struct json *fields = json_get(change, "fields");
    for (uint32_t i = 0; str_is(action, "change") && i < fields->count; i++) {
        const struct json *field = &fields->items[i];
        printf("    %.*s: ", STR_ARG(json_get_string(field, "path", STR(""))));
        print_side(arena, json_get(field, "from"));
        fputs(" -> ", stdout);
        print_side(arena, json_get(field, "to"));
        putchar('\n');
    }
}

static void print_plan(const struct run *run, const struct plan *plan)
{
    if (run->json) {
        printf("{\"version\":%" PRId64 ",\"changes\":%.*s}\n", plan->version, STR_ARG(json_text(run->arena, plan->changes)));
        return;
    }
    for (uint32_t i = 0; i < plan->changes->count; i++)
        print_change(run->arena, &plan->changes->items[i]);
    if (plan->changes->count)
        printf("%u to add, %u to change, %u to remove\n", plan->adds, plan->changed, plan->removes);
    else
        puts("no difference: Postgres has what the files say");
}

static int show_plan(struct run *run)
{
    struct plan plan = {0};
    if (!make_plan(run, &plan))
        return EXIT_FAILED;
    print_plan(run, &plan);
    return plan.changes->count ? EXIT_DIFFERENT : EXIT_DONE;
}

/* ---- carrying it out ---- */

static bool is_confirmed(const struct run *run)
{
    char answer[8] = "";
    if (run->yes)
        return true;
    fputs("Apply this? Only \"yes\" does. ", stdout);
    fflush(stdout);
    if (fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0)
        return true;
    fputs("shimin catalogue apply: nothing was changed\n", stderr);
    return false;
}

static bool store_contracts(struct run *run, const struct catalogue_files *files)
{
    struct arena *arena = run->arena;
    for (size_t i = 0; i < files->contract_count; i++) {
        const struct catalogue_contract *contract = &files->contracts[i];
        const char *values[] = {str_to_c(arena, contract->department), str_to_c(arena, contract->version),
                                str_to_c(arena, contract->name),
                                str_to_c(arena, base64_encode(arena, contract->bytes.at, contract->bytes.len))};
        if (!owner_run(
                run->connection,
                "INSERT INTO shimin.contract (department, version, name, bytes) VALUES ($1, $2, $3, decode($4, 'base64')) "
                "ON CONFLICT (department, sha256) DO NOTHING",
                values, COUNT_OF(values)))
            return false;
    }
    return true;
}

/* One transaction: gateways see the whole change or none of it. */
static bool carry_out(struct run *run, const struct plan *plan)
{
    struct arena *arena = run->arena;
    const char *values[] = {
        str_to_c(arena, plan->files.document),
        str_printf(arena, "%" PRId64, plan->version).at,
        operator_label(arena).at,
        str_printf(arena, "%u added, %u changed, %u removed", plan->adds, plan->changed, plan->removes).at,
    };
    if (!owner_run(run->connection, "BEGIN", NULL, 0) || !store_contracts(run, &plan->files))
        return false;
    CLEANUP(clear_result)
    PGresult *row = owner_query(run->connection, "SELECT shimin.catalogue_apply($1, $2, $3, $4)", values, COUNT_OF(values));
    if (!row)
        return false;
    if (strcmp(PQgetvalue(row, 0, 0), "t") == 0)
        return owner_run(run->connection, "COMMIT", NULL, 0);
    fputs("shimin catalogue apply: Postgres has changed since the plan was made; nothing was changed: plan again\n", stderr);
    return false;
}

static int apply(struct run *run)
{
    struct plan plan = {0};
    if (!make_plan(run, &plan))
        return EXIT_FAILED;
    print_plan(run, &plan);
    if (!plan.changes->count)
        return EXIT_DONE;
    if (!is_confirmed(run) || !carry_out(run, &plan))
        return EXIT_FAILED;
    if (!run->json)
        puts("applied; running gateways take it up by themselves");
    return EXIT_DONE;
}

static int check(struct run *run)
{
    struct catalogue_files files;
    if (!read_files(run, &files))
        return EXIT_FAILED;
    printf("%zu departments, %zu services, %zu contracts, %zu areas: no fault\n", files.departments, files.services,
           files.contract_count, files.areas);
    return EXIT_DONE;
}

/* ---- writing files ---- */

static struct str contract_bytes(void *context, struct arena *arena, struct str sha256)
{
    PGconn *connection = context;
    const char *values[] = {str_to_c(arena, sha256)};
    struct str bytes = STR_NONE;
    CLEANUP(clear_result)
    PGresult *row = owner_query(
        connection, "SELECT translate(encode(bytes, 'base64'), E'\\n', '') FROM shimin.contract WHERE sha256 = $1 LIMIT 1",
        values, 1);
    if (!row || PQntuples(row) != 1 || !base64_decode(arena, str_copy(arena, str_of(PQgetvalue(row, 0, 0))), &bytes))
        return STR_NONE;
    return bytes;
}

static int export(struct run *run, const char *directory)
{
    struct catalogue_paths paths;
    struct arena *arena = run->arena;
    struct text faults = text_open(arena, 256);
    const struct json *document;
    if (!read_paths(run->config, &paths) || !(document = read_postgres(run)))
        return EXIT_FAILED;
    const char *slash = strrchr(paths.areas, '/');
    struct catalogue_export to = {.directory = directory,
                                  .areas = slash ? slash + 1 : paths.areas,
                                  .contract = contract_bytes,
                                  .context = run->connection};
    const char *schema = str_to_c(arena, str_printf(arena, "%s/catalogue.schema.json", paths.directory));
    const char *reason = file_read(arena, schema, FILE_MOST, FILE_PUBLIC, &to.schema);
    size_t files;
    if (reason)
        text_printf(&faults, "%s %s\n", schema, reason);
    if (reason || !catalogue_export(arena, document, &to, &files, &faults)) {
        fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
        return EXIT_FAILED;
    }
    printf("%zu files in %s\n", files, directory);
    return EXIT_DONE;
}

static const struct {
    const char *name;
    int (*run)(struct run *run);
} words[] = {{"check", check}, {"plan", show_plan}, {"apply", apply}};

static int catalogue(int argc, char **argv)
{
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct run run = {
        .config = config, .arena = arena, .yes = flag_take(&argc, argv, "--yes"), .json = flag_take(&argc, argv, "--json")};
    int status = -1;
    for (size_t i = 0; argc == 1 && i < COUNT_OF(words); i++)
        if (strcmp(argv[0], words[i].name) == 0)
            status = words[i].run(&run);
    if (argc == 2 && strcmp(argv[0], "export") == 0)
        status = export(&run, argv[1]);
    owner_close(&run.connection);
    return status >= 0 ? status : usage_fault(&command_catalogue, "say check, plan, apply or export DIRECTORY");
}

const struct command command_catalogue = {
    .name = "catalogue",
    .usage = "check|plan|apply|export DIRECTORY [--yes] [--json]",
    .summary = "Check the catalogue's files, compare them with Postgres, apply them, or write them.",
    .help =
        "\ncheck names every fault with file and line. plan shows what apply would change in Postgres, by service and field, "
        "and ends\n"
        "with 0 when there is nothing, 2 when there is something, 1 when it failed; --json gives it to programs. apply shows "
        "the\n"
        "same, asks (not with --yes), and changes what differs in one transaction, which running gateways take up within a\n"
        "second; it refuses when Postgres has changed since it looked. Switches and settings that were set stay set, and so "
        "do\n"
        "services that departments registered. export writes catalogue/, contracts/ and areas/ into the directory, always the\n"
        "same bytes for the same catalogue.\n",
    .run = catalogue,
};
