-- name: list_systems
-- A department's systems, as JSON.
SELECT json_build_object('items', coalesce(json_agg(shimin.system_json(s) ORDER BY s.name), '[]'::json))::text
FROM shimin.system s
WHERE s.department = $1;

-- name: read_system
SELECT shimin.system_json(s)::text, s.edition, s.backend::text
FROM shimin.system s
WHERE s.department = $1 AND s.name = $2;

-- name: make_system
-- Nothing when it is there already, or the department has as many as it may: each costs every gateway memory for good.
INSERT INTO shimin.system (department, name, backend, changed_by)
SELECT $1, $2, $3::jsonb, $4
WHERE (SELECT count(*) FROM shimin.system WHERE department = $1) < 64
ON CONFLICT DO NOTHING;

-- name: change_system
-- Nothing when its edition is another.
UPDATE shimin.system
SET backend = $3::jsonb, edition = edition + 1, changed_by = $4, changed_at = now()
WHERE department = $1 AND name = $2 AND edition = $5;

-- name: put_credential
INSERT INTO shimin.system_credential (department, system, environment, kind, key_id, fingerprint, sealed, set_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (department, system, environment) DO UPDATE
SET kind = excluded.kind, key_id = excluded.key_id, fingerprint = excluded.fingerprint, sealed = excluded.sealed,
    set_by = excluded.set_by, set_at = now()
RETURNING shimin.credential_json(system_credential)::text;

-- name: delete_credential
DELETE FROM shimin.system_credential WHERE department = $1 AND system = $2 AND environment = $3;

-- name: contract_room
-- What the department has handed in: within a day, and when the oldest of that no longer counts; ever; and whether these very bytes.
SELECT coalesce(sum(length(bytes)) FILTER (WHERE registered_at > now() - interval '1 day'), 0)::bigint,
       coalesce(ceil(extract(epoch FROM min(registered_at) FILTER (WHERE registered_at > now() - interval '1 day')
                                        + interval '1 day' - now())), 1)::bigint,
       coalesce(sum(length(bytes)), 0)::bigint,
       coalesce(bool_or(sha256 = encode(sha256($2::bytea), 'hex')), false)
FROM shimin.contract
WHERE department = $1 AND system IS NOT NULL;

-- name: register_contract
-- Nothing when the department registered these bytes before.
INSERT INTO shimin.contract (department, system, name, version, title, bytes, operations, registered_by)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)
ON CONFLICT (department, sha256) DO NOTHING;

-- name: read_contract
SELECT shimin.contract_json(c, true)::text, c.system
FROM shimin.contract c
WHERE c.department = $1 AND c.sha256 = $2 AND c.system IS NOT NULL;

-- name: list_contracts
-- Newest first, one more than asked for.
SELECT shimin.contract_json(c, false)::text, (extract(epoch FROM c.registered_at) * 1000000)::bigint, c.sha256
FROM shimin.contract c
WHERE c.department = $1 AND c.system IS NOT NULL AND ($2::text IS NULL OR c.system = $2)
  AND ((extract(epoch FROM c.registered_at) * 1000000)::bigint, c.sha256) < ($3, $4::text)
ORDER BY c.registered_at DESC, c.sha256 DESC
LIMIT $5;

-- name: contract_document
SELECT bytes, name FROM shimin.contract WHERE department = $1 AND sha256 = $2 AND system IS NOT NULL;

-- name: draft_contract
-- The contract that a draft is bound to: the one named, or the newest of the system.
SELECT c.sha256, c.name, c.bytes, s.backend::text
FROM shimin.contract c
JOIN shimin.system s ON s.department = c.department AND s.name = c.system
WHERE c.department = $1 AND c.system = $2 AND ($3::text IS NULL OR c.sha256 = $3)
ORDER BY c.registered_at DESC
LIMIT 1;

-- name: service_owner
-- Whose service of that slug is, and whether it is registered.
SELECT department, registered IS NOT NULL FROM shimin.service WHERE slug = $1
UNION ALL
SELECT department, true FROM shimin.service_version WHERE service = $1
LIMIT 1;

-- name: version_at_work
SELECT number, edition, state, system, contract_sha256, definition::text
FROM shimin.service_version
WHERE department = $1 AND service = $2 AND state IN ('draft', 'testing', 'submitted', 'failed', 'refused');

