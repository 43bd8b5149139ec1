/* The sandbox: plays departments from their contracts, over real HTTP. */
#ifndef SANDBOX_H
#define SANDBOX_H

struct config;

/* `shimin sandbox`: every department of the catalogue on sandbox.first_port + number - 1, and the control API on
 * sandbox.control_port, until SIGTERM or SIGINT. The exit status: 0, or 1 after logging why. From main, once. */
int sandbox_run(const struct config *config);
/* `shimin sandbox --contract FILE --port N`: that contract alone on 127.0.0.1, without looking at signatures; the control API
 * on the port after it. Every fault of the contract is named. */
int sandbox_run_contract(const char *path, unsigned port);

#endif
