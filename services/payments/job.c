/* The engine's own work: asking providers for what notices did not tell, sending refunds, telling departments what was paid.
 * The store gives each piece to one gateway for a while; what a gateway had when it was killed comes up again by itself. */
#include "payment.h"
#include "payments_queries.h"

#include <shimin/department.h>
#include <shimin/fiber.h>
#include <shimin/json.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/personal.h>
#include <shimin/pg.h>
#include <shimin/worker.h>

enum { TICK_MS = 1000, AT_ONCE = 16, PIECE_SECONDS = 30, LEASE_SECONDS = 60, POINT_SECONDS = 300 };
enum { AGAIN_FIRST = 5, AGAIN_MOST = 3600, ATTEMPTS_MOST = 200 /* some eight days */ };

static struct fiber *working;
static bool stopping;
static struct metric *confirmations;

__attribute__((constructor)) static void register_metrics(void)
{
    confirmations = metric_register(METRIC_COUNTER, "payment_confirmations_total", "department,outcome",
                                    "Paid bills that departments were told of.");
}

/* One row of what was claimed, worked on in a fiber of its own. */
struct piece {
    const struct pg_result *rows;
    size_t row;
};

/* ---- payments ---- */

static bool close_expired(struct arena *arena, const struct provider *provider, const struct provider_trade *trade,
                          struct str id)
{
    struct provider_fault fault = {0};
    enum provider_outcome outcome = provider->close(arena, trade, &fault);
    bool is_over = outcome == PROVIDER_OK || (outcome == PROVIDER_REFUSED && (fault.reason == PROVIDER_REASON_NOT_CLOSABLE ||
                                                                              fault.reason == PROVIDER_REASON_NO_ORDER));
    return !is_over || payment_advance(arena, id, "closed", "query", STR("expired"));
}

static void ask_payment(void *argument)
{
    const struct piece *piece = argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct provider *provider = provider_named(pg_str(piece->rows, piece->row, 1));
    struct str id = pg_str(piece->rows, piece->row, 0);
    const struct provider_trade trade = {.out_trade_no = pg_str(piece->rows, piece->row, 2),
                                         .ordered_at = pg_wall(piece->rows, piece->row, 3)};
    bool expired = pg_bool(piece->rows, piece->row, 5), kept = true;
    struct provider_payment said = {0};
    struct provider_fault fault = {0};
    if (!provider || provider->query(arena, &trade, &said, &fault) != PROVIDER_OK)
        return; /* nothing is known: it is asked again */
    bool waits = said.state == PROVIDER_NOT_PAID || said.state == PROVIDER_PAYING;
    if (!waits && said.state != PROVIDER_NOT_FOUND)
        kept = payment_told(arena, id, &said, "query");
    else if (expired && said.state == PROVIDER_NOT_FOUND)
        kept = payment_advance(arena, id, "closed", "query", STR("expired"));
    else if (expired)
        kept = close_expired(arena, provider, &trade, id);
    else if (waits && str_is(pg_str(piece->rows, piece->row, 4), "unknown"))
        kept = payment_advance(arena, id, "pending", "query", STR(""));
    if (!kept)
        log_warning("what %s said of a payment was not kept; it is asked again", provider->name);
}

/* ---- refunds ---- */

/* A definite no; anything else is tried again, and the metric of age shows what does not get on. */
static bool is_refused(const struct provider_fault *fault)
{
    return fault->reason == PROVIDER_REASON_TOO_MUCH || fault->reason == PROVIDER_REASON_CLOSED ||
           fault->reason == PROVIDER_REASON_NO_ORDER;
}

