-- name: claim_key
-- The insert is the lock, and its moment tells this claim from a later one. Nothing comes back when the key is claimed already; a
-- claim that its gateway left behind, older than its request could be ($6 seconds), or that has expired, is taken over.
INSERT INTO shimin.idempotency_key AS known (principal, method, route, key, fingerprint, state, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, 'running', now(), now() + interval '24 hours')
ON CONFLICT (principal, method, route, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, state = 'running', created_at = now(), expires_at = excluded.expires_at,
        status = NULL, headers = NULL, body = NULL
    WHERE known.expires_at < now() OR (known.state = 'running' AND known.created_at < now() - $6::int * interval '1 second')
RETURNING (extract(epoch FROM created_at) * 1000000)::bigint;

-- name: read_key
-- The first request under a key.
SELECT state, fingerprint = $5, status, headers ->> 'type', body, headers ->> 'location'
FROM shimin.idempotency_key
WHERE principal = $1 AND method = $2 AND route = $3 AND key = $4;

-- name: keep_answer
-- The answer that later requests under the key get; nothing if the claim was taken over.
UPDATE shimin.idempotency_key
SET state = 'done', status = $6, headers = jsonb_build_object('type', $7::text, 'location', $8::text), body = $9
WHERE principal = $1 AND method = $2 AND route = $3 AND key = $4 AND (extract(epoch FROM created_at) * 1000000)::bigint = $5;

-- name: free_key
-- Nothing happened under the key: it may be used again.
DELETE FROM shimin.idempotency_key
WHERE principal = $1 AND method = $2 AND route = $3 AND key = $4 AND (extract(epoch FROM created_at) * 1000000)::bigint = $5;

-- name: append_audit
-- Adds records to the hash chain; ids it has seen are left out.
SELECT shimin.audit_append($1::jsonb);

-- name: create_partitions
-- For the months ahead.
SELECT shimin.create_partitions();

-- name: sweep_keys
-- What has expired answers nothing any more.
DELETE FROM shimin.idempotency_key WHERE expires_at < now();

-- name: ping
-- Does the server answer? For /readyz.
SELECT 1;

-- name: sweep_traffic
-- Minutes and days whose time is over.
SELECT shimin.traffic_sweep();

-- name: sweep_outbox
-- Deliveries and events whose time is over.
SELECT shimin.outbox_sweep();

-- name: tell_expiring_certificates
-- Events for departments whose clients' certificates end soon.
SELECT shimin.tell_expiring_certificates();

-- name: head_to_sign
-- The chain's end, for the one gateway that is to sign it now: nothing when another does, when it has been signed, or when the last
-- checkpoint is younger than $1 microseconds.
SELECT head.id, head.hash
FROM shimin.audit_head head
WHERE pg_try_advisory_xact_lock(hashtext('shimin.audit_checkpoint'))
    AND head.id > (SELECT coalesce(max(audit_id), 0) FROM shimin.audit_checkpoint)
    AND NOT EXISTS (SELECT FROM shimin.audit_checkpoint c
                    WHERE c.signed_at > clock_timestamp() - make_interval(secs => $1::bigint / 1000000.0 * 0.9));

-- name: add_checkpoint
-- INSERT is all that may be done with checkpoints.
INSERT INTO shimin.audit_checkpoint (audit_id, hash, key_id, signature, signed_at) VALUES ($1::bigint, $2::bytea, $3, $4::bytea, $5::timestamptz);
