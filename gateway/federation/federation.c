/* The federation's start, its end, and its part in compiling snapshots. */
#include "federation/federation.h"
#include "catalogue/snapshot.h"
#include "federation/backend.h"
#include "federation/breakers.h"
#include "federation/footprint.h"
#include "federation/mapping.h"
#include "federation/metrics.h"
#include "federation/registered.h"
#include "federation/settings.h"
#include "federation/traffic.h"

static _Thread_local const struct federation_settings *worker_settings;

static bool compile_department(struct arena *arena, struct department *department, struct text *faults)
{
    struct fault_sink sink = {.faults = faults, .kind = "department", .slug = department->slug};
    bool good;
    department->backend = (void *)plan_compile(arena, department, &sink, &good);
    return good;
}

static bool compile_service(struct arena *arena, struct service *service, struct text *faults)
{
    struct fault_sink sink = {.faults = faults, .kind = "service", .slug = service->slug};
    bool good;
    const struct mapping *mapping = mapping_compile(arena, service, &sink, &good);
    service->binding = (void *)mapping;
    if (mapping && service->department->backend)
        plan_learn(arena, service->department->backend, service, mapping);
    return good;
}

void federation_prepare(void)
{
    static const struct snapshot_compiler compiler = {.department = compile_department, .service = compile_service};
    federation_metrics_register();
    snapshot_set_compiler(&compiler);
}

const struct federation_settings *federation_settings(void)
{
    return worker_settings;
}

bool federation_open(const struct federation_settings *settings)
{
    worker_settings = settings;
    backends_open(settings);
    footprints_open(settings->spool_dir);
    traffic_open(settings->spool_dir);
    breakers_open(settings->spool_dir);
    return true;
}

void federation_listen(void)
{
    registered_open(worker_settings->secrets);
}

void federation_close(void)
{
    footprints_close();
    traffic_close();
    breakers_close();
}

void federation_use_secrets(const struct secrets *secrets)
{
    if (!registered_use_file(secrets))
        backends_use_secrets(secrets);
}