static void send_refund(void *argument)
{
    const struct piece *piece = argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct provider *provider = provider_named(pg_str(piece->rows, piece->row, 1));
    struct str id = pg_str(piece->rows, piece->row, 0);
    const struct provider_refund refund = {
        .trade = {.out_trade_no = pg_str(piece->rows, piece->row, 2), .ordered_at = pg_wall(piece->rows, piece->row, 3)},
        .transaction_id = pg_str(piece->rows, piece->row, 4),
        .out_refund_no = pg_str(piece->rows, piece->row, 5),
        .requested_at = pg_wall(piece->rows, piece->row, 6),
        .reason = pg_str(piece->rows, piece->row, 7),
        .amount_fen = pg_int(piece->rows, piece->row, 8),
        .total_fen = pg_int(piece->rows, piece->row, 9),
    };
    struct provider_refund_state said = {0};
    struct provider_fault fault = {0};
    if (!provider)
        return;
    bool is_first = str_is(pg_str(piece->rows, piece->row, 10), "approved");
    if (is_first && pg_query(arena, &sql_send_refund, PG_ARGS(pg_text(id)), NULL) != PG_OK)
        return; /* the books come first */
    enum provider_outcome outcome = is_first ? PROVIDER_OK : provider->refund_query(arena, &refund, &said, &fault);
    if (is_first || (outcome == PROVIDER_OK && said.state == PROVIDER_REFUND_NOT_FOUND) ||
        (outcome == PROVIDER_REFUSED && fault.reason == PROVIDER_REASON_NO_REFUND))
        outcome = provider->refund(arena, &refund, &said, &fault);
    if (outcome == PROVIDER_REFUSED && is_refused(&fault)) {
        said.state = PROVIDER_REFUND_CLOSED;
        outcome = PROVIDER_OK;
    } else if (outcome == PROVIDER_REFUSED) {
        log_warning("%s does not take refund %.*s yet: %s", provider->name, STR_ARG(id), provider_reason_name(fault.reason));
    }
    if (outcome == PROVIDER_OK && !refund_told(arena, id, refund.amount_fen, &said))
        log_warning("what %s said of a refund was not kept; it is asked again", provider->name);
}

/* ---- departments ---- */

/* What a service's `confirm.request` may take, by name. */
static const struct json *source_value(struct arena *arena, const struct piece *piece, struct str account, struct str source)
{
    const struct pg_result *rows = piece->rows;
    if (str_starts(source, STR("const:")))
        return json_make_string(arena, str_slice(source, 6, source.len));
    if (str_is(source, "account.number"))
        return json_make_string(arena, account);
    if (str_is(source, "bill.number"))
        return json_make_string(arena, pg_str(rows, piece->row, 5));
    if (str_is(source, "payment.amount_fen"))
        return json_make_integer(arena, pg_int(rows, piece->row, 6));
    if (str_is(source, "payment.paid_at"))
        return json_make_string(arena, time_rfc3339(arena, pg_wall(rows, piece->row, 7)));
    return json_make_string(arena, payment_number(arena, pg_str(rows, piece->row, 8))); /* payment.number */
}

static const struct json *confirm_values(struct arena *arena, const struct piece *piece, const struct json *request)
{
    struct json *values = json_make_object(arena);
    struct str account_id = pg_str(piece->rows, piece->row, 10), account = STR("");
    if (account_id.at)
        account = personal_open(arena, "bill_account.number", account_id, pg_bin(arena, piece->rows, piece->row, 9));
    for (uint32_t i = 0; request && request->type == JSON_OBJECT && i < request->count; i++)
        json_set(arena, values, request->members[i].name,
                 source_value(arena, piece, account, request->members[i].value.string));
    return values;
}

/* "confirmed", "disputed", or "again"; *said is the problem's own name. */
static const char *tell_department(struct arena *arena, const struct snapshot *snapshot, const struct piece *piece,
                                   struct str *said)
{
    const struct service *service = snapshot_service(snapshot, pg_str(piece->rows, piece->row, 4));
    const struct json *confirm = service ? json_get(service->definition, "confirm") : NULL;
    struct department_answer answer;
    if (!confirm) {
        *said = STR("not-in-the-catalogue");
        return "again";
    }
    const struct problem *problem =
        department_ask(&(struct department_question){.arena = arena,
                                                     .snapshot = snapshot,
                                                     .department = service->department,
                                                     .operation_id = json_get_string(confirm, "id", STR("")),
                                                     .values = confirm_values(arena, piece, json_get(confirm, "request")),
                                                     .idempotency_key = pg_str(piece->rows, piece->row, 2)},
                       &answer);
    *said = problem ? problem_slug(problem->type) : STR("");
    if (!problem)
        return "confirmed";
    bool is_definite =
        problem->type == PROBLEM_NOT_FOUND || problem->type == PROBLEM_CONFLICT || problem->type == PROBLEM_VALIDATION;
    return is_definite || pg_int(piece->rows, piece->row, 1) >= ATTEMPTS_MOST ? "disputed" : "again";
}

