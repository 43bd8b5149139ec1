/* The directory for what a gateway keeps on disk so that it can start, and answer, while Postgres is away. */
#include "edge/state.h"

static const char *directory;

void state_prepare(const char *given)
{
    directory = given && *given ? given : NULL;
}

const char *state_directory(void)
{
    return directory;
}
