/* Subcommands: what they share. */
#ifndef SHIMIN_COMMAND_H
#define SHIMIN_COMMAND_H

#include "base/config.h"

#include <shimin/arena.h>

/* A subcommand gets the words after its name; what it returns is the exit status: 0 done, 1 failed, 2 used wrongly. */
struct command {
    const char *name;
    const char *usage;   /* after the name */
    const char *summary; /* one line for `shimin --help` */
    const char *help;    /* the rest for `shimin NAME --help` */
    int (*run)(int argc, char **argv);
};

extern const struct command command_serve, command_sandbox, command_migrate, command_catalogue, command_switch, command_keys,
    command_admin, command_audit, command_ledger, command_version;

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Options are `--name value`; takes this one out of argv. NULL when it is not there. A missing value ends the program with 2.
 */
const char *option_take(int *argc, char **argv, const char *name);
bool flag_take(int *argc, char **argv, const char *name);
/* 2, after saying what is wrong and how the command is used. */
int usage_fault(const struct command *command, const char *what);

/* The configuration named by --config or SHIMIN_CONFIG, checked; ends the program with 1 after printing every fault. */
struct config *command_config(int *argc, char **argv);

#endif
