-- name: read_traffic
-- Sums of a span, by step and group, as one JSON text: what citizens asked, and what departments were asked for it. $1 department, $2
-- service (each NULL: all), $3 from, $4 to, $5 step (minute, hour, day), $6 group (service, department, total), $7 the most rows.
WITH asked AS (
    SELECT date_trunc($5::text, minute, 'Asia/Shanghai') AS at, department, service, calls, took, latency, counts
    FROM shimin.traffic_minute
    WHERE $5::text <> 'day' AND minute >= $3::timestamptz AND minute < $4::timestamptz
      AND ($1::text IS NULL OR department = $1) AND ($2::text IS NULL OR service = $2)
    UNION ALL
    SELECT day::timestamp AT TIME ZONE 'Asia/Shanghai', department, service, calls, took, latency, counts
    FROM shimin.traffic_day
    WHERE $5::text = 'day' AND day >= ($3::timestamptz AT TIME ZONE 'Asia/Shanghai')::date
      AND day::timestamp AT TIME ZONE 'Asia/Shanghai' < $4::timestamptz
      AND ($1::text IS NULL OR department = $1) AND ($2::text IS NULL OR service = $2)
), called AS (
    SELECT date_trunc($5::text, minute, 'Asia/Shanghai') AS at, department, operation, calls, took, latency, counts
    FROM shimin.backend_minute
    WHERE $5::text <> 'day' AND minute >= $3::timestamptz AND minute < $4::timestamptz AND ($1::text IS NULL OR department = $1)
    UNION ALL
    SELECT day::timestamp AT TIME ZONE 'Asia/Shanghai', department, operation, calls, took, latency, counts
    FROM shimin.backend_day
    WHERE $5::text = 'day' AND day >= ($3::timestamptz AT TIME ZONE 'Asia/Shanghai')::date
      AND day::timestamp AT TIME ZONE 'Asia/Shanghai' < $4::timestamptz AND ($1::text IS NULL OR department = $1)
), service AS (
    SELECT at, CASE WHEN $6::text <> 'total' THEN department END AS department, CASE WHEN $6::text = 'service' THEN service END AS service,
           sum(calls)::bigint AS calls, sum(took)::bigint AS took, shimin.counts_sum(latency) AS latency, shimin.counts_sum(counts) AS counts
    FROM asked
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    LIMIT $7::bigint
), operation AS (
    SELECT at, CASE WHEN $6::text <> 'total' THEN department END AS department, CASE WHEN $6::text = 'service' THEN operation END AS operation,
           sum(calls)::bigint AS calls, sum(took)::bigint AS took, shimin.counts_sum(latency) AS latency, shimin.counts_sum(counts) AS counts
    FROM called
    WHERE $2::text IS NULL
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    LIMIT $7::bigint
)
SELECT json_build_object(
    'items', (
        SELECT coalesce(json_agg(json_build_object(
            'at', to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"'), 'department', department, 'service', service,
            'calls', calls, 'outcomes', shimin.counts_of(counts, 'outcome'), 'problems', shimin.counts_of(counts, 'problem'),
            'backend', shimin.counts_of(counts, 'backend'), 'cache', shimin.counts_of(counts, 'cache'),
            'latency', shimin.latency_json(latency, took)) ORDER BY at, department, service), '[]')
        FROM service),
    'operations', (
        SELECT coalesce(json_agg(json_build_object(
            'at', to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"'), 'department', department,
            'operation', operation, 'calls', calls, 'outcomes', shimin.counts_of(counts, 'backend'), 'faults', shimin.counts_of(counts, 'fault'),
            'latency', shimin.latency_json(latency, took)) ORDER BY at, department, operation), '[]')
        FROM operation))::text,
    (SELECT count(*) FROM service) >= $7::bigint OR (SELECT count(*) FROM operation) >= $7::bigint;

