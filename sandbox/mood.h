/* How a payment provider that is played misbehaves: set by the control API, drawn by every call. Any thread. */
#ifndef SANDBOX_MOOD_H
#define SANDBOX_MOOD_H

#include <shimin/json.h>

#include "till.h"

enum mood_operation { MOOD_ORDER, MOOD_QUERY, MOOD_CLOSE, MOOD_REFUND, MOOD_REFUND_QUERY, MOOD_BILL, MOOD_OPERATIONS };

enum mood_answer {
    MOOD_NORMAL,
    MOOD_SLOW,          /* answers after delay_ms */
    MOOD_SILENT,        /* does what was asked, and never answers */
    MOOD_DEAF,          /* does nothing, and never answers */
    MOOD_FAILING,       /* does nothing, and says 500 */
    MOOD_FAILING_AFTER, /* does it, and says 502 */
    MOOD_BAD_SIGNATURE, /* does it, and signs the answer wrongly */
    MOOD_GARBAGE,       /* does it, and says what nobody understands, with status 200 */
    MOOD_REFUSE,        /* does nothing, and says no */
};

enum mood_notice {
    NOTICE_NORMAL,
    NOTICE_TWICE,  /* two at once */
    NOTICE_BEFORE, /* before it answers: the order is paid, or the refund done, as it comes in */
    NOTICE_LATE,   /* after delay_ms */
    NOTICE_NEVER,
    NOTICE_BAD_SIGNATURE,
    NOTICE_WRONG_AMOUNT,  /* one fen more, well signed */
    NOTICE_FOREIGN_ORDER, /* of an order that nobody made, well signed */
    NOTICE_STALE,         /* signed an hour ago, where the format has a time */
};

/* What a bill file lies about; bits. */
enum mood_lie {
    LIE_MISSING = 1,    /* the first payment is left out */
    LIE_EXTRA = 2,      /* there is a payment that nobody made */
    LIE_AMOUNT = 4,     /* the first payment has one fen more */
    LIE_STATUS = 8,     /* the first payment stands there as a refund as well */
    LIE_DUPLICATE = 16, /* the first payment stands there twice */
    LIE_HASH = 32,      /* the hash is of another file (WeChat); the others send a damaged one */
    LIE_SUMMARY = 64,   /* the summary has one more (UnionPay has none) */
    LIE_CUT = 128,      /* the file is cut in half */
};

struct mood {
    enum mood_answer answer;
    enum mood_operation operation; /* MOOD_OPERATIONS: all */
    int64_t times;                 /* so many answers more are bad; 0: until it is changed */
    int64_t delay;                 /* microseconds */
    enum mood_notice notice;
    enum till_refund_state refund; /* how refunds end at once; PROCESSING: when the control API says so */
    bool pays_at_once;             /* payers pay as soon as the order is known */
    unsigned lies;
};

void mood_reset(void);
/* false with the reason, static. */
MUST_CHECK bool mood_set(enum till_provider provider, const struct json *value, const char **reason);
void mood_write(struct json_out *out, enum till_provider provider);
/* For one call: `answer` is MOOD_NORMAL where the operation is another, or the times are used up. */
struct mood mood_draw(enum till_provider provider, enum mood_operation operation);
struct mood mood_of(enum till_provider provider);
MUST_CHECK bool mood_notice_named(struct str name, enum mood_notice *notice);

#endif
