/* shimin ledger: the invariants that it proves, made by the build out of services/payments/README.md. */
#ifndef SHIMIN_COMMAND_LEDGER_H
#define SHIMIN_COMMAND_LEDGER_H

#include <stddef.h>

struct ledger_invariant {
    const char *what;
    const char *sql; /* gives the rows that break it */
};

extern const struct ledger_invariant ledger_invariants[];
extern const size_t ledger_invariant_count;

#endif
