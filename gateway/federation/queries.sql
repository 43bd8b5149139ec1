-- name: footprints_insert
-- Rows of a batch. A batch whose outcome was unknown comes again: what is there already is left out. (The table is partitioned
-- by time and has no key of the writer's; citizen, microsecond, trace and service name one read.)
INSERT INTO shimin.footprint (read_at, citizen_id, service_slug, department_slug, reader, purpose, trace_id)
SELECT entry.read_at, entry.citizen_id, entry.service_slug, entry.department_slug, entry.reader, entry.purpose, entry.trace_id
FROM jsonb_to_recordset($1::jsonb)
    AS entry (read_at timestamptz, citizen_id uuid, service_slug text, department_slug text, reader text, purpose text, trace_id text)
WHERE NOT EXISTS (
    SELECT FROM shimin.footprint known
    WHERE known.citizen_id = entry.citizen_id AND known.read_at = entry.read_at AND known.trace_id = entry.trace_id
        AND known.service_slug = entry.service_slug);
