/* The worker's backends: made on first use, kept by the slug's place, changed when a snapshot or the secrets change. */
#include "federation/backend.h"
#include "crypto/stranger.h"
#include "federation/breakers.h"
#include "federation/metrics.h"
#include <shimin/arena.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/worker.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#define DEADLINE_DEFAULT seconds(3)
#define TOKEN_TIME seconds(2)
#define QUEUE_WAIT_DEFAULT milliseconds(200)
#define QUEUE_A_SLOT 4 /* fibers that may wait for each slot */

/* A worker's part. It is kept after the worker's end, when fibers may still be calling: the process ends then as well. */
struct worker_backends {
    struct worker_backends *next;
    const struct federation_settings *settings;
    const struct secrets *secrets;
    unsigned generation;
    struct federation_limits limits;
    struct bulkhead turns; /* of large answers to be judged, one at a time */
    struct backend *backends[PLACES_MAX];
};
static _Thread_local struct worker_backends *worker;
static _Atomic(struct worker_backends *) all_workers;

/* ---- the link ---- */

/* Asks the department for a token on its own connections. */
static enum signing fetch_token(void *context, struct arena *arena, struct str path, struct str authorization, struct str form,
                                struct str *answer)
{
    struct link *link = context;
    struct outgoing outgoing = {.method = STR("POST"),
                                .scheme = link->scheme,
                                .authority = transport_authority(link->transport),
                                .path = path,
                                .body = form};
    struct answer_message message;
    if (!outgoing_add(&outgoing, STR("content-type"), STR("application/x-www-form-urlencoded")) ||
        !outgoing_add(&outgoing, STR("accept"), STR("application/json")) ||
        !outgoing_add(&outgoing, STR("authorization"), authorization))
        return SIGNING_REFUSED;
    enum upstream_status outcome =
        transport_call(link->transport, arena, &outgoing, true, deadline_in(TOKEN_TIME), NULL, &message);
    if (outcome == UPSTREAM_CANCELLED)
        return SIGNING_CANCELLED;
    if (outcome == UPSTREAM_TIMEOUT)
        return SIGNING_DEADLINE;
    if (outcome != UPSTREAM_OK || message.status >= 500)
        return SIGNING_UNAVAILABLE;
    if (message.status != 200) {
        log_error("the token endpoint %.*s refused our credentials with %u", STR_ARG(path), message.status);
        return SIGNING_REFUSED;
    }
    *answer = message.body;
    return SIGNING_DONE;
}

/* Calls at a time in this worker. */
static unsigned cap_of(const struct plan *plan)
{
    /* what administrators set holds for all snapshots that are in use: the newest knows it */
    unsigned set = snapshot_department_tuning(catalogue_snapshot(), plan->slug)->concurrency;
    unsigned most = worker->limits.concurrency, wanted = set ? set : plan->concurrency, all = wanted < most ? wanted : most;
    return all < worker_count() ? 1 : all / worker_count();
}

/* The address in force: the operator's, then the catalogue's. *ours tells that the operator chose it. */
static bool address_of(struct arena *arena, const struct plan *plan, bool certificate, struct address *address, bool *ours)
{
    struct str url = json_get_string(json_get_str(worker->settings->addresses, plan->key), "address", STR_NONE);
    *ours = url.len > 0;
    if (!url.len)
        url = plan->address;
    if (!str_is(url, "sandbox") && !str_starts(url, STR("sandbox/")))
        return address_parse(url, address);
    *ours = true;
    if (url.len > 8) { /* the twin of a contract, by its digest */
        *address = (struct address){
            .host = str_of(worker->settings->sandbox_host),
            .port = worker->settings->sandbox_control_port,
            .base = str_printf(arena, "/sandbox/twins/%.*s", STR_ARG(str_slice(url, 8, url.len))),
        };
        return worker->settings->sandbox_host != NULL && worker->settings->sandbox_control_port;
    }
    *address = (struct address){
        .tls = worker->settings->sandbox_tls || certificate, /* mutual TLS is played over TLS whatever the others are */
        .host = str_of(worker->settings->sandbox_host),
        .port = (uint16_t)(worker->settings->sandbox_first_port + plan->number - 1),
    };
    return worker->settings->sandbox_host != NULL;
}

