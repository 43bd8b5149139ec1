-- name: catalogue_document
-- Everything a snapshot is compiled from, as one JSON text.
SELECT shimin.catalogue_document()::text;

-- name: switches_document
-- The switches that are set now, as one JSON text.
SELECT shimin.switches_document()::text;

-- name: contract_bytes
-- A department's contract as it was registered.
SELECT bytes FROM shimin.contract WHERE sha256 = $1 LIMIT 1;
