/* The retry budget: each first attempt earns a tenth of a retry.
 *
 * A fixed number of retries a call multiplies the load of a department exactly when it is sick; a budget bounds the extra
 * load to ten per cent whatever happens (Google SRE book, "Handling Overload"). */
#include "federation/budget.h"

#define TENTHS_A_RETRY 10
#define TENTHS_AT_START 30
#define TENTHS_MOST 200

void budget_open(struct budget *budget)
{
    budget->tenths = TENTHS_AT_START;
}

void budget_earn(struct budget *budget)
{
    if (budget->tenths < TENTHS_MOST)
        budget->tenths++;
}

bool budget_spend(struct budget *budget)
{
    if (budget->tenths < TENTHS_A_RETRY)
        return false;
    budget->tenths -= TENTHS_A_RETRY;
    return true;
}
