-- How sums of traffic are shown, and footprints counted by the day.

-- Of {"outcome.ok": 12, "cache.hit": 7} the counts of one kind: {"ok": 12}.
CREATE FUNCTION shimin.counts_of(counts jsonb, kind text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(substr(key, length(kind) + 2), value), '{}')
    FROM jsonb_each(counts)
    WHERE starts_with(key, kind || '.')
$$;

-- Seconds; NULL when nothing was measured.
CREATE FUNCTION shimin.latency_json(latency bigint[], took bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN measured > 0 THEN jsonb_build_object(
        'mean', round(took / 1e6 / measured, 6),
        'p50', shimin.latency_quantile(latency, 0.5),
        'p90', shimin.latency_quantile(latency, 0.9),
        'p99', shimin.latency_quantile(latency, 0.99)) END
    FROM (SELECT sum(one) AS measured FROM unnest(latency) AS one) AS summed
$$;

-- Reads of citizens' data by day: how many of what, by whom, what for. Nobody whose data was read can be found here. Kept exact by
-- the insert of the footprints themselves; in shards, so that gateways that write at the same time do not wait for one row.
CREATE TABLE shimin.footprint_day (
    day date NOT NULL,
    department text NOT NULL,
    service text NOT NULL,
    purpose text NOT NULL,
    reader text NOT NULL,
    shard smallint NOT NULL,
    reads bigint NOT NULL,
    PRIMARY KEY (department, day, service, purpose, reader, shard)
) WITH (fillfactor = 50);

CREATE FUNCTION shimin.count_footprints() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO shimin.footprint_day AS known (day, department, service, purpose, reader, shard, reads)
    SELECT (read_at AT TIME ZONE 'Asia/Shanghai')::date, department_slug, service_slug, purpose, reader, pg_backend_pid() % 8, count(*)
    FROM added
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (department, day, service, purpose, reader, shard) DO UPDATE SET reads = known.reads + excluded.reads;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION shimin.count_footprints() FROM PUBLIC;

LOCK TABLE shimin.footprint IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO shimin.footprint_day (day, department, service, purpose, reader, shard, reads)
SELECT (read_at AT TIME ZONE 'Asia/Shanghai')::date, department_slug, service_slug, purpose, reader, 0, count(*)
FROM shimin.footprint
GROUP BY 1, 2, 3, 4, 5;
CREATE TRIGGER count AFTER INSERT ON shimin.footprint
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION shimin.count_footprints();

GRANT SELECT ON shimin.footprint_day TO shimin_app;
