/* What the readers of bill files share. */
#include "provider_part.h"

#include <shimin/fiber.h>

enum { LINES_A_TURN = 2000 };
#define AMOUNT_MOST INT64_C(1000000000000) /* so that no sum of a file can overflow */

bool bill_take(struct bill_reading *reading, const struct provider_line *line)
{
    struct provider_bill *bill = reading->bill;
    bill->lines++;
    *(line->is_refund ? &bill->refunded_fen : &bill->paid_fen) += line->amount_fen;
    bill->fee_fen += line->fee_fen;
    reading->stopped = !reading->take(line, reading->argument);
    if (!reading->stopped && bill->lines % LINES_A_TURN == 0 && fiber_self())
        fiber_yield(); /* a million lines take a second of the processor */
    return !reading->stopped;
}

bool bill_fen(struct str yuan, int64_t *fen)
{
    return payment_fen(yuan, true, fen) && *fen >= -AMOUNT_MOST && *fen <= AMOUNT_MOST;
}

/* A quoted value; RFC 4180's doubled quotes become one. */
static struct str cut_quoted(struct arena *arena, struct str *rest)
{
    char *out = arena_alloc(arena, rest->len);
    size_t length = 0, at = 1;
    for (; at < rest->len; at++) {
        if (rest->at[at] == '"' && (at + 1 == rest->len || rest->at[at + 1] != '"'))
            break;
        at += rest->at[at] == '"';
        out[length++] = rest->at[at];
    }
    struct str behind = str_slice(*rest, at < rest->len ? at + 1 : at, rest->len);
    str_cut(&behind, ',');
    *rest = behind;
    return (struct str){out, length};
}

size_t bill_columns(struct arena *arena, struct str line, struct str *columns, size_t most)
{
    size_t count = 0;
    for (struct str rest = line; rest.at;) {
        if (count == most)
            return 0;
        struct str value = rest.len && rest.at[0] == '"' ? cut_quoted(arena, &rest) : str_cut(&rest, ',');
        columns[count++] = str_trim(value);
    }
    return count;
}

enum provider_outcome bill_end(struct arena *arena, const struct bill_reading *reading, struct str packed, const char *wrong,
                               struct provider_fault *fault)
{
    if (reading->stopped)
        return provider_unknown(fault, "stopped", STR("who reads it wanted no more"));
    if (wrong)
        return provider_unknown(fault, "bill", str_of(wrong));
    reading->bill->digest = payment_sha256(arena, packed);
    return PROVIDER_OK;
}
