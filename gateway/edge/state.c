/* Directories of modules: for what a gateway keeps on disk so that it can start, and answer, while Postgres is away; and for
 * the console's files. */
#include "edge/state.h"

static const char *directory, *console;

void state_prepare(const char *given, const char *given_console)
{
    directory = given && *given ? given : NULL;
    console = given_console && *given_console ? given_console : NULL;
}

const char *state_directory(void)
{
    return directory;
}

const char *console_directory(void)
{
    return console;
}
