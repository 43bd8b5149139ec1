-- The outbox: what happened and whom it is told to. Who makes something happen inserts a row into shimin.event in the same
-- transaction, so that what happened is told and what did not happen is not. A trigger makes a delivery for each webhook of the
-- department that wants the type; any gateway claims a delivery that is due, and says what became of the attempt. At least once: the
-- event's id tells a receiver what it has seen. No order is promised.
--
-- Who adds a type of event inserts it into shimin.event_type, and nothing else is to be done.

CREATE TABLE shimin.event_type (
    type text PRIMARY KEY CHECK (type ~ '^city\.shimin(\.[a-z0-9_]+)+$'),
    summary_zh text NOT NULL,
    summary_en text NOT NULL,
    -- JSON Schema 2020-12 of `data`
    schema jsonb NOT NULL
);

CREATE TABLE shimin.event (
    -- by which receivers know it: the id of the CloudEvent, and webhook-id
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    type text NOT NULL REFERENCES shimin.event_type (type),
    -- whom it concerns; its webhooks hear of it
    department text NOT NULL,
    -- what of the department: "service:fund-balance-query"; '': the department as a whole
    subject text NOT NULL DEFAULT '',
    occurred_at timestamptz NOT NULL DEFAULT now(),
    -- no personal data: a receiver fetches what it may see
    data jsonb NOT NULL,
    -- what may be noticed by several, or more than once, has a name of its own and is told once: INSERT … ON CONFLICT DO NOTHING
    key text UNIQUE,
    -- a test that one webhook asked for; NULL: for all who want the type
    only_webhook uuid,
    CHECK (jsonb_typeof(data) = 'object')
);
CREATE INDEX event_department ON shimin.event (department, occurred_at);

CREATE TABLE shimin.webhook (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    department text NOT NULL,
    url text NOT NULL CHECK (url ~ '^https://' AND length(url) <= 2000),
    description text NOT NULL DEFAULT '',
    types text[] NOT NULL,
    -- paused: deliveries wait; retired: the endpoint answered 410 or was removed, and nothing more goes there
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'retired')),
    -- did the endpoint agree by the handshake, and to how many deliveries a minute (NULL: any)
    agreed boolean NOT NULL DEFAULT false,
    rate integer CHECK (rate > 0),
    removed_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    row_version bigint NOT NULL DEFAULT 1
);
CREATE INDEX webhook_department ON shimin.webhook (department) WHERE removed_at IS NULL;
CREATE TRIGGER count_version BEFORE UPDATE ON shimin.webhook FOR EACH ROW EXECUTE FUNCTION shimin.count_version();

-- What deliveries are signed with, encrypted by the gateway. Rotation adds one and lets the old one end later: both sign meanwhile.
CREATE TABLE shimin.webhook_key (
    id uuid PRIMARY KEY,
    webhook uuid NOT NULL REFERENCES shimin.webhook (id),
    scheme text NOT NULL CHECK (scheme IN ('v1', 'v1a')),
    secret_cipher bytea NOT NULL,
    public_key text CHECK ((public_key IS NULL) = (scheme = 'v1')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz
);
CREATE INDEX webhook_key_webhook ON shimin.webhook_key (webhook);

CREATE TABLE shimin.delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event uuid NOT NULL REFERENCES shimin.event (id),
    webhook uuid NOT NULL REFERENCES shimin.webhook (id),
    -- withdrawn: the webhook was retired meanwhile
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up', 'withdrawn')),
    attempts integer NOT NULL DEFAULT 0,
    -- when it may be claimed; while an attempt is under way, when it is taken for lost
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    -- who asked for it again; NULL: the first
    replayed_by text
);
CREATE INDEX delivery_due ON shimin.delivery (due_at, webhook) WHERE state = 'waiting';
CREATE INDEX delivery_of_webhook ON shimin.delivery (webhook, id DESC);
CREATE INDEX delivery_of_event ON shimin.delivery (event);

CREATE TABLE shimin.delivery_attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery bigint NOT NULL REFERENCES shimin.delivery (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    took_ms integer NOT NULL,
    outcome text NOT NULL,
    status smallint,
    -- the first KiB of the answer's body, when it was no success
    answer text CHECK (octet_length(answer) <= 1024)
);
CREATE INDEX delivery_attempt_delivery ON shimin.delivery_attempt (delivery, attempt);

