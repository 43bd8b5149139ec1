/* The day's rows of a provider, with what it lies about; and WeChat's and UnionPay's files of them. */
#include "stand_bill.h"

#include <shimin/id.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

enum { GZIP_BITS = 15 + 16, FEE_PER_MILLE = 6 };

static int64_t fee_of(int64_t amount)
{
    return (amount * FEE_PER_MILLE + 500) / 1000;
}

static bool is_of(struct arena *arena, int64_t wall, struct str date)
{
    return wall > 0 && str_equal(str_slice(stand_spaced(arena, wall), 0, 10), date);
}

static struct bill_row payment_row(const struct till_order *order)
{
    struct bill_row row = {.at = order->paid_at, .amount = order->amount, .fee = fee_of(order->amount)};
    TILL_SET(row.transaction, str_of(order->transaction));
    TILL_SET(row.number, str_of(order->number));
    return row;
}

static struct bill_row refund_row(const struct till_refund *refund)
{
    struct bill_row row = {.refund = true,
                           .at = refund->ended_at ? refund->ended_at : refund->made_at,
                           .amount = refund->amount,
                           .fee = -fee_of(refund->amount),
                           .state = refund->state};
    TILL_SET(row.transaction, str_of(refund->transaction));
    TILL_SET(row.number, str_of(refund->order));
    TILL_SET(row.refund_id, str_of(refund->id));
    TILL_SET(row.refund_number, str_of(refund->number));
    return row;
}

/* Of the first payment, which the lies are about; there must be one. */
static void lie(struct bill_row *rows, size_t *count, unsigned lies)
{
    struct bill_row first = rows[0];
    if (lies & LIE_STATUS) {
        struct bill_row refund = first;
        refund.refund = true;
        refund.state = TILL_SUCCESS;
        TILL_SET(refund.refund_id, STR("50300000000000000000"));
        TILL_SET(refund.refund_number, STR("99999999LIE"));
        rows[(*count)++] = refund;
    }
    if (lies & LIE_EXTRA) {
        struct bill_row extra = first;
        TILL_SET(extra.transaction, STR("420000000099999999"));
        TILL_SET(extra.number, STR("99999999EXTRA"));
        rows[(*count)++] = extra;
    }
    if (lies & LIE_DUPLICATE)
        rows[(*count)++] = first;
    if (lies & LIE_AMOUNT)
        rows[0].amount++;
    if (lies & LIE_MISSING)
        memmove(rows, rows + 1, --*count * sizeof *rows);
}

size_t bill_rows(struct arena *arena, enum till_provider provider, struct str date, unsigned lies, struct bill_row **rows)
{
    struct till_order *orders;
    struct till_refund *refunds;
    size_t order_count = till_orders(arena, provider, &orders), refund_count = till_refunds(arena, provider, &refunds),
           count = 0;
    *rows = arena_array(arena, struct bill_row, order_count + refund_count + 4);
    for (size_t i = 0; i < order_count; i++)
        if (orders[i].state == TILL_PAID && is_of(arena, orders[i].paid_at, date))
            (*rows)[count++] = payment_row(&orders[i]);
    size_t payments = count;
    for (size_t i = 0; i < refund_count; i++)
        if (refunds[i].state != TILL_REFUND_CLOSED && is_of(arena, refunds[i].made_at, date) &&
            (provider == TILL_WECHAT || refunds[i].state == TILL_SUCCESS))
            (*rows)[count++] = refund_row(&refunds[i]);
    if (payments)
        lie(*rows, &count, lies);
    return count;
}

struct str stand_gzip(struct arena *arena, struct str plain)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)plain.at, .avail_in = (uInt)plain.len};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return STR_NONE;
    size_t room = deflateBound(&stream, plain.len) + 32;
    char *out = arena_alloc(arena, room);
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    deflate(&stream, Z_FINISH);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    return (struct str){out, size};
}

struct str bill_zip(struct arena *arena, const struct bill_file *files, size_t count)
{
    zip_error_t error;
    struct str out = STR_NONE;
    zip_error_init(&error);
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *zip = memory ? zip_open_from_source(memory, ZIP_TRUNCATE, &error) : NULL;
    if (!zip) {
        zip_source_free(memory);
        return out;
    }
    zip_source_keep(memory);
    bool good = true;
    for (size_t i = 0; i < count; i++) /* names are bytes: no UTF-8 is said of them */
        good &= zip_file_add(zip, files[i].name, zip_source_buffer(zip, files[i].bytes.at, files[i].bytes.len, 0),
                             ZIP_FL_ENC_CP437) >= 0;
    if (zip_close(zip) != 0) {
        zip_discard(zip);
        good = false;
    }
    zip_stat_t stat;
    if (good && zip_source_stat(memory, &stat) == 0 && zip_source_open(memory) == 0) {
        char *bytes = arena_alloc(arena, stat.size + 1);
        zip_int64_t got = zip_source_read(memory, bytes, stat.size);
        out = (struct str){bytes, got > 0 ? (size_t)got : 0};
        zip_source_close(memory);
    }
    zip_source_free(memory);
    return out;
}

/* ---- WeChat: CSV, UTF-8, a back-tick before each value, yuan ---- */

