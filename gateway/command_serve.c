/* shimin serve: the gateway. */
#include "command.h"

#include "../services/modules.h"
#include "catalogue/loader.h"
#include "catalogue/presence.h"
#include "catalogue/snapshot.h"
#include "catalogue/switch_rules.h"
#include "config_keys.h"
#include "crypto/digest.h"
#include "crypto/field.h"
#include "crypto/keyring.h"
#include "edge/access_log.h"
#include "edge/audit.h"
#include "edge/audit_checkpoint.h"
#include "edge/cursor.h"
#include "edge/housekeeping.h"
#include "edge/meta.h"
#include "edge/operations.h"
#include "edge/pipeline.h"
#include "edge/settings.h"
#include "edge/state.h"
#include "federation/delivery.h"
#include "federation/federation.h"
#include "http/server.h"
#include "identity/identity.h"
#include "runtime/offload.h"
#include "store/pg_pool.h"
#include "store/redis_pool.h"

#include <shimin/log.h>
#include <shimin/worker.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How long requests under way may take to end after SIGTERM. */
enum { DRAIN_SECONDS = 30 };

/* What the parts are opened with; lives as long as the process. */
static struct gateway {
    struct config *config;
    struct arena *arena;
    struct keyring *keyring;
    const struct secrets *secrets;
    struct limits limits;
    struct routes *routes;
    struct http_listener listeners[3];
    struct http_settings http;
    struct pg_settings pg;
    struct redis_settings redis;
    struct identity_settings identity;
    struct federation_settings federation;
    struct edge_settings edge;
    int64_t stop_deadline;
} gateway;

static bool load_keys(struct text *faults)
{
    uint8_t key[DIGEST_SIZE];
    gateway.keyring = keyring_load(config_string(gateway.config, "keys.file"), faults);
    const char *secrets = config_string(gateway.config, "secrets.file");
    if (gateway.keyring && secrets)
        gateway.secrets = secrets_load(secrets, faults);
    if (!gateway.keyring || (secrets && !gateway.secrets))
        return false;
    field_blind_index(gateway.keyring, STR("cursor"), STR("key"), key);
    cursor_open(key);
    field_blind_index(gateway.keyring, STR("access-log"), STR("key"), key);
    access_log_open(key);
    field_blind_index(gateway.keyring, STR("switch-share"), STR("key"), key);
    switches_open(key);
    return true;
}

/* Without a key the chain is kept and nothing is signed. */
static bool load_signing_key(struct text *faults)
{
    const char *path = config_string(gateway.config, "audit.signing_key");
    const struct audit_checkpoint_settings settings = {
        .key = path ? record_key_load(gateway.arena, path, faults) : NULL,
        .period = config_duration(gateway.config, "audit.checkpoint_every"),
    };
    audit_checkpoint_prepare(&settings);
    return settings.key || !path;
}

static bool load_routes(struct text *faults)
{
    size_t count = 0;
    while (modules[count])
        count++;
    const struct module **all = arena_array(gateway.arena, const struct module *, count + 2);
    all[0] = &meta_module;
    for (size_t i = 0; i < count; i++)
        all[i + 1] = modules[i];
    if (!limits_read(gateway.arena, config_json(gateway.config, "limits"), &gateway.limits, faults))
        return false;
    gateway.routes = routes_load(gateway.arena, all, &gateway.limits, faults);
    if (gateway.routes)
        meta_open(routes_document(gateway.routes));
    return gateway.routes != NULL;
}

static struct http_listener listener(const char *address_key, const char *port_key)
{
    return (struct http_listener){
        .address = config_string(gateway.config, address_key),
        .port = (uint16_t)config_integer(gateway.config, port_key),
        .handle = pipeline_handle,
        .finished = pipeline_finished,
    };
}

static size_t body_bytes_of(struct str method, struct str path)
{
    return routes_body_bytes(gateway.routes, method, path);
}

