/* The program: its subcommands. */
#include "command.h"

#include <stdio.h>
#include <string.h>

static int print_version(int argc, char **argv)
{
    (void)argv;
    if (argc)
        return usage_fault(&command_version, "takes no arguments");
    printf("shimin %s\n", SHIMIN_VERSION);
    return EXIT_DONE;
}

const struct command command_version = {
    .name = "version", .usage = "", .summary = "Say which version this is.", .help = "", .run = print_version};

static const struct command *const commands[] = {
    &command_serve, &command_sandbox, &command_migrate, &command_catalogue, &command_switch,
    &command_keys,  &command_admin,   &command_audit,   &command_ledger,    &command_version,
};

static void print_help(FILE *out)
{
    fputs("Shimin 市民: one API in front of a city's departments.\n\nusage: shimin COMMAND [--config FILE] …\n\n", out);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nshimin COMMAND --help says more. The configuration is the file of --config or of SHIMIN_CONFIG; every key can be\n"
          "given in the environment as well (shimin serve --help-config lists them).\n",
          out);
}

static void print_command_help(const struct command *command)
{
    printf("usage: shimin %s %s\n\n%s\n%s", command->name, command->usage, command->summary, command->help);
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (asks_for_help(argv[1])) {
        print_help(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(argv[1], commands[i]->name) != 0)
            continue;
        /* anywhere: who asks after some words must not have them carried out */
        for (int word = 2; word < argc; word++)
            if (argv[word][0] == '-' ? asks_for_help(argv[word]) : word == 2 && asks_for_help(argv[word])) {
                print_command_help(commands[i]);
                return EXIT_DONE;
            }
        return commands[i]->run(argc - 2, argv + 2);
    }
    fprintf(stderr, "shimin: there is no command \"%s\"; shimin --help lists them\n", argv[1]);
    return EXIT_USAGE;
}
