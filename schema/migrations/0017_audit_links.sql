-- The audit's chain gets one link a batch instead of one a row, and its table no index in which each row has a place of its own:
-- digest, hash and those indexes were two fifths of what Postgres spent on a record.
--
-- How the chain is verified: in the order of id, from the first row that is kept. A row's fields are id, microseconds since 1970, actor,
-- action, object, address, result, trace_id, detail.
--
-- 1. A row with a hash and without a record id is of 0004: hash = SHA-256(prev_hash, then the fields, each as its length in bytes, ':',
--    its bytes, ',').
-- 2. A row with a hash and a record id is of 0009: hash = SHA-256(prev_hash, then SHA-256(the JSON array of the fields as
--    jsonb_build_array(...)::text writes it: the two numbers bare, ", " between)).
-- 3. A row without a hash is of the link (in audit_link, rule 3) with first_id <= id <= last_id, whose rows are all there:
--    hash = SHA-256(prev_hash, then the text of each of these rows in the order of id, in UTF-8, with nothing between). A row's text
--    is what audit_text below makes: ten numbers with a space behind each, which are id, microseconds, and the lengths in characters
--    of record, actor, action, object, address, result, trace_id, detail; then these eight, with nothing between.
--
-- Lengths first, so that no two different rows give the same text. prev_hash is the hash before, whatever rule that is of; ids have
-- no gap; the last id and hash are those of audit_head.

ALTER TABLE shimin.audit ALTER COLUMN prev_hash DROP NOT NULL, ALTER COLUMN hash DROP NOT NULL;

CREATE TABLE shimin.audit_link (
    last_id bigint PRIMARY KEY,
    first_id bigint NOT NULL,
    rule smallint NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CHECK (first_id <= last_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.audit_link
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.audit_link
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();
GRANT SELECT ON shimin.audit_link TO shimin_app;

-- Who did what, and what was done to something: a filter for each 256 kB of the table says whether an actor or an object can be in
-- it. It is made when the pages are full, from all of their rows at once.
DROP INDEX shimin.audit_actor, shimin.audit_object;
CREATE INDEX audit_names ON shimin.audit USING brin (actor text_bloom_ops, object text_bloom_ops)
    WITH (pages_per_range = 32, autosummarize = on);

-- Rule 3's text of a row.
CREATE FUNCTION shimin.audit_text(id bigint, occurred_at bigint, record text, actor text, action text, object text, address text,
                                  result text, trace_id text, detail text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT concat_ws(' ', id, occurred_at, length(record), length(actor), length(action), length(object), length(address), length(result),
                     length(trace_id), length(detail), record || actor || action || object || address || result || trace_id || detail)
$$;

-- As in 0012, with one link for all records. Sequential scans are off because a plan made while this month's table was empty would
-- read all of it for each batch until the table is analysed.
CREATE OR REPLACE FUNCTION shimin.audit_append(records jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    last shimin.audit_head;
    added integer;
    content text;
    link_hash bytea;
BEGIN
    SELECT * INTO STRICT last FROM shimin.audit_head FOR UPDATE;
    WITH entry AS MATERIALIZED (
        SELECT coalesce(r.id, gen_random_uuid()) AS record, r.at, to_timestamp(r.at / 1000000.0) AS occurred_at,
               coalesce(r.actor, 'guest') AS actor, r.action, coalesce(r.object, '') AS object, coalesce(r.address, '') AS address, r.status AS result,
               coalesce(r.trace_id, '') AS trace_id, concat_ws(' ', 'session ' || r.session, r.detail) AS detail
        FROM jsonb_to_recordset(records)
             AS r (id uuid, at bigint, actor text, session text, action text, object text, address text, status text, trace_id text,
                detail text)
    ), known AS (
        SELECT a.record FROM shimin.audit a
        WHERE a.occurred_at BETWEEN (SELECT min(occurred_at) FROM entry) AND (SELECT max(occurred_at) FROM entry)
            AND a.record IS NOT NULL
    ), fresh AS MATERIALIZED (
        SELECT last.id + row_number() OVER () AS id, entry.* FROM entry WHERE entry.record NOT IN (SELECT known.record FROM known)
    ), inserted AS (
        INSERT INTO shimin.audit (id, occurred_at, actor, action, object, address, result, trace_id, detail, record)
        SELECT id, occurred_at, actor, action, object, address, result, trace_id, detail, record FROM fresh
    )
    SELECT count(*), string_agg(shimin.audit_text(id, at, record::text, actor, action, object, address, result, trace_id, detail), ''
                                ORDER BY id)
    INTO added, content
    FROM fresh;
    IF added > 0 THEN
        link_hash := sha256(last.hash || convert_to(content, 'UTF8'));
        INSERT INTO shimin.audit_link (last_id, first_id, rule, prev_hash, hash)
        VALUES (last.id + added, last.id + 1, 3, last.hash, link_hash);
        UPDATE shimin.audit_head SET id = last.id + added, hash = link_hash;
    END IF;
    RETURN added;
END
$$;

DROP AGGREGATE shimin.audit_chain(bytea, bytea);
DROP FUNCTION shimin.audit_link(bytea, bytea, bytea);
DROP FUNCTION shimin.audit_digest(bigint, bigint, text, text, text, text, text, text, text);
