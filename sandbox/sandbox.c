/* Starting and stopping. */
#include "sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <shimin/log.h>
#include <shimin/worker.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "cast.h"
#include "http/server.h"
#include "runtime/offload.h"
#include "stage.h"
#include "stand.h"

enum { WORKERS_MOST = 2, CONNECTIONS = 10000, BODY_MOST = 8 << 20 };

#define REQUEST_TIME seconds(1200)
#define GRACE seconds(3)

struct stage stage;
static struct http_settings settings;

struct player *stage_player(struct str slug)
{
    for (unsigned i = 0; i < stage.count; i++)
        if (str_equal(stage.players[i].slug, slug))
            return &stage.players[i];
    return NULL;
}

static void log_faults(struct str faults)
{
    for (struct str rest = faults; rest.at && rest.len;) {
        struct str line = str_cut(&rest, '\n');
        log_error("%.*s", STR_ARG(line));
    }
}

/* Mutual TLS cannot be played without a certificate of ours: such departments are left out. */
static void leave_out_tls(void)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < stage.count; i++) {
        if (stage.players[i].tls) {
            log_warning("%.*s is not played: mutual TLS needs sandbox.certificate and sandbox.private_key",
                        STR_ARG(stage.players[i].slug));
            continue;
        }
        stage.players[kept++] = stage.players[i];
    }
    stage.count = kept;
}

/* The control API is the last of the departments' listeners; behind it come the payment providers, unless their port is 0. */
static void set_listeners(struct arena *arena, const char *address, unsigned control_port, unsigned providers_port)
{
    struct http_listener *listeners = arena_array(arena, struct http_listener, stage.count + 2);
    for (unsigned i = 0; i < stage.count; i++) {
        struct player *player = &stage.players[i];
        for (unsigned j = 0; j < player->operation_count; j++)
            player->operations[j].player = player;
        listeners[i] = (struct http_listener){
            .address = address,
            .port = (uint16_t)player->port,
            .tls = player->tls,
            .internal = true,
            .admit = play_admit,
            .handle = play_handle,
            .finished = play_finished,
        };
    }
    listeners[stage.count] = (struct http_listener){.address = address,
                                                    .port = (uint16_t)control_port,
                                                    .internal = true,
                                                    .handle = control_handle,
                                                    .finished = play_finished};
    stage.listeners = listeners;
    settings.listeners = listeners;
    settings.listener_count = stage.count + 1;
    if (providers_port)
        listeners[settings.listener_count++] = (struct http_listener){
            .address = address, .port = (uint16_t)providers_port, .internal = true, .handle = stand_handle};
}

/* The gateway's defences against clients would be in the way of a client that is the gateway. */
static void loosen(void)
{
    settings.body_bytes = BODY_MOST;
    settings.request_time = REQUEST_TIME;
    settings.connections = settings.connections_per_address = CONNECTIONS;
    settings.requests_per_connection = UINT32_MAX;
    settings.reset_budget = UINT32_MAX;
    settings.gzip_level = 0;
}

static void log_cast(unsigned control_port)
{
    for (unsigned i = 0; i < stage.count; i++) {
        const struct player *player = &stage.players[i];
        const char *fault = NULL;
        for (unsigned j = 0; j < player->operation_count && !fault; j++)
            fault = verifier_fault(player->operations[j].verifier);
        if (fault)
            log_warning("%.*s answers every call with 401: %s", STR_ARG(player->slug), fault);
        log_debug("%.*s on port %u (%.*s)", STR_ARG(player->slug), player->port, STR_ARG(player_security(player)));
    }
    log_info("the sandbox plays %u departments; its control API is on port %u", stage.count, control_port);
}

/* Listeners share their ports (SO_REUSEPORT): another sandbox would silently answer every other call. */
static bool ports_are_free(void)
{
    bool all = true;
    for (size_t i = 0; i < settings.listener_count; i++) {
        const struct http_listener *listener = &settings.listeners[i];
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(listener->port)};
        int on = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool known = inet_pton(AF_INET, listener->address, &address.sin_addr) == 1;
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (known && bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
            log_error("%s port %u: %s; is another sandbox running?", listener->address, listener->port, strerror(errno));
            all = false;
        }
        close(descriptor);
    }
    return all;
}

