-- name: catalogue_as_of_now
-- What follows in the transaction sees one moment.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: catalogue_frame
-- Everything a snapshot is compiled from but the services, as one JSON text; how many services there are; and the digests of the
-- contracts it names and its version, so that nobody need read the text to find them.
SELECT shimin.catalogue_frame()::text,
       (SELECT count(*) FROM shimin.service),
       (SELECT coalesce(json_agg(DISTINCT sha256), '[]'::json)::text
        FROM (SELECT contract_sha256 AS sha256 FROM shimin.department WHERE contract_sha256 IS NOT NULL
              UNION ALL
              SELECT contract_sha256 FROM shimin.service_version WHERE state IN ('live', 'canary')) AS used),
       (SELECT version FROM shimin.catalogue_state);

-- name: catalogue_departments
SELECT slug FROM shimin.department ORDER BY number;

-- name: catalogue_services
-- Those of a department, as JSON texts with commas between; NULL when it has none.
SELECT shimin.catalogue_services($1);

-- name: catalogue_version
-- Of the definitions.
SELECT version FROM shimin.catalogue_state;

-- name: switches_document
-- What is laid over the definitions now, switches and settings, as one JSON text.
SELECT shimin.switches_document()::text;

-- name: contract_bytes
-- A department's contract as it was registered.
SELECT bytes FROM shimin.contract WHERE sha256 = $1 LIMIT 1;

-- name: confirm_snapshot
-- This gateway is there, and all of its workers run this snapshot.
INSERT INTO shimin.gateway AS known (id, host, program, workers, started_at, version, switches_version)
VALUES ($1::uuid, $2, $3, $4::integer, $5::timestamptz, $6::bigint, $7::bigint)
ON CONFLICT (id) DO UPDATE
    SET beat_at = now(), version = excluded.version, switches_version = excluded.switches_version,
        confirmed_at = CASE WHEN (known.version, known.switches_version) IS DISTINCT FROM (excluded.version, excluded.switches_version)
                            THEN now() ELSE known.confirmed_at END;

-- name: leave
-- This gateway stops; and those that went without a word an hour ago are forgotten.
DELETE FROM shimin.gateway WHERE id = $1::uuid OR beat_at < now() - interval '1 hour';

-- name: confirmations
-- Do all gateways that are heard of run what was set as this version? And each of them.
SELECT coalesce(bool_and(g.confirmed) FILTER (WHERE NOT g.stale), true),
       jsonb_build_object(
           'confirmed', coalesce(bool_and(g.confirmed) FILTER (WHERE NOT g.stale), true),
           'gateways', coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'host', g.host, 'confirmed', g.confirmed, 'stale', g.stale)
                                          ORDER BY g.started_at, g.id), '[]'::jsonb))::text
FROM (SELECT id, host, started_at, shimin.gateway_is_stale(gateway) AS stale,
             switches_version >= $1::bigint AS confirmed
      FROM shimin.gateway) AS g;
