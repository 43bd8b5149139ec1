/* The sandbox as a process of its own, for the tests that call it over the network: sandbox-fixture config.yaml, or
 * sandbox-fixture --contract FILE PORT. */
#include <shimin/arena.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_keys.h"
#include "sandbox.h"

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--contract") == 0)
        return sandbox_run_contract(argv[2], (unsigned)atoi(argv[3]));
    if (argc != 2)
        return 2;
    struct arena *arena CLEANUP(arena_close_at) = arena_open();
    struct text faults = text_open(arena, 256);
    struct config *config = config_load(argv[1], config_keys, config_key_count, &faults);
    if (!config) {
        fprintf(stderr, "%.*s", (int)faults.len, faults.at);
        return 2;
    }
    int status = sandbox_run(config);
    config_close(config);
    return status;
}
