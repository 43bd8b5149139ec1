-- name: list_footprints
-- A citizen's footprints, newest first, before a position.
SELECT id, (extract(epoch FROM read_at) * 1000000)::bigint, service_slug, department_slug, reader, purpose, trace_id
FROM shimin.footprint
WHERE citizen_id = $1::uuid AND (read_at, id) < ($2::timestamptz, $3::bigint)
ORDER BY read_at DESC, id DESC
LIMIT $4::int;
