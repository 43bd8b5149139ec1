/* WeChat Pay: what its files share. */
#ifndef PAYMENTS_WECHAT_H
#define PAYMENTS_WECHAT_H

#include "provider_part.h"

enum { WECHAT_PLATFORM_KEYS = 4 };

struct wechat {
    struct arena *arena;
    struct peer *peer;
    struct payment_key *key, *certificate; /* ours */
    struct {
        struct str serial;
        struct payment_key *key;
    } platform[WECHAT_PLATFORM_KEYS];
    size_t platform_count;
    struct str merchant, app_id, v3_key;
};
/* Of the worker; NULL while closed. */
extern _Thread_local struct wechat *wechat;

struct wechat_answer {
    unsigned status;
    struct str body;
    const struct json *json; /* NULL of an empty body */
};

/* Signs, sends, and verifies the answer. OK: signed by them, 200 to 299. REFUSED: signed, 4xx; by the table of codes. */
enum provider_outcome wechat_call(struct arena *arena, struct str method, struct str target, struct str body,
                                  const struct provider_code *codes, struct wechat_answer *answer,
                                  struct provider_fault *fault);
/* Whether four fields sign the body: by a platform key, not older or newer than 300 s. */
MUST_CHECK bool wechat_is_genuine(struct arena *arena, struct str timestamp, struct str nonce, struct str serial,
                                  struct str signature, struct str body);
/* The header field of a request that is sent now. */
struct str wechat_authorization(struct arena *arena, struct str method, struct str target, struct str body);

/* A transaction, or a refund, as answers and notices hold it; false when it is not ours, not in CNY, or cannot be understood.
 */
MUST_CHECK bool wechat_payment_read(const struct json *json, struct provider_payment *payment);
MUST_CHECK bool wechat_refund_read(const struct json *json, struct provider_refund_state *state);

enum provider_outcome wechat_notice_read(struct request *request, struct provider_notice *notice, bool *ignored,
                                         struct provider_fault *fault);
void wechat_notice_reply(struct request *request, bool taken);
enum provider_outcome wechat_bill_file(struct arena *arena, struct str date, provider_line_taker *take, void *argument,
                                       struct provider_bill *bill, struct provider_fault *fault);

#endif
