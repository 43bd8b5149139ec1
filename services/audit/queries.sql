-- name: search_audit
-- Newest first: $1 from, behind ($2, $3) of time and id, $6 action, $7 result, $8 address (each NULL: any), $9 the most.
SELECT shimin.audit_json(a)::text, (extract(epoch FROM occurred_at) * 1000000)::bigint || ' ' || id
FROM shimin.audit a
WHERE occurred_at >= $1::timestamptz AND occurred_at <= $2::timestamptz AND (occurred_at, id) < ($2::timestamptz, $3::bigint)
    AND $4::text IS NULL AND $5::text IS NULL
    AND ($6::text IS NULL OR action = $6) AND ($7::text IS NULL OR result = $7) AND ($8::text IS NULL OR address = $8)
ORDER BY occurred_at DESC, id DESC
LIMIT $9::bigint;

-- name: search_audit_actor
-- The same for an actor, $4, and an object, $5 or NULL: a statement of its own, so that its plan begins at the filter of names.
SELECT shimin.audit_json(a)::text, (extract(epoch FROM occurred_at) * 1000000)::bigint || ' ' || id
FROM shimin.audit a
WHERE occurred_at >= $1::timestamptz AND occurred_at <= $2::timestamptz AND (occurred_at, id) < ($2::timestamptz, $3::bigint)
    AND actor = $4::text AND ($5::text IS NULL OR object = $5)
    AND ($6::text IS NULL OR action = $6) AND ($7::text IS NULL OR result = $7) AND ($8::text IS NULL OR address = $8)
ORDER BY occurred_at DESC, id DESC
LIMIT $9::bigint;

-- name: search_audit_object
-- The same for an object, $5.
SELECT shimin.audit_json(a)::text, (extract(epoch FROM occurred_at) * 1000000)::bigint || ' ' || id
FROM shimin.audit a
WHERE occurred_at >= $1::timestamptz AND occurred_at <= $2::timestamptz AND (occurred_at, id) < ($2::timestamptz, $3::bigint)
    AND $4::text IS NULL AND object = $5::text
    AND ($6::text IS NULL OR action = $6) AND ($7::text IS NULL OR result = $7) AND ($8::text IS NULL OR address = $8)
ORDER BY occurred_at DESC, id DESC
LIMIT $9::bigint;

-- name: audit_end
-- Of the chain, when an export begins: what is recorded later is not in it.
SELECT id, hash FROM shimin.audit_head;

-- name: export_audit
-- The next records of an export, as lines: from $1 to before $2, behind ($3, $4) of time and id, none after id $5, $6 at most. With how
-- many they are, and the last one's time and id.
SELECT string_agg(line, E'\n' ORDER BY occurred_at, id) || E'\n', count(*), max(occurred_at), (array_agg(id ORDER BY occurred_at DESC, id DESC))[1]
FROM (SELECT shimin.audit_json(a)::text AS line, occurred_at, id
      FROM shimin.audit a
      WHERE occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz
          AND (occurred_at, id) > ($3::timestamptz, $4::bigint) AND id <= $5::bigint
      ORDER BY occurred_at, id
      LIMIT $6::bigint) AS page;

-- name: list_checkpoints
-- The newest signatures over the chain's end, and its end now.
SELECT json_build_object(
           'end', (SELECT json_build_object('record', id, 'hash', encode(hash, 'hex')) FROM shimin.audit_head),
           'items', (SELECT coalesce(json_agg(json_build_object('record', audit_id, 'hash', encode(hash, 'hex'), 'key_id', key_id,
                                                                'signature', translate(encode(signature, 'base64'), E'\n', ''), 'signed_at', signed_at)
                                              ORDER BY id DESC), '[]')
                     FROM (SELECT * FROM shimin.audit_checkpoint ORDER BY id DESC LIMIT 50) newest))::text;
