-- The audit takes records in batches: one statement chains them all and moves the chain's end once. A trigger a row did the same at
-- many times the cost, since each row wrote the one row of audit_head anew.
--
-- The application may append by this function and by nothing else, so number, order and hashes are still never the writer's.

DROP TRIGGER chain ON shimin.audit;
DROP FUNCTION shimin.chain_audit();
DROP FUNCTION shimin.audit_hash(shimin.audit);
DROP FUNCTION shimin.audit_field(text);
REVOKE INSERT ON shimin.audit FROM shimin_app;

-- The record's own id: a batch whose fate was unknown is sent again, and what came before is left out.
ALTER TABLE shimin.audit ADD COLUMN record uuid;

-- A row's digest: SHA-256 of the JSON array of its fields as Postgres writes it, the time in microseconds since 1970.
CREATE FUNCTION shimin.audit_digest(id bigint, occurred_at bigint, actor text, action text, object text, address text, result text,
                                    trace_id text, detail text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(jsonb_build_array(id, occurred_at, actor, action, object, address, result, trace_id, detail)::text, 'UTF8'))
$$;

-- A link of the chain: SHA-256 of the hash before it and the row's digest.
CREATE FUNCTION shimin.audit_link(before bytea, start bytea, digest bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(coalesce(before, start) || digest)
$$;
CREATE AGGREGATE shimin.audit_chain(start bytea, digest bytea) (SFUNC = shimin.audit_link, STYPE = bytea);

-- Records are {id, at (microseconds since 1970), actor, session, action, object, address, status, trace_id}; returns how many were new.
CREATE FUNCTION shimin.audit_append(records jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last shimin.audit_head;
    first_at timestamptz;
    last_at timestamptz;
    added integer;
BEGIN
    SELECT * INTO STRICT last FROM shimin.audit_head FOR UPDATE;
    SELECT to_timestamp(min(r.at) / 1000000.0), to_timestamp(max(r.at) / 1000000.0) INTO first_at, last_at
    FROM jsonb_to_recordset(records) AS r (at bigint);
    WITH known AS (
        SELECT a.record FROM shimin.audit a WHERE a.occurred_at BETWEEN first_at AND last_at AND a.record IS NOT NULL
    ), record AS (
        SELECT last.id + row_number() OVER () AS id, r.id AS record, r.at, to_timestamp(r.at / 1000000.0) AS occurred_at,
               coalesce(r.actor, 'guest') AS actor, r.action, coalesce(r.object, '') AS object, coalesce(r.address, '') AS address,
               r.status AS result, coalesce(r.trace_id, '') AS trace_id, coalesce('session ' || r.session, '') AS detail
        FROM jsonb_to_recordset(records)
             AS r (id uuid, at bigint, actor text, session text, action text, object text, address text, status text, trace_id text)
        WHERE r.id NOT IN (SELECT known.record FROM known)
    ), chained AS (
        SELECT record.*, shimin.audit_chain(last.hash, shimin.audit_digest(id, at, actor, action, object, address, result, trace_id, detail))
                         OVER (ORDER BY id) AS hash
        FROM record
    ), inserted AS (
        INSERT INTO shimin.audit (id, occurred_at, actor, action, object, address, result, trace_id, detail, prev_hash, hash, record)
        SELECT id, occurred_at, actor, action, object, address, result, trace_id, detail,
               coalesce(lag(hash) OVER (ORDER BY id), last.hash), hash, record
        FROM chained
        RETURNING audit.id, audit.hash
    )
    SELECT count(*), coalesce(max(id), last.id), coalesce((array_agg(hash ORDER BY id DESC))[1], last.hash)
    INTO added, last.id, last.hash
    FROM inserted;
    UPDATE shimin.audit_head SET id = last.id, hash = last.hash WHERE added > 0;
    RETURN added;
END
$$;

REVOKE ALL ON FUNCTION shimin.audit_append(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.audit_append(jsonb) TO shimin_app;
