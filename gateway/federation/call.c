/* One call of a department. The order is: breaker, cap, signature, send; a second attempt goes through the breaker again. */
#include "federation/call.h"
#include "federation/backend.h"
#include "federation/record.h"
#include "federation/report.h"
#include "http/request_internal.h"
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/request.h>

#define RETRY_PAUSE_LEAST milliseconds(10)
#define RETRY_PAUSE_SPREAD milliseconds(40)
#define RETRY_TIME_LEAST milliseconds(50) /* with less left a second attempt would only add load */
#define BREAKER_RETRY_AFTER 2             /* seconds */

struct attempt {
    struct arena *arena;
    const struct call *call;
    struct backend *backend;
    struct link *link;
    struct signer *signer;
    int64_t deadline;
    struct answer_message *message;
    struct outgoing outgoing;
    enum signing signing;
    int64_t took; /* microseconds of the last sending; -1: none */
};

static const enum call_outcome of_upstream[] = {
    [UPSTREAM_OK] = CALL_OK,
    [UPSTREAM_CONNECT_FAILED] = CALL_CONNECT_FAILED,
    [UPSTREAM_TIMEOUT] = CALL_TIMEOUT,
    [UPSTREAM_RESET] = CALL_RESET,
    [UPSTREAM_STALE] = CALL_RESET,
    [UPSTREAM_GARBAGE] = CALL_GARBAGE,
    [UPSTREAM_TOO_LARGE] = CALL_TOO_LARGE,
    [UPSTREAM_FULL] = CALL_NO_SLOT,
    [UPSTREAM_CANCELLED] = CALL_CANCELLED,
};

static const enum breaker_outcome of_call[CALL_OUTCOMES] = {
    [CALL_OK] = BREAKER_SUCCESS,        [CALL_CLIENT_ERROR] = BREAKER_SUCCESS,   [CALL_SERVER_ERROR] = BREAKER_FAILURE,
    [CALL_REDIRECT] = BREAKER_SUCCESS,  [CALL_CONNECT_FAILED] = BREAKER_FAILURE, [CALL_TIMEOUT] = BREAKER_FAILURE,
    [CALL_RESET] = BREAKER_FAILURE,     [CALL_GARBAGE] = BREAKER_FAILURE,        [CALL_TOO_LARGE] = BREAKER_FAILURE,
    [CALL_CANCELLED] = BREAKER_UNKNOWN, [CALL_NOT_SIGNED] = BREAKER_UNKNOWN,     [CALL_NO_SLOT] = BREAKER_FAILURE,
};

static struct problem *failure(const struct attempt *attempt, enum problem_type type, struct bilingual detail)
{
    return department_problem(attempt->arena, type, detail, attempt->backend->slug, attempt->call->filled->operation);
}

static const struct problem *unavailable(const struct attempt *attempt, int64_t retry_after)
{
    struct problem *problem =
        failure(attempt, PROBLEM_DEPARTMENT_UNAVAILABLE,
                BILINGUAL("部门系统暂时无法访问，请稍后再试", "The department cannot be reached now; try again soon"));
    problem->retry_after = retry_after;
    return problem;
}

static const struct problem *late(const struct attempt *attempt)
{
    return failure(attempt, PROBLEM_DEADLINE, BILINGUAL("部门系统未能及时答复", "The department did not answer in time"));
}

static const struct problem *failed(const struct attempt *attempt)
{
    return failure(attempt, PROBLEM_DEPARTMENT_FAILED, BILINGUAL("部门系统发生故障", "The department's system failed"));
}

static const struct problem *explain(const struct attempt *attempt, enum call_outcome outcome)
{
    switch (outcome) {
    case CALL_OK:
    case CALL_CLIENT_ERROR:
    case CALL_SERVER_ERROR:
    case CALL_REDIRECT:
        return NULL; /* an answer, for answer.c to judge */
    case CALL_TIMEOUT:
    case CALL_CANCELLED:
        return late(attempt);
    case CALL_BREAKER_OPEN:
        return unavailable(attempt, BREAKER_RETRY_AFTER);
    case CALL_NO_SLOT:
        return unavailable(attempt, 1);
    case CALL_NOT_SIGNED:
        return attempt->signing == SIGNING_UNAVAILABLE ? unavailable(attempt, 1) : failed(attempt);
    default:
        return failed(attempt);
    }
}

/* ---- one attempt ---- */

static bool add_headers(struct attempt *attempt)
{
    const struct call *call = attempt->call;
    const struct filled *filled = call->filled;
    struct outgoing *outgoing = &attempt->outgoing;
    bool good = outgoing_add(outgoing, STR("accept"), filled->accept) &&
                outgoing_add(outgoing, STR("user-agent"), STR("shimin/" SHIMIN_VERSION));
    if (good && filled->content_type.at)
        good = outgoing_add(outgoing, STR("content-type"), filled->content_type);
    if (good && call->request)
        good = outgoing_add(outgoing, STR("traceparent"), request_traceparent(call->request));
    struct str state = good && call->request ? request_tracestate(call->request) : STR_NONE;
    if (state.at)
        good = outgoing_add(outgoing, STR("tracestate"), state);
    if (good && call->idempotency_key.len && !filled->safe)
        good = outgoing_add(outgoing, STR("idempotency-key"), call->idempotency_key);
    for (unsigned i = 0; good && i < filled->header_count; i++)
        good = outgoing_add(outgoing, filled->headers[i].name, filled->headers[i].value);
    return good;
}

