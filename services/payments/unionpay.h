/* UnionPay: what its files share. */
#ifndef PAYMENTS_UNIONPAY_H
#define PAYMENTS_UNIONPAY_H

#include "provider_part.h"

struct unionpay {
    struct arena *arena;
    struct peer *peer, *files;
    struct payment_key *key, *certificate; /* ours */
    struct str merchant, address, authority, signer;
    /* the certificate that answers brought last, whose chain was checked */
    struct str known_pem;
    struct payment_key *known;
};
/* Of the worker; NULL while closed. */
extern _Thread_local struct unionpay *unionpay;

/* The fields that every message has. */
void unionpay_form(struct payment_form *form, const char *type, const char *subtype, const char *business);
/* Adds what names an order or a refund: its number, and the time that it was first sent with. */
void unionpay_form_name(struct arena *arena, struct payment_form *form, struct str number, int64_t at);
/* Signs, sends to `path` (of `peer`), verifies. OK: signed by them, respCode 00; REFUSED and UNKNOWN by the table. */
enum provider_outcome unionpay_call(struct arena *arena, struct peer *peer, const char *path, struct payment_form *form,
                                    const struct provider_code *codes, struct payment_form *answer,
                                    struct provider_fault *fault);
/* Whether the certificate in the form is vouched for, and the form signed by it. */
MUST_CHECK bool unionpay_is_genuine(struct arena *arena, const struct payment_form *form);

/* When the transaction of a form happened: traceTime has no year. 0 when it cannot be told. */
int64_t unionpay_traced_at(struct arena *arena, const struct payment_form *form);

enum provider_outcome unionpay_notice_read(struct request *request, struct provider_notice *notice, bool *ignored,
                                           struct provider_fault *fault);
void unionpay_notice_reply(struct request *request, bool taken);
enum provider_outcome unionpay_bill_file(struct arena *arena, struct str date, provider_line_taker *take, void *argument,
                                         struct provider_bill *bill, struct provider_fault *fault);

#endif