-- name: version_to_try
-- The one named; else the one at work, else the one on trial, else the live one. With its contract and system.
SELECT v.number, v.state, v.system, v.contract_sha256, v.definition::text, c.name, c.bytes, s.backend::text, v.edition
FROM shimin.service_version v
JOIN shimin.contract c ON c.department = v.department AND c.sha256 = v.contract_sha256
JOIN shimin.system s ON s.department = v.department AND s.name = v.system
WHERE v.department = $1 AND v.service = $2 AND ($3::integer IS NULL OR v.number = $3)
ORDER BY CASE WHEN v.state IN ('draft', 'testing', 'submitted', 'failed', 'refused') THEN 0 WHEN v.state = 'canary' THEN 1
              WHEN v.state = 'live' THEN 2 ELSE 3 END, v.number DESC
LIMIT 1;

-- name: make_draft
WITH made AS (
    INSERT INTO shimin.service_version (service, number, department, system, contract_sha256, definition, created_by)
    SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5::jsonb, $6 FROM shimin.service_version WHERE service = $1
    RETURNING *
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, done_by)
    SELECT service, number, 'drafted', $6 FROM made
)
SELECT shimin.version_json(made, true)::text, edition FROM made;

-- name: change_draft
-- Nothing when its edition is another, or it is being tested.
UPDATE shimin.service_version
SET system = $4, contract_sha256 = $5, definition = $6::jsonb, state = 'draft', edition = edition + 1, submitted_by = NULL,
    submitted_at = NULL, decided_by = NULL, decided_at = NULL, decision_reason = NULL
WHERE department = $1 AND service = $2 AND edition = $3 AND state IN ('draft', 'submitted', 'failed', 'refused')
RETURNING shimin.version_json(service_version, true)::text, edition;

-- name: list_services
SELECT json_build_object('items', coalesce(json_agg(json_build_object('service', service, 'versions', versions) ORDER BY service),
                                           '[]'::json))::text
FROM (SELECT service, json_agg(shimin.version_json(v, false) ORDER BY number DESC) AS versions
      FROM shimin.service_version v
      WHERE ($1::text IS NULL OR department = $1) AND state IN ('draft', 'testing', 'submitted', 'failed', 'refused', 'canary', 'live')
      GROUP BY service) list;

-- name: read_service
SELECT json_build_object(
           'service', $2::text,
           'versions', json_agg(shimin.version_json(v, true) ORDER BY number DESC),
           'history', (SELECT coalesce(json_agg(json_build_object('number', number, 'event', event, 'detail', detail,
                                                                  'done_by', done_by, 'done_at', done_at) ORDER BY id DESC), '[]')
                       FROM (SELECT * FROM shimin.service_version_event WHERE service = $2 ORDER BY id DESC LIMIT 200) e))::text
FROM shimin.service_version v
WHERE ($1::text IS NULL OR v.department = $1) AND v.service = $2
HAVING count(*) > 0;

-- name: begin_testing
-- What was left testing for ten minutes, by a gateway that stopped, may be tested again.
UPDATE shimin.service_version
SET state = 'testing', edition = edition + 1, submitted_by = $4, submitted_at = now()
WHERE department = $1 AND service = $2 AND number = $3
  AND (state IN ('draft', 'failed', 'refused') OR (state = 'testing' AND submitted_at < now() - interval '10 minutes'))
RETURNING edition;

-- name: end_testing
-- Nothing when the version was changed meanwhile.
WITH version AS (
    UPDATE shimin.service_version
    SET state = CASE WHEN $4 THEN 'submitted' ELSE 'failed' END, edition = edition + 1
    WHERE service = $1 AND number = $2 AND edition = $3 AND state = 'testing'
    RETURNING *
), made AS (
    INSERT INTO shimin.gate_report (service, number, passed, report)
    SELECT service, number, $4, $5::jsonb FROM version
    RETURNING *
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, done_by)
    SELECT service, number, CASE WHEN $4 THEN 'submitted' ELSE 'gate failed' END, submitted_by FROM version
)
SELECT shimin.gate_json(made)::text FROM made;