/* Under mutual TLS the proof is the connection, so a call without it needs one of its own. */
static bool proof_is_connection(const struct call *call)
{
    return call->filled->operation->security.kind == SECURITY_MUTUAL_TLS;
}

static enum call_outcome sign(struct attempt *attempt)
{
    const struct filled *filled = attempt->call->filled;
    struct str rest = filled->target, path = str_cut(&rest, '?');
    attempt->outgoing = (struct outgoing){
        .method = str_of(method_name(filled->operation->method)),
        .scheme = attempt->link->scheme,
        .authority = transport_authority(attempt->link->transport),
        .path = attempt->link->base.len ? str_printf(attempt->arena, "%.*s%.*s", STR_ARG(attempt->link->base), STR_ARG(path))
                                        : path,
        .query = rest,
        .body = filled->body,
    };
    if ((!attempt->signer && attempt->call->proof != PROOF_NONE) || !add_headers(attempt))
        return CALL_NOT_SIGNED;
    if (attempt->call->record)
        record_request(attempt->call->record, attempt->arena, &attempt->outgoing);
    if (attempt->call->proof == PROOF_NONE)
        return CALL_OK;
    unsigned unsigned_headers = attempt->outgoing.header_count;
    attempt->signing = signer_sign(attempt->signer, attempt->arena, &attempt->outgoing);
    if (attempt->signing == SIGNING_DONE) {
        if (attempt->call->proof == PROOF_WRONG && !proof_is_connection(attempt->call))
            record_spoil(attempt->arena, &attempt->outgoing, unsigned_headers);
        if (attempt->call->record)
            record_proof(attempt->call->record, attempt->arena, &attempt->outgoing, unsigned_headers);
        return CALL_OK;
    }
    if (attempt->signing == SIGNING_REFUSED)
        log_error("department %.*s: a request could not be signed", STR_ARG(attempt->backend->slug));
    return attempt->signing == SIGNING_DEADLINE    ? CALL_TIMEOUT
           : attempt->signing == SIGNING_CANCELLED ? CALL_CANCELLED
                                                   : CALL_NOT_SIGNED;
}

/* What the department's engineers should know of this call. */
static void report(const struct attempt *attempt, enum upstream_status outcome)
{
    const struct answer_message *message = attempt->message;
    struct report report = {.department = attempt->backend->slug, .operation = attempt->call->filled->operation->id};
    if (message->fault && outcome != UPSTREAM_STALE && outcome != UPSTREAM_CANCELLED) {
        report.kind = upstream_fault_name(message->fault);
        report.detail = message->fault_detail;
        report_fault(&report);
    }
    if (outcome != UPSTREAM_OK)
        return;
    report.detail = NULL;
    report.kind = message->status >= 500                             ? "server_error"
                  : message->status == 401 || message->status == 403 ? "credentials_refused"
                  : message->status >= 300 && message->status < 400  ? "redirect"
                                                                     : NULL;
    if (report.kind)
        report_fault(&report);
}

static enum call_outcome send_once(struct attempt *attempt, bool fresh, bool *stale)
{
    *stale = false;
    enum call_outcome signing = sign(attempt);
    if (signing != CALL_OK)
        return signing;
    int64_t began = clock_steady();
    enum upstream_status outcome = transport_call(attempt->link->transport, attempt->arena, &attempt->outgoing, fresh,
                                                  attempt->deadline, attempt->backend->share, attempt->message);
    attempt->took = clock_steady() - began;
    report(attempt, outcome);
    if (attempt->call->request)
        attempt->call->request->upstream_time += attempt->took;
    *stale = outcome == UPSTREAM_STALE;
    if (attempt->call->record)
        record_answer(attempt->call->record, outcome == UPSTREAM_OK ? attempt->message : NULL, clock_steady() - began);
    if (outcome != UPSTREAM_CANCELLED && !*stale)
        metric_observe(attempt->backend->duration, (double)attempt->took / 1e6);
    if (outcome != UPSTREAM_OK)
        return of_upstream[outcome];
    unsigned status = attempt->message->status;
    return status >= 500 ? CALL_SERVER_ERROR : status >= 400 ? CALL_CLIENT_ERROR : status >= 300 ? CALL_REDIRECT : CALL_OK;
}

/* A kept connection that turns out closed, and a token that expired early, say nothing of the department and cost no budget. A
 * write never goes on a kept connection, because it could not be sent again. */
