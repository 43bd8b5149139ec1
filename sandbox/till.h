/* What the payment providers that are played have taken: orders and refunds. Any thread; copies go in and out.
 *
 * All of it lies in one mapping, which may be a file (sandbox.providers_file): a process that is killed has lost nothing then.
 */
#ifndef SANDBOX_TILL_H
#define SANDBOX_TILL_H

#include <shimin/arena.h>
#include <shimin/str.h>

enum till_provider { TILL_WECHAT, TILL_ALIPAY, TILL_UNIONPAY, TILL_PROVIDERS };
enum till_state { TILL_OPEN, TILL_PAID, TILL_CLOSED };
enum till_refund_state { TILL_PROCESSING, TILL_SUCCESS, TILL_ABNORMAL, TILL_REFUND_CLOSED };

struct till_order {
    enum till_provider provider;
    enum till_state state;
    char number[68], transaction[36]; /* the merchant's; ours, from when it was paid */
    char time[16];                    /* txnTime: UnionPay names an order by it too */
    char handle[72];                  /* what the app was given: prepay id, tn, code */
    char channel[12], notify_url[256], subject[128], payer[68];
    int64_t amount, refunded;
    int64_t made_at, expires_at, paid_at; /* wall */
    bool told;                            /* the merchant took our notice */
};

struct till_refund {
    enum till_provider provider;
    enum till_refund_state state;
    char number[68], order[68], transaction[36], id[36], time[16], notify_url[256];
    int64_t amount, total, made_at, ended_at;
    bool told;
};

enum till_result { TILL_NEW, TILL_SAME, TILL_USED, TILL_NONE, TILL_IS_PAID, TILL_IS_CLOSED, TILL_TOO_MUCH, TILL_FULL };

/* `path` NULL: memory only. false after logging why. Once. */
MUST_CHECK bool till_open(const char *path);
void till_clear(void);

/* SAME: it was there, with the same amount and not paid; *order is what was there. USED, IS_PAID, IS_CLOSED, FULL. */
enum till_result till_order_make(struct till_order *order);
MUST_CHECK bool till_order_find(enum till_provider provider, struct str number, struct till_order *order);
MUST_CHECK bool till_order_by_handle(enum till_provider provider, struct str handle, struct till_order *order);
/* NEW: paid now; SAME is never said: IS_PAID, IS_CLOSED (or expired), NONE. */
enum till_result till_order_pay(enum till_provider provider, struct str number, struct str payer, struct till_order *order);
/* NEW: closed now; IS_CLOSED, IS_PAID, NONE. */
enum till_result till_order_close(enum till_provider provider, struct str number);
/* NEW, SAME, USED (the number, with another amount or order), NONE, IS_CLOSED (not paid), TOO_MUCH, FULL. */
enum till_result till_refund_make(struct till_refund *refund);
MUST_CHECK bool till_refund_find(enum till_provider provider, struct str number, struct till_refund *refund);
/* Money of one that did not happen counts as not refunded. */
MUST_CHECK bool till_refund_end(enum till_provider provider, struct str number, enum till_refund_state state,
                                struct till_refund *refund);
void till_told(enum till_provider provider, struct str number, bool refund);
/* All of a provider's, in the order in which they came. */
size_t till_orders(struct arena *arena, enum till_provider provider, struct till_order **list);
size_t till_refunds(struct arena *arena, enum till_provider provider, struct till_refund **list);

const char *till_provider_name(enum till_provider provider);
MUST_CHECK bool till_provider_named(struct str name, enum till_provider *provider);
const char *till_state_name(enum till_state state);
const char *till_refund_state_name(enum till_refund_state state);
MUST_CHECK bool till_refund_state_named(struct str name, enum till_refund_state *state);
/* Copies into a field of the records, cut to its size. */
void till_set(char *field, size_t size, struct str value);
#define TILL_SET(field, value) till_set((field), sizeof(field), (value))

#endif
