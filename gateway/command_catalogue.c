/* shimin catalogue check|load: the catalogue's files, proved and put into Postgres. */
#include "command.h"

#include "catalogue/files.h"
#include "federation/federation.h"
#include "owner.h"

#include <shimin/id.h>

#include <stdio.h>
#include <string.h>

static bool read_files(struct config *config, struct arena *arena, struct catalogue_files *files)
{
    const struct catalogue_paths paths = {
        .directory = config_string(config, "catalogue.directory"),
        .contracts = config_string(config, "catalogue.contracts"),
        .areas = config_string(config, "catalogue.areas"),
    };
    if (!paths.directory || !paths.contracts || !paths.areas) {
        fputs("shimin catalogue: the configuration must name catalogue.directory, catalogue.contracts and catalogue.areas\n",
              stderr);
        return false;
    }
    struct text faults = text_open(arena, 4096);
    federation_prepare();
    if (catalogue_files_read(arena, &paths, files, &faults)) {
        printf("%zu departments, %zu services, %zu contracts, %zu areas: no fault\n", files->departments, files->services,
               files->contract_count, files->areas);
        return true;
    }
    fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
    return false;
}

/* One transaction: gateways see the whole change or none of it. */
static bool store_files(PGconn *connection, struct arena *arena, const struct catalogue_files *files)
{
    if (!owner_run(connection, "BEGIN", NULL, 0))
        return false;
    for (size_t i = 0; i < files->contract_count; i++) {
        const struct catalogue_contract *contract = &files->contracts[i];
        const char *values[] = {str_to_c(arena, contract->department), str_to_c(arena, contract->version),
                                str_to_c(arena, contract->name),
                                str_to_c(arena, base64_encode(arena, contract->bytes.at, contract->bytes.len))};
        if (!owner_run(
                connection,
                "INSERT INTO shimin.contract (department, version, name, bytes) VALUES ($1, $2, $3, decode($4, 'base64')) "
                "ON CONFLICT (department, sha256) DO NOTHING",
                values, COUNT_OF(values)))
            return false;
    }
    const char *values[] = {str_to_c(arena, files->document)};
    return owner_run(connection, "SELECT shimin.catalogue_replace($1::jsonb)", values, COUNT_OF(values)) &&
           owner_run(connection, "COMMIT", NULL, 0);
}

static int load(struct config *config)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(owner_close) PGconn *connection = NULL;
    struct catalogue_files files;
    if (!read_files(config, arena, &files))
        return EXIT_FAILED;
    connection = owner_connect(config);
    if (!connection || !store_files(connection, arena, &files))
        return EXIT_FAILED;
    puts("loaded; running gateways take it up by themselves");
    return EXIT_DONE;
}

static int check(struct config *config)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct catalogue_files files;
    return read_files(config, arena, &files) ? EXIT_DONE : EXIT_FAILED;
}

static int catalogue(int argc, char **argv)
{
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    if (argc == 1 && strcmp(argv[0], "check") == 0)
        return check(config);
    if (argc == 1 && strcmp(argv[0], "load") == 0)
        return load(config);
    return usage_fault(&command_catalogue, "say check or load");
}

const struct command command_catalogue = {
    .name = "catalogue",
    .usage = "check|load [--config FILE]",
    .summary = "Check the catalogue's files, or load them into Postgres.",
    .help = "\ncheck names every fault with file and line; load does the same and then replaces what Postgres has, in one "
            "transaction,\n"
            "which running gateways take up within a second. Switches that were set stay set.\n",
    .run = catalogue,
};
