/* Alipay: what its files share. */
#ifndef PAYMENTS_ALIPAY_H
#define PAYMENTS_ALIPAY_H

#include "provider_part.h"

struct alipay {
    struct peer *peer, *bills;
    struct payment_key *key, *platform;
    struct str merchant, app_id, address;
};
/* Of the worker. */
extern _Thread_local struct alipay alipay;

/* What every call has, with the content, signed. */
void alipay_form(struct arena *arena, const char *method, struct str content, bool told, struct payment_form *form);
/* Calls a method. OK: signed by them, code 10000; `answer` is its object. REFUSED: signed, and by the table a no. Without a
 * signature everything is UNKNOWN. */
enum provider_outcome alipay_call(struct arena *arena, const char *method, struct str content, bool told,
                                  const struct provider_code *codes, const struct json **answer, struct provider_fault *fault);

enum provider_outcome alipay_notice_read(struct request *request, struct provider_notice *notice, bool *ignored,
                                         struct provider_fault *fault);
void alipay_notice_reply(struct request *request, bool taken);
enum provider_outcome alipay_bill_file(struct arena *arena, struct str date, provider_line_taker *take, void *argument,
                                       struct provider_bill *bill, struct provider_fault *fault);

/* A trade's state by the name that Alipay gives it; `was_paid` tells an expired trade from one that was refunded in full. */
MUST_CHECK bool alipay_state_named(struct str name, bool was_paid, enum provider_payment_state *state);

#endif