const struct reach *backend_reach(struct str slug)
{
    static const struct reach public_only;
    const struct federation_settings *settings = worker->settings;
    for (size_t i = 0; i < settings->reach_count; i++)
        if (str_equal(settings->reaches[i].slug, slug))
            return &settings->reaches[i].reach;
    return settings->reach ? settings->reach : &public_only;
}

static void open_signers(struct link *link, const struct plan *plan, const struct secret *secret)
{
    const struct token_fetch fetch = {.fetch = fetch_token, .context = link};
    for (unsigned i = 0; i < plan->security_count; i++) {
        const char *reason = NULL;
        link->signers[i] = signer_open(plan->securities[i], secret, &fetch, &reason);
        if (!link->signers[i])
            log_error("department %.*s: credentials %.*s for scheme %.*s: %s", STR_ARG(plan->slug), STR_ARG(plan->credentials),
                      STR_ARG(plan->securities[i]->name), reason);
    }
}

/* What we show on the connection. Of a stranger: nothing, or a certificate that nobody vouches for. */
static void show_certificate(struct transport_target *target, struct arena *arena, const struct secret *secret,
                             enum department_proof proof)
{
    struct str certificate, private_key;
    if (proof == PROOF_WRONG && stranger_create(arena, &certificate, &private_key)) {
        target->certificate = str_to_c(arena, certificate);
        target->private_key = str_to_c(arena, private_key);
    } else if (proof == PROOF_PROPER && secret && secret->certificate.at && secret->private_key.at) {
        target->certificate = str_to_c(arena, secret->certificate);
        target->private_key = str_to_c(arena, secret->private_key_path.at ? secret->private_key_path : secret->private_key);
    }
}

static struct link *link_open(const struct plan *plan, enum department_proof proof)
{
    struct link *link = memory_alloc(sizeof *link);
    struct arena *arena = link->arena = arena_open();
    const struct secret *secret = secrets_find(worker->secrets, plan->credentials);
    struct transport_target target = {.connections = cap_of(plan) + 1, .ca_file = worker->settings->ca_file};
    bool ours, certificate = false;
    link->references = 1;
    for (unsigned i = 0; i < plan->security_count; i++)
        certificate |= signer_needs_certificate(plan->securities[i]);
    if (certificate)
        show_certificate(&target, arena, secret, proof);
    if (secret && secret->ca.at)
        target.ca_file = str_to_c(arena, secret->ca);
    if (!address_of(arena, plan, certificate, &target.address, &ours)) {
        log_error("department %.*s has no usable address", STR_ARG(plan->slug));
        link->broken = true;
        return link;
    }
    if (certificate && !target.address.tls)
        log_warning("department %.*s asks for mutual TLS but is reached without TLS", STR_ARG(plan->slug));
    if (secret)
        target.pin = secret->pin;
    target.reach = ours ? NULL : backend_reach(plan->slug);
    target.answer_bytes = worker->limits.body_bytes;
    target.answer_head_bytes = worker->limits.head_bytes;
    target.address.host = str_copy(arena, target.address.host);
    link->base = str_copy(arena, target.address.base);
    link->scheme = target.address.tls ? STR("https") : STR("http");
    link->transport = transport_open(&target);
    link->broken = !link->transport;
    if (!link->broken)
        open_signers(link, plan, secret);
    return link;
}

struct link *link_of_stranger(const struct plan *plan, enum department_proof proof)
{
    return link_open(plan, proof);
}

struct link *link_hold(struct backend *backend)
{
    backend->link->references++;
    return backend->link;
}

void link_release(struct link *link)
{
    if (!link || --link->references)
        return;
    for (unsigned i = 0; i < SECURITIES_MAX; i++)
        signer_close(link->signers[i]);
    transport_close(link->transport);
    arena_close(link->arena);
    free(link);
}

/* ---- the backend ---- */

static void breaker_changed(struct breaker *breaker, enum breaker_state before)
{
    struct backend *backend = CONTAINER_OF(breaker, struct backend, breaker);
    metric_set(backend->state, breaker->state);
    breakers_note(backend->slug, before, breaker->state);
    if (breaker->state == BREAKER_CLOSED)
        bulkhead_write_off(&backend->bulkhead);
    if (breaker->state == BREAKER_CLOSED || before == BREAKER_CLOSED)
        log_warning("department %.*s: breaker is %s", STR_ARG(backend->slug), breaker_state_name(breaker->state));
}

