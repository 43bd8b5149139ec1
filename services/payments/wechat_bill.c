/* WeChat Pay: bill files, CSV in UTF-8 with a back-tick before each value, amounts in yuan. */
#include "wechat.h"

static const struct provider_code bill_codes[] = {
    {"NO_STATEMENT_EXIST", .reason = PROVIDER_REASON_NO_BILL},
    {"STATEMENT_CREATING", .reason = PROVIDER_REASON_NO_BILL},
    {"SYSTEM_ERROR", .unknown = true},
    {"FREQUENCY_LIMITED", .unknown = true},
    {NULL},
};

/* The columns that are read; a file names them in its first line, and their order is that line's. */
enum column {
    TIME,
    MERCHANT,
    TRANSACTION,
    OUT_TRADE,
    STATE,
    REFUND,
    OUT_REFUND,
    REFUND_AMOUNT,
    REFUND_STATE,
    FEE,
    AMOUNT,
    APPLIED,
    COLUMNS
};
static const char *const titles[COLUMNS] = {
    [TIME] = "交易时间",         [MERCHANT] = "商户号",     [TRANSACTION] = "微信订单号",  [OUT_TRADE] = "商户订单号",
    [STATE] = "交易状态",        [REFUND] = "微信退款单号", [OUT_REFUND] = "商户退款单号", [REFUND_AMOUNT] = "退款金额",
    [REFUND_STATE] = "退款状态", [FEE] = "手续费",          [AMOUNT] = "订单金额",         [APPLIED] = "申请退款金额",
};
enum { VALUES_MOST = 40, SUMMARY_COLUMNS = 7, ABSENT = VALUES_MOST };

struct table {
    size_t of[COLUMNS], count;
};

static bool read_titles(struct str line, struct arena *arena, struct table *table)
{
    struct str values[VALUES_MOST];
    if (str_starts(line, STR("\xef\xbb\xbf")))
        line = str_slice(line, 3, line.len);
    table->count = bill_columns(arena, line, values, VALUES_MOST);
    bool all = true;
    for (size_t c = 0; c < COLUMNS; c++) {
        table->of[c] = ABSENT;
        for (size_t i = 0; i < table->count; i++)
            if (str_is(values[i], titles[c]))
                table->of[c] = i;
        all = all && table->of[c] != ABSENT;
    }
    return all;
}

/* Values begin with a back-tick, and a value may hold a comma: not before a back-tick, though. */
static size_t split(struct str line, struct str *values)
{
    size_t count = 0, start = 1;
    if (!line.len || line.at[0] != '`')
        return 0;
    for (size_t at = 1; at <= line.len; at++) {
        bool end = at == line.len, next = !end && line.at[at] == ',' && at + 1 < line.len && line.at[at + 1] == '`';
        if (!end && !next)
            continue;
        if (count == VALUES_MOST)
            return 0;
        values[count++] = str_trim(str_slice(line, start, at));
        start = at + 2;
    }
    return count;
}

static bool read_line(const struct table *table, const struct str *values, struct provider_line *line)
{
    struct str state = values[table->of[STATE]];
    line->is_refund = str_is(state, "REFUND") || str_is(state, "REVOKED");
    line->transaction_id = values[table->of[TRANSACTION]];
    line->out_trade_no = values[table->of[OUT_TRADE]];
    line->status = line->is_refund ? values[table->of[REFUND_STATE]] : state;
    if (line->is_refund) {
        line->refund_id = values[table->of[REFUND]];
        line->out_refund_no = values[table->of[OUT_REFUND]];
    }
    return provider_time_read_spaced(values[table->of[TIME]], &line->occurred_at) && line->transaction_id.len &&
           line->out_trade_no.len && (!line->is_refund || line->out_refund_no.len) &&
           bill_fen(values[line->is_refund ? table->of[APPLIED] : table->of[AMOUNT]], &line->amount_fen) &&
           line->amount_fen >= 0 && bill_fen(values[table->of[FEE]], &line->fee_fen);
}

