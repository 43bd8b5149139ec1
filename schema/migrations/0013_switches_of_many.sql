-- Switches that hold for more than one service: a department, a category, an area or the whole city, and, of each of these, for a
-- share of the citizens only. The history of shimin.service_switch goes on in the same table under its wider name.
--
-- Within one scope and target the rule of 0010 holds: what holds at once replaces all that was set before, a plan is laid over it.
-- Across scopes the most restrictive position wins. An undo takes one row out of the count, so that what held before holds again.

DROP VIEW shimin.service_switch_current;
ALTER TABLE shimin.service_switch RENAME TO switch;
ALTER TABLE shimin.switch RENAME COLUMN service_slug TO target;
ALTER TABLE shimin.switch
    -- an area by its code, the others by their slug; the city has no target
    ADD COLUMN scope text NOT NULL DEFAULT 'service' CHECK (scope IN ('service', 'department', 'category', 'area', 'city')),
    -- percent of the citizens; NULL: everybody, guests included
    ADD COLUMN share smallint CHECK (share BETWEEN 1 AND 99),
    ADD COLUMN undoes bigint UNIQUE REFERENCES shimin.switch (id),
    ADD COLUMN proposal bigint,
    ALTER COLUMN position DROP NOT NULL,
    ADD CHECK ((undoes IS NULL) = (position IS NOT NULL)),
    ADD CHECK ((scope = 'city') = (target = ''));
ALTER TABLE shimin.switch ALTER COLUMN scope DROP DEFAULT;
DROP INDEX shimin.service_switch_latest;
CREATE INDEX switch_latest ON shimin.switch (scope, target, id DESC);

-- Which rows count now or will: kept by a trigger, so that what a snapshot reads does not grow with the history.
CREATE TABLE shimin.switch_live (
    id bigint PRIMARY KEY REFERENCES shimin.switch (id),
    scope text NOT NULL,
    target text NOT NULL
);
CREATE INDEX switch_live_target ON shimin.switch_live (scope, target);

CREATE FUNCTION shimin.switch_refresh(of_scope text, of_target text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    base bigint;
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
    INSERT INTO shimin.switch_live (id, scope, target)
    SELECT s.id, s.scope, s.target
    FROM shimin.switch s
    WHERE s.scope = of_scope AND s.target = of_target AND s.id >= coalesce(base, 0) AND s.undoes IS NULL
      AND (s.ends_at IS NULL OR s.ends_at > now())
      AND NOT EXISTS (SELECT FROM shimin.switch u WHERE u.undoes = s.id);
END
$$;
REVOKE ALL ON FUNCTION shimin.switch_refresh(text, text) FROM PUBLIC;

CREATE FUNCTION shimin.switch_was_set() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM shimin.switch_refresh(NEW.scope, NEW.target);
    RETURN NULL;
END
$$;
CREATE TRIGGER live AFTER INSERT ON shimin.switch FOR EACH ROW EXECUTE FUNCTION shimin.switch_was_set();

SELECT shimin.switch_refresh(scope, target) FROM (SELECT DISTINCT scope, target FROM shimin.switch) AS known;

-- What the catalogue itself declares, so that "open" over "open" need not be told to the gateways.
ALTER TABLE shimin.service
    ADD COLUMN declared text GENERATED ALWAYS AS (coalesce(definition #>> '{switch,position}', 'open')) STORED;
CREATE INDEX service_not_open ON shimin.service (slug) WHERE declared <> 'open';

-- As the interface and the snapshots have a switch; times in RFC 3339.
CREATE FUNCTION shimin.switch_json(s shimin.switch) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'id', s.id,
        'scope', s.scope,
        'target', nullif(s.target, ''),
        'share', s.share,
        'position', s.position,
        'reason', CASE WHEN s.undoes IS NULL THEN jsonb_build_object('zh', s.reason_zh, 'en', s.reason_en) END,
        'from', date_trunc('second', s.starts_at),
        'until', date_trunc('second', s.ends_at),
        'set_by', s.set_by,
        'set_at', date_trunc('second', s.set_at),
        'undoes', s.undoes,
        'proposal', s.proposal))
$$;

-- Written in one piece, not through switch_json: a snapshot may have thousands, and each call of that costs its setting.
CREATE OR REPLACE FUNCTION shimin.switches_json() RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'id', s.id,
               'scope', s.scope,
               'target', nullif(s.target, ''),
               'share', s.share,
               'position', s.position,
               'reason', jsonb_build_object('zh', s.reason_zh, 'en', s.reason_en),
               'from', s.starts_at,
               'until', s.ends_at,
               'set_by', s.set_by)) ORDER BY s.id), '[]'::jsonb)
    FROM shimin.switch_live l
    JOIN shimin.switch s USING (id)
    WHERE (s.ends_at IS NULL OR s.ends_at > now())
      -- nothing is said by "open" at the bottom of a target where nothing else closes it
      AND NOT (s.position = 'open' AND s.starts_at IS NULL AND s.ends_at IS NULL AND s.share IS NULL
               AND NOT EXISTS (SELECT FROM shimin.service v
                               WHERE s.scope = 'service' AND v.slug = s.target AND v.declared <> 'open'))
