-- name: footprints_insert
-- Rows of a batch; a batch whose outcome was unknown comes again and changes nothing.
INSERT INTO shimin.footprint (id, at, citizen_id, service, reader, purpose, trace_id)
SELECT id, at, citizen_id, service, reader, purpose, trace_id
FROM jsonb_to_recordset($1::jsonb)
    AS row (id uuid, at timestamptz, citizen_id uuid, service text, reader text, purpose text, trace_id text)
ON CONFLICT DO NOTHING;
