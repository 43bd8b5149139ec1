-- Clients of departments. Each statement names the actor's department: what is another's is not there.

-- name: list_clients
-- A page of a department's clients after an id.
SELECT shimin.client_json(client), client.id
FROM shimin.client client
WHERE client.department = $1 AND client.id > $2
ORDER BY client.id
LIMIT $3;

-- name: read_client
-- One of them, with its version and its scopes.
SELECT shimin.client_json(client), client.row_version::text, array_to_string(client.scopes, ' ')
FROM shimin.client client
WHERE client.department = $1 AND client.id = $2;

-- name: create_client
-- A new client; nothing when the name was ever used.
INSERT INTO shimin.client AS client (id, department, name, title, scopes, created_by)
VALUES ($1 || '.' || $2, $1, $2, $3, string_to_array($4, ' '), $5)
ON CONFLICT (id) DO NOTHING
RETURNING shimin.client_json(client), client.row_version::text;

-- name: change_client
-- What is NULL stays.
UPDATE shimin.client client
SET title = coalesce($4, title), scopes = coalesce(string_to_array($5, ' '), scopes)
WHERE client.department = $1 AND client.id = $2 AND client.row_version = $3 AND client.revoked_at IS NULL
RETURNING shimin.client_json(client), client.row_version::text;

-- name: revoke_client
-- For good, its tokens included.
UPDATE shimin.client client
SET revoked_at = now()
WHERE client.department = $1 AND client.id = $2 AND client.row_version = $3 AND client.revoked_at IS NULL
RETURNING shimin.client_json(client), client.row_version::text;

-- name: hold_client
-- Holds a live client to the end of the transaction, and counts its version on: its credentials change.
UPDATE shimin.client SET title = title
WHERE department = $1 AND id = $2 AND revoked_at IS NULL
RETURNING id;

-- name: end_credentials
-- The live ones end at that time, or earlier if they did already.
UPDATE shimin.client_credential SET expires_at = least(expires_at, $2::timestamptz)
WHERE client_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: add_credential
-- Nothing when two are live.
INSERT INTO shimin.client_credential (id, client_id, method, secret_sha256, jwk, certificate, subject, created_by)
SELECT $1::uuid, $2::text, $3::text, $4::bytea, $5::text, $6::text, $7::text, $8::text
WHERE (SELECT count(*) FROM shimin.client_credential
       WHERE client_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())) < 2;

-- name: revoke_credential
-- At once, and the tokens that came from it.
WITH client AS (
    UPDATE shimin.client SET title = title WHERE department = $1 AND id = $2 RETURNING id
)
UPDATE shimin.client_credential credential SET revoked_at = now()
FROM client
WHERE credential.client_id = client.id AND credential.id = $3::uuid AND credential.revoked_at IS NULL;