static void prepare_http(void)
{
    struct config *config = gateway.config;
    size_t count = 0;
    gateway.listeners[count] = listener("listen.tls.address", "listen.tls.port");
    gateway.listeners[count++].tls = true;
    if (config_integer(config, "listen.plain.port"))
        gateway.listeners[count++] = listener("listen.plain.address", "listen.plain.port");
    gateway.listeners[count++] = (struct http_listener){
        .address = config_string(config, "listen.operations.address"),
        .port = (uint16_t)config_integer(config, "listen.operations.port"),
        .internal = true,
        .handle = operations_handle,
    };
    gateway.http = http_settings_default;
    gateway.http.listeners = gateway.listeners;
    gateway.http.listener_count = count;
    gateway.http.certificate = config_string(config, "tls.certificate");
    gateway.http.private_key = config_string(config, "tls.private_key");
    gateway.http.ask_certificate = config_boolean(config, "tls.client_certificates");
    gateway.http.client_authority = config_string(config, "tls.client_ca");
    gateway.http.problem_base = config_string(config, "http.problem_base");
    gateway.http.origins = config_list(config, "http.origins", &gateway.http.origin_count);
    gateway.http.header_bytes = config_size(config, "http.header_bytes");
    gateway.http.header_time = config_duration(config, "http.header_time");
    gateway.http.body_bytes = config_size(config, "http.body_bytes");
    gateway.http.body_bytes_of = body_bytes_of;
    gateway.http.body_bytes_most = routes_body_bytes_most(gateway.routes);
    gateway.http.body_time = config_duration(config, "http.body_time");
    gateway.http.idle_time = config_duration(config, "http.idle_time");
    gateway.http.request_time = config_duration(config, "http.deadline");
    gateway.http.connections = (unsigned)config_integer(config, "http.connections");
    gateway.http.connections_per_address = (unsigned)config_integer(config, "http.connections_per_address");
    gateway.http.concurrent_streams = (unsigned)config_integer(config, "http.concurrent_streams");
    gateway.http.gzip_level = (int)config_integer(config, "http.gzip_level");
}

static bool prepare_parts(struct text *faults)
{
    struct config *config = gateway.config;
    gateway.pg = (struct pg_settings){
        .connection = config_string(config, "postgres.application"),
        .shared = (unsigned)config_integer(config, "postgres.connections"),
        .leases = (unsigned)config_integer(config, "postgres.leases"),
        .patience = config_duration(config, "postgres.patience"),
        .may_be_absent = true,
    };
    gateway.redis = (struct redis_settings){
        .url = config_string(config, "redis.url"),
        .patience = config_duration(config, "redis.patience"),
        .may_be_absent = true,
    };
    gateway.identity = (struct identity_settings){
        .keyring = gateway.keyring,
        .sms = sms_provider_named(config_string(config, "login.code_by")),
        .verifier_department = config_string(config, "login.identity_department"),
        .verifier_operation = config_string(config, "login.identity_operation"),
        .face_operation = config_string(config, "login.face_operation"),
        .face_result_operation = config_string(config, "login.face_result_operation"),
        .session_idle = config_duration(config, "login.session_idle"),
        .session_absolute = config_duration(config, "login.session_absolute"),
        .verified_idle = config_duration(config, "login.verified_idle"),
        .verified_absolute = config_duration(config, "login.verified_absolute"),
        .staff_idle = config_duration(config, "staff.session_idle"),
        .staff_absolute = config_duration(config, "staff.session_absolute"),
        .oidc = {.issuer = config_string(config, "staff.oidc.issuer"),
                 .client_id = config_string(config, "staff.oidc.client_id"),
                 .secret_file = config_string(config, "staff.oidc.secret_file"),
                 .claim = config_string(config, "staff.oidc.claim"),
                 .acr = config_string(config, "staff.oidc.acr"),
                 .redirect_uri = config_string(config, "staff.oidc.redirect_uri"),
                 .ca_file = config_string(config, "staff.oidc.ca")},
        .issuer = config_string(config, "oauth.issuer"),
        .password_policy = password_policy_named(str_of(config_string(config, "staff.password_policy"))),
        .password_cost = {.memory = (uint32_t)(config_size(config, "staff.password_memory") / 1024),
                          .passes = (uint32_t)config_integer(config, "staff.password_passes"),
                          .lanes = (uint32_t)config_integer(config, "staff.password_lanes")},
    };
    gateway.federation = (struct federation_settings){
        .sandbox_host = config_string(config, "sandbox.address"),
        .sandbox_first_port = (uint16_t)config_integer(config, "sandbox.first_port"),
        .sandbox_control_port = (uint16_t)config_integer(config, "sandbox.control_port"),
        .secrets = gateway.secrets,
        .keyring = gateway.keyring,
        .url = config_string(config, "http.problem_base"),
    };
    if (!federation_read(gateway.arena, config, &gateway.federation, faults))
        return false;
    gateway.edge = (struct edge_settings){
        .routes = gateway.routes, .limits = &gateway.limits, .deadline = config_duration(config, "http.deadline")};
    state_prepare(config_string(config, "catalogue.snapshot"), config_string(config, "console.directory"));
    settings_prepare(config);
    switch_rules_open(config_integer(config, "switches.second_person_above"),
                      config_duration(config, "switches.proposal_time"));
    sms_sandbox_prepare(config_string(config, "sandbox.address"), (unsigned)config_integer(config, "sandbox.control_port"));
    identity_prepare(&gateway.identity);
    pipeline_open(&gateway.edge);
    return true;
}

