-- name: open_account
-- The account of a phone, made on the first login; always one row.
INSERT INTO shimin.citizen AS known (id, phone_cipher, phone_blind, level)
VALUES ($1::uuid, $2, $3, 1)
ON CONFLICT (phone_blind) DO UPDATE SET last_login_at = now()
RETURNING id, level, name_cipher, id_number_cipher;

-- name: read_account
-- An account as it stands now.
SELECT id, level, name_cipher, id_number_cipher, phone_cipher, (extract(epoch FROM verified_at) * 1000000)::bigint
FROM shimin.citizen
WHERE id = $1::uuid;

-- name: keep_attempt
-- One try at verifying a real name or a live face; INSERT only.
INSERT INTO shimin.verification_attempt (citizen_id, kind, outcome) VALUES ($1::uuid, $2, $3);

-- name: verify_account
-- The account is that of a real person from now on. The unique blind index refuses an identity that another account has, and an
-- account never becomes another person's: what it holds is the first one's.
UPDATE shimin.citizen
SET name_cipher = $2, id_number_cipher = $3, id_number_blind = $4, level = greatest(level, 2), verified_at = now()
WHERE id = $1::uuid AND (id_number_blind IS NULL OR id_number_blind = $4);

-- name: find_staff
-- Who wants to log in, locked or not.
SELECT account.id, account.state = 'active', credential.password_hash, credential.totp_confirmed, credential.totp_cipher,
       credential.epoch
FROM shimin.staff account
JOIN shimin.staff_credential credential ON credential.staff_id = account.id
WHERE account.name = $1;

-- name: take_staff_step
-- A code was shown: its step and those before are used up. Nothing when they were already. Step 0: there is no second factor yet.
UPDATE shimin.staff_credential
SET totp_step = greatest(totp_step, $2), last_login_at = now()
WHERE staff_id = $1::uuid AND (totp_step < $2 OR NOT totp_confirmed);

-- name: read_actor
-- What a member of staff may do now; nothing when the account is locked or the session is of an earlier epoch. The password may be
-- $3 seconds old; 0: any age.
SELECT account.name, array_to_string(account.roles, ' '), account.department, account.area,
       credential.password_temporary OR ($3::bigint > 0 AND credential.password_set_at < now() - $3 * interval '1 second'),
       NOT credential.totp_confirmed
FROM shimin.staff account
JOIN shimin.staff_credential credential ON credential.staff_id = account.id
WHERE account.id = $1::uuid AND account.state = 'active' AND credential.epoch = $2;

-- name: find_client
-- The live credentials of a client.
SELECT client.department, array_to_string(client.scopes, ' '), credential.id, credential.method, credential.secret_sha256,
       credential.jwk, credential.certificate, credential.subject
FROM shimin.client client
JOIN shimin.client_credential credential ON credential.client_id = client.id
WHERE client.id = $1 AND client.revoked_at IS NULL AND credential.revoked_at IS NULL
  AND (credential.expires_at IS NULL OR credential.expires_at > now());

-- name: read_client_actor
-- What a client may do now; nothing when it or the credential that its token came from has ended.
SELECT client.department, array_to_string(client.scopes, ' ')
FROM shimin.client client
JOIN shimin.client_credential credential ON credential.client_id = client.id AND credential.id = $2::uuid
WHERE client.id = $1 AND client.revoked_at IS NULL AND credential.revoked_at IS NULL
  AND (credential.expires_at IS NULL OR credential.expires_at > now());

-- name: create_staff
-- An account with a password that must be changed; nothing when the name is taken.
WITH account AS (
    INSERT INTO shimin.staff (id, name, display_name, roles, department, area, created_by)
    VALUES ($1::uuid, $2, $3, string_to_array($4, ' '), $5, $6, $7)
    ON CONFLICT (name) DO NOTHING
    RETURNING id
)
INSERT INTO shimin.staff_credential (staff_id, password_hash)
SELECT id, $8::text FROM account;

-- name: reset_staff
-- A password that must be changed and no second factor; what was open is closed.
UPDATE shimin.staff_credential
SET password_hash = $2, password_set_at = now(), password_temporary = true, totp_cipher = NULL, totp_confirmed = false,
    epoch = epoch + 1
WHERE staff_id = $1::uuid;

-- name: read_staff_password
-- The password in force, and $2 of those before.
SELECT password_hash FROM shimin.staff_credential WHERE staff_id = $1::uuid
UNION ALL
(SELECT password_hash FROM shimin.staff_password WHERE staff_id = $1::uuid ORDER BY id DESC LIMIT $2);

-- name: set_staff_password
-- Their own choice, if the one before ($3) is still in force; it is remembered, and what was open is closed.
WITH changed AS (
    UPDATE shimin.staff_credential
    SET password_hash = $2, password_set_at = now(), password_temporary = false, epoch = epoch + 1
    WHERE staff_id = $1::uuid AND password_hash = $3
    RETURNING staff_id, epoch
), remembered AS (
    INSERT INTO shimin.staff_password (staff_id, password_hash) SELECT staff_id, $2 FROM changed
)
SELECT epoch FROM changed;

-- name: set_staff_secret
-- A second factor that is yet to be confirmed; nothing when there is one.
UPDATE shimin.staff_credential SET totp_cipher = $2, totp_step = 0
WHERE staff_id = $1::uuid AND NOT totp_confirmed;

-- name: read_staff_secret
-- The one that is yet to be confirmed.
SELECT totp_cipher FROM shimin.staff_credential
WHERE staff_id = $1::uuid AND NOT totp_confirmed AND totp_cipher IS NOT NULL;

-- name: confirm_staff_secret
-- A code of it was shown, of step $2; it is the second factor if it is still the same.
UPDATE shimin.staff_credential SET totp_confirmed = true, totp_step = $2, epoch = epoch + 1
WHERE staff_id = $1::uuid AND NOT totp_confirmed AND totp_cipher = $3
RETURNING epoch;
