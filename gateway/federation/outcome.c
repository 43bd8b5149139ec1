/* The names of outcomes, as they stand in metrics and sums. */
#include "federation/outcome.h"

static const char *const names[CALL_OUTCOMES] = {
    [CALL_OK] = "ok",
    [CALL_CLIENT_ERROR] = "client_error",
    [CALL_SERVER_ERROR] = "server_error",
    [CALL_REDIRECT] = "redirect",
    [CALL_CONNECT_FAILED] = "connect_failed",
    [CALL_TIMEOUT] = "timeout",
    [CALL_RESET] = "reset",
    [CALL_GARBAGE] = "garbage",
    [CALL_TOO_LARGE] = "too_large",
    [CALL_CANCELLED] = "cancelled",
    [CALL_BREAKER_OPEN] = "breaker_open",
    [CALL_NO_SLOT] = "no_slot",
    [CALL_NOT_SIGNED] = "not_signed",
};

const char *call_outcome_name(enum call_outcome outcome)
{
    return names[outcome];
}
