/* The federation's metrics, as a table. */
#include "federation/metrics.h"
#include <shimin/attributes.h>

struct federation_metrics federation_metrics;

static const struct {
    struct metric **metric;
    enum metric_kind kind;
    const char *name, *labels, *help;
} table[] = {
    {&federation_metrics.requests, METRIC_COUNTER, "upstream_requests_total", "department,outcome",
     "Calls to departments by how they ended, refused ones included."},
    {&federation_metrics.duration, METRIC_HISTOGRAM, "upstream_request_duration_seconds", "department",
     "Time from asking a department to its whole answer, for calls that were sent."},
    {&federation_metrics.retries, METRIC_COUNTER, "upstream_retries_total", "department", "Second attempts made."},
    {&federation_metrics.breaker, METRIC_GAUGE, "circuit_breaker_state", "department",
     "Summed over workers: 0 closed, 1 half open, 2 open in one of them."},
    {&federation_metrics.contract_violations, METRIC_COUNTER, "department_contract_violations_total", "department,operation",
     "Answers outside the department's contract."},
    {&federation_metrics.faults, METRIC_COUNTER, "department_faults_total", "department,operation,kind",
     "What departments' systems did wrong, as exactly as can be told."},
    {&federation_metrics.cache, METRIC_COUNTER, "federation_cache_requests_total", "department,result",
     "Questions that may be cached: hit, miss, stale, shared with one under way."},
    {&federation_metrics.batch_rows, METRIC_COUNTER, "batch_rows_total", "batch,outcome",
     "Rows written in batches: written, spooled to disk, replayed from disk, refused."},
    {&federation_metrics.batch_waiting, METRIC_GAUGE, "batch_waiting_rows", "batch", "Rows queued in memory."},
};

void federation_metrics_register(void)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (!*table[i].metric)
            *table[i].metric = metric_register(table[i].kind, table[i].name, table[i].labels, table[i].help);
}
