/* Payment providers (支付渠道) behind one interface: WeChat Pay API v3, Alipay, UnionPay.
 *
 * What holds for every call here:
 * - It waits in the calling fiber, for the provider's answer and no longer than `payments.deadline`. It writes nothing to
 * Postgres and keeps nothing: who calls commits what it is about to ask before it asks, and what it was told after. A call that
 * must not be given up when the client leaves is made in a shield.
 * - Each of them may be made again with the same numbers. An order, a close or a refund that the provider has already is
 * answered as the first time; nothing is ever done twice.
 * - PROVIDER_OK is only said of what the provider signed and we verified. A time-out, a lost connection, 5xx, "try again", a
 *   signature that does not hold, or anything that cannot be read is PROVIDER_UNKNOWN: nothing is known, and nothing may be
 * taken for a failure. PROVIDER_REFUSED is a signed, definite no (WeChat: also an unsigned 4xx is *not* one).
 * - Amounts are fen, and CNY; an answer in another currency is PROVIDER_UNKNOWN. Times are microseconds since 1970.
 * - Text of an answer lives in the arena. Nothing secret is in a fault. */
#ifndef PAYMENTS_PROVIDER_H
#define PAYMENTS_PROVIDER_H

#include <shimin/request.h>

enum provider_outcome {
    PROVIDER_OK,
    PROVIDER_REFUSED, /* a definite no; fault says which */
    PROVIDER_UNKNOWN, /* nothing is known: ask again later */
};

/* What a refusal comes to, whatever the provider calls it. */
enum provider_reason {
    PROVIDER_REASON_OTHER,
    PROVIDER_REASON_NO_ORDER,      /* the provider does not know the order (yet: see `order`) */
    PROVIDER_REASON_NO_REFUND,     /* …or the refund */
    PROVIDER_REASON_PAID,          /* paid already: it cannot be ordered or closed */
    PROVIDER_REASON_CLOSED,        /* closed already: it cannot be ordered or refunded */
    PROVIDER_REASON_USED,          /* the number belongs to another order or refund */
    PROVIDER_REASON_NOT_CLOSABLE,  /* this provider closes nothing, or cannot close this one: it ends when it expires */
    PROVIDER_REASON_TOO_MUCH,      /* more than what was paid, less what was refunded */
    PROVIDER_REASON_NO_BALANCE,    /* our account does not hold what is to be refunded */
    PROVIDER_REASON_NO_BILL,       /* there is no bill file for that day, or not yet */
    PROVIDER_REASON_CONFIGURATION, /* our key, number or right is not theirs: an operator is needed */
};
const char *provider_reason_name(enum provider_reason reason);

struct provider_fault {
    enum provider_reason reason;
    struct str code;    /* the provider's own; of PROVIDER_UNKNOWN ours: "timeout", "signature", "status 502", … */
    struct str message; /* the provider's own words, or ours */
};

enum provider_channel {
    PROVIDER_APP,    /* the provider's SDK in the citizens' app */
    PROVIDER_H5,     /* a page in a phone's browser */
    PROVIDER_NATIVE, /* a QR code on a screen or a counter */
    PROVIDER_JSAPI,  /* within the provider's own app: WeChat's mini programs, Alipay's; UnionPay has none (REFUSED) */
};

/* Which order is meant. All of it is fixed when the payment is created and given again in every call: UnionPay knows an order
 * by its number *and* the time that it was first sent with. */
struct provider_trade {
    struct str out_trade_no; /* ours: 8 to 32 of 0-9 A-Z a-z, what all three take; unique for ever */
    int64_t ordered_at;      /* when the payment was created; whole seconds count */
};

struct provider_order {
    struct provider_trade trade;
    enum provider_channel channel;
    struct str description;   /* what the payer sees; UTF-8, at most 40 characters are sent; nothing personal */
    int64_t amount_fen;       /* 1 … 10^12 */
    int64_t expires_at;       /* after it nobody can pay */
    struct str payer;         /* JSAPI: openid, or Alipay's user id */
    struct str payer_address; /* H5: the payer's IP address, which WeChat asks for */
};

enum provider_payment_state {
    PROVIDER_NOT_FOUND, /* no such order */
    PROVIDER_NOT_PAID,
    PROVIDER_PAYING, /* the payer is at it */
    PROVIDER_PAID,
    PROVIDER_FAILED, /* definitely: this order will never be paid */
    PROVIDER_CLOSED,
    PROVIDER_REFUNDED, /* paid, and then refunded in part or in full (WeChat), or in full (Alipay says CLOSED with an amount: it
                          is read as REFUNDED) */
};
const char *provider_payment_state_name(enum provider_payment_state state);

struct provider_payment {
    enum provider_payment_state state;
    struct str transaction_id; /* the provider's own number (UnionPay: queryId, which refunds need); empty unless it was paid */
    int64_t amount_fen;        /* of the order; the caller compares it with its own. 0 where not said (only unpaid ones) */
    int64_t paid_at;           /* 0 unless it was paid */
};

struct provider_refund {
    struct provider_trade trade; /* what was paid */
    struct str transaction_id;   /* as the paid payment's answer gave it */
    struct str out_refund_no;    /* ours, as out_trade_no; the same number again is the same refund */
    int64_t requested_at;        /* when the refund was created, fixed, as trade.ordered_at */
    struct str reason;           /* may be seen by the payer; at most 40 characters are sent */
    int64_t amount_fen;
    int64_t total_fen; /* what was paid */
};

