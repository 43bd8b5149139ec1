/* How a call of a department ended, for whoever counts. */
#ifndef FEDERATION_OUTCOME_H
#define FEDERATION_OUTCOME_H

enum call_outcome {
    CALL_OK,
    CALL_CLIENT_ERROR, /* 4xx */
    CALL_SERVER_ERROR, /* 5xx */
    CALL_REDIRECT,
    CALL_CONNECT_FAILED,
    CALL_TIMEOUT,
    CALL_RESET,
    CALL_GARBAGE,
    CALL_TOO_LARGE,
    CALL_CANCELLED,
    CALL_BREAKER_OPEN,
    CALL_NO_SLOT,
    CALL_NOT_SIGNED,
    CALL_OUTCOMES,
};
const char *call_outcome_name(enum call_outcome outcome);

#endif
