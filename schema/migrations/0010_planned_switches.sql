-- A window that begins later leaves what holds now in force until then, and gives way to it again when it ends. Before, the latest
-- row of a service counted alone, so that to announce maintenance of a closed service was to open it until the maintenance began.
--
-- A switch that holds at once replaces all that was set before it, plans included. A planned one is laid over what there is; of
-- several that hold at a moment, the one set last counts.

CREATE OR REPLACE VIEW shimin.service_switch_current AS
SELECT s.*
FROM shimin.service_switch s
JOIN (SELECT service_slug, max(id) FILTER (WHERE starts_at IS NULL OR starts_at <= set_at) AS id
      FROM shimin.service_switch
      GROUP BY service_slug) AS base USING (service_slug)
WHERE s.id >= coalesce(base.id, 0) AND (s.id = base.id OR s.ends_at IS NULL OR s.ends_at > now());

-- In the order in which they were set: a later row of a service goes before an earlier one.
CREATE OR REPLACE FUNCTION shimin.switches_json() RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'service', service_slug,
               'position', position,
               'reason', jsonb_build_object('zh', reason_zh, 'en', reason_en),
               'from', starts_at,
               'until', ends_at,
               'set_by', set_by,
               'set_at', set_at)) ORDER BY service_slug, id), '[]'::jsonb)
    FROM shimin.service_switch_current
    WHERE ends_at IS NULL OR ends_at > now()
$$;