/* Number of lines, and the sums of orders and of refunds. */
static bool agrees(const struct str *values, size_t count, const struct provider_bill *bill)
{
    int64_t lines, orders, refunds;
    return count >= SUMMARY_COLUMNS && str_to_i64(values[0], &lines) && payment_fen(values[5], false, &orders) &&
           payment_fen(values[6], false, &refunds) && lines == bill->lines && orders == bill->paid_fen &&
           refunds == bill->refunded_fen;
}

const char *wechat_bill_read(struct unpack *file, struct arena *arena, struct bill_reading *reading)
{
    struct str text, values[VALUES_MOST];
    struct table table;
    if (!unpack_line(file, &text) || !read_titles(text, arena, &table))
        return unpack_fault(file) ? unpack_fault(file) : "its first line does not name the columns";
    while (unpack_line(file, &text) && text.len && text.at[0] == '`') {
        struct provider_line line = {.is_refund = false};
        if (split(text, values) != table.count || !read_line(&table, values, &line))
            return "a line cannot be understood";
        if (!bill_take(reading, &line))
            return NULL;
    }
    /* here `text` is the summary's titles */
    if (!unpack_line(file, &text))
        return unpack_fault(file) ? unpack_fault(file) : "it ends without its summary";
    size_t count = split(text, values);
    if (!agrees(values, count, reading->bill))
        return "its summary does not agree with its lines";
    while (unpack_line(file, &text))
        if (text.len)
            return "there is more behind its summary";
    return unpack_fault(file);
}

static enum provider_outcome download(struct arena *arena, struct str target, struct peer_answer *got,
                                      struct provider_fault *fault)
{
    const struct peer_request request = {
        .method = STR("GET"),
        .target = target,
        .fields = {{STR("authorization"), wechat_authorization(arena, STR("GET"), target, STR(""))},
                   {STR("accept"), STR("*/*")},
                   {STR("user-agent"), STR("shimin")}},
        .most = BILL_PACKED_MOST,
        .deadline = provider_bill_deadline(),
    };
    if (!peer_call(wechat->peer, arena, &request, got) || got->status != 200)
        return provider_no_answer(arena, got, fault);
    return PROVIDER_OK;
}

enum provider_outcome wechat_bill_file(struct arena *arena, struct str date, provider_line_taker *take, void *argument,
                                       struct provider_bill *bill, struct provider_fault *fault)
{
    struct wechat_answer answer;
    struct peer_answer got;
    struct bill_reading reading = {.bill = bill, .take = take, .argument = argument};
    struct str asked = str_printf(arena, "/v3/bill/tradebill?bill_date=%.*s&bill_type=ALL&tar_type=GZIP", STR_ARG(date));
    enum provider_outcome outcome = wechat_call(arena, STR("GET"), asked, STR(""), bill_codes, &answer, fault);
    *bill = (struct provider_bill){.lines = 0};
    if (outcome != PROVIDER_OK)
        return outcome;
    struct str target = peer_target(wechat->peer, json_get_string(answer.json, "download_url", STR("")));
    if (!target.at || !str_is(json_get_string(answer.json, "hash_type", STR("")), "SHA1"))
        return provider_unknown(fault, "address", STR("the file lies elsewhere, or its hash is of another kind"));
    outcome = download(arena, target, &got, fault);
    if (outcome != PROVIDER_OK)
        return outcome;
    /* the hash is of what was packed; the download itself is not signed */
    struct unpack *file = unpack_open(arena, UNPACK_GZIP, got.body, BILL_UNPACKED_MOST);
    unpack_sum(file);
    const char *wrong = wechat_bill_read(file, arena, &reading);
    if (!wrong && !reading.stopped && !str_equal_nocase(unpack_sha1(file), json_get_string(answer.json, "hash_value", STR(""))))
        return provider_unknown(fault, "hash", STR("the file's hash is another"));
    return bill_end(arena, &reading, got.body, wrong, fault);
}
