/* The federation's metrics. Labels name departments and operations, never anything of a citizen's. */
#ifndef FEDERATION_METRICS_H
#define FEDERATION_METRICS_H

#include <shimin/metrics.h>

struct federation_metrics {
    struct metric *requests;            /* upstream_requests_total{department,outcome} */
    struct metric *duration;            /* upstream_request_duration_seconds{department} */
    struct metric *retries;             /* upstream_retries_total{department} */
    struct metric *breaker;             /* circuit_breaker_state{department} */
    struct metric *contract_violations; /* department_contract_violations_total{department,operation} */
    struct metric *faults;              /* department_faults_total{department,operation,kind} */
    struct metric *cache;               /* federation_cache_requests_total{department,result} */
    struct metric *batch_rows;          /* batch_rows_total{batch,outcome} */
    struct metric *batch_waiting;       /* batch_waiting_rows{batch} */
};
extern struct federation_metrics federation_metrics;

/* Once a process, before threads. */
void federation_metrics_register(void);

#endif
