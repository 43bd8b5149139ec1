/* Payments: what the handlers, the notices and the job share. */
#ifndef PAYMENTS_PAYMENT_H
#define PAYMENTS_PAYMENT_H

#include "provider.h"

/* Ours towards a provider and a department: a UUID without its hyphens. */
struct str payment_number(struct arena *arena, struct str id);
/* An open payment comes to pending, unknown, failed or closed; `by` is order, query, close or citizen. Where it may not,
 * nothing happens. false when it could not be kept. Waits. */
MUST_CHECK bool payment_advance(struct arena *arena, struct str id, const char *state, const char *by, struct str detail);
/* What a provider says of a payment: paid is taken, failed and closed end it. false when it could not be kept. Waits. */
MUST_CHECK bool payment_told(struct arena *arena, struct str id, const struct provider_payment *said, const char *by);
/* What a provider says of a refund. false when it could not be kept. Waits. */
MUST_CHECK bool refund_told(struct arena *arena, struct str id, int64_t amount_fen, const struct provider_refund_state *said);

/* On each worker; the first one asks providers, sends refunds, and tells departments what was paid. */
void payment_job_start(void);
void payment_job_stop(void);

#endif