$$;

-- The services that a switch of this scope and target reaches. An area reaches those that lie in it, and those that can be asked
-- for an area.
CREATE FUNCTION shimin.areas_within(code text) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE within AS (
        SELECT a.code FROM shimin.area a WHERE a.code = $1
        UNION ALL
        SELECT a.code FROM shimin.area a JOIN within w ON a.parent = w.code
    )
    SELECT within.code FROM within
$$;

CREATE FUNCTION shimin.switch_services(scope text, target text) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT s.slug FROM shimin.service s WHERE $1 = 'city'
    UNION ALL
    SELECT s.slug FROM shimin.service s WHERE $1 = 'service' AND s.slug = $2
    UNION ALL
    SELECT s.slug FROM shimin.service s WHERE $1 = 'department' AND s.department = $2
    UNION ALL
    SELECT s.slug FROM shimin.service s WHERE $1 = 'category' AND s.category = $2
    UNION ALL
    SELECT s.slug
    FROM shimin.service s
    JOIN shimin.department d ON d.slug = s.department
    WHERE $1 = 'area' AND (coalesce(s.definition ->> 'area', d.definition ->> 'area') IN (SELECT shimin.areas_within($2))
                           OR s.definition -> 'parameters' @> '[{"name": "area"}]')
$$;

-- The name under which the target is kept (a service may be named by an alias, an area by a longer form of its code); NULL when
-- there is none of that name.
CREATE FUNCTION shimin.switch_target(scope text, target text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE $1
        WHEN 'city' THEN ''
        WHEN 'service' THEN (SELECT slug FROM shimin.service WHERE slug = $2 OR definition -> 'aliases' ? $2 ORDER BY (slug = $2) DESC LIMIT 1)
        WHEN 'department' THEN (SELECT slug FROM shimin.department WHERE slug = $2)
        WHEN 'category' THEN (SELECT slug FROM shimin.category WHERE slug = $2)
        WHEN 'area' THEN (SELECT code FROM shimin.area WHERE length(code) <= length($2) AND rpad(code, length($2), '0') = $2 ORDER BY length(code) DESC LIMIT 1)
    END
$$;

-- May one whose rights end at a department or an area (NULL: they do not) act on this scope and target?
CREATE FUNCTION shimin.within_bounds(scope text, target text, department text, area text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT ($3 IS NULL OR ($1 = 'department' AND $2 = $3)
                       OR ($1 = 'service' AND EXISTS (SELECT FROM shimin.service s WHERE s.slug = $2 AND s.department = $3)))
       AND ($4 IS NULL OR ($1 = 'area' AND $2 IN (SELECT shimin.areas_within($4)))
                       OR ($1 = 'service' AND EXISTS (
                               SELECT FROM shimin.service s JOIN shimin.department d ON d.slug = s.department
                               WHERE s.slug = $2 AND coalesce(s.definition ->> 'area', d.definition ->> 'area') IN (SELECT shimin.areas_within($4)))))
$$;

-- A change that one asked for and a second person must confirm. What became of it is a row of its own; without one it waits until
-- it expires.
CREATE TABLE shimin.proposal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('switch', 'setting')),
    wish jsonb NOT NULL,
    reach integer NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE TABLE shimin.proposal_decision (
    proposal bigint PRIMARY KEY REFERENCES shimin.proposal (id),
    confirmed boolean NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE shimin.switch ADD FOREIGN KEY (proposal) REFERENCES shimin.proposal (id);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.proposal FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.proposal FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.proposal_decision FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.proposal_decision
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

CREATE FUNCTION shimin.proposal_json(p shimin.proposal) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'id', p.id,
        'kind', p.kind,
        'wish', p.wish,
        'reach', p.reach,
        'state', CASE WHEN d.confirmed THEN 'confirmed' WHEN NOT d.confirmed THEN 'refused'
                      WHEN p.expires_at <= now() THEN 'expired' ELSE 'waiting' END,
        'proposed_by', p.proposed_by,
        'proposed_at', date_trunc('second', p.proposed_at),
        'expires_at', date_trunc('second', p.expires_at),
        'decided_by', d.decided_by,
        'decided_at', date_trunc('second', d.decided_at)))
    FROM (SELECT) AS one
    LEFT JOIN shimin.proposal_decision d ON d.proposal = p.id