static double wait_seconds(int64_t attempt)
{
    int64_t wait = AGAIN_FIRST;
    for (int64_t i = 1; i < attempt && wait < AGAIN_MOST; i++)
        wait *= 2;
    return (double)(wait < AGAIN_MOST ? wait : AGAIN_MOST);
}

static void confirm_bill(void *argument)
{
    const struct piece *piece = argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct snapshot *snapshot = snapshot_pin();
    struct str said = STR("");
    const char *how = snapshot ? tell_department(arena, snapshot, piece, &said) : "again";
    snapshot_unpin(snapshot);
    int64_t attempt = pg_int(piece->rows, piece->row, 1);
    metric_count(confirmations, pg_str(piece->rows, piece->row, 3), str_of(how));
    if (str_is(str_of(how), "disputed"))
        log_warning("department %.*s refuses a bill that is paid (%.*s): somebody has to settle it",
                    STR_ARG(pg_str(piece->rows, piece->row, 3)), STR_ARG(said));
    if (pg_query(arena, &sql_end_confirmation,
                 PG_ARGS(pg_integer(pg_int(piece->rows, piece->row, 0)), pg_integer(attempt), pg_text(str_of(how)),
                         pg_text(said), pg_double(wait_seconds(attempt))),
                 NULL) != PG_OK)
        log_warning("what a department said of a paid bill was not kept; it is told again");
}

/* ---- turns ---- */

static const struct work {
    const struct pg_statement *claim;
    void (*run)(void *piece);
    bool leases;
} works[] = {
    {&sql_claim_payments, ask_payment, false},
    {&sql_claim_refunds, send_refund, false},
    {&sql_claim_confirmations, confirm_bill, true},
};

static void work_on(const struct work *work)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *rows;
    const struct pg_value values[] = {pg_integer(AT_ONCE), pg_double(LEASE_SECONDS)};
    if (pg_query(arena, work->claim, values, work->leases ? 2 : 1, &rows) != PG_OK)
        return;
    struct piece *pieces = arena_array(arena, struct piece, pg_rows(rows) + 1);
    struct fiber_group group = {0};
    for (size_t i = 0; i < pg_rows(rows); i++) {
        pieces[i] = (struct piece){rows, i};
        fiber_spawn(&group, work->run, &pieces[i]);
    }
    (void)fiber_join(&group, deadline_in(seconds(PIECE_SECONDS)));
}

/* A fiber's deadline can only come nearer: each turn runs in one of its own. */
static void take_turn(void *argument)
{
    const bool *takes_point = argument;
    for (size_t i = 0; i < COUNT_OF(works) && !stopping; i++)
        work_on(&works[i]);
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    if (*takes_point && pg_query(arena, &sql_take_point, PG_NO_ARGS, NULL) != PG_OK)
        log_warning("the ledger's balances were not taken down; the next turn tries again");
}

static void run(void *argument)
{
    (void)argument;
    working = fiber_self();
    int64_t pointed = clock_steady();
    while (!stopping) {
        (void)fiber_wait(deadline_in(milliseconds(TICK_MS)));
        struct fiber_group group = {0};
        if (stopping)
            break;
        bool takes_point = clock_steady() - pointed >= seconds(POINT_SECONDS);
        pointed = takes_point ? clock_steady() : pointed;
        fiber_spawn(&group, take_turn, &takes_point);
        (void)fiber_join(&group, deadline_in(seconds(4 * PIECE_SECONDS)));
    }
    working = NULL;
}

/* One worker is enough, and not the one that probes. */
void payment_job_start(void)
{
    if (worker_index() == 0)
        fiber_start(run, NULL, DEADLINE_NEVER);
}

void payment_job_stop(void)
{
    if (worker_index() != 0)
        return;
    stopping = true;
    if (working)
        fiber_cancel(working);
}
