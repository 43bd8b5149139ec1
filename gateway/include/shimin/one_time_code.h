/* One-time codes by SMS: six digits, five minutes, five tries, one live code for a phone and a purpose. */
#ifndef SHIMIN_ONE_TIME_CODE_H
#define SHIMIN_ONE_TIME_CODE_H

#include <shimin/arena.h>
#include <shimin/str.h>

enum { CODE_LIFETIME_SECONDS = 300, CODE_RESEND_SECONDS = 60 };

enum code_outcome {
    CODE_DONE,        /* sent, or accepted and used up */
    CODE_WAIT,        /* asked for again too soon or too often: *retry_after */
    CODE_REJECTED,    /* wrong, used, expired, or tried too often: one answer for all, so that nothing is learnt */
    CODE_UNDELIVERED, /* the SMS provider did not take it */
    CODE_UNAVAILABLE, /* Redis is away */
};

/* Makes a code and sends it. What a phone may ask: once a minute, five times an hour, ten times a day. The same for phones that
 * have an account and those that have none. Waits. */
enum code_outcome code_send(struct arena *arena, struct str phone_number, int64_t *retry_after) MUST_CHECK;
/* Uses the code up if it is right; the fifth wrong try voids it. Waits. */
enum code_outcome code_check(struct arena *arena, struct str phone_number, struct str code) MUST_CHECK;

#endif
