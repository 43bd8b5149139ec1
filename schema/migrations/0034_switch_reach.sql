-- What a switch of one service costs does not depend on how many there are: its slug is looked up before any alias is, aliases have an
-- index, and what it reaches is found by name instead of being picked out of all services.

CREATE INDEX service_aliases ON shimin.service USING gin ((definition -> 'aliases'));

CREATE OR REPLACE FUNCTION shimin.switch_target(scope text, target text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE $1
        WHEN 'city' THEN ''
        WHEN 'service' THEN coalesce((SELECT slug FROM shimin.service WHERE slug = $2),
                                     (SELECT min(slug) FROM shimin.service WHERE definition -> 'aliases' ? $2))
        WHEN 'department' THEN (SELECT slug FROM shimin.department WHERE slug = $2)
        WHEN 'category' THEN (SELECT slug FROM shimin.category WHERE slug = $2)
        WHEN 'area' THEN (SELECT code FROM shimin.area WHERE length(code) <= length($2) AND rpad(code, length($2), '0') = $2 ORDER BY length(code) DESC LIMIT 1)
    END
$$;

CREATE OR REPLACE FUNCTION shimin.switch_tell(s shimin.switch, what text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'Asia/Shanghai' AS $$
    INSERT INTO shimin.event (type, department, subject, data, key)
    SELECT 'city.shimin.department.switch.' || what, v.department,
           CASE WHEN s.scope = 'service' THEN 'service:' || s.target ELSE '' END,
           jsonb_strip_nulls(jsonb_build_object(
               'switch', s.id,
               'scope', s.scope,
               'target', nullif(s.target, ''),
               'share', s.share,
               'position', s.position,
               'reason', CASE WHEN s.undoes IS NULL THEN jsonb_build_object('zh', s.reason_zh, 'en', s.reason_en) END,
               'from', date_trunc('second', s.starts_at),
               'until', date_trunc('second', s.ends_at),
               'undoes', s.undoes,
               'services', (array_agg(v.slug ORDER BY v.slug))[1:100])),
           'switch.' || what || ':' || s.id || ':' || v.department
    FROM shimin.service v
    WHERE v.slug = ANY (ARRAY(SELECT shimin.switch_services(s.scope, s.target)))
    GROUP BY v.department
    ON CONFLICT (key) DO NOTHING
$$;
