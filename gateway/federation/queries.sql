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
