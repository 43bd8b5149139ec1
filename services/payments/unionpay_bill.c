/* UnionPay: bill files, base64 of zlib of a zip, in it a ZM_ file of fixed columns, amounts in fen. */
#include "unionpay.h"

#include <shimin/id.h>
#include <stdio.h>

static const struct provider_code bill_codes[] = {
    {"98", .reason = PROVIDER_REASON_NO_BILL},
    {"01", .unknown = true},
    {"02", .unknown = true},
    {"06", .unknown = true},
    {"10", .reason = PROVIDER_REASON_CONFIGURATION},
    {"11", .reason = PROVIDER_REASON_CONFIGURATION},
    {NULL},
};

/* The columns' widths, with one blank between them; what is read of them by number. */
static const size_t widths[] = {3, 11, 11, 6, 10, 19, 12, 4,  2, 21, 2,  32, 2,  6, 10, 13, 13, 4,  15, 2,
                                2, 6,  2,  4, 32, 1,  21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2,  1};
enum column { CODE = 0, TIME = 4, AMOUNT = 6, QUERY_ID = 9, ORDER = 11, FEE = 15, ORIGINAL = 26, MERCHANT = 27, COLUMNS = 28 };

/* false when the line is shorter than the columns that are read. */
static bool cut(struct str text, struct str *values)
{
    size_t at = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (at + widths[i] > text.len)
            return false;
        values[i] = str_trim(str_slice(text, at, at + widths[i]));
        at += widths[i] + 1;
    }
    return true;
}

/* "C000000000038": D is taken from us, C is given. */
static bool read_fee(struct str text, int64_t *fen)
{
    if (text.len < 2 || (text.at[0] != 'C' && text.at[0] != 'D') || !str_to_i64(str_slice(text, 1, text.len), fen) ||
        *fen < 0 || *fen > INT64_C(1000000000000))
        return false;
    if (text.at[0] == 'C')
        *fen = -*fen;
    return true;
}

/* MMDDhhmmss, of the year of the day that was asked for; at the turn of the year of the one before. */
static bool read_time(struct str date, struct str text, int64_t *wall)
{
    int64_t year;
    char packed[32];
    if (text.len != 10 || !str_to_i64(str_slice(date, 0, 4), &year) || year < 1970 || year > 9999)
        return false;
    if (str_is(str_slice(date, 5, 7), "01") && str_starts(text, STR("12")))
        year--;
    snprintf(packed, sizeof packed, "%04d%.*s", (int)year, STR_ARG(text));
    return provider_time_read_packed(str_of(packed), wall);
}

/* S22 is a payment, S30 a refund; other codes (fees, corrections) are not of payments. */
static const char *read_line(struct str date, struct str text, struct bill_reading *reading)
{
    struct str values[COLUMNS];
    struct provider_line line = {.status = STR("SUCCESS")};
    if (!cut(text, values) || !values[CODE].len)
        return "a line cannot be understood";
    line.is_refund = str_is(values[CODE], "S30");
    if (!line.is_refund && !str_is(values[CODE], "S22"))
        return NULL;
    if (!read_time(date, values[TIME], &line.occurred_at) || !str_to_i64(values[AMOUNT], &line.amount_fen) ||
        line.amount_fen < 0 || !read_fee(values[FEE], &line.fee_fen) || !values[ORDER].len || !values[QUERY_ID].len)
        return "a line cannot be understood";
    if (unionpay && !str_equal(values[MERCHANT], unionpay->merchant))
        return "a line is of another merchant";
    if (line.is_refund) {
        line.refund_id = values[QUERY_ID];
        line.out_refund_no = values[ORDER];
        line.transaction_id = values[ORIGINAL];
        line.out_trade_no = STR(""); /* the file does not name it */
    } else {
        line.transaction_id = values[QUERY_ID];
        line.out_trade_no = values[ORDER];
    }
    bill_take(reading, &line); /* reading->stopped ends the loop */
    return NULL;
}

const char *unionpay_bill_read(struct unpack *archive, struct str date, struct bill_reading *reading)
{
    struct str name, text;
    const char *wrong = NULL;
    bool found = false;
    while (!wrong && !reading->stopped && unpack_next(archive, &name)) {
        if (str_find(name, STR("ZM_")) < 0)
            continue;
        found = true;
        while (!wrong && !reading->stopped && unpack_line(archive, &text))
            if (str_trim(text).len)
                wrong = read_line(date, text, reading);
    }
    return wrong ? wrong : unpack_fault(archive) ? unpack_fault(archive) : found ? NULL : "the archive holds no ZM_ file";
}

/* base64(zlib(zip)) */
static struct unpack *open_content(struct arena *arena, struct str content, struct str *packed)
{
    struct str zip;
    if (!base64_decode(arena, content, packed))
        return NULL;
    struct unpack *outer = unpack_open(arena, UNPACK_ZLIB, *packed, BILL_PACKED_MOST);
    return unpack_rest(outer, &zip) ? unpack_open(arena, UNPACK_ZIP, zip, BILL_UNPACKED_MOST) : NULL;
}

enum provider_outcome unionpay_bill_file(struct arena *arena, struct str date, provider_line_taker *take, void *argument,
                                         struct provider_bill *bill, struct provider_fault *fault)
{
    struct payment_form form, answer;
    struct bill_reading reading = {.bill = bill, .take = take, .argument = argument};
    struct str packed;
    *bill = (struct provider_bill){.lines = 0};
    unionpay_form(&form, "76", "01", "000000");
    payment_form_add(&form, "txnTime", provider_time_packed(arena, clock_wall()));
    payment_form_add(&form, "fileType", STR("00"));
    payment_form_add(&form, "settleDate",
                     str_printf(arena, "%.*s%.*s", STR_ARG(str_slice(date, 5, 7)), STR_ARG(str_slice(date, 8, 10))));
    enum provider_outcome outcome = unionpay_call(arena, unionpay->files, "", &form, bill_codes, &answer, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    struct unpack *archive = open_content(arena, payment_form_get(&answer, "fileContent"), &packed);
    if (!archive)
        return provider_unknown(fault, "bill", STR("the file cannot be unpacked"));
    const char *wrong = unionpay_bill_read(archive, date, &reading);
    return bill_end(arena, &reading, packed, wrong, fault);
}
