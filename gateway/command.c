/* Options and configuration, the same for every subcommand. */
#include "command.h"

#include "config_keys.h"

#include <shimin/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void remove_arguments(int *argc, char **argv, int at, int count)
{
    memmove(&argv[at], &argv[at + count], (size_t)(*argc - at - count + 1) * sizeof *argv);
    *argc -= count;
}

const char *option_take(int *argc, char **argv, const char *name)
{
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], name) != 0)
            continue;
        if (i + 1 == *argc) {
            fprintf(stderr, "shimin: %s needs a value\n", name);
            exit(EXIT_USAGE);
        }
        const char *value = argv[i + 1];
        remove_arguments(argc, argv, i, 2);
        return value;
    }
    return NULL;
}

bool flag_take(int *argc, char **argv, const char *name)
{
    for (int i = 0; i < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            remove_arguments(argc, argv, i, 1);
            return true;
        }
    return false;
}

int usage_fault(const struct command *command, const char *what)
{
    fprintf(stderr, "shimin %s: %s\nusage: shimin %s %s\n", command->name, what, command->name, command->usage);
    return EXIT_USAGE;
}

struct config *command_config(int *argc, char **argv)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const char *path = option_take(argc, argv, "--config");
    struct text faults = text_open(arena, 1024);
    if (!path)
        path = getenv("SHIMIN_CONFIG");
    struct config *config = config_load(path, config_keys, config_key_count, &faults);
    if (!config) {
        fprintf(stderr, "%s%s", faults.at, path ? "" : "no file was named: give --config FILE, or SHIMIN_CONFIG\n");
        exit(EXIT_FAILED);
    }
    enum log_level level;
    if (log_level_named(str_of(config_string(config, "log.level")), &level))
        log_set_level(level);
    return config;
}