-- name: read_live
-- The last two minutes by service (of a department, or by department for $1 NULL), and the day so far, as one JSON text.
WITH recent AS (
    SELECT department, CASE WHEN $1::text IS NOT NULL THEN service END AS service, sum(calls)::bigint AS calls, sum(took)::bigint AS took,
           shimin.counts_sum(latency) AS latency, shimin.counts_sum(counts) AS counts
    FROM shimin.traffic_minute
    WHERE minute >= date_trunc('minute', now()) - interval '1 minute' AND ($1::text IS NULL OR department = $1)
    GROUP BY 1, 2
), today AS (
    SELECT coalesce(sum(calls), 0)::bigint AS calls, shimin.counts_sum(counts) AS counts
    FROM shimin.traffic_day
    WHERE day = (now() AT TIME ZONE 'Asia/Shanghai')::date AND ($1::text IS NULL OR department = $1)
)
SELECT json_build_object(
    'since', to_char((date_trunc('minute', now()) - interval '1 minute') AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"'),
    'today', (SELECT json_build_object('calls', calls, 'outcomes', shimin.counts_of(counts, 'outcome')) FROM today),
    'items', (
        SELECT coalesce(json_agg(json_build_object(
            'department', department, 'service', service, 'calls', calls, 'outcomes', shimin.counts_of(counts, 'outcome'),
            'backend', shimin.counts_of(counts, 'backend'), 'latency', shimin.latency_json(latency, took)) ORDER BY department, service), '[]')
        FROM recent))::text;

-- name: read_footprint_days
-- Reads of citizens' data by day, service, purpose and reader, as one JSON text; $1 department (NULL: all), $2 from, $3 to (dates).
SELECT json_build_object('items', coalesce(json_agg(json_build_object(
           'day', day, 'department', department, 'service', service, 'purpose', purpose, 'reader', reader, 'reads', reads)
           ORDER BY day DESC, department, service, purpose, reader), '[]'))::text
FROM (SELECT day, department, service, purpose, reader, sum(reads)::bigint AS reads
      FROM shimin.footprint_day
      WHERE ($1::text IS NULL OR department = $1) AND day BETWEEN $2::date AND $3::date
      GROUP BY day, department, service, purpose, reader) AS summed;

-- name: read_breakers
-- What the breakers of a department are at in the gateways that are there, as one JSON text.
SELECT json_build_object(
           'department', $1::text,
           'state', CASE WHEN bool_or(b.state = 'open') THEN 'open' ELSE 'closed' END,
           'gateways', coalesce(json_agg(json_build_object(
               'gateway', g.id, 'host', g.host, 'state', b.state, 'workers', b.workers, 'workers_open', b.workers_open,
               'since', to_char(b.since AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"')) ORDER BY g.started_at, g.id), '[]'))::text
FROM shimin.gateway_breaker b
JOIN shimin.gateway g ON g.id = b.gateway AND NOT shimin.gateway_is_stale(g)
WHERE b.department = $1::text;

-- name: read_all_breakers
-- The same of every department ($1 NULL) of which a gateway has something to say, or of one.
SELECT json_build_object('items', coalesce(json_agg(one ORDER BY one ->> 'department'), '[]'))::text
FROM (SELECT jsonb_build_object(
                 'department', b.department,
                 'state', CASE WHEN bool_or(b.state = 'open') THEN 'open' ELSE 'closed' END,
                 'gateways', jsonb_agg(jsonb_build_object(
                     'gateway', g.id, 'host', g.host, 'state', b.state, 'workers', b.workers, 'workers_open', b.workers_open,
                     'since', to_char(b.since AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"')) ORDER BY g.started_at, g.id)) AS one
      FROM shimin.gateway_breaker b
      JOIN shimin.gateway g ON g.id = b.gateway AND NOT shimin.gateway_is_stale(g)
      WHERE $1::text IS NULL OR b.department = $1::text
      GROUP BY b.department) AS grouped;
