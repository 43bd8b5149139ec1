/* shimin migrate: bring the database's schema up to date. */
#include "command.h"

#include "owner.h"
#include "store/migrate.h"
#include "store/statements.h"

#include <stdio.h>

static int check_statements(const char *connection_string)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text faults = text_open(arena, 512);
    const struct pg_statement *const *first;
    bool good = statements_check(connection_string, &faults);
    fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
    if (good)
        printf("%zu statements are fine\n", statements_all(&first));
    return good ? EXIT_DONE : EXIT_FAILED;
}

static int run_migrate(int argc, char **argv)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    bool list_only = flag_take(&argc, argv, "--list"), check_only = flag_take(&argc, argv, "--check-statements");
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    if (argc)
        return usage_fault(&command_migrate, "takes no further words");
    if (check_only)
        return check_statements(config_string(config, "postgres.application"));
    const struct migrate_settings settings = {
        .directory = config_string(config, "migrations.directory"),
        .owner = config_string(config, "postgres.owner"),
        .application = config_string(config, "postgres.application"),
        .list_only = list_only,
    };
    if (!settings.directory || !settings.owner)
        return usage_fault(&command_migrate, "the configuration must name migrations.directory and postgres.owner");
    struct text faults = text_open(arena, 512);
    if (migrate(&settings, stdout, &faults))
        return EXIT_DONE;
    fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
    return EXIT_FAILED;
}

const struct command command_migrate = {
    .name = "migrate",
    .usage = "[--list | --check-statements] [--config FILE]",
    .summary = "Bring the database's schema up to date.",
    .help = "\nApplies the numbered files of migrations.directory that are missing, each in one transaction, and makes the "
            "gateway's login.\n"
            "A file that was changed after it was applied is refused. --list says what would be done, and does nothing.\n"
            "--check-statements prepares every statement of the program and names those that the database refuses.\n",
    .run = run_migrate,
};