static enum call_outcome send_fresh(struct attempt *attempt)
{
    bool stale, safe = attempt->call->filled->safe;
    enum call_outcome outcome = send_once(attempt, !safe, &stale);
    if (stale)
        outcome = send_once(attempt, true, &stale);
    if (outcome == CALL_CLIENT_ERROR && attempt->message->status == 401 && signer_refused(attempt->signer, &attempt->outgoing))
        outcome = send_once(attempt, true, &stale); /* 401: nothing was done, so a write may be sent again */
    return outcome;
}

static bool is_worth_repeating(const struct attempt *attempt, enum call_outcome outcome)
{
    if (!attempt->call->filled->safe || attempt->call->record ||
        attempt->deadline - clock_steady() < RETRY_TIME_LEAST + RETRY_PAUSE_LEAST)
        return false;
    if (outcome == CALL_SERVER_ERROR)
        return attempt->message->status >= 502 && attempt->message->status <= 504;
    return outcome == CALL_CONNECT_FAILED || outcome == CALL_RESET;
}

static enum call_outcome attempts(struct attempt *attempt)
{
    struct backend *backend = attempt->backend;
    struct breaker_ticket ticket = breaker_admit(&backend->breaker, clock_steady());
    if (!ticket.admitted)
        return CALL_BREAKER_OPEN;
    budget_earn(&backend->budget);
    enum call_outcome outcome = send_fresh(attempt);
    bool again = is_worth_repeating(attempt, outcome) && !ticket.probe && budget_spend(&backend->budget);
    breaker_report(&backend->breaker, ticket, of_call[outcome], clock_steady());
    if (!again)
        return outcome;
    uint32_t spread;
    random_bytes(&spread, sizeof spread);
    if (fiber_sleep(RETRY_PAUSE_LEAST + spread % RETRY_PAUSE_SPREAD) != WAIT_DONE)
        return outcome;
    ticket = breaker_admit(&backend->breaker, clock_steady());
    if (!ticket.admitted)
        return outcome;
    metric_add(backend->retries, 1);
    outcome = send_fresh(attempt);
    breaker_report(&backend->breaker, ticket, of_call[outcome], clock_steady());
    return outcome;
}

static enum call_outcome enter_and_call(struct attempt *attempt)
{
    struct backend *backend = attempt->backend;
    static const enum call_outcome refusals[] = {
        [BULKHEAD_FULL] = CALL_NO_SLOT, [BULKHEAD_DEADLINE] = CALL_TIMEOUT, [BULKHEAD_CANCELLED] = CALL_CANCELLED};
    uint32_t era;
    if (breaker_refuses(&backend->breaker, clock_steady()))
        return CALL_BREAKER_OPEN;
    if (backend->breaker.state == BREAKER_CLOSED) {
        enum bulkhead_entry entry = bulkhead_enter(&backend->bulkhead, &era);
        if (entry != BULKHEAD_IN)
            return refusals[entry];
    } else {
        era = bulkhead_enter_probe(&backend->bulkhead);
    }
    enum call_outcome outcome = attempts(attempt);
    bulkhead_leave(&backend->bulkhead, era);
    return outcome;
}

static void release_link(struct link **link)
{
    link_release(*link);
}

static void count_traffic(const struct attempt *attempt, enum call_outcome outcome)
{
    const struct operation *operation = attempt->call->filled->operation;
    traffic_count_backend(attempt->call->traffic, outcome);
    traffic_count_operation(
        traffic_of_operation(&attempt->backend->operations, attempt->call->plan->slug, operation->id, operation->index),
        outcome, attempt->took);
}

static struct link *link_for(struct backend *backend, const struct call *call)
{
    return call->proof != PROOF_PROPER && proof_is_connection(call) ? link_of_stranger(call->plan, call->proof)
                                                                    : link_hold(backend);
}

static struct signer *signer_of(const struct link *link, const struct call *call)
{
    uint8_t security = call->plan->security_of[call->filled->operation->index];
    return security == SECURITY_NOT_KNOWN ? NULL : link->signers[security];
}

const struct problem *call_department(struct arena *arena, const struct call *call, struct answer_message *message)
{
    struct backend *backend = backend_of(call->plan);
    int64_t deadline = deadline_in(call->deadline ? call->deadline : backend->deadline);
    CLEANUP(release_link) struct link *link = link_for(backend, call);
    struct attempt attempt = {
        .arena = arena,
        .call = call,
        .backend = backend,
        .link = link,
        .signer = signer_of(link, call),
        .deadline = deadline < fiber_deadline() ? deadline : fiber_deadline(),
        .message = message,
        .took = -1,
    };
    enum call_outcome outcome = link->broken ? CALL_NOT_SIGNED : enter_and_call(&attempt);
    backend_count(backend, outcome);
    if (call->record) /* what is tried out is nobody's traffic */
        call->record->outcome = str_of(call_outcome_name(outcome));
    else
        count_traffic(&attempt, outcome);
    return explain(&attempt, outcome);
}
