/* Alipay: bill files, a zip of CSV in GBK with comments, amounts in yuan. */
#include "alipay.h"

static const struct provider_code bill_codes[] = {
    {"isp.bill_not_exist", .reason = PROVIDER_REASON_NO_BILL},
    {"isv.bill_not_exist", .reason = PROVIDER_REASON_NO_BILL},
    {"isp.unknow-error", .unknown = true},
    {"aop.unknow-error", .unknown = true},
    {NULL},
};

enum column { TRADE, OUT_TRADE, KIND, ENDED, AMOUNT, REQUEST, FEE, COLUMNS };
static const char *const titles[COLUMNS] = {
    [TRADE] = "支付宝交易号",    [OUT_TRADE] = "商户订单号",      [KIND] = "业务类型",    [ENDED] = "完成时间",
    [AMOUNT] = "订单金额（元）", [REQUEST] = "退款批次号/请求号", [FEE] = "服务费（元）",
};
enum { VALUES_MOST = 40, ABSENT = VALUES_MOST };

struct table {
    size_t of[COLUMNS], count;
    int64_t payments, refunds; /* lines */
    int64_t payments_said, refunds_said;
};

static bool read_titles(struct arena *arena, struct str text, struct table *table)
{
    struct str values[VALUES_MOST];
    table->count = bill_columns(arena, text, values, VALUES_MOST);
    for (size_t c = 0; c < COLUMNS; c++) {
        table->of[c] = ABSENT;
        for (size_t i = 0; i < table->count; i++)
            if (str_is(values[i], titles[c]))
                table->of[c] = i;
        if (table->of[c] == ABSENT)
            return false;
    }
    return true;
}

/* What a payment says as positive, a refund says as negative; the fee is negative where it is taken. */
static bool read_line(const struct table *table, const struct str *values, struct provider_line *line)
{
    struct str kind = values[table->of[KIND]];
    line->is_refund = str_is(kind, "退款");
    line->transaction_id = values[table->of[TRADE]];
    line->out_trade_no = values[table->of[OUT_TRADE]];
    line->status = STR("SUCCESS");
    if (line->is_refund)
        line->out_refund_no = values[table->of[REQUEST]];
    if (!(line->is_refund || str_is(kind, "交易")) || !line->transaction_id.len || !line->out_trade_no.len ||
        (line->is_refund && !line->out_refund_no.len) ||
        !provider_time_read_spaced(values[table->of[ENDED]], &line->occurred_at) ||
        !bill_fen(values[table->of[AMOUNT]], &line->amount_fen) || !bill_fen(values[table->of[FEE]], &line->fee_fen))
        return false;
    line->fee_fen = -line->fee_fen;
    if (line->is_refund)
        line->amount_fen = -line->amount_fen;
    return line->amount_fen >= 0;
}

/* "#交易合计：2笔，商家实收共…": how many there are; -1 when the comment is another. */
static int64_t count_said(struct str text, struct str title)
{
    int64_t count;
    struct str rest = str_starts(text, title) ? str_slice(text, title.len, text.len) : STR_NONE;
    ptrdiff_t end = rest.at ? str_find(rest, STR("笔")) : -1;
    return end >= 0 && str_to_i64(str_slice(rest, 0, (size_t)end), &count) ? count : -1;
}

static void read_comment(struct str text, struct table *table)
{
    int64_t count;
    if ((count = count_said(text, STR("#交易合计："))) >= 0)
        table->payments_said = count;
    if ((count = count_said(text, STR("#退款合计："))) >= 0)
        table->refunds_said = count;
}

static const char *read_detail(struct unpack *archive, struct arena *arena, struct bill_reading *reading)
{
    struct table table = {.payments_said = -1, .refunds_said = -1};
    struct str text, values[VALUES_MOST];
    while (unpack_line(archive, &text)) {
        text = str_trim(text);
        if (!text.len)
            continue;
        if (text.at[0] == '#') {
            read_comment(text, &table);
            continue;
        }
        if (!table.count) {
            if (!read_titles(arena, text, &table))
                return "it does not name its columns";
            continue;
        }
        struct provider_line line = {.is_refund = false};
        if (bill_columns(arena, text, values, VALUES_MOST) != table.count || !read_line(&table, values, &line))
            return "a line cannot be understood";
        (*(line.is_refund ? &table.refunds : &table.payments))++;
        if (!bill_take(reading, &line))
            return NULL;
    }
    if (unpack_fault(archive))
        return unpack_fault(archive);
    return table.payments == table.payments_said && table.refunds == table.refunds_said
               ? NULL
               : "its summary does not agree with its lines";
}

/* "业务明细" in GBK, as the names in the archive are. */
static bool is_detail(struct str name)
{
    return str_find(name, STR("\xd2\xb5\xce\xf1\xc3\xf7\xcf\xb8")) >= 0 && str_find(name, STR("\xbb\xe3\xd7\xdc")) < 0;
}

const char *alipay_bill_read(struct unpack *archive, struct arena *arena, struct bill_reading *reading)
{
    struct str name;
    while (unpack_next(archive, &name)) {
        if (!is_detail(name))
            continue;
        unpack_gbk(archive);
        return read_detail(archive, arena, reading);
    }
    return unpack_fault(archive) ? unpack_fault(archive) : "the archive holds no detail";
}

enum provider_outcome alipay_bill_file(struct arena *arena, struct str date, provider_line_taker *take, void *argument,
                                       struct provider_bill *bill, struct provider_fault *fault)
{
    const struct json *answer;
    struct peer_answer got;
    struct bill_reading reading = {.bill = bill, .take = take, .argument = argument};
    struct str content = str_printf(arena, "{\"bill_type\":\"trade\",\"bill_date\":\"%.*s\"}", STR_ARG(date));
    enum provider_outcome outcome =
        alipay_call(arena, "alipay.data.dataservice.bill.downloadurl.query", content, false, bill_codes, &answer, fault);
    *bill = (struct provider_bill){.lines = 0};
    if (outcome != PROVIDER_OK)
        return outcome;
    struct str target = peer_target(alipay.bills, json_get_string(answer, "bill_download_url", STR("")));
    if (!target.at)
        return provider_unknown(fault, "address", STR("the file lies elsewhere than payments.alipay.bill_address"));
    /* at once: the address is good for 30 s */
    const struct peer_request request = {
        .method = STR("GET"), .target = target, .most = BILL_PACKED_MOST, .deadline = provider_bill_deadline()};
    if (!peer_call(alipay.bills, arena, &request, &got) || got.status != 200)
        return provider_no_answer(arena, &got, fault);
    struct unpack *archive = unpack_open(arena, UNPACK_ZIP, got.body, BILL_UNPACKED_MOST);
    const char *wrong = alipay_bill_read(archive, arena, &reading);
    return bill_end(arena, &reading, got.body, wrong, fault);
}