static struct backend *backend_make(const struct plan *plan)
{
    struct backend *backend = memory_alloc(sizeof *backend);
    uint32_t seed;
    random_bytes(&seed, sizeof seed);
    backend->arena = arena_open();
    backend->slug = str_copy(backend->arena, plan->key);
    breaker_open(&backend->breaker, &plan->breaker, seed);
    backend->breaker.changed = breaker_changed;
    budget_open(&backend->budget);
    backend->share = share_open(worker->limits.department_bytes / worker_count());
    backend->turns = (struct turns){
        .limits = {.depth = worker->limits.depth, .nodes = worker->limits.nodes, .bytes = worker->limits.body_bytes},
        .share = backend->share,
        .own = {.cap = 1, .queue_most = UINT_MAX, .wait_most = seconds(60)},
        .all = &worker->turns};
    for (unsigned i = 0; i < CALL_OUTCOMES; i++) {
        const struct str labels[] = {backend->slug, str_of(call_outcome_name(i))};
        backend->outcomes[i] = metric_cell(federation_metrics.requests, labels, 2);
    }
    backend->duration = metric_cell(federation_metrics.duration, &backend->slug, 1);
    backend->retries = metric_cell(federation_metrics.retries, &backend->slug, 1);
    backend->state = metric_cell(federation_metrics.breaker, &backend->slug, 1);
    return backend;
}

static void adapt(struct backend *backend, const struct plan *plan)
{
    const struct tuning *tuning = snapshot_department_tuning(catalogue_snapshot(), plan->slug);
    unsigned cap = cap_of(plan);
    backend->deadline = tuning->deadline                     ? tuning->deadline
                        : plan->deadline                     ? plan->deadline
                        : worker->settings->default_deadline ? worker->settings->default_deadline
                                                             : DEADLINE_DEFAULT;
    if (backend->deadline > worker->limits.deadline)
        backend->deadline = worker->limits.deadline;
    backend->breaker.settings = plan->breaker;
    if (tuning->breaker_minimum) {
        backend->breaker.settings.ratio = tuning->breaker_ratio;
        backend->breaker.settings.minimum = tuning->breaker_minimum;
    }
    backend->bulkhead.queue_most = cap * QUEUE_A_SLOT;
    backend->bulkhead.wait_most = worker->settings->queue_wait ? worker->settings->queue_wait : QUEUE_WAIT_DEFAULT;
    if (backend->bulkhead.cap != cap)
        bulkhead_set_cap(&backend->bulkhead, cap);
    bool fits = backend->link && backend->fingerprint == plan->fingerprint && backend->connections >= cap;
    if (fits && backend->generation == worker->generation)
        return;
    /* other departments' credentials change as well, and connections are worth keeping */
    uint64_t secret = secret_digest(secrets_find(worker->secrets, plan->credentials));
    backend->generation = worker->generation;
    if (fits && backend->secret == secret && !backend->link->broken)
        return;
    link_release(backend->link);
    backend->link = link_open(plan, PROOF_PROPER);
    backend->connections = cap;
    backend->fingerprint = plan->fingerprint;
    backend->secret = secret;
}

struct backend *backend_of(const struct plan *plan)
{
    struct backend **backend = &worker->backends[plan->place];
    if (!*backend)
        *backend = backend_make(plan);
    adapt(*backend, plan);
    return *backend;
}

const char *backend_credentials_fault(const struct plan *plan, const struct security *security)
{
    const char *reason = NULL;
    const struct token_fetch fetch = {.fetch = fetch_token};
    struct signer *signer = signer_open(security, secrets_find(worker->secrets, plan->credentials), &fetch, &reason);
    signer_close(signer);
    return signer ? NULL : reason;
}

void backend_count(struct backend *backend, enum call_outcome outcome)
{
    metric_add(backend->outcomes[outcome], 1);
}

void backends_open(const struct federation_settings *settings)
{
    worker = memory_alloc(sizeof *worker);
    worker->settings = settings;
    worker->limits = settings->limits.body_bytes ? settings->limits : federation_limits_default;
    worker->turns = (struct bulkhead){.cap = 1, .queue_most = UINT_MAX, .wait_most = seconds(60)};
    worker->secrets = settings->secrets;
    worker->next = all_workers;
    while (!atomic_compare_exchange_weak(&all_workers, &worker->next, worker))
        ;
}

void backends_use_secrets(const struct secrets *secrets)
{
    worker->secrets = secrets;
    worker->generation++;
}