$$;

-- What stands in the way of a wish; NULL: nothing. `wish` is {scope, target, share, position, reason: {zh, en}, from, until},
-- `bounds` {department, area, second_person_above, patience}: where the rights of the asker end, how many services one person may
-- hit alone, and for how many seconds a proposal waits.
CREATE FUNCTION shimin.switch_fault(wish jsonb, bounds jsonb) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN shimin.switch_target(wish ->> 'scope', wish ->> 'target') IS NULL THEN 'unknown-target'
        WHEN NOT shimin.within_bounds(wish ->> 'scope', shimin.switch_target(wish ->> 'scope', wish ->> 'target'),
                                      bounds ->> 'department', bounds ->> 'area') THEN 'out-of-bounds'
        WHEN wish ->> 'position' <> 'open' AND (coalesce(wish #>> '{reason,zh}', '') = '' OR coalesce(wish #>> '{reason,en}', '') = '')
            THEN 'no-reason'
        -- it would be in force at no time, and yet end what is
        WHEN (wish ->> 'until')::timestamptz <= now() THEN 'until-passed'
        WHEN (wish ->> 'until')::timestamptz <= (wish ->> 'from')::timestamptz THEN 'until-before-from'
    END
$$;

CREATE FUNCTION shimin.switch_write(wish jsonb, by text, of_proposal bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written shimin.switch;
BEGIN
    INSERT INTO shimin.switch (scope, target, share, position, reason_zh, reason_en, starts_at, ends_at, set_by, proposal)
    VALUES (wish ->> 'scope', shimin.switch_target(wish ->> 'scope', wish ->> 'target'), (wish ->> 'share')::smallint, wish ->> 'position',
            coalesce(wish #>> '{reason,zh}', ''), coalesce(wish #>> '{reason,en}', ''), (wish ->> 'from')::timestamptz,
            (wish ->> 'until')::timestamptz, by, of_proposal)
    RETURNING * INTO written;
    RETURN jsonb_build_object('switch', shimin.switch_json(written),
                              'switches_version', (SELECT switches_version FROM shimin.catalogue_state));
END
$$;
REVOKE ALL ON FUNCTION shimin.switch_write(jsonb, text, bigint) FROM PUBLIC;

-- The one way to set or plan a switch. {switch, switches_version}, or {proposal} when a second person is needed, or {fault}.
-- To open takes one person always: it ends what somebody closed, and is the way out of a mistake.
CREATE FUNCTION shimin.switch_set(wish jsonb, by text, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fault text := shimin.switch_fault(wish, bounds);
    reach integer;
    made shimin.proposal;
BEGIN
    IF fault IS NOT NULL THEN
        RETURN jsonb_build_object('fault', fault);
    END IF;
    SELECT count(*) INTO reach
    FROM shimin.switch_services(wish ->> 'scope', shimin.switch_target(wish ->> 'scope', wish ->> 'target'));
    IF wish ->> 'position' <> 'open' AND reach > (bounds ->> 'second_person_above')::integer THEN
        INSERT INTO shimin.proposal (kind, wish, reach, proposed_by, expires_at)
        VALUES ('switch', jsonb_strip_nulls(wish), reach, by, now() + make_interval(secs => (bounds ->> 'patience')::integer))
        RETURNING * INTO made;
        RETURN jsonb_build_object('proposal', shimin.proposal_json(made));
    END IF;
    RETURN shimin.switch_write(wish, by, NULL);
END
$$;

-- What held before the switch holds again. {switch (the undo), switches_version} or {fault}.
CREATE FUNCTION shimin.switch_undo(of_switch bigint, by text, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    undone shimin.switch;
    written shimin.switch;
BEGIN
    PERFORM FROM shimin.catalogue_state FOR UPDATE;
    SELECT * INTO undone FROM shimin.switch WHERE id = of_switch;
    IF undone.id IS NULL THEN
        RETURN jsonb_build_object('fault', 'unknown-switch');
    ELSIF NOT shimin.within_bounds(undone.scope, undone.target, bounds ->> 'department', bounds ->> 'area') THEN
        RETURN jsonb_build_object('fault', 'out-of-bounds');
    ELSIF NOT EXISTS (SELECT FROM shimin.switch_live l WHERE l.id = of_switch) OR undone.ends_at <= now() THEN
        RETURN jsonb_build_object('fault', 'holds-no-more');
    END IF;
    INSERT INTO shimin.switch (scope, target, set_by, undoes) VALUES (undone.scope, undone.target, by, of_switch)
    RETURNING * INTO written;
    RETURN jsonb_build_object('switch', shimin.switch_json(written),
                              'switches_version', (SELECT switches_version FROM shimin.catalogue_state));
END
$$;

-- How a proposal of one kind is carried out, once it is confirmed.
CREATE FUNCTION shimin.proposal_carry_out(p shimin.proposal, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fault text := shimin.switch_fault(p.wish, bounds);
BEGIN
    IF fault IS NOT NULL THEN
        RETURN jsonb_build_object('fault', fault);
    END IF;
    RETURN shimin.switch_write(p.wish, p.proposed_by, p.id);
END
$$;
REVOKE ALL ON FUNCTION shimin.proposal_carry_out(shimin.proposal, jsonb) FROM PUBLIC;

-- A second person confirms or refuses; who proposed may take it back, and that is a refusal. {proposal, and what came of it} or
-- {fault}. A wish that has a fault by now stays undecided.
CREATE FUNCTION shimin.proposal_decide(of_proposal bigint, confirms boolean, by text, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p shimin.proposal;
    came jsonb := '{}';
BEGIN
    SELECT * INTO p FROM shimin.proposal WHERE id = of_proposal FOR UPDATE;
    IF p.id IS NULL THEN
        RETURN jsonb_build_object('fault', 'unknown-proposal');
    ELSIF EXISTS (SELECT FROM shimin.proposal_decision d WHERE d.proposal = p.id) THEN
        RETURN jsonb_build_object('fault', 'decided-already');
    ELSIF p.expires_at <= now() THEN
        RETURN jsonb_build_object('fault', 'expired');
    ELSIF confirms AND p.proposed_by = by THEN
        RETURN jsonb_build_object('fault', 'same-person');
    ELSIF NOT shimin.within_bounds(p.wish ->> 'scope', shimin.switch_target(p.wish ->> 'scope', p.wish ->> 'target'),
                                   bounds ->> 'department', bounds ->> 'area') THEN
        RETURN jsonb_build_object('fault', 'out-of-bounds');
    END IF;
    IF confirms THEN
        came := shimin.proposal_carry_out(p, bounds);
        IF came ? 'fault' THEN
            RETURN came;
        END IF;
    END IF;
    INSERT INTO shimin.proposal_decision (proposal, confirmed, decided_by) VALUES (p.id, confirms, by);
    RETURN came || jsonb_build_object('proposal', shimin.proposal_json(p));
END
$$;

-- What a wish would hit. A figure that nobody keeps yet is null, and `unknown` says why.
CREATE FUNCTION shimin.switch_preview(wish jsonb, bounds jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fault text := shimin.switch_fault(wish, bounds);
    hit text[];
BEGIN
    IF fault IS NOT NULL THEN
        RETURN jsonb_build_object('fault', fault);
    END IF;
    SELECT coalesce(array_agg(slug ORDER BY slug), '{}') INTO hit
    FROM shimin.switch_services(wish ->> 'scope', shimin.switch_target(wish ->> 'scope', wish ->> 'target')) AS slug;
    RETURN jsonb_build_object(
        'reach', cardinality(hit),
        'services', to_jsonb(hit[1:100]),
        'needs_second_person', wish ->> 'position' <> 'open' AND cardinality(hit) > (bounds ->> 'second_person_above')::integer,
        'calls_last_hour', (
            SELECT coalesce(sum(t.calls), 0) FROM shimin.traffic_minute t
            WHERE t.minute > now() - interval '1 hour' AND t.service = ANY (hit)),
        'open_cases', NULL,
        'bookings_tomorrow', NULL,
        'unsettled_payments', NULL,
        'dependants', (
            SELECT coalesce(jsonb_agg(s.slug ORDER BY s.slug), '[]'::jsonb)
            FROM shimin.service s
            WHERE s.definition ? 'needs' AND s.slug <> ALL (hit) AND (s.definition -> 'needs') ?| hit),
        'unknown', '["open_cases", "bookings_tomorrow", "unsettled_payments"]'::jsonb);
END
$$;

REVOKE ALL ON FUNCTION shimin.switch_set(jsonb, text, jsonb), shimin.switch_undo(bigint, text, jsonb),
    shimin.proposal_decide(bigint, boolean, text, jsonb), shimin.switch_preview(jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.switch_set(jsonb, text, jsonb), shimin.switch_undo(bigint, text, jsonb),
    shimin.proposal_decide(bigint, boolean, text, jsonb), shimin.switch_preview(jsonb, jsonb) TO shimin_app;
-- set through the functions only, whose reader cannot say who somebody else is
REVOKE INSERT ON shimin.switch FROM shimin_app;
GRANT SELECT ON shimin.switch, shimin.switch_live, shimin.proposal, shimin.proposal_decision TO shimin_app;
