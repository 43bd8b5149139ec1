-- name: footprints_insert
-- Rows of a batch. A batch whose outcome was unknown comes again: what is there already is left out. (The table is partitioned
-- by time and has no key of the writer's; citizen, microsecond, trace and service name one read.) It is looked for in the batch's own
-- span of time, all at once.
WITH entry AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset($1::jsonb)
        AS entry (read_at timestamptz, citizen_id uuid, service_slug text, department_slug text, reader text, purpose text, trace_id text)
), known AS (
    SELECT read_at, citizen_id, trace_id, service_slug
    FROM shimin.footprint
    WHERE read_at BETWEEN (SELECT min(read_at) FROM entry) AND (SELECT max(read_at) FROM entry)
)
INSERT INTO shimin.footprint (read_at, citizen_id, service_slug, department_slug, reader, purpose, trace_id)
SELECT read_at, citizen_id, service_slug, department_slug, reader, purpose, trace_id
FROM entry
WHERE (read_at, citizen_id, trace_id, service_slug) NOT IN (SELECT read_at, citizen_id, trace_id, service_slug FROM known);

-- name: traffic_add
-- Adds what a worker counted; a batch that comes again is left out.
SELECT shimin.traffic_add($1::jsonb);

-- name: registered_credentials
-- What departments registered, encrypted.
SELECT department, system, environment, sealed FROM shimin.system_credential ORDER BY department, system, environment;

-- name: breaker_report
-- What the gateway's breakers are at; changes are events.
SELECT shimin.breaker_report($1::jsonb);

-- name: due_webhooks
-- Webhooks that have something to be delivered now.
SELECT DISTINCT d.webhook
FROM shimin.delivery d
JOIN shimin.webhook w ON w.id = d.webhook
WHERE d.state = 'waiting' AND d.due_at <= now() AND w.state = 'active';

-- name: delivery_claim
-- One delivery of the webhook $1 that is due, for $2 seconds.
SELECT delivery, attempt, event, document, department, url, rate, keys FROM shimin.delivery_claim($1::uuid, $2::integer);

-- name: delivery_ended
-- What became of an attempt.
SELECT shimin.delivery_ended($1::bigint, $2::integer, $3::text, $4::integer, $5::integer, $6::text, $7::double precision, $8::boolean);

-- name: tell_windows
-- Switches whose window has begun or ended since the last look are events.
SELECT shimin.switch_windows_tell();
