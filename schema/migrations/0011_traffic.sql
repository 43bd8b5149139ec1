-- What citizens ask of services and what departments are asked for it, by the minute and by the day, as sums. No row is about a person.
--
-- Each worker of each gateway counts in memory and hands in what it counted every two seconds. Counting is adding, so a batch whose
-- outcome was unknown and that comes again must not be added again: its id is kept.

-- Sums of many things at once: `counts` is {"outcome.ok": 12, "problem.not-found": 1, "cache.hit": 7, "backend.timeout": 1, …};
-- `latency` is a histogram: gateway/federation/traffic.h has its buckets.
CREATE FUNCTION shimin.counts_add(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(coalesce(pair.a, 0) + coalesce(pair.b, 0) ORDER BY place), '{}')
    FROM unnest(a, b) WITH ORDINALITY AS pair (a, b, place)
$$;
CREATE FUNCTION shimin.counts_add(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, count), '{}')
    FROM (SELECT key, sum(value::bigint) AS count
          FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS entry
          GROUP BY key) AS summed
$$;
CREATE AGGREGATE shimin.counts_sum(bigint[]) (SFUNC = shimin.counts_add, STYPE = bigint[], INITCOND = '{}');
CREATE AGGREGATE shimin.counts_sum(jsonb) (SFUNC = shimin.counts_add, STYPE = jsonb, INITCOND = '{}');