CREATE FUNCTION shimin.event_to_deliveries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO shimin.delivery (event, webhook)
    SELECT NEW.id, w.id
    FROM shimin.webhook w
    WHERE w.department = NEW.department AND w.state <> 'retired'
      AND (w.id = NEW.only_webhook OR (NEW.only_webhook IS NULL AND NEW.type = ANY (w.types)));
    RETURN NULL;
END
$$;
CREATE TRIGGER deliver AFTER INSERT ON shimin.event FOR EACH ROW EXECUTE FUNCTION shimin.event_to_deliveries();
CREATE TRIGGER insert_only BEFORE UPDATE ON shimin.event FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE ON shimin.delivery_attempt FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();

-- The event as it is sent: CloudEvents 1.0 in the structured JSON form.
CREATE FUNCTION shimin.event_document(e shimin.event) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT (json_build_object(
        'specversion', '1.0',
        'id', e.id,
        'source', 'urn:city:shimin',
        'type', e.type,
        'subject', CASE WHEN e.subject = '' THEN 'department:' || e.department ELSE e.subject END,
        'time', to_char(e.occurred_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS.US"+08:00"'),
        'datacontenttype', 'application/json',
        'department', e.department,
        'data', e.data))::text
$$;

-- One delivery of the webhook that is due, for as many seconds: then it is another's again, so that what a gateway took with it when
-- it died is not lost. Whoever comes at the same time gets the next one.
CREATE FUNCTION shimin.delivery_claim(of_webhook uuid, lease integer)
RETURNS TABLE (delivery bigint, attempt integer, event uuid, document text, department text, url text, rate integer, keys text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH claimed AS (
        UPDATE shimin.delivery d
        SET attempts = d.attempts + 1, due_at = now() + make_interval(secs => lease)
        WHERE d.id = (SELECT due.id
                      FROM shimin.delivery due
                      JOIN shimin.webhook w ON w.id = due.webhook
                      WHERE due.webhook = of_webhook AND due.state = 'waiting' AND due.due_at <= now() AND w.state = 'active'
                      ORDER BY due.due_at, due.id
                      LIMIT 1
                      FOR UPDATE OF due SKIP LOCKED)
        RETURNING d.*
    )
    SELECT c.id, c.attempts, e.id, shimin.event_document(e), w.department, w.url, w.rate,
           (SELECT json_agg(json_build_object('id', k.id, 'scheme', k.scheme, 'secret', encode(k.secret_cipher, 'hex')) ORDER BY k.created_at DESC)
            FROM shimin.webhook_key k
            WHERE k.webhook = w.id AND (k.ends_at IS NULL OR k.ends_at > now()))::text
    FROM claimed c
    JOIN shimin.event e ON e.id = c.event
    JOIN shimin.webhook w ON w.id = c.webhook
$$;

-- What became of an attempt. `again` is the number of seconds until the next; NULL: there is none. Nothing happens to a delivery
-- that was taken for lost and claimed by another meanwhile.
CREATE FUNCTION shimin.delivery_ended(of_delivery bigint, of_attempt integer, outcome text, status integer, took integer, answer text,
                                      again double precision, retire boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended shimin.delivery;
BEGIN
    INSERT INTO shimin.delivery_attempt (delivery, attempt, took_ms, outcome, status, answer)
    VALUES (of_delivery, of_attempt, took, outcome, status, answer);
    UPDATE shimin.delivery d
    SET state = CASE WHEN outcome = 'delivered' THEN 'delivered' WHEN again IS NULL THEN 'given_up' ELSE 'waiting' END,
        due_at = CASE WHEN again IS NULL THEN d.due_at ELSE now() + make_interval(secs => again) END,
        ended_at = CASE WHEN again IS NULL THEN now() END
    WHERE d.id = of_delivery AND d.attempts = of_attempt AND d.state = 'waiting'
    RETURNING * INTO ended;
    IF retire THEN
        UPDATE shimin.webhook w SET state = 'retired' WHERE w.id = ended.webhook AND w.state <> 'retired';
        UPDATE shimin.delivery d SET state = 'withdrawn', ended_at = now() WHERE d.webhook = ended.webhook AND d.state = 'waiting';
    END IF;
END
$$;

-- The department's webhook goes, and what waited for it.
CREATE FUNCTION shimin.webhook_remove(of_webhook uuid, of_department text, version bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    UPDATE shimin.webhook w SET state = 'retired', removed_at = now()
    WHERE w.id = of_webhook AND w.department = of_department AND w.removed_at IS NULL AND w.row_version = version
    RETURNING w.row_version INTO gone;
    IF gone IS NOT NULL THEN
        UPDATE shimin.delivery d SET state = 'withdrawn', ended_at = now() WHERE d.webhook = of_webhook AND d.state = 'waiting';
        DELETE FROM shimin.webhook_key k WHERE k.webhook = of_webhook;
    END IF;
    RETURN gone;
END
$$;

-- What the breakers of the gateways are at: one row for each gateway and department, written when it changes. Of a gateway that is
-- silent (shimin.gateway) it says nothing any more.
CREATE TABLE shimin.gateway_breaker (
    gateway uuid NOT NULL,
    department text NOT NULL,
    -- open as soon as one worker's is, closed when all are
    state text NOT NULL CHECK (state IN ('closed', 'half_open', 'open')),
    workers integer NOT NULL,
    workers_open integer NOT NULL,
    workers_half_open integer NOT NULL,
    since timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (department, gateway)
);

-- Deliveries that have ended are kept for thirty days, events for ninety.
CREATE FUNCTION shimin.outbox_sweep() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM shimin.delivery WHERE ended_at < now() - interval '30 days';
    DELETE FROM shimin.webhook_key WHERE ends_at < now() - interval '30 days';
    DELETE FROM shimin.gateway_breaker WHERE reported_at < now() - interval '7 days'
        AND NOT EXISTS (SELECT FROM shimin.gateway g WHERE g.id = gateway AND NOT shimin.gateway_is_stale(g));
    DELETE FROM shimin.event e
    WHERE e.occurred_at < now() - interval '90 days' AND NOT EXISTS (SELECT FROM shimin.delivery d WHERE d.event = e.id);
$$;

REVOKE ALL ON FUNCTION shimin.event_to_deliveries(), shimin.delivery_claim(uuid, integer),
    shimin.delivery_ended(bigint, integer, text, integer, integer, text, double precision, boolean),
    shimin.webhook_remove(uuid, text, bigint), shimin.outbox_sweep() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.delivery_claim(uuid, integer),
    shimin.delivery_ended(bigint, integer, text, integer, integer, text, double precision, boolean),
    shimin.webhook_remove(uuid, text, bigint), shimin.outbox_sweep() TO shimin_app;
GRANT SELECT ON shimin.event_type, shimin.delivery_attempt TO shimin_app;
GRANT SELECT, INSERT ON shimin.event, shimin.delivery, shimin.webhook, shimin.webhook_key TO shimin_app;
GRANT UPDATE (url, description, types, state, agreed, rate) ON shimin.webhook TO shimin_app;
GRANT UPDATE (ends_at) ON shimin.webhook_key TO shimin_app;

-- Reports are {id, gateway, department, state, workers, open, half_open, since, at (microseconds since 1970), event ("opened", "closed"
-- or none)}. An older report than the row is left out, and so is an event that is known.
CREATE FUNCTION shimin.breaker_report(reports jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH report AS MATERIALIZED (
        SELECT id, gateway, department, state, workers, open, half_open, to_timestamp(since / 1000000.0) AS since,
               to_timestamp(at / 1000000.0) AS at, event
        FROM jsonb_to_recordset(reports)
             AS r (id uuid, gateway uuid, department text, state text, workers integer, open integer, half_open integer, since bigint,
                   at bigint, event text)
    ), told AS (
        INSERT INTO shimin.event (id, type, department, occurred_at, data)
        SELECT id, 'city.shimin.department.breaker.' || event, department, at,
               jsonb_build_object('department', department, 'gateway', gateway, 'state', state, 'workers', workers, 'workers_open', open)
        FROM report
        WHERE event IS NOT NULL
        ORDER BY at
        ON CONFLICT (id) DO NOTHING
    )
    INSERT INTO shimin.gateway_breaker AS known (gateway, department, state, workers, workers_open, workers_half_open, since, reported_at)
    SELECT DISTINCT ON (department, gateway) gateway, department, state, workers, open, half_open, since, at
    FROM report
    ORDER BY department, gateway, at DESC
    ON CONFLICT (department, gateway) DO UPDATE
        SET state = excluded.state, workers = excluded.workers, workers_open = excluded.workers_open,
            workers_half_open = excluded.workers_half_open, since = excluded.since, reported_at = excluded.reported_at
        WHERE known.reported_at <= excluded.reported_at
$$;
REVOKE ALL ON FUNCTION shimin.breaker_report(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.breaker_report(jsonb) TO shimin_app;
GRANT SELECT ON shimin.gateway_breaker TO shimin_app;

INSERT INTO shimin.event_type (type, summary_zh, summary_en, schema) VALUES
('city.shimin.department.breaker.opened', '一个网关的熔断器打开：不再调用部门系统，只做探测',
 'A gateway''s breaker opened: the department is no longer called, but for probes',
 '{"type": "object", "required": ["department", "gateway", "state", "workers", "workers_open"], "properties": {"department": {"type": "string"}, "gateway": {"type": "string"}, "state": {"const": "open"}, "workers": {"type": "integer"}, "workers_open": {"type": "integer"}}}'),
('city.shimin.department.breaker.closed', '一个网关的全部熔断器已闭合：部门系统恢复调用',
 'All breakers of a gateway are closed again: the department is called as before',
 '{"type": "object", "required": ["department", "gateway", "state", "workers", "workers_open"], "properties": {"department": {"type": "string"}, "gateway": {"type": "string"}, "state": {"const": "closed"}, "workers": {"type": "integer"}, "workers_open": {"const": 0}}}'),
('city.shimin.department.gate.failed', '一项服务未通过上线检查', 'A service did not pass the gate',
 '{"type": "object", "required": ["department", "service", "report"], "properties": {"department": {"type": "string"}, "service": {"type": "string"}, "report": {"type": "string", "description": "where the report is"}, "failed": {"type": "array", "items": {"type": "string"}}}}'),
('city.shimin.department.certificate.expiring', '部门系统或我方对其使用的证书即将到期', 'A certificate of the department, or ours towards it, ends soon',
 '{"type": "object", "required": ["department", "which", "not_after"], "properties": {"department": {"type": "string"}, "which": {"enum": ["server", "client"]}, "not_after": {"type": "string", "format": "date-time"}, "days": {"type": "integer"}}}'),
('city.shimin.test', '部门自行发送的测试事件', 'A test that the department asked for',
 '{"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}');

INSERT INTO shimin.event_type (type, summary_zh, summary_en, schema)
SELECT 'city.shimin.department.switch.' || name, zh, en,
       '{"type": "object", "required": ["switch", "scope", "services"], "properties": {"switch": {"type": "integer"}, "scope": {"enum": ["service", "department", "category", "area", "city"]}, "target": {"type": "string"}, "share": {"type": "integer", "description": "percent of the citizens; all without it"}, "position": {"enum": ["open", "no_new", "read_only", "off"]}, "reason": {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}, "from": {"type": "string", "format": "date-time"}, "until": {"type": "string", "format": "date-time"}, "undoes": {"type": "integer"}, "services": {"type": "array", "description": "those of the department that it reaches, a hundred at most", "items": {"type": "string"}}}}'
FROM (VALUES ('set', '开关已设置，立即生效', 'A switch was set and holds at once'),
             ('planned', '开关已预告，届时生效', 'A switch was announced for later'),
             ('undone', '开关已撤销，恢复此前状态', 'A switch was undone: what held before holds again'),
             ('begun', '预告的开关开始生效', 'A switch that was announced begins to hold'),
             ('ended', '开关的时段结束', 'The window of a switch has ended')) AS kind (name, zh, en);

-- Tells each department that a switch reaches. Whoever calls names what happened; a second call of the same is without effect.
CREATE FUNCTION shimin.switch_tell(s shimin.switch, what text) RETURNS void
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
    FROM shimin.switch_services(s.scope, s.target) AS reached
    JOIN shimin.service v ON v.slug = reached
    GROUP BY v.department
    ON CONFLICT (key) DO NOTHING
$$;

CREATE FUNCTION shimin.switch_was_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM shimin.switch_tell(NEW, CASE WHEN NEW.undoes IS NOT NULL THEN 'undone' WHEN NEW.starts_at > NEW.set_at THEN 'planned' ELSE 'set' END);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER INSERT ON shimin.switch FOR EACH ROW EXECUTE FUNCTION shimin.switch_was_told();

-- Nothing is written when a window begins or ends: gateways look for those of the last day that nobody has been told of. One that was
-- undone or replaced before neither begins nor ends.
CREATE INDEX switch_begins ON shimin.switch (starts_at) WHERE starts_at IS NOT NULL;
CREATE INDEX switch_ends ON shimin.switch (ends_at) WHERE ends_at IS NOT NULL;
CREATE FUNCTION shimin.switch_held(s shimin.switch, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM shimin.switch later
        WHERE later.scope = s.scope AND later.target = s.target AND later.id > s.id AND later.set_at < at
          AND (later.undoes = s.id
               OR (later.undoes IS NULL AND (later.starts_at IS NULL OR later.starts_at <= later.set_at)
                   AND NOT EXISTS (SELECT FROM shimin.switch u WHERE u.undoes = later.id AND u.set_at < at))))
$$;
CREATE TABLE shimin.switch_window_told (
    switch bigint NOT NULL REFERENCES shimin.switch (id),
    what text NOT NULL,
    PRIMARY KEY (switch, what)
);
CREATE FUNCTION shimin.switch_windows_tell() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT s, 'begun' AS what, s.starts_at AS at
        FROM shimin.switch s
        WHERE s.starts_at BETWEEN now() - interval '1 day' AND now() AND s.starts_at > s.set_at
          AND NOT EXISTS (SELECT FROM shimin.switch_window_told t WHERE t.switch = s.id AND t.what = 'begun')
        UNION ALL
        SELECT s, 'ended', s.ends_at
        FROM shimin.switch s
        WHERE s.ends_at BETWEEN now() - interval '1 day' AND now()
          AND NOT EXISTS (SELECT FROM shimin.switch_window_told t WHERE t.switch = s.id AND t.what = 'ended')
    LOOP
        INSERT INTO shimin.switch_window_told (switch, what) VALUES ((one.s).id, one.what) ON CONFLICT DO NOTHING;
        IF FOUND AND shimin.switch_held(one.s, one.at) THEN
            PERFORM shimin.switch_tell(one.s, one.what);
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION shimin.switch_tell(shimin.switch, text), shimin.switch_was_told(), shimin.switch_windows_tell() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.switch_windows_tell() TO shimin_app;
-- what was over before there were webhooks is nobody's news
INSERT INTO shimin.switch_window_told (switch, what)
SELECT id, 'begun' FROM shimin.switch WHERE starts_at <= now()
UNION ALL
SELECT id, 'ended' FROM shimin.switch WHERE ends_at <= now();

-- As the interface shows them. No secret is among them.
CREATE FUNCTION shimin.outbox_time(at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"')
$$;
CREATE FUNCTION shimin.webhook_key_json(k shimin.webhook_key) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', k.id, 'scheme', k.scheme, 'public_key', k.public_key, 'created_by', k.created_by,
                              'created_at', shimin.outbox_time(k.created_at), 'ends_at', shimin.outbox_time(k.ends_at))
$$;
CREATE FUNCTION shimin.webhook_json(w shimin.webhook) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', w.id, 'department', w.department, 'url', w.url, 'description', w.description, 'types', w.types, 'state', w.state,
        'agreed', w.agreed, 'rate', w.rate, 'version', w.row_version, 'created_by', w.created_by, 'created_at', shimin.outbox_time(w.created_at),
        'keys', (SELECT coalesce(jsonb_agg(shimin.webhook_key_json(k) ORDER BY k.created_at DESC), '[]')
                 FROM shimin.webhook_key k WHERE k.webhook = w.id AND (k.ends_at IS NULL OR k.ends_at > now())),
        'waiting', (SELECT count(*) FROM shimin.delivery d WHERE d.webhook = w.id AND d.state = 'waiting'))
$$;
CREATE FUNCTION shimin.delivery_json(d shimin.delivery) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'id', d.id, 'event', e.id, 'type', e.type, 'subject', e.subject, 'occurred_at', shimin.outbox_time(e.occurred_at),
        'state', d.state, 'next_at', CASE WHEN d.state = 'waiting' THEN shimin.outbox_time(d.due_at) END,
        'ended_at', shimin.outbox_time(d.ended_at), 'replayed_by', d.replayed_by,
        'attempts', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                'attempt', a.attempt, 'ended_at', shimin.outbox_time(a.ended_at), 'took_ms', a.took_ms,
                                'outcome', a.outcome, 'status', a.status, 'answer', a.answer) ORDER BY a.attempt), '[]')
                     FROM shimin.delivery_attempt a WHERE a.delivery = d.id))
    FROM shimin.event e
    WHERE e.id = d.event
$$;
