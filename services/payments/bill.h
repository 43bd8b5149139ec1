/* Bills as departments have them, and as they are kept here. */
#ifndef PAYMENTS_BILL_H
#define PAYMENTS_BILL_H

#include <shimin/department.h>
#include <shimin/pg.h>

/* Everything of one account that its department is asked for. */
struct bill_question {
    struct arena *arena;
    const struct snapshot *snapshot;
    const struct service *service;
    const struct citizen *citizen;
    struct request *request;
    struct str account_number; /* plain: never log it */
};

/* Asks the department for the account's bills. NULL on success, or the problem; of an account that the department does not
 * know, or not as this citizen's, it is PROBLEM_NOT_FOUND. Leaves a footprint. Waits. */
const struct problem *bills_ask(const struct bill_question *question, struct department_answer *answer) MUST_CHECK;
/* The account's holder as the department masks it; empty where it says nothing. */
struct str bills_holder(const struct service *service, const struct department_answer *answer);
/* Keeps them under the account's index. Items that are no bill (no number, an amount that is none) are left out and logged by
 * count. Waits. */
enum pg_status bills_keep(struct arena *arena, const struct service *service, struct str blind,
                          const struct department_answer *answer) MUST_CHECK;
/* By which an account number of a department is found. */
struct str bill_account_index(struct arena *arena, const struct service *service, struct str number);

#endif
