/* Bill files of the three providers, the kind by the first byte: as they come, and as text that is packed here first, so that
 * the readers of lines are reached. What was taken must add up. */
#include "payments/provider_part.h"

#include <shimin/log.h>

#include "stand_bill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4 << 20 };

static struct provider_bill seen;

static bool take(const struct provider_line *line, void *argument)
{
    (void)argument;
    if (line->amount_fen < 0 || !line->out_trade_no.at)
        fatal("a line was taken that cannot be");
    if (line->is_refund ? !line->out_refund_no.len : !line->out_trade_no.len)
        fatal("a line without a number was taken");
    seen.lines++;
    *(line->is_refund ? &seen.refunded_fen : &seen.paid_fen) += line->amount_fen;
    return true;
}

static struct unpack *zipped(struct arena *arena, const char *name, struct str text)
{
    const struct bill_file file = {.name = name, .bytes = text};
    return unpack_open(arena, UNPACK_ZIP, bill_zip(arena, &file, 1), MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct provider_bill bill = {.lines = 0};
    struct bill_reading reading = {.bill = &bill, .take = take};
    struct str text = {(const char *)data + 1, size - 1}, date = STR("2026-11-24");
    seen = (struct provider_bill){.lines = 0};
    switch (data[0] % 6) {
    case 0:
        (void)!wechat_bill_read(unpack_open(arena, UNPACK_PLAIN, text, MOST), arena, &reading);
        break;
    case 1:
        (void)!wechat_bill_read(unpack_open(arena, UNPACK_GZIP, text, MOST), arena, &reading);
        break;
    case 2:
        (void)!alipay_bill_read(zipped(arena, "\xd2\xb5\xce\xf1\xc3\xf7\xcf\xb8.csv", text), arena, &reading);
        break;
    case 3:
        (void)!alipay_bill_read(unpack_open(arena, UNPACK_ZIP, text, MOST), arena, &reading);
        break;
    case 4:
        (void)!unionpay_bill_read(zipped(arena, "INN26112488ZM_777290058110048", text), date, &reading);
        break;
    default:
        (void)!unionpay_bill_read(unpack_open(arena, UNPACK_ZIP, text, MOST), date, &reading);
    }
    if (bill.lines != seen.lines || bill.paid_fen != seen.paid_fen || bill.refunded_fen != seen.refunded_fen)
        fatal("the sums are not those of the lines");
    return 0;
}
