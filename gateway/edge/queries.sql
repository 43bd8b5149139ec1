-- name: claim_key
-- The insert is the lock. Nothing comes back when the key is claimed already; a claim that its gateway left behind more than a
-- minute ago, or that has expired, is taken over.
INSERT INTO shimin.idempotency_key AS known (principal, method, route, key, fingerprint, state, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, 'running', now(), now() + interval '24 hours')
ON CONFLICT (principal, method, route, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, state = 'running', created_at = now(), expires_at = excluded.expires_at,
        status = NULL, headers = NULL, body = NULL
    WHERE known.expires_at < now() OR (known.state = 'running' AND known.created_at < now() - interval '1 minute')
RETURNING 1;

-- name: read_key
-- The first request under a key.
SELECT state, fingerprint = $5, status, headers ->> 'type', body, headers ->> 'location'
FROM shimin.idempotency_key
WHERE principal = $1 AND method = $2 AND route = $3 AND key = $4;

-- name: keep_answer
-- The answer that later requests under the key get.
UPDATE shimin.idempotency_key
SET state = 'done', status = $5, headers = jsonb_build_object('type', $6::text, 'location', $7::text), body = $8
WHERE principal = $1 AND method = $2 AND route = $3 AND key = $4;

-- name: free_key
-- Nothing happened under the key: it may be used again.
DELETE FROM shimin.idempotency_key
WHERE principal = $1 AND method = $2 AND route = $3 AND key = $4;

-- name: append_audit
-- Adds records to the hash chain; ids it has seen are left out.
SELECT shimin.audit_append($1::jsonb);

-- name: create_partitions
-- For the months ahead.
SELECT shimin.create_partitions();

-- name: sweep_keys
-- What has expired answers nothing any more.
DELETE FROM shimin.idempotency_key WHERE expires_at < now();
