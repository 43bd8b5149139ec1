-- A search of the audit takes about as long whatever it asks for, and a record's insert costs what it did.
--
-- The index has a line for each 256 kB of the table: from when to when, and filters that say whether an actor, an object, an address, an
-- action, a result can be there. It is made when the pages are full, from all of their rows at once; no row has a place of its own in
-- it. With a LIMIT the planner takes what is asked for to be everywhere and reads all records from the end instead; so the way is
-- written down here.

DROP INDEX shimin.audit_names;
CREATE INDEX audit_names ON shimin.audit USING brin (
    occurred_at, actor text_bloom_ops, object text_bloom_ops (n_distinct_per_range = 300), address text_bloom_ops,
    action text_bloom_ops (n_distinct_per_range = 64), result text_bloom_ops (n_distinct_per_range = 32))
    WITH (pages_per_range = 32, autosummarize = on);

-- Newest first: from first_at to last_at, behind (last_at, last_id) of time and id; each of the others NULL: any. What is frequent is among
-- the newest records, which are read as they come. What is not is looked for through the filters, in spans that grow fourfold, so that no
-- more is read than four times what had to be.
CREATE FUNCTION shimin.audit_search(first_at timestamptz, last_at timestamptz, last_id bigint, actor text, object text, action text,
                                    result text, address text, most bigint) RETURNS SETOF shimin.audit
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_indexscan = on SET enable_seqscan = on
AS $$
DECLARE
    newest CONSTANT integer := 5000;
    behind_at timestamptz := last_at;
    behind_id bigint := last_id;
    edge record;
    span interval;
    until_at timestamptz;
    added bigint;
BEGIN
    RETURN QUERY
    SELECT a.* FROM (SELECT b.* FROM shimin.audit b
                     WHERE b.occurred_at >= first_at AND b.occurred_at <= last_at AND (b.occurred_at, b.id) < (last_at, last_id)
                     ORDER BY b.occurred_at DESC, b.id DESC LIMIT newest) a
    WHERE (audit_search.actor IS NULL OR a.actor = audit_search.actor) AND (audit_search.object IS NULL OR a.object = audit_search.object)
      AND (audit_search.action IS NULL OR a.action = audit_search.action) AND (audit_search.result IS NULL OR a.result = audit_search.result)
      AND (audit_search.address IS NULL OR a.address = audit_search.address)
    ORDER BY a.occurred_at DESC, a.id DESC LIMIT most;
    GET DIAGNOSTICS added = ROW_COUNT;
    most := most - added;
    IF most = 0 THEN
        RETURN;
    END IF;
    SELECT b.occurred_at, b.id INTO edge FROM shimin.audit b
    WHERE b.occurred_at >= first_at AND b.occurred_at <= last_at AND (b.occurred_at, b.id) < (last_at, last_id)
    ORDER BY b.occurred_at DESC, b.id DESC OFFSET newest - 1 LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- of the ways that are left only the filters' is cheap
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'off', true);
    span := greatest(last_at - edge.occurred_at, interval '1 second');
    behind_at := edge.occurred_at;
    behind_id := edge.id;
    WHILE most > 0 AND behind_at >= first_at LOOP
        span := span * 4;
        until_at := greatest(behind_at - span, first_at);
        RETURN QUERY
        SELECT a.* FROM shimin.audit a
        WHERE a.occurred_at >= until_at AND a.occurred_at <= behind_at AND (a.occurred_at, a.id) < (behind_at, behind_id)
          AND (audit_search.actor IS NULL OR a.actor = audit_search.actor) AND (audit_search.object IS NULL OR a.object = audit_search.object)
          AND (audit_search.action IS NULL OR a.action = audit_search.action) AND (audit_search.result IS NULL OR a.result = audit_search.result)
          AND (audit_search.address IS NULL OR a.address = audit_search.address)
        ORDER BY a.occurred_at DESC, a.id DESC LIMIT most;
        GET DIAGNOSTICS added = ROW_COUNT;
        most := most - added;
        EXIT WHEN until_at = first_at;
        behind_at := until_at;
        behind_id := 0;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION shimin.audit_search(timestamptz, timestamptz, bigint, text, text, text, text, text, bigint) TO shimin_app;
