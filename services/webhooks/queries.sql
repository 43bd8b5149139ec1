-- name: list_types
-- What may be told, as one JSON text.
SELECT json_build_object('items', coalesce(json_agg(json_build_object(
           'type', type, 'summary', json_build_object('zh', summary_zh, 'en', summary_en), 'schema', schema) ORDER BY type), '[]'))::text
FROM shimin.event_type;

-- name: unknown_types
-- Of a list (JSON), what is no type of event.
SELECT wanted FROM jsonb_array_elements_text($1::jsonb) AS wanted
WHERE wanted NOT IN (SELECT type FROM shimin.event_type)
LIMIT 1;

-- name: list_webhooks
-- Of a department (NULL: of all), as one JSON text.
SELECT json_build_object('items', coalesce(json_agg(shimin.webhook_json(w) ORDER BY w.department, w.created_at, w.id), '[]'))::text
FROM shimin.webhook w
WHERE ($1::text IS NULL OR w.department = $1) AND w.removed_at IS NULL;

-- name: read_webhook
SELECT shimin.webhook_json(w)::text, w.row_version, w.url
FROM shimin.webhook w
WHERE w.id = $1::uuid AND w.department = $2 AND w.removed_at IS NULL;

-- name: add_webhook
-- With its first key. $1 department, $2 url, $3 description, $4 types (JSON), $5 agreed, $6 rate, $7 by, $8 id of the key, $9 its
-- cipher, $10 how many a department may have. No row: it has as many.
WITH made AS (
    INSERT INTO shimin.webhook (department, url, description, types, agreed, rate, created_by)
    SELECT $1, $2, $3, ARRAY(SELECT jsonb_array_elements_text($4::jsonb)), $5::boolean, $6::integer, $7::text
    WHERE (SELECT count(*) FROM shimin.webhook WHERE department = $1 AND removed_at IS NULL) < $10::bigint
    RETURNING id
), key AS (
    INSERT INTO shimin.webhook_key (id, webhook, scheme, secret_cipher, created_by)
    SELECT $8::uuid, made.id, 'v1', $9::bytea, $7::text FROM made
)
SELECT id FROM made;

-- name: change_webhook
-- What is NULL stays. $1 id, $2 department, $3 version, $4 url, $5 agreed, $6 rate (of the url), $7 description, $8 types (JSON), $9 state.
UPDATE shimin.webhook
SET url = coalesce($4::text, url), agreed = CASE WHEN $4::text IS NULL THEN agreed ELSE $5::boolean END,
    rate = CASE WHEN $4::text IS NULL THEN rate ELSE $6::integer END, description = coalesce($7::text, description),
    types = CASE WHEN $8::jsonb IS NULL THEN types ELSE ARRAY(SELECT jsonb_array_elements_text($8::jsonb)) END,
    state = coalesce($9::text, state)
WHERE id = $1::uuid AND department = $2 AND removed_at IS NULL AND row_version = $3::bigint
RETURNING row_version;

-- name: remove_webhook
SELECT shimin.webhook_remove($1::uuid, $2::text, $3::bigint);

-- name: end_keys
-- The keys of a scheme go on for $3 seconds.
UPDATE shimin.webhook_key
SET ends_at = now() + make_interval(secs => $3::double precision)
WHERE webhook = $1::uuid AND scheme = $2 AND (ends_at IS NULL OR ends_at > now() + make_interval(secs => $3::double precision));

-- name: add_key
-- $1 id, $2 webhook, $3 scheme, $4 cipher, $5 public key, $6 by.
INSERT INTO shimin.webhook_key (id, webhook, scheme, secret_cipher, public_key, created_by)
VALUES ($1::uuid, $2::uuid, $3, $4::bytea, $5, $6);

-- name: add_test
-- For one webhook, whatever types it wants.
INSERT INTO shimin.event (type, department, data, only_webhook)
SELECT 'city.shimin.test', w.department, jsonb_build_object('message', $3::text), w.id
FROM shimin.webhook w
WHERE w.id = $1::uuid AND w.department = $2 AND w.removed_at IS NULL AND w.state = 'active'
RETURNING id;

-- name: list_deliveries
-- The newest first. $1 webhook, $2 department, $3 state (NULL: any), $4 below this id, $5 how many.
SELECT d.id, shimin.delivery_json(d)::text
FROM shimin.delivery d
JOIN shimin.webhook w ON w.id = d.webhook
WHERE w.id = $1::uuid AND w.department = $2 AND w.removed_at IS NULL AND ($3::text IS NULL OR d.state = $3) AND d.id < $4::bigint
ORDER BY d.id DESC
LIMIT $5::bigint;

-- name: replay_delivery
-- The same event to the same webhook once more. $1 webhook, $2 department, $3 delivery, $4 by.
INSERT INTO shimin.delivery (event, webhook, replayed_by)
SELECT d.event, d.webhook, $4::text
FROM shimin.delivery d
JOIN shimin.webhook w ON w.id = d.webhook
WHERE w.id = $1::uuid AND w.department = $2 AND w.removed_at IS NULL AND w.state <> 'retired' AND d.id = $3::bigint
RETURNING id;

-- name: replay_events
-- Every event of a span that this webhook was to hear of, or would be by its types, once more; those that wait are left alone. $1
-- webhook, $2 department, $3 from, $4 to, $5 only those that were not delivered, $6 by, $7 how many at most.
INSERT INTO shimin.delivery (event, webhook, replayed_by)
SELECT e.id, w.id, $6::text
FROM shimin.webhook w
JOIN shimin.event e ON e.department = w.department AND e.occurred_at >= $3::timestamptz AND e.occurred_at < $4::timestamptz
WHERE w.id = $1::uuid AND w.department = $2 AND w.removed_at IS NULL AND w.state <> 'retired' AND e.only_webhook IS NULL
  AND (e.type = ANY (w.types) OR EXISTS (SELECT FROM shimin.delivery d WHERE d.webhook = w.id AND d.event = e.id))
  AND NOT EXISTS (SELECT FROM shimin.delivery d WHERE d.webhook = w.id AND d.event = e.id
                  AND (d.state = 'waiting' OR ($5::boolean AND d.state = 'delivered')))
ORDER BY e.occurred_at
LIMIT $7::bigint;
