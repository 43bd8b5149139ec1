-- Accounts of staff. $1 is the department whose manager asks, who sees its managers and engineers only; NULL: all accounts.

-- name: list_staff
-- A page of accounts after a name.
SELECT shimin.staff_json(account), account.name
FROM shimin.staff account
WHERE ($1::text IS NULL OR (account.department = $1 AND account.roles <@ ARRAY['manager', 'engineer'])) AND account.name > $2
ORDER BY account.name
LIMIT $3;

-- name: read_staff
-- One of them, with its version and roles.
SELECT shimin.staff_json(account), account.row_version::text, account.name, array_to_string(account.roles, ' '), account.department,
       account.area
FROM shimin.staff account
WHERE ($1::text IS NULL OR (account.department = $1 AND account.roles <@ ARRAY['manager', 'engineer'])) AND account.id = $2::uuid;

-- name: change_staff
-- The whole of what may change, if the version is still the same.
UPDATE shimin.staff account
SET display_name = coalesce($4, display_name), roles = string_to_array($5, ' '), department = $6, area = $7,
    state = coalesce($8, state)
WHERE ($1::text IS NULL OR (account.department = $1 AND account.roles <@ ARRAY['manager', 'engineer'])) AND account.id = $2::uuid
  AND account.row_version = $3
RETURNING shimin.staff_json(account), account.row_version::text;