-- name: read_gate
SELECT shimin.gate_json(r)::text
FROM shimin.gate_report r
JOIN shimin.service_version v USING (service, number)
WHERE v.department = $1 AND r.service = $2 AND r.number = $3
ORDER BY r.id DESC
LIMIT 1;

-- name: list_submissions
SELECT json_build_object('items', coalesce(json_agg(shimin.version_json(v, false) ORDER BY submitted_at), '[]'::json))::text
FROM shimin.service_version v
WHERE state = 'submitted';

-- name: read_submission
SELECT json_build_object('version', shimin.version_json(v, true),
                         'gate', (SELECT shimin.gate_json(r) FROM shimin.gate_report r
                                  WHERE r.service = v.service AND r.number = v.number ORDER BY r.id DESC LIMIT 1))::text,
       v.number, v.submitted_by, v.department, v.edition, v.definition ->> 'archetype' IN ('locate', 'feed', 'content')
FROM shimin.service_version v
WHERE service = $1 AND state = 'submitted';

-- name: submission_documents
-- The document of the live version, which a submission would follow, and its own.
SELECT before.bytes, after.bytes
FROM shimin.service_version v
JOIN shimin.contract after ON after.department = v.department AND after.sha256 = v.contract_sha256
JOIN shimin.service_version live ON live.service = v.service AND live.state = 'live'
JOIN shimin.contract before ON before.department = live.department AND before.sha256 = live.contract_sha256
WHERE v.service = $1 AND v.state = 'submitted';

-- name: refuse_submission
WITH version AS (
    UPDATE shimin.service_version
    SET state = 'refused', edition = edition + 1, decided_by = $3, decided_at = now(), decision_reason = $4
    WHERE service = $1 AND number = $2 AND state = 'submitted' AND edition = $5
    RETURNING *
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, detail, done_by)
    SELECT service, number, 'refused', $4, $3 FROM version
)
SELECT shimin.version_json(version, true)::text FROM version;

-- name: approve_submission
-- The decision; what follows of it is the next statement of the transaction. Nothing when it was decided or changed meanwhile.
UPDATE shimin.service_version
SET decided_by = $3, decided_at = now(), decision_reason = $4
WHERE service = $1 AND number = $2 AND state = 'submitted' AND submitted_by <> $3 AND edition = $5
RETURNING number;

-- name: version_fault
SELECT shimin.service_version_fault($1, $2::integer);

-- name: go_live
SELECT shimin.service_version_go_live($1, $2::integer, $3, $4);

-- name: go_on_trial
-- Only beside a live version.
WITH version AS (
    UPDATE shimin.service_version v
    SET state = 'canary', share = $3::integer, edition = edition + 1
    WHERE v.service = $1 AND v.number = $2 AND v.state = 'submitted'
      AND EXISTS (SELECT FROM shimin.service_version live WHERE live.service = $1 AND live.state = 'live')
    RETURNING *
), announced AS (
    UPDATE shimin.service SET registered = registered WHERE slug = (SELECT service FROM version)
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, detail, done_by)
    SELECT service, number, 'on trial', 'share ' || trim_scale(share / 100.0) || ' %', $4 FROM version
)
SELECT number FROM version;

-- name: change_share
WITH version AS (
    UPDATE shimin.service_version v
    SET share = $3::integer, edition = edition + 1
    WHERE v.service = $2 AND v.state = 'canary' AND ($1::text IS NULL OR v.department = $1)
    RETURNING *
), announced AS (
    UPDATE shimin.service SET registered = registered WHERE slug = (SELECT service FROM version)
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, detail, done_by)
    SELECT service, number, 'on trial', 'share ' || trim_scale(share / 100.0) || ' %', $4 FROM version
)
SELECT shimin.version_json(version, true)::text FROM version;

-- name: withdraw_canary
WITH version AS (
    UPDATE shimin.service_version v
    SET state = 'withdrawn', share = NULL, edition = edition + 1
    WHERE v.service = $2 AND v.state = 'canary' AND ($1::text IS NULL OR v.department = $1)
    RETURNING *
), announced AS (
    UPDATE shimin.service SET registered = registered WHERE slug = (SELECT service FROM version)
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, done_by)
    SELECT service, number, 'withdrawn', $3 FROM version
)
SELECT number FROM version;

