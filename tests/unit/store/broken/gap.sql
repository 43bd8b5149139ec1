-- name: gap
SELECT $1, $3;
