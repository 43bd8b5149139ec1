-- Publications: places, texts, and when they were pulled. Distances are on the sphere (use_spheroid false), as those of the copy in
-- memory are.

-- name: list_publications
-- When each service was pulled last, by which definition, and what stands in the way of pulling it now.
SELECT service_slug, definition, as_of, pulled_at, source, greatest(retry_at, lease_until), now()
FROM shimin.publication;

-- name: claim_publication
-- The right to pull a service until the lease ends, if it is due: $2 the definition to pull it by, $3 seconds between pulls, $4 seconds
-- of the lease, $5 who. A changed definition is due at once, but not more than once a minute: gateways with different catalogues
-- would outdo each other for ever.
INSERT INTO shimin.publication AS known (service_slug, lease_owner, lease_until)
VALUES ($1, $5::uuid, now() + make_interval(secs => $4))
ON CONFLICT (service_slug) DO UPDATE
SET lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
WHERE (known.lease_until IS NULL OR known.lease_until <= now())
  AND (known.retry_at IS NULL OR known.retry_at <= now())
  AND (known.pulled_at IS NULL
       OR known.pulled_at + make_interval(secs => $3) <= now()
       OR (known.definition <> $2 AND known.pulled_at < now() - interval '1 minute'))
RETURNING item_count, failures;

-- name: keep_publication
-- What was pulled, by whom still has the lease; it ends with this. First in the transaction, so that it holds the row.
UPDATE shimin.publication
SET definition = $3, as_of = $4::timestamptz, pulled_at = now(), source = $5, item_count = $6::int,
    failures = 0, retry_at = NULL, lease_owner = NULL, lease_until = NULL
WHERE service_slug = $1 AND lease_owner = $2::uuid;

-- name: fail_publication
-- A pull that failed: the next try is $3 seconds away.
UPDATE shimin.publication
SET failures = failures + 1, retry_at = now() + make_interval(secs => $3), lease_owner = NULL, lease_until = NULL
WHERE service_slug = $1 AND lease_owner = $2::uuid;

-- name: keep_places
-- A batch of places as a JSON array. now() is the transaction's, and marks what this pull has seen.
INSERT INTO shimin.place AS known (service_slug, id, name, address, position, opening_hours, opening, phone_number, category, attributes,
                                   as_of, pulled_at, source)
SELECT DISTINCT ON (given.id)
       $1, given.id, given.name, coalesce(given.address, ''),
       CASE WHEN given.longitude IS NOT NULL
            THEN ST_SetSRID(ST_MakePoint(given.longitude, given.latitude), 4326)::geography END,
       given.opening_hours, given.opening::int4multirange, given.phone_number, given.category, coalesce(given.attributes, '{}'),
       $4::timestamptz, now(), $3
FROM jsonb_to_recordset($2::jsonb) AS given (id text, name text, address text, longitude float8, latitude float8, opening_hours text,
                                             opening text, phone_number text, category text, attributes jsonb)
ORDER BY given.id
ON CONFLICT (service_slug, id) DO UPDATE
SET name = excluded.name, address = excluded.address, position = excluded.position, opening_hours = excluded.opening_hours,
    opening = excluded.opening, phone_number = excluded.phone_number, category = excluded.category, attributes = excluded.attributes,
    as_of = excluded.as_of, pulled_at = excluded.pulled_at, source = excluded.source;

-- name: drop_places
-- The places that this transaction's pull has not seen.
DELETE FROM shimin.place WHERE service_slug = $1 AND pulled_at < now();

-- name: keep_documents
-- A batch of documents as a JSON array: a changed title or body makes a version, and the newest version is the current one.
WITH given AS (
    SELECT DISTINCT ON (id) id, title, body, updated_at
    FROM jsonb_to_recordset($2::jsonb) AS item (id text, title text, body text, updated_at timestamptz)
    ORDER BY id
), newest AS (
    SELECT DISTINCT ON (id) id, version, sha256
    FROM shimin.content_version
    WHERE service_slug = $1 AND id IN (SELECT id FROM given)
    ORDER BY id, version DESC
), made AS (
    INSERT INTO shimin.content_version (service_slug, id, version, title, body, updated_at, source)
    SELECT $1, given.id, coalesce(newest.version, 0) + 1, given.title, given.body, coalesce(given.updated_at, now()), $3
    FROM given LEFT JOIN newest USING (id)
    WHERE newest.sha256 IS DISTINCT FROM shimin.text_sha256(given.title || E'\n' || given.body)
    RETURNING id, version
)
INSERT INTO shimin.content_current (service_slug, id, version, pulled_at)
SELECT $1, id, coalesce(made.version, newest.version), now()
FROM given LEFT JOIN made USING (id) LEFT JOIN newest USING (id)
ON CONFLICT (service_slug, id) DO UPDATE SET version = excluded.version, pulled_at = excluded.pulled_at;

