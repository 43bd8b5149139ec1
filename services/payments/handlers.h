/* Payments: the handlers of its operations, and what they share. */
#ifndef PAYMENTS_HANDLERS_H
#define PAYMENTS_HANDLERS_H

#include <shimin/catalogue.h>
#include <shimin/citizen.h>
#include <shimin/module.h>
#include <shimin/pg.h>

void bind_account(struct request *request);
void list_accounts(struct request *request);
void change_account(struct request *request);
void end_account(struct request *request);

void list_bills(struct request *request);

void create_payment(struct request *request);
void read_payment(struct request *request);
void list_payments(struct request *request);
void cancel_payment(struct request *request);

void take_notice(struct request *request);
void begin_refund(struct request *request);
void list_own_refunds(struct request *request);
void list_all_refunds(struct request *request);
void decide_refund(struct request *request);
void read_overview(struct request *request);
void list_providers(struct request *request);

/* 503, with when to come again. */
void payments_reply_unavailable(struct request *request);
/* Why the citizen cannot do with this service (NULL: it is in the catalogue no more) what a switch leaves open up to
 * `position`: it is switched, or asks for a higher level. NULL: they can. */
const struct problem *payments_closed(struct request *request, const struct service *service, enum switch_position position);
/* The path parameter `id`; false after a 404. */
MUST_CHECK bool payments_id_of(struct request *request, struct str *id);

#endif