enum provider_refund_progress {
    PROVIDER_REFUND_NOT_FOUND,
    PROVIDER_REFUND_PROCESSING,
    PROVIDER_REFUND_SUCCESS,
    PROVIDER_REFUND_CLOSED,   /* it will not happen; the money stayed with us */
    PROVIDER_REFUND_ABNORMAL, /* the money is neither here nor there: the payer's card is closed or the like, a person must act
                               */
};
const char *provider_refund_progress_name(enum provider_refund_progress progress);

struct provider_refund_state {
    enum provider_refund_progress state;
    struct str refund_id; /* the provider's; empty where it has none (Alipay) */
    int64_t amount_fen;   /* -1 where not said (Alipay's notice): ask with refund_query */
    int64_t ended_at;     /* 0 where not ended or not said */
};

/* What a provider told us by itself. It was verified: signature over the raw body, age, our merchant's numbers, currency. That
 * the amount is that of our payment, and that the payment is ours, only the caller can tell. */
struct provider_notice {
    struct str id;   /* of the inbox: the same notice sent again has the same */
    struct str kind; /* as the provider calls it: "TRANSACTION.SUCCESS" */
    bool is_refund;
    struct str out_trade_no;
    struct str out_refund_no;            /* of a refund */
    struct provider_payment payment;     /* unless is_refund */
    struct provider_refund_state refund; /* of a refund */
};

/* One line of a bill file. */
struct provider_line {
    bool is_refund;
    struct str transaction_id, out_trade_no; /* of the payment; of a refund UnionPay names the first only */
    struct str refund_id, out_refund_no;     /* of a refund; Alipay has no refund_id */
    int64_t amount_fen;                      /* paid, or refunded: never negative */
    int64_t fee_fen; /* of this line: what the provider keeps; of a refund, negative: what it gives back */
    int64_t occurred_at;
    struct str status; /* "SUCCESS", "PROCESSING", "CLOSED", "ABNORMAL", of WeChat's; the others list what succeeded only */
};

struct provider_bill {
    struct str digest; /* hex SHA-256 of the file as it was downloaded */
    int64_t lines;
    int64_t paid_fen, refunded_fen, fee_fen; /* sums of the lines */
};

/* Called for each line in the order of the file, in the calling fiber; it may wait. The line's text lives until it returns.
 * false ends the reading, with PROVIDER_UNKNOWN and the code "stopped". */
typedef bool provider_line_taker(const struct provider_line *line, void *argument);

struct provider {
    const char *name; /* "wechat", "alipay", "unionpay" */
    struct bilingual title;

    /* Makes the order known, and writes what the app hands to the provider's SDK, or opens, as a JSON object with the member
     * `channel` and
     *
     *            app                                   h5                native      jsapi
     *   wechat   appid partnerid prepayid package      url               code        appId timeStamp nonceStr package
     *            noncestr timestamp sign                                             signType paySign
     *   alipay   order                                 url               code        trade_no
     *   unionpay tn mode                               url fields        code        -
     *
     * (`url` is opened; with `fields` they are posted to it as a form; `code` is the text of a QR code.) Alipay's app and h5
     * and UnionPay's h5 are signed here and go by the payer's phone: OK says that nothing was sent, and the provider will not
     * know the order until the payer has opened it. REFUSED with PAID says that it was paid before: query it. */
    enum provider_outcome (*order)(struct arena *arena, const struct provider_order *order, struct str *cashier,
                                   struct provider_fault *fault);
    /* A signed "there is no such order" is OK with NOT_FOUND: it says nothing about later while the order has not expired. */
    enum provider_outcome (*query)(struct arena *arena, const struct provider_trade *trade, struct provider_payment *payment,
                                   struct provider_fault *fault);
    /* OK: closed, now or before; nobody can pay it any more. REFUSED: PAID; NO_ORDER (it could still become one until it
     * expires); NOT_CLOSABLE. */
    enum provider_outcome (*close)(struct arena *arena, const struct provider_trade *trade, struct provider_fault *fault);
    enum provider_outcome (*refund)(struct arena *arena, const struct provider_refund *refund,
                                    struct provider_refund_state *state, struct provider_fault *fault);
    enum provider_outcome (*refund_query)(struct arena *arena, const struct provider_refund *refund,
                                          struct provider_refund_state *state, struct provider_fault *fault);
    /* Verifies and reads a notice; does not wait. REFUSED: it proves nothing, and nothing is to be done but notice_reply. OK
     * with
     * `*ignored` true: genuine, and of no concern (an order that waits for its payer). `notice` lives in the request's arena.
     */
    enum provider_outcome (*notice_read)(struct request *request, struct provider_notice *notice, bool *ignored,
                                         struct provider_fault *fault);
    /* The reply. taken: only after the commit; false makes the provider send it again. */
    void (*notice_reply)(struct request *request, bool taken);
    /* Downloads a day's bill file, checks its hash, decodes it, and hands its lines over one by one. `date` is "2026-11-23".
     * OK only when the file was read to its end and agrees with its own summary: until then what was taken must count as
     * nothing. REFUSED with NO_BILL: there is none for that day (nothing was sold), or not yet: they come after 10:00 of the
     * next day. */
    enum provider_outcome (*bill_file)(struct arena *arena, struct str date, provider_line_taker *take, void *argument,
                                       struct provider_bill *bill, struct provider_fault *fault);
};

/* NULL when there is none of that name, or the configuration does not have it (payments.<name>.merchant). */
const struct provider *provider_named(struct str name);
/* Those that are configured, in a fixed order; ends in NULL. */
const struct provider *const *providers(void);
/* In a fiber of each worker. False after logging why, when a key is unusable; the others are offered. */
MUST_CHECK bool providers_open(void);
/* When no call is under way and none can come: for tests. The gateway keeps them, since requests go on while it stops. */
void providers_close(void);

#endif
