-- What administrators change live of a service or a department: limits, breakers, deadlines, caches, concurrency. Laid over the
-- definitions by every gateway's snapshot, as switches are; the definitions stay what they were registered as.

CREATE TABLE shimin.setting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('service', 'department')),
    target text NOT NULL,
    name text NOT NULL CHECK (name IN ('deadline_ms', 'concurrency', 'breaker', 'cache', 'limit')),
    -- NULL: what the definition says holds
    value jsonb,
    reason text NOT NULL DEFAULT '',
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    undoes bigint UNIQUE REFERENCES shimin.setting (id),
    proposal bigint REFERENCES shimin.proposal (id),
    CHECK (undoes IS NULL OR value IS NULL)
);
CREATE INDEX setting_latest ON shimin.setting (scope, target, name, id DESC);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.setting FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.setting FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

-- Of each name the row that counts, kept by a trigger; where the definition holds there is none.
CREATE TABLE shimin.setting_live (
    scope text NOT NULL,
    target text NOT NULL,
    name text NOT NULL,
    id bigint NOT NULL REFERENCES shimin.setting (id),
    PRIMARY KEY (scope, target, name)
);

CREATE FUNCTION shimin.setting_was_set() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    latest shimin.setting;
BEGIN
    PERFORM FROM shimin.catalogue_state FOR UPDATE;
    SELECT * INTO latest
    FROM shimin.setting s
    WHERE s.scope = NEW.scope AND s.target = NEW.target AND s.name = NEW.name AND s.undoes IS NULL
      AND NOT EXISTS (SELECT FROM shimin.setting u WHERE u.undoes = s.id)
    ORDER BY s.id DESC
    LIMIT 1;
    DELETE FROM shimin.setting_live l WHERE l.scope = NEW.scope AND l.target = NEW.target AND l.name = NEW.name;
    IF latest.id IS NOT NULL THEN
        INSERT INTO shimin.setting_live (scope, target, name, id) VALUES (latest.scope, latest.target, latest.name, latest.id);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER live AFTER INSERT ON shimin.setting FOR EACH ROW EXECUTE FUNCTION shimin.setting_was_set();
CREATE TRIGGER announce AFTER INSERT ON shimin.setting FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_switches();

CREATE FUNCTION shimin.setting_json(s shimin.setting) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'id', s.id,
        'scope', s.scope,
        'target', s.target,
        'name', s.name,
        'reason', nullif(s.reason, ''),
        'set_by', s.set_by,
        'set_at', date_trunc('second', s.set_at),
        'undoes', s.undoes,
        'proposal', s.proposal,
        'state', CASE
            WHEN s.undoes IS NOT NULL THEN 'undo'
            WHEN EXISTS (SELECT FROM shimin.setting u WHERE u.undoes = s.id) THEN 'undone'
            WHEN EXISTS (SELECT FROM shimin.setting_live l WHERE l.scope = s.scope AND l.target = s.target AND l.name = s.name AND l.id = s.id)
                THEN 'holds'
            ELSE 'replaced' END))
        -- null says that the definition holds, and is no absent value
        || CASE WHEN s.undoes IS NULL THEN jsonb_build_object('value', s.value) ELSE '{}'::jsonb END
$$;

-- All that gateways lay over the definitions: the switches that hold or will, and the settings.
CREATE OR REPLACE FUNCTION shimin.switches_document() RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'switches_version', switches_version,
        'switches', shimin.switches_json(),
        'settings', (
            SELECT coalesce(json_agg(json_build_object('scope', s.scope, 'target', s.target, 'name', s.name, 'value', s.value) ORDER BY s.id), '[]'::json)
            FROM shimin.setting_live l
            JOIN shimin.setting s USING (id)
            WHERE s.value IS NOT NULL))
    FROM shimin.catalogue_state
$$;