-- name: drop_documents
-- The documents that this transaction's pull has not seen are no longer shown; their versions stay.
DELETE FROM shimin.content_current WHERE service_slug = $1 AND pulled_at < now();

-- name: read_places_near
-- The places within $4 metres of a point ($2 longitude, $3 latitude), nearest first, after ($8 distance, $9 id). $5 is a minute of the
-- week to be open at, or -1; the index has -1 in every place's hours, and every minute in hours that nobody knows. Every word of $7
-- must be in the name or the address. $10: a minute of the week, of which the answer says whether the place is open then.
-- The index gives the order of distance alone, and only of a point that is written out; ties are put in order outside.
SELECT id, name, address, ST_Y(position::geometry), ST_X(position::geometry), distance, opening_hours, opening @> $10::int,
       phone_number, category, attributes::text
FROM (
    SELECT *, position <-> ST_SetSRID(ST_MakePoint($2::float8, $3::float8), 4326)::geography AS distance
    FROM shimin.place
    WHERE service_slug = $1
      AND ST_DWithin(position, ST_SetSRID(ST_MakePoint($2::float8, $3::float8), 4326)::geography, $4::float8, false)
      AND coalesce(opening, '{[0,10080)}'::int4multirange) + '{[-1,0)}'::int4multirange @> $5::int
      AND ($6::text IS NULL OR category = $6)
      AND ($7::text IS NULL OR (SELECT bool_and(strpos(lower(name || ' ' || address), word) > 0)
                                FROM unnest(string_to_array(lower($7), ' ')) AS word))
      AND (position <-> ST_SetSRID(ST_MakePoint($2::float8, $3::float8), 4326)::geography, id COLLATE "C") > ($8::float8, $9::text)
    ORDER BY position <-> ST_SetSRID(ST_MakePoint($2::float8, $3::float8), 4326)::geography
    FETCH FIRST ($11::int) ROWS WITH TIES
) AS nearest
ORDER BY distance, id COLLATE "C"
LIMIT $11::int;

-- name: read_places_by_name
-- As above without a point: by name, after ($5 name, $6 id).
SELECT id, name, address, ST_Y(position::geometry), ST_X(position::geometry), NULL::float8, opening_hours, opening @> $7::int,
       phone_number, category, attributes::text
FROM shimin.place
WHERE service_slug = $1
  AND coalesce(opening, '{[0,10080)}'::int4multirange) + '{[-1,0)}'::int4multirange @> $2::int
  AND ($3::text IS NULL OR category = $3)
  AND ($4::text IS NULL OR (SELECT bool_and(strpos(lower(name || ' ' || address), word) > 0)
                           FROM unnest(string_to_array(lower($4), ' ')) AS word))
  AND (name COLLATE "C", id COLLATE "C") > ($5::text, $6::text)
ORDER BY name COLLATE "C", id COLLATE "C"
LIMIT $8::int;

-- name: copy_places
-- All places of a service as one JSON array, by name, for the copy in memory and on disk.
SELECT coalesce(json_agg(json_build_object(
           'id', id, 'name', name, 'address', address, 'latitude', ST_Y(position::geometry), 'longitude', ST_X(position::geometry),
           'opening_hours', opening_hours, 'phone_number', phone_number, 'category', category, 'details', attributes)
           ORDER BY name COLLATE "C", id COLLATE "C"), '[]')::text
FROM shimin.place
WHERE service_slug = $1;

-- name: copy_documents
-- The documents of a service that are shown now, newest first, for the copy in memory and on disk.
SELECT coalesce(json_agg(json_build_object(
           'id', id, 'title', title, 'body', body, 'version', version,
           'updated_at', (extract(epoch FROM updated_at) * 1000000)::bigint,
           'received_at', (extract(epoch FROM content_version.pulled_at) * 1000000)::bigint)
           ORDER BY updated_at DESC, id COLLATE "C"), '[]')::text
FROM shimin.content_current JOIN shimin.content_version USING (service_slug, id, version)
WHERE service_slug = $1;

-- name: read_document_version
-- A version of a document that is shown still.
SELECT content_version.title, content_version.body, content_version.updated_at, content_version.pulled_at, content_version.source
FROM shimin.content_version JOIN shimin.content_current USING (service_slug, id)
WHERE service_slug = $1 AND id = $2 AND content_version.version = $3::int;

-- name: list_document_versions
-- Newest first, before version $3.
SELECT content_version.version, content_version.title, content_version.updated_at, content_version.pulled_at, content_version.sha256
FROM shimin.content_version JOIN shimin.content_current USING (service_slug, id)
WHERE service_slug = $1 AND id = $2 AND content_version.version < $3::int
ORDER BY content_version.version DESC
LIMIT $4::int;