-- name: remove_service
WITH removed AS (
    DELETE FROM shimin.service WHERE slug = $1 AND registered IS NOT NULL RETURNING slug
), version AS (
    UPDATE shimin.service_version
    SET state = 'retired', share = NULL, edition = edition + 1
    WHERE service = (SELECT slug FROM removed) AND state IN ('live', 'canary')
    RETURNING service, number
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, done_by) SELECT service, number, 'removed', $2 FROM version
)
SELECT slug FROM removed;

-- name: version_of_state
-- The newest version in that state; of superseded ones the one that was live last.
SELECT number
FROM shimin.service_version v
WHERE v.service = $2 AND ($1::text IS NULL OR v.department = $1) AND v.state = $3
ORDER BY (SELECT max(e.id) FROM shimin.service_version_event e
          WHERE e.service = v.service AND e.number = v.number AND e.event IN ('live', 'promoted', 'rolled back')) DESC NULLS LAST
LIMIT 1;

-- name: version_exists
SELECT 1 FROM shimin.service_version WHERE service = $2 AND ($1::text IS NULL OR department = $1) LIMIT 1;

-- name: read_version
SELECT shimin.version_json(v, true)::text FROM shimin.service_version v WHERE service = $1 AND number = $2;

-- name: live_version
SELECT shimin.version_json(v, true)::text FROM shimin.service_version v WHERE service = $1 AND state = 'live';

-- name: retire_version
WITH version AS (
    UPDATE shimin.service_version v
    SET deprecated_at = coalesce(deprecated_at, now()), sunset_at = $4::timestamptz, notice = $5::jsonb, successor = $7,
        edition = edition + 1
    WHERE v.department = $1 AND v.service = $2 AND v.number = $3::integer AND v.state IN ('live', 'canary') AND $4::timestamptz > now()
    RETURNING *
), announced AS (
    UPDATE shimin.service SET registered = registered WHERE slug = (SELECT service FROM version)
), noted AS (
    INSERT INTO shimin.service_version_event (service, number, event, detail, done_by)
    SELECT service, number, 'retiring', 'sunset ' || sunset_at, $6 FROM version
)
SELECT shimin.version_json(version, true)::text FROM version;

-- name: next_probe
-- One live registered service whose turn it is, for this gateway alone until the lease ends.
WITH due AS (
    SELECT v.service, v.number
    FROM shimin.service_version v
    LEFT JOIN shimin.service_probe p USING (service)
    WHERE v.state = 'live' AND (v.sunset_at IS NULL OR v.sunset_at > now())
      AND (p.service IS NULL OR (p.next_at <= now() AND p.leased_until <= now()) OR p.number <> v.number)
    ORDER BY p.next_at NULLS FIRST
    LIMIT 1
), leased AS (
    INSERT INTO shimin.service_probe (service, number, owner, leased_until)
    SELECT service, number, $1, now() + interval '2 minutes' FROM due
    ON CONFLICT (service) DO UPDATE
    SET number = excluded.number, owner = excluded.owner, leased_until = excluded.leased_until
        WHERE service_probe.leased_until <= now()
    RETURNING service, number
)
SELECT v.service, v.number, v.department, v.system, v.contract_sha256, v.definition::text, c.name, c.bytes, s.backend::text
FROM leased
JOIN shimin.service_version v USING (service, number)
JOIN shimin.contract c ON c.department = v.department AND c.sha256 = v.contract_sha256
JOIN shimin.system s ON s.department = v.department AND s.name = v.system;

-- name: keep_probe
UPDATE shimin.service_probe
SET since = CASE WHEN passed IS DISTINCT FROM $3 THEN now() ELSE since END,
    passed = $3, result = $4::jsonb, probed_at = now(), leased_until = now(), next_at = now() + make_interval(secs => $5)
WHERE service = $1 AND owner = $2;

-- name: read_probe
SELECT json_build_object('service', v.service, 'number', v.number, 'passed', p.passed, 'checks', p.result, 'probed_at', p.probed_at,
                         'since', p.since)::text
FROM shimin.service_version v
LEFT JOIN shimin.service_probe p USING (service, number)
WHERE v.department = $1 AND v.service = $2 AND v.state = 'live';