-- Is the value a whole number between these?
CREATE FUNCTION shimin.is_whole(value jsonb, smallest bigint, largest bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'number' THEN value::numeric = trunc(value::numeric) AND value::numeric BETWEEN smallest AND largest
                ELSE false END
$$;

-- The bounds are those of schema/catalogue/catalogue.schema.json; gateway/catalogue/tuning.c reads what passes here.
CREATE FUNCTION shimin.setting_is_valid(scope text, name text, value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN value IS NULL OR value = 'null' THEN true
        WHEN name = 'deadline_ms' THEN shimin.is_whole(value, 50, 60000)
        WHEN name = 'concurrency' THEN shimin.is_whole(value, 1, 1024)
        WHEN jsonb_typeof(value) <> 'object' THEN false
        WHEN name = 'breaker' THEN scope = 'department' AND shimin.is_whole(value -> 'minimum', 1, 1000000)
                                   AND jsonb_typeof(value -> 'ratio') = 'number' AND (value ->> 'ratio')::numeric > 0 AND (value ->> 'ratio')::numeric <= 1
        WHEN name = 'cache' THEN shimin.is_whole(value -> 'fresh', 0, 31622400) AND shimin.is_whole(value -> 'stale', 0, 31622400)
        WHEN name = 'limit' THEN shimin.is_whole(value -> 'requests', 1, 1000000000) AND shimin.is_whole(value -> 'window', 1, 86400)
    END
$$;

CREATE FUNCTION shimin.setting_fault(wish jsonb, bounds jsonb) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN shimin.switch_target(wish ->> 'scope', wish ->> 'target') IS NULL THEN 'unknown-target'
        WHEN NOT shimin.within_bounds(wish ->> 'scope', shimin.switch_target(wish ->> 'scope', wish ->> 'target'),
                                      bounds ->> 'department', bounds ->> 'area') THEN 'out-of-bounds'
        WHEN shimin.setting_is_valid(wish ->> 'scope', wish ->> 'name', wish -> 'value') IS NOT TRUE THEN 'invalid-value'
    END
$$;

CREATE FUNCTION shimin.setting_write(wish jsonb, by text, of_proposal bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written shimin.setting;
BEGIN
    INSERT INTO shimin.setting (scope, target, name, value, reason, set_by, proposal)
    VALUES (wish ->> 'scope', shimin.switch_target(wish ->> 'scope', wish ->> 'target'), wish ->> 'name', nullif(wish -> 'value', 'null'),
            coalesce(wish ->> 'reason', ''), by, of_proposal)
    RETURNING * INTO written;
    RETURN jsonb_build_object('setting', shimin.setting_json(written),
                              'switches_version', (SELECT switches_version FROM shimin.catalogue_state));
END
$$;
REVOKE ALL ON FUNCTION shimin.setting_write(jsonb, text, bigint) FROM PUBLIC;

-- The one way to set. {setting, switches_version}, {proposal} or {fault}. To go back to the definition takes one person.
CREATE FUNCTION shimin.setting_set(wish jsonb, by text, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fault text := shimin.setting_fault(wish, bounds);
    reach integer;
    made shimin.proposal;
BEGIN
    IF fault IS NOT NULL THEN
        RETURN jsonb_build_object('fault', fault);
    END IF;
    SELECT count(*) INTO reach
    FROM shimin.switch_services(wish ->> 'scope', shimin.switch_target(wish ->> 'scope', wish ->> 'target'));
    IF coalesce(wish -> 'value', 'null') <> 'null' AND reach > (bounds ->> 'second_person_above')::integer THEN
        INSERT INTO shimin.proposal (kind, wish, reach, proposed_by, expires_at)
        VALUES ('setting', wish, reach, by, now() + make_interval(secs => (bounds ->> 'patience')::integer))
        RETURNING * INTO made;
        RETURN jsonb_build_object('proposal', shimin.proposal_json(made));
    END IF;
    RETURN shimin.setting_write(wish, by, NULL);
END
$$;

CREATE FUNCTION shimin.setting_undo(of_setting bigint, by text, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    undone shimin.setting;
    written shimin.setting;
BEGIN
    PERFORM FROM shimin.catalogue_state FOR UPDATE;
    SELECT * INTO undone FROM shimin.setting WHERE id = of_setting;
    IF undone.id IS NULL THEN
        RETURN jsonb_build_object('fault', 'unknown-setting');
    ELSIF NOT shimin.within_bounds(undone.scope, undone.target, bounds ->> 'department', bounds ->> 'area') THEN
        RETURN jsonb_build_object('fault', 'out-of-bounds');
    ELSIF NOT EXISTS (SELECT FROM shimin.setting_live l WHERE l.id = of_setting) THEN
        RETURN jsonb_build_object('fault', 'holds-no-more');
    END IF;
    INSERT INTO shimin.setting (scope, target, name, set_by, undoes) VALUES (undone.scope, undone.target, undone.name, by, of_setting)
    RETURNING * INTO written;
    RETURN jsonb_build_object('setting', shimin.setting_json(written),
                              'switches_version', (SELECT switches_version FROM shimin.catalogue_state));
END
$$;

CREATE OR REPLACE FUNCTION shimin.proposal_carry_out(p shimin.proposal, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fault text := CASE p.kind WHEN 'switch' THEN shimin.switch_fault(p.wish, bounds) ELSE shimin.setting_fault(p.wish, bounds) END;
BEGIN
    IF fault IS NOT NULL THEN
        RETURN jsonb_build_object('fault', fault);
    ELSIF p.kind = 'switch' THEN
        RETURN shimin.switch_write(p.wish, p.proposed_by, p.id);
    END IF;
    RETURN shimin.setting_write(p.wish, p.proposed_by, p.id);
END
$$;

REVOKE ALL ON FUNCTION shimin.setting_set(jsonb, text, jsonb), shimin.setting_undo(bigint, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.setting_set(jsonb, text, jsonb), shimin.setting_undo(bigint, text, jsonb) TO shimin_app;
GRANT SELECT ON shimin.setting, shimin.setting_live TO shimin_app;