-- The bounds of bucket n (1 …) in seconds: below 1.024 ms, then two buckets for each doubling.
CREATE FUNCTION shimin.latency_bound(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN bucket < 1 THEN 0 ELSE 0.001024 * 2 ^ ((bucket - 1) / 2) * (1 + (bucket - 1) % 2 * 0.5) END
$$;
-- Within a bucket the calls are taken to lie evenly. NULL without calls.
CREATE FUNCTION shimin.latency_quantile(latency bigint[], quantile double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT round((shimin.latency_bound(bucket - 1) + (shimin.latency_bound(bucket) - shimin.latency_bound(bucket - 1))
                  * (quantile * total - (upto - count)) / count)::numeric, 6)::double precision
    FROM (SELECT place::integer AS bucket, count, sum(count) OVER (ORDER BY place) AS upto, sum(count) OVER () AS total
          FROM unnest(latency) WITH ORDINALITY AS one (count, place)) AS summed
    WHERE count > 0 AND upto >= quantile * total
    ORDER BY bucket
    LIMIT 1
$$;

-- What citizens asked of a service (department's raw passage: service ''): calls, microseconds they took, and what came of them.
-- For "calls in the last hour" of a service, sum `calls` over its minutes.
CREATE TABLE shimin.traffic_minute (
    service text NOT NULL,
    department text NOT NULL,
    minute timestamptz NOT NULL,
    calls bigint NOT NULL,
    took bigint NOT NULL,
    latency bigint[] NOT NULL,
    counts jsonb NOT NULL,
    PRIMARY KEY (service, department, minute)
) WITH (fillfactor = 70);
CREATE INDEX traffic_minute_department ON shimin.traffic_minute (department, minute);
CREATE INDEX traffic_minute_age ON shimin.traffic_minute USING brin (minute);

CREATE TABLE shimin.traffic_day (
    service text NOT NULL,
    department text NOT NULL,
    day date NOT NULL,
    calls bigint NOT NULL,
    took bigint NOT NULL,
    latency bigint[] NOT NULL,
    counts jsonb NOT NULL,
    PRIMARY KEY (department, day, service)
) WITH (fillfactor = 50);

-- What a department was asked, by operation of its contract: its own answers, as the federation saw them.
CREATE TABLE shimin.backend_minute (
    department text NOT NULL,
    operation text NOT NULL,
    minute timestamptz NOT NULL,
    calls bigint NOT NULL,
    took bigint NOT NULL,
    latency bigint[] NOT NULL,
    counts jsonb NOT NULL,
    PRIMARY KEY (department, minute, operation)
) WITH (fillfactor = 70);
CREATE INDEX backend_minute_age ON shimin.backend_minute USING brin (minute);

CREATE TABLE shimin.backend_day (
    department text NOT NULL,
    operation text NOT NULL,
    day date NOT NULL,
    calls bigint NOT NULL,
    took bigint NOT NULL,
    latency bigint[] NOT NULL,
    counts jsonb NOT NULL,
    PRIMARY KEY (department, day, operation)
) WITH (fillfactor = 50);

-- Batches that were added.
CREATE TABLE shimin.traffic_batch (
    id uuid PRIMARY KEY,
    added_at timestamptz NOT NULL DEFAULT now()
);

-- Batches are {id, minute (seconds since 1970), services: [{service, department, calls, took, latency, counts}], operations: [{operation,
-- …}]}. Rows are taken in the order of their keys, so that two that add at once wait for each other and do not deadlock.
CREATE FUNCTION shimin.traffic_add(batches jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    batch jsonb;
    at timestamptz;
    today date;
BEGIN
    FOR batch IN SELECT value FROM jsonb_array_elements(batches) LOOP
        INSERT INTO shimin.traffic_batch (id) VALUES ((batch ->> 'id')::uuid) ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND;
        at := date_trunc('minute', to_timestamp((batch ->> 'minute')::bigint));
        today := (at AT TIME ZONE 'Asia/Shanghai')::date;
        INSERT INTO shimin.traffic_minute AS known (service, department, minute, calls, took, latency, counts)
        SELECT service, department, at, calls, took, latency, counts
        FROM jsonb_to_recordset(batch -> 'services')
             AS entry (service text, department text, calls bigint, took bigint, latency bigint[], counts jsonb)
        ORDER BY service, department
        ON CONFLICT (service, department, minute) DO UPDATE
            SET calls = known.calls + excluded.calls, took = known.took + excluded.took,
                latency = shimin.counts_add(known.latency, excluded.latency), counts = shimin.counts_add(known.counts, excluded.counts);
        INSERT INTO shimin.traffic_day AS known (service, department, day, calls, took, latency, counts)
        SELECT service, department, today, calls, took, latency, counts
        FROM jsonb_to_recordset(batch -> 'services')
             AS entry (service text, department text, calls bigint, took bigint, latency bigint[], counts jsonb)
        ORDER BY service, department
        ON CONFLICT (department, day, service) DO UPDATE
            SET calls = known.calls + excluded.calls, took = known.took + excluded.took,
                latency = shimin.counts_add(known.latency, excluded.latency), counts = shimin.counts_add(known.counts, excluded.counts);
        INSERT INTO shimin.backend_minute AS known (department, operation, minute, calls, took, latency, counts)
        SELECT department, operation, at, calls, took, latency, counts
        FROM jsonb_to_recordset(batch -> 'operations')
             AS entry (operation text, department text, calls bigint, took bigint, latency bigint[], counts jsonb)
        ORDER BY department, operation
        ON CONFLICT (department, minute, operation) DO UPDATE
            SET calls = known.calls + excluded.calls, took = known.took + excluded.took,
                latency = shimin.counts_add(known.latency, excluded.latency), counts = shimin.counts_add(known.counts, excluded.counts);
        INSERT INTO shimin.backend_day AS known (department, operation, day, calls, took, latency, counts)
        SELECT department, operation, today, calls, took, latency, counts
        FROM jsonb_to_recordset(batch -> 'operations')
             AS entry (operation text, department text, calls bigint, took bigint, latency bigint[], counts jsonb)
        ORDER BY department, operation
        ON CONFLICT (department, day, operation) DO UPDATE
            SET calls = known.calls + excluded.calls, took = known.took + excluded.took,
                latency = shimin.counts_add(known.latency, excluded.latency), counts = shimin.counts_add(known.counts, excluded.counts);
    END LOOP;
END
$$;

-- Minutes are kept for eight days, days for two years; a batch that comes after two days has been given up.
CREATE FUNCTION shimin.traffic_sweep() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM shimin.traffic_minute WHERE minute < now() - interval '8 days';
    DELETE FROM shimin.backend_minute WHERE minute < now() - interval '8 days';
    DELETE FROM shimin.traffic_day WHERE day < current_date - 731;
    DELETE FROM shimin.backend_day WHERE day < current_date - 731;
    DELETE FROM shimin.traffic_batch WHERE added_at < now() - interval '2 days';
$$;

-- The application adds and sweeps by these functions, and has no other right to change a count.
REVOKE ALL ON FUNCTION shimin.traffic_add(jsonb), shimin.traffic_sweep() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.traffic_add(jsonb), shimin.traffic_sweep() TO shimin_app;
GRANT SELECT ON shimin.traffic_minute, shimin.traffic_day, shimin.backend_minute, shimin.backend_day TO shimin_app;
