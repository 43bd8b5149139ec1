-- Statements for the test of the generator.

-- name: find_pair
-- Finds a pair; "$9" and ';' in text are no parameter and no end.
SELECT a, b -- $8;
FROM pair
WHERE a = $2 AND b = $1 AND c <> '$9; ''"\' AND d = $1;

-- name: make_function
DO $body$
BEGIN
    PERFORM 1;
END
$body$;
