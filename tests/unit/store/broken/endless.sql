-- name: endless
SELECT 1

-- name: next
SELECT 2;
