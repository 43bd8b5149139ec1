-- What gateways lay over the definitions, read at a cost that depends on what is switched and not on what ever was. "open" at the bottom
-- of a target where nothing else closes it says nothing, and need not be told; that is found out once, when it is set. (What the catalogue
-- declares afterwards is newer and counts.)

ALTER TABLE shimin.switch_live ADD COLUMN silent boolean NOT NULL DEFAULT false;
CREATE INDEX switch_live_said ON shimin.switch_live (id) WHERE NOT silent;
DROP INDEX shimin.service_not_open;

CREATE OR REPLACE FUNCTION shimin.switch_refresh(of_scope text, of_target text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    base bigint;
    closed boolean := of_scope = 'service' AND EXISTS (SELECT FROM shimin.service v WHERE v.slug = of_target AND v.declared <> 'open');
BEGIN
    -- of all who switch one commits after the other, and sees what the other did
    PERFORM FROM shimin.catalogue_state FOR UPDATE;
    SELECT s.id INTO base
    FROM shimin.switch s
    WHERE s.scope = of_scope AND s.target = of_target AND s.undoes IS NULL AND (s.starts_at IS NULL OR s.starts_at <= s.set_at)
      AND NOT EXISTS (SELECT FROM shimin.switch u WHERE u.undoes = s.id)
    ORDER BY s.id DESC
    LIMIT 1;
    DELETE FROM shimin.switch_live l WHERE l.scope = of_scope AND l.target = of_target;
    INSERT INTO shimin.switch_live (id, scope, target, silent)
    SELECT s.id, s.scope, s.target,
           s.id = base AND s.position = 'open' AND s.starts_at IS NULL AND s.ends_at IS NULL AND s.share IS NULL AND NOT closed
    FROM shimin.switch s
    WHERE s.scope = of_scope AND s.target = of_target AND s.id >= coalesce(base, 0) AND s.undoes IS NULL
      AND (s.ends_at IS NULL OR s.ends_at > now())
      AND NOT EXISTS (SELECT FROM shimin.switch u WHERE u.undoes = s.id);
END
$$;
SELECT shimin.switch_refresh(scope, target) FROM (SELECT DISTINCT scope, target FROM shimin.switch) AS known;

-- The catalogue's document has them too, for who has nothing else.
CREATE OR REPLACE FUNCTION shimin.switches_json() RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT (shimin.switches_document() -> 'switches')::jsonb
$$;

CREATE OR REPLACE FUNCTION shimin.switches_document() RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'switches_version', switches_version,
        'switches', (
            SELECT coalesce(json_agg(json_build_object(
                       'id', s.id, 'scope', s.scope, 'target', s.target, 'share', s.share, 'position', s.position,
                       'reason', json_build_object('zh', s.reason_zh, 'en', s.reason_en),
                       'from', s.starts_at, 'until', s.ends_at, 'set_by', s.set_by) ORDER BY s.id), '[]'::json)
            FROM shimin.switch_live l
            JOIN shimin.switch s USING (id)
            WHERE NOT l.silent AND (s.ends_at IS NULL OR s.ends_at > now())),
        'settings', (
            SELECT coalesce(json_agg(json_build_object('scope', s.scope, 'target', s.target, 'name', s.name, 'value', s.value) ORDER BY s.id), '[]'::json)
            FROM shimin.setting_live l
            JOIN shimin.setting s USING (id)
            WHERE s.value IS NOT NULL))
    FROM shimin.catalogue_state
$$;
