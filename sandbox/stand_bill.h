/* Rows of a bill file, and packing. */
#ifndef SANDBOX_STAND_BILL_H
#define SANDBOX_STAND_BILL_H

#include "stand.h"

struct bill_row {
    bool refund;
    char transaction[36], number[68]; /* of the payment */
    char refund_id[36], refund_number[68];
    int64_t at, amount, fee; /* the fee is negative where it is given back */
    enum till_refund_state state;
};
/* Of a day, with the lies that hold for all formats. */
size_t bill_rows(struct arena *arena, enum till_provider provider, struct str date, unsigned lies, struct bill_row **rows);

struct bill_file {
    const char *name; /* bytes */
    struct str bytes;
};
/* STR_NONE when it cannot be packed. */
struct str bill_zip(struct arena *arena, const struct bill_file *files, size_t count);

#endif