/* In a fiber of each worker. The order is that of need: the listeners come last. */
static bool open_worker(void *argument)
{
    (void)argument;
    if (!pg_open(&gateway.pg) || !redis_open(&gateway.redis) || !identity_open() || !federation_open(&gateway.federation))
        return false;
    federation_listen();
    audit_open(gateway.federation.spool_dir);
    if (!catalogue_open(str_of(config_string(gateway.config, "catalogue.snapshot"))))
        return false;
    for (size_t i = 0; modules[i]; i++)
        if (modules[i]->worker_open)
            modules[i]->worker_open();
    deliveries_open();
    housekeeping_open();
    audit_checkpoint_open();
    if (!http_open())
        return false;
    presence_open();
    return true;
}

static void stop_worker(void *argument)
{
    (void)argument;
    for (size_t i = 0; modules[i]; i++)
        if (modules[i]->worker_close)
            modules[i]->worker_close();
    deliveries_close();
    housekeeping_close();
    presence_close();
    identity_close();
    federation_close();
    audit_close();
    audit_checkpoint_close();
    http_drain(gateway.stop_deadline);
}

static void use_secrets(void *secrets)
{
    federation_use_secrets(secrets);
}

/* What calls under way still use stays: credentials are few, and rotated seldom. */
static bool reload_secrets(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text faults = text_open(arena, 256);
    const char *path = config_string(gateway.config, "secrets.file");
    const struct secrets *secrets = path ? secrets_load(path, &faults) : NULL;
    if (path && !secrets)
        log_error("%.*s", STR_ARG(text_str(&faults)));
    if (secrets)
        workers_post(use_secrets, (void *)secrets);
    return secrets || !path;
}

static void reload(void)
{
    log_info("certificates %s", http_reload_certificates() ? "loaded anew" : "refused; the old ones stay");
    log_info("credentials %s", reload_secrets() ? "loaded anew" : "refused; the old ones stay");
}

/* The main thread has nothing to do but to take signals. */
static void serve_until_stopped(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
        if (sigwait(&signals, &signal) == 0 && signal == SIGHUP)
            reload();
        log_flush();
    }
}

static unsigned wanted_workers(void)
{
    int64_t configured = config_integer(gateway.config, "workers");
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return configured ? (unsigned)configured : processors > 0 ? (unsigned)processors : 1;
}

static bool prepare(void)
{
    struct text faults = text_open(gateway.arena, 1024);
    federation_prepare();
    if (!load_keys(&faults) || !load_signing_key(&faults) || !load_routes(&faults) || !prepare_parts(&faults)) {
        fprintf(stderr, "%s", faults.at);
        return false;
    }
    prepare_http();
    return http_prepare(&gateway.http);
}

static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static int serve(int argc, char **argv)
{
    gateway.arena = arena_open();
    if (flag_take(&argc, argv, "--help-config")) {
        struct text text = text_open(gateway.arena, 16384);
        config_describe(config_keys, config_key_count, &text);
        fputs(text.at, stdout);
        return EXIT_DONE;
    }
    gateway.config = command_config(&argc, argv);
    if (argc)
        return usage_fault(&command_serve, "takes no further words");
    block_signals();
    if (!prepare())
        return EXIT_FAILED;
    offload_start((unsigned)config_integer(gateway.config, "offload.threads"));
    if (!workers_start(wanted_workers(), open_worker, NULL))
        return EXIT_FAILED;
    log_info("serving on https port %lld with %u workers", (long long)config_integer(gateway.config, "listen.tls.port"),
             worker_count());
    log_flush();
    serve_until_stopped();
    log_info("stopping: requests under way have %d seconds", DRAIN_SECONDS);
    operations_drain();
    gateway.stop_deadline = deadline_in(seconds(DRAIN_SECONDS));
    workers_stop(stop_worker, NULL, gateway.stop_deadline);
    log_info("stopped");
    log_flush();
    return EXIT_DONE;
}

const struct command command_serve = {
    .name = "serve",
    .usage = "[--config FILE] [--help-config]",
    .summary = "Run the gateway.",
    .help = "\nSIGTERM and SIGINT stop it after the requests under way; SIGHUP loads the certificate and the\n"
            "departments' credentials anew.\n"
            "--help-config lists every key of the configuration file with its default.\n",
    .run = serve,
};
