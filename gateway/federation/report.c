/* Reports of what a department did wrong. */
#include "federation/report.h"
#include "federation/metrics.h"
#include "federation/traffic.h"
#include <shimin/clock.h>
#include <shimin/log.h>

enum { DEPARTMENTS = 256, LINES_A_SECOND = 5 };

/* One broken department must not fill the log, nor keep the others out of it. */
static bool may_log(struct str department)
{
    static _Thread_local struct {
        int64_t second;
        unsigned lines;
    } spent[DEPARTMENTS];
    size_t place = str_hash(department) % DEPARTMENTS;
    int64_t second = clock_steady() / seconds(1);
    if (spent[place].second != second) {
        spent[place].second = second;
        spent[place].lines = 0;
    }
    return spent[place].lines++ < LINES_A_SECOND;
}

void report_fault(const struct report *report)
{
    metric_count(federation_metrics.faults, report->department, report->operation, str_of(report->kind));
    traffic_count_fault(report->department, report->operation, report->kind);
    if (may_log(report->department))
        log_warning("department %.*s, operation %.*s: %s%s%s%s%.*s", STR_ARG(report->department), STR_ARG(report->operation),
                    report->kind, report->detail ? ": " : "", report->detail ? report->detail : "",
                    report->pointer.at ? " at #" : "", STR_ARG(report->pointer));
}
