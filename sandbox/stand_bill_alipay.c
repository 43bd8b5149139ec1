/* Alipay's bill file: a zip of two CSV files in GBK, with comments, in yuan. */
#include <iconv.h>

#include "stand_bill.h"

/* In GB 18030, which holds all that UTF-8 does. */
static struct str to_gbk(struct arena *arena, struct str text)
{
    iconv_t convert = iconv_open("GB18030", "UTF-8");
    size_t room = text.len * 2 + 1, left = room, in_left = text.len;
    char *out = arena_alloc(arena, room), *to = out, *in = (char *)(uintptr_t)text.at;
    if (convert == (iconv_t)-1)
        return STR_NONE;
    size_t done = iconv(convert, &in, &in_left, &to, &left);
    iconv_close(convert);
    *to = '\0';
    return done == (size_t)-1 ? STR_NONE : (struct str){out, room - left};
}

static void write_line(struct text *text, struct arena *arena, const struct bill_row *row)
{
    struct str at = stand_spaced(arena, row->at), amount = payment_yuan(arena, row->refund ? -row->amount : row->amount);
    text_printf(
        text,
        "%s\t,%s\t,%s,缴费\t,%.*s,%.*s,,,,,138****8000\t,%.*s,%.*s,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,%s\t,%.*s,0.00,\r\n",
        row->transaction, row->number, row->refund ? "退款" : "交易", STR_ARG(at), STR_ARG(at), STR_ARG(amount),
        STR_ARG(amount), row->refund ? row->refund_number : "", STR_ARG(payment_yuan(arena, -row->fee)));
}

static struct str detail(struct arena *arena, const struct bill_row *rows, size_t count, unsigned lies)
{
    struct text text = text_open(arena, 4096);
    int64_t sums[2] = {0, 0}, counts[2] = {0, 0};
    text_printf(&text, "#支付宝业务明细查询\r\n#账号：[%.*s0156]\r\n#起始日期：[]   终止日期：[]\r\n",
                STR_ARG(stand.alipay_seller));
    text_add_c(
        &text,
        "#-----------------------------------------业务明细列表----------------------------------------\r\n"
        "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
        "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
        "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n");
    for (size_t i = 0; i < count; i++) {
        write_line(&text, arena, &rows[i]);
        sums[rows[i].refund] += rows[i].amount;
        counts[rows[i].refund]++;
    }
    text_add_c(&text, "#-----------------------------------------业务明细列表结束------------------------------------\r\n");
    text_printf(&text, "#交易合计：%lld笔，商家实收共%.*s元，商家优惠共0.00元\r\n",
                (long long)counts[0] + (lies & LIE_SUMMARY ? 1 : 0), STR_ARG(payment_yuan(arena, sums[0])));
    text_printf(&text, "#退款合计：%lld笔，商家实收退款共-%.*s元，商家优惠退款共0.00元\r\n", (long long)counts[1],
                STR_ARG(payment_yuan(arena, sums[1])));
    return to_gbk(arena, text_str(&text));
}

struct str stand_alipay_bill(struct arena *arena, struct str date, unsigned lies)
{
    struct bill_row *rows;
    size_t count = bill_rows(arena, TILL_ALIPAY, date, lies, &rows);
    if (!count)
        return STR_NONE;
    struct str prefix =
        str_printf(arena, "%.*s0156_%.*s%.*s%.*s_", STR_ARG(stand.alipay_seller), STR_ARG(str_slice(date, 0, 4)),
                   STR_ARG(str_slice(date, 5, 7)), STR_ARG(str_slice(date, 8, 10)));
    const struct bill_file files[] = {
        {.name = to_gbk(arena, str_printf(arena, "%.*s业务明细.csv", STR_ARG(prefix))).at,
         .bytes = detail(arena, rows, count, lies)},
        {.name = to_gbk(arena, str_printf(arena, "%.*s业务明细(汇总).csv", STR_ARG(prefix))).at,
         .bytes = to_gbk(arena, STR("#支付宝业务汇总查询\r\n"))},
    };
    return bill_zip(arena, files, COUNT_OF(files));
}
