-- name: list_gateways
-- Which gateways there are, which snapshot each runs, and since when it is silent.
SELECT jsonb_build_object(
    'items', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
                   'id', g.id, 'host', g.host, 'program', g.program, 'workers', g.workers,
                   'started_at', date_trunc('second', g.started_at),
                   'snapshot', g.version || '.' || g.switches_version,
                   'confirmed_at', g.confirmed_at,
                   'beat_at', date_trunc('second', g.beat_at),
                   'silent_ms', greatest(0, floor(extract(epoch FROM now() - g.beat_at) * 1000)::bigint),
                   'stale', shimin.gateway_is_stale(g),
                   'current', (g.version, g.switches_version) = (s.version, s.switches_version))
                   ORDER BY g.started_at, g.id)
        FROM shimin.gateway g), '[]'::jsonb),
    'next_cursor', NULL,
    'snapshot', s.version || '.' || s.switches_version)
FROM shimin.catalogue_state s;