#define WECHAT_TITLES                                                                                                                                                               \
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"             \
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费," \
    "费率,订单金额,申请退款金额,费率备注\r\n"

static const char *const refund_states[] = {"PROCESSING", "SUCCESS", "CHANGE", "FAIL"};

static void wechat_line(struct text *text, struct arena *arena, const struct bill_row *row)
{
    struct str amount = payment_yuan(arena, row->amount), zero = STR("0.00"), none = STR("0");
    struct str paid = row->refund ? zero : amount, refunded = row->refund ? amount : zero, fee = payment_yuan(arena, row->fee);
    text_printf(text,
                "`%.*s,`%.*s,`%.*s,`0,`,`%s,`%s,`oUpF8u,`APP,`%s,`OTHERS,`CNY,`%.*s,`0.00,`%s,`%s,`%.*s,`0.00,`%s,`%s,`缴费,`,",
                STR_ARG(stand_spaced(arena, row->at)), STR_ARG(stand.wechat_app), STR_ARG(stand.wechat_id), row->transaction,
                row->number, row->refund ? "REFUND" : "SUCCESS", STR_ARG(paid), row->refund ? row->refund_id : none.at,
                row->refund ? row->refund_number : none.at, STR_ARG(refunded), row->refund ? "ORIGINAL" : "",
                row->refund ? refund_states[row->state] : "");
    text_printf(text, "`%.*s,`0.60%%,`%.*s,`%.*s,`\r\n", STR_ARG(fee), STR_ARG(paid), STR_ARG(refunded));
}

struct str stand_wechat_bill(struct arena *arena, struct str date, unsigned lies)
{
    struct bill_row *rows;
    struct text text = text_open(arena, 4096);
    int64_t paid = 0, refunded = 0, fees = 0;
    size_t count = bill_rows(arena, TILL_WECHAT, date, lies, &rows);
    if (!count)
        return STR_NONE;
    text_add_c(&text, "\xef\xbb\xbf" WECHAT_TITLES);
    for (size_t i = 0; i < count; i++) {
        wechat_line(&text, arena, &rows[i]);
        *(rows[i].refund ? &refunded : &paid) += rows[i].amount;
        fees += rows[i].fee;
    }
    text_add_c(&text, "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n");
    struct str all = payment_yuan(arena, paid), back = payment_yuan(arena, refunded);
    text_printf(&text, "`%zu,`%.*s,`%.*s,`0.00,`%.*s,`%.*s,`%.*s\r\n", count + (lies & LIE_SUMMARY ? 1 : 0), STR_ARG(all),
                STR_ARG(back), STR_ARG(payment_yuan(arena, fees)), STR_ARG(all), STR_ARG(back));
    return text_str(&text);
}

/* ---- UnionPay: fixed columns in a ZM_ file, fen; base64 of zlib of a zip ---- */

static const unsigned widths[] = {3, 11, 11, 6, 10, 19, 12, 4,  2, 21, 2,  32, 2,  6, 10, 13, 13, 4,  15, 2,
                                  2, 6,  2,  4, 32, 1,  21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2,  1};

static void unionpay_line(struct text *text, struct arena *arena, const struct bill_row *row)
{
    struct str values[COUNT_OF(widths)] = {{NULL, 0}};
    struct str time = stand_packed(arena, row->at);
    values[0] = row->refund ? STR("S30") : STR("S22");
    values[4] = str_slice(time, 4, time.len);
    values[6] = str_printf(arena, "%012lld", (long long)row->amount);
    values[9] = str_of(row->refund ? row->refund_id : row->transaction);
    values[11] = str_of(row->refund ? row->refund_number : row->number);
    values[15] = str_printf(arena, "%c%012lld", row->fee < 0 ? 'C' : 'D', (long long)(row->fee < 0 ? -row->fee : row->fee));
    values[19] = row->refund ? STR("04") : STR("01");
    values[26] = row->refund ? str_of(row->transaction) : STR("");
    values[27] = stand.unionpay_id;
    for (size_t i = 0; i < COUNT_OF(widths); i++)
        text_printf(text, "%-*.*s ", (int)widths[i], STR_ARG(values[i]));
    text_add_c(text, "\r\n");
}

struct str stand_unionpay_bill(struct arena *arena, struct str date, unsigned lies)
{
    struct bill_row *rows;
    struct text text = text_open(arena, 4096);
    size_t count = bill_rows(arena, TILL_UNIONPAY, date, lies, &rows);
    if (!count)
        return STR_NONE;
    for (size_t i = 0; i < count; i++)
        unionpay_line(&text, arena, &rows[i]);
    const struct bill_file file = {.name = str_printf(arena, "INN%.*s%.*s%.*s88ZM_%.*s", STR_ARG(str_slice(date, 2, 4)),
                                                      STR_ARG(str_slice(date, 5, 7)), STR_ARG(str_slice(date, 8, 10)),
                                                      STR_ARG(stand.unionpay_id))
                                               .at,
                                   .bytes = text_str(&text)};
    struct str zip = bill_zip(arena, &file, 1);
    uLongf size = compressBound(zip.len);
    Bytef *out = arena_alloc(arena, size);
    if (!zip.at || compress(out, &size, (const Bytef *)zip.at, zip.len) != Z_OK)
        return STR_NONE;
    return base64_encode(arena, out, size);
}