static bool open_worker(void *argument)
{
    (void)argument;
    if (!http_open())
        return false;
    if (worker_index() == 0 && settings.listener_count > stage.count + 1)
        stand_open();
    return true;
}

static void stop_worker(void *argument)
{
    http_drain(*(const int64_t *)argument);
}

static int serve(unsigned workers, unsigned control_port)
{
    sigset_t signals;
    int received;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    control_prepare();
    offload_start(1); /* compiling a contract wants a thread's stack */
    if (!ports_are_free() || !http_prepare(&settings) || !workers_start(workers, open_worker, NULL))
        return 1;
    log_cast(control_port);
    log_flush();
    sigwait(&signals, &received);
    static int64_t deadline;
    deadline = deadline_in(GRACE);
    workers_stop(stop_worker, &deadline, deadline + seconds(1));
    log_info("the sandbox has stopped");
    log_flush();
    return 0;
}

static unsigned workers_wanted(const struct config *config)
{
    int64_t wanted = config_integer(config, "workers");
    if (wanted == 0)
        wanted = sysconf(_SC_NPROCESSORS_ONLN);
    return wanted < 1 ? 1 : wanted > WORKERS_MOST ? WORKERS_MOST : (unsigned)wanted;
}

static bool load(struct arena *arena, const struct config *config, struct text *faults)
{
    const char *catalogue = config_string(config, "catalogue.directory"),
               *contracts = config_string(config, "catalogue.contracts");
    const char *file = config_string(config, "secrets.file");
    const struct secrets *secrets = file ? secrets_load(file, faults) : NULL;
    if (!catalogue || !contracts)
        text_add_c(faults, "catalogue.directory and catalogue.contracts say which departments to play\n");
    if (!catalogue || !contracts || (file && !secrets))
        return false;
    if (!file)
        log_warning("without secrets.file the sandbox lets everybody in");
    bool good = cast_load(arena, catalogue, contracts, secrets, file != NULL,
                          (unsigned)config_integer(config, "sandbox.first_port"), &stage.players, &stage.count, faults);
    secrets_free(secrets); /* verifiers have copied what they need */
    return good;
}

int sandbox_run(const struct config *config)
{
    struct arena *arena = arena_open(); /* until the process ends */
    struct text faults = text_open(arena, 0);
    unsigned control_port = (unsigned)config_integer(config, "sandbox.control_port");
    if (!load(arena, config, &faults)) {
        log_faults(text_str(&faults));
        return 1;
    }
    settings = http_settings_default;
    loosen();
    settings.certificate = config_string(config, "sandbox.certificate");
    settings.private_key = config_string(config, "sandbox.private_key");
    settings.client_authority = config_string(config, "sandbox.ca");
    if (!settings.certificate || !settings.private_key)
        leave_out_tls();
    else if (!settings.client_authority)
        log_warning("departments with mutual TLS refuse every call: sandbox.ca is not set");
    unsigned providers_port = (unsigned)config_integer(config, "sandbox.providers_port");
    if (!stand_load(arena, config) && providers_port)
        providers_port = 0;
    set_listeners(arena, config_string(config, "sandbox.address"), control_port, providers_port);
    return serve(workers_wanted(config), control_port);
}

int sandbox_run_contract(const char *path, unsigned port)
{
    struct arena *arena = arena_open(); /* until the process ends */
    struct text faults = text_open(arena, 0);
    if (port < 1 || port >= UINT16_MAX) {
        log_error("the port must be between 1 and 65534");
        return 1;
    }
    stage = (struct stage){.players = arena_new(arena, struct player), .count = 1};
    if (!cast_load_contract(arena, path, port, stage.players, &faults)) {
        log_faults(text_str(&faults));
        return 1;
    }
    log_warning("signatures are not looked at, and everything is plain HTTP");
    stage.players->tls = false;
    settings = http_settings_default;
    loosen();
    if (!till_open(NULL))
        return 1;
    mood_reset();
    set_listeners(arena, "127.0.0.1", port + 1, 0);
    return serve(1, port + 1);
}
