-- name: search_audit
-- Newest first: $1 from, behind ($2, $3) of time and id, $4 actor, $5 object, $6 action, $7 result, $8 address (each NULL: any), $9 the
-- most.
SELECT shimin.audit_json(a)::text, (extract(epoch FROM a.occurred_at) * 1000000)::bigint || ' ' || a.id
FROM shimin.audit_search($1::timestamptz, $2::timestamptz, $3::bigint, $4::text, $5::text, $6::text, $7::text, $8::text, $9::bigint) AS a;

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
