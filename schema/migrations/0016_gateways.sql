-- Which gateways there are, and which snapshot each of them runs in all of its workers: a switch that did not take is seen here.
-- Each gateway writes its own row, at once when it has taken up a snapshot and else every second; one that is cut off from Postgres
-- is known by its silence.

CREATE TABLE shimin.gateway (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    program text NOT NULL,
    workers integer NOT NULL,
    started_at timestamptz NOT NULL,
    -- of the snapshot: that of the definitions and that of the switches
    version bigint NOT NULL,
    switches_version bigint NOT NULL,
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    beat_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON shimin.gateway TO shimin_app;

-- Silent for longer than three beats.
CREATE FUNCTION shimin.gateway_is_stale(g shimin.gateway) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT g.beat_at < now() - interval '3 seconds'
$$;

-- Of an entry of the switches' history: does it count?
CREATE FUNCTION shimin.switch_state(s shimin.switch) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN s.undoes IS NOT NULL THEN 'undo'
        WHEN EXISTS (SELECT FROM shimin.switch u WHERE u.undoes = s.id) THEN 'undone'
        WHEN s.ends_at <= now() THEN 'ended'
        WHEN NOT EXISTS (SELECT FROM shimin.switch_live l WHERE l.id = s.id) THEN 'replaced'
        WHEN s.starts_at > now() THEN 'planned'
        ELSE 'holds'
    END
$$;
