/* Signed checkpoints: one gateway at a time reads the chain's end, signs it, and lets it leave the machine by log and metrics.
 */
#include "edge/audit_checkpoint.h"

#include "edge/audit_seal.h"
#include "edge_queries.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/pg.h>
#include <shimin/worker.h>

enum { PATIENCE_SECONDS = 10, PREFIX_BYTES = 6 };

static struct audit_checkpoint_settings settings;
static struct metric *record_metric, *prefix_metric, *time_metric, *failures;
static struct timer next; /* of the first worker */

void audit_checkpoint_prepare(const struct audit_checkpoint_settings *given)
{
    settings = *given;
    record_metric =
        metric_register(METRIC_GAUGE, "audit_checkpoint_record", "", "The audit's last record that this gateway signed.");
    prefix_metric = metric_register(METRIC_GAUGE, "audit_checkpoint_hash_prefix", "",
                                    "The first 48 bits of the chain's hash there, as a number: to compare with later.");
    time_metric = metric_register(METRIC_GAUGE, "audit_checkpoint_time_seconds", "", "When it signed, in seconds since 1970.");
    failures = metric_register(METRIC_COUNTER, "audit_checkpoint_failures_total", "", "Checkpoints that could not be written.");
}

const struct record_key *audit_signing_key(void)
{
    return settings.key;
}

/* Whoever collects the log has the checkpoint where the database's owner cannot reach it. */
static void tell(struct arena *arena, const struct audit_checkpoint *checkpoint)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "timestamp", time_rfc3339_micro(arena, clock_wall()));
    json_field_c(&out, "level", "info");
    json_field_c(&out, "service", "shimin");
    json_field_c(&out, "msg", "audit checkpoint");
    audit_checkpoint_write(&out, checkpoint);
    json_end_all(&out);
    text_add_char(&text, '\n');
    log_line(text_str(&text));
    uint64_t prefix = 0;
    for (size_t i = 0; i < PREFIX_BYTES; i++)
        prefix = prefix << 8 | (unsigned char)checkpoint->hash.at[i];
    metric_set(metric_cell(record_metric, NULL, 0), (double)checkpoint->audit_id);
    metric_set(metric_cell(prefix_metric, NULL, 0), (double)prefix);
    metric_set(metric_cell(time_metric, NULL, 0), (double)checkpoint->signed_at / 1e6);
}

/* PG_OK also when another gateway does it now, or nothing has moved, or the last one is young. */
static enum pg_status sign_head(struct arena *arena, int64_t period)
{
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    const struct pg_result *head = NULL;
    enum pg_status status = pg_begin(arena, &transaction);
    if (status == PG_OK)
        status = pg_in(transaction, &sql_head_to_sign, PG_ARGS(pg_integer(period)), &head);
    if (status != PG_OK || !pg_rows(head))
        return status;
    struct audit_checkpoint checkpoint = {
        .audit_id = pg_int(head, 0, 0), .hash = pg_bin(arena, head, 0, 1), .signed_at = clock_wall()};
    if (!audit_checkpoint_sign(arena, settings.key, &checkpoint))
        return PG_REFUSED;
    status = pg_in(transaction, &sql_add_checkpoint,
                   PG_ARGS(pg_integer(checkpoint.audit_id), pg_bytes(checkpoint.hash), pg_text(checkpoint.key_id),
                           pg_bytes(checkpoint.signature), pg_time(checkpoint.signed_at)),
                   NULL);
    if (status == PG_OK)
        status = pg_commit(&transaction);
    if (status == PG_OK)
        tell(arena, &checkpoint);
    return status;
}

static void sign(int64_t period)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    if (sign_head(arena, period) == PG_OK)
        return;
    metric_add(metric_cell(failures, NULL, 0), 1);
    log_warning("audit: no checkpoint could be written");
}

static void sign_when_due(void *argument)
{
    (void)argument;
    sign(settings.period);
}

static void sign_at_stop(void *argument)
{
    (void)argument;
    sign(0);
}

static void on_timer(struct timer *timer)
{
    fiber_start(sign_when_due, NULL, deadline_in(seconds(PATIENCE_SECONDS)));
    timer_set(timer, deadline_in(settings.period), on_timer);
}

void audit_checkpoint_open(void)
{
    if (worker_index() == 0 && settings.key)
        on_timer(&next);
}

void audit_checkpoint_close(void)
{
    if (worker_index() != 0 || !settings.key)
        return;
    timer_clear(&next);
    fiber_start(sign_at_stop, NULL, deadline_in(seconds(PATIENCE_SECONDS)));
}
