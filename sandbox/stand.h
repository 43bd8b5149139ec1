/* The payment providers that are played: WeChat Pay, Alipay and UnionPay, on one port. */
#ifndef SANDBOX_STAND_H
#define SANDBOX_STAND_H

#include <shimin/payment_wire.h>
#include <shimin/peer.h>

#include "http/request_internal.h"
#include "mood.h"

struct config;

/* Both sides' numbers, and the providers' side of the keys. Read-only once loaded. */
struct stand {
    struct payment_key *wechat, *wechat_merchant;
    struct payment_key *alipay, *alipay_app;
    struct payment_key *unionpay, *unionpay_merchant;
    struct payment_key *wechat_certificate, *unionpay_key; /* of the providers' own certificates, for their numbers */
    struct str unionpay_certificate;                       /* PEM */
    struct str wechat_id, wechat_app, wechat_v3_key, alipay_seller, alipay_app_id, unionpay_id;
    const char *ca_file; /* what the gateway's certificate is checked with */
};
extern struct stand stand;

/* A call to a provider, read and with a good signature. */
struct stand_call {
    struct request *request;
    struct arena *arena;
    enum till_provider provider;
    enum mood_operation operation;
    struct mood mood;
    struct str method; /* Alipay's, or UnionPay's path */
    const struct json *json;
    struct payment_form form;
    /* the answer */
    unsigned status;
    struct str body;           /* JSON: WeChat's, or Alipay's object */
    struct payment_form reply; /* UnionPay's */
    bool page;                 /* what the payer's phone opened, not the merchant: answered by a page */
};

/* What each provider does. */
struct stand_provider {
    /* false after replying: not understood, or wrongly signed. */
    bool (*read)(struct stand_call *call);
    void (*perform)(struct stand_call *call);
    /* Says no, in the provider's words. */
    void (*refuse)(struct stand_call *call);
    /* Signs, wrongly if the mood is so, and replies. */
    void (*send)(struct stand_call *call);
    /* Method, fields and body of a notice, signed; of a refund when it is not NULL. */
    void (*notice)(struct arena *arena, const struct till_order *order, const struct till_refund *refund, enum mood_notice how,
                   struct peer_request *request);
    /* Whether the merchant took it. */
    bool (*took)(const struct peer_answer *answer);
    /* The order that a cashier's JSON, as the app has it, is about; made if it is not known yet. NULL, or why not. */
    const char *(*open)(struct arena *arena, const struct json *cashier, struct till_order *order);
};
extern const struct stand_provider stand_wechat, stand_alipay, stand_unionpay;
const struct stand_provider *stand_provider(enum till_provider provider);

/* false, after logging why, when they cannot be played. The directory and the merchant's numbers are of the configuration. */
MUST_CHECK bool stand_load(struct arena *arena, const struct config *config);
/* In a fiber of each worker: sends what was not told before a restart. */
void stand_open(void);
void stand_handle(struct request *request);

/* After an order was made or paid, or a refund made: pays at once if the mood is so, and tells the merchant as it says. */
void stand_order_made(const struct stand_call *call, const struct till_order *order);
void stand_refund_made(const struct stand_call *call, const struct till_refund *refund);
/* Sends notices of it until one is taken, in a fiber. */
void stand_tell(const struct till_order *order, const struct till_refund *refund, enum mood_notice how, int64_t delay);
/* Sends one, and waits for what the merchant says: its status and body; 0 when nothing came. */
unsigned stand_tell_once(struct arena *arena, const struct till_order *order, const struct till_refund *refund,
                         enum mood_notice how, struct str *body);

/* Bill files of a day ("2026-11-24"); STR_NONE when nothing happened on it. */
struct str stand_wechat_bill(struct arena *arena, struct str date, unsigned lies);   /* CSV */
struct str stand_alipay_bill(struct arena *arena, struct str date, unsigned lies);   /* zip */
struct str stand_unionpay_bill(struct arena *arena, struct str date, unsigned lies); /* base64(zlib(zip)) */
struct str stand_gzip(struct arena *arena, struct str plain);

struct str stand_random(struct arena *arena, size_t characters); /* hex */
struct str stand_spaced(struct arena *arena, int64_t wall);      /* "2026-11-24 08:00:00" */
struct str stand_packed(struct arena *arena, int64_t wall);      /* "20261124080000" */
/* Microseconds of either; 0 when it is none. */
int64_t stand_time(struct str text);
/* A good signature with one character changed. */
struct str stand_spoil(struct arena *arena, struct str signature);

/* Control API. */
struct inputs;
void stand_list(struct request *request, const struct inputs *inputs);
void stand_clear(struct request *request, const struct inputs *inputs);
void stand_pay(struct request *request, const struct inputs *inputs);
void stand_end_refund(struct request *request, const struct inputs *inputs);
void stand_notify(struct request *request, const struct inputs *inputs);
void stand_list_moods(struct request *request, const struct inputs *inputs);
void stand_set_mood(struct request *request, const struct inputs *inputs);
void stand_reset_moods(struct request *request, const struct inputs *inputs);

#endif
