/* shimin sandbox: all departments, played from their contracts. */
#include "command.h"

#include "owner.h"
#include "sandbox.h"

#include <shimin/str.h>

static int run_sandbox(int argc, char **argv)
{
    const char *contract = option_take(&argc, argv, "--contract"), *port = option_take(&argc, argv, "--port");
    int64_t number = 0;
    if (contract) {
        if (argc || !port || !str_to_i64(str_of(port), &number) || number < 1 || number > UINT16_MAX)
            return usage_fault(&command_sandbox, "--contract needs a --port from 1 to 65535");
        return sandbox_run_contract(contract, (uint16_t)number);
    }
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    if (argc || port)
        return usage_fault(&command_sandbox, "takes no further words without --contract");
    return sandbox_run(config);
}

const struct command command_sandbox = {
    .name = "sandbox",
    .usage = "[--config FILE]\n       shimin sandbox --contract FILE --port PORT",
    .summary = "Play all departments from their contracts.",
    .help = "\nEach department answers on its own port; a control API makes them slow, hanging or broken, and shows the SMS "
            "that were sent.\n"
            "With --contract it plays one OpenAPI document of yours. See sandbox/README.md.\n",
    .run = run_sandbox,
};
