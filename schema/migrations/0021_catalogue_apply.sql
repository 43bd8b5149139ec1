-- The catalogue's files brought into Postgres by what differs, and not anew: what did not change is not touched, so services keep what
-- refers to them. One transaction: a gateway sees all of the change or none. The owner's alone.

-- `document` is what `shimin catalogue apply` makes of the files; `seen` is the version that its plan was made from. False, and nothing
-- is changed, when Postgres has another by now. Services that departments registered are theirs and stay.
CREATE FUNCTION shimin.catalogue_apply(document jsonb, seen bigint, by text, detail text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM shimin.catalogue_state WHERE version = seen FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;

    -- what is unique must not stand in the way of what changes places
    UPDATE shimin.category SET ordering = -ordering;
    INSERT INTO shimin.category (slug, ordering, name_zh, name_en)
    SELECT entry ->> 'slug', ordering, entry #>> '{name,zh}', entry #>> '{name,en}'
    FROM jsonb_array_elements(document -> 'categories') WITH ORDINALITY AS list (entry, ordering)
    ON CONFLICT (slug) DO UPDATE SET ordering = excluded.ordering, name_zh = excluded.name_zh, name_en = excluded.name_en;

    CREATE TEMPORARY TABLE wanted_department ON COMMIT DROP AS
    SELECT entry ->> 'slug' AS slug, (entry ->> 'number')::integer AS number, entry - 'contract' AS definition,
           entry #>> '{contract,sha256}' AS contract_sha256
    FROM jsonb_array_elements(document -> 'departments') AS list (entry);
    UPDATE shimin.department d SET number = 1000000 + d.number
    FROM pg_temp.wanted_department w
    WHERE w.slug = d.slug AND w.number <> d.number;
    INSERT INTO shimin.department (slug, number, definition, contract_sha256)
    SELECT slug, number, definition, contract_sha256 FROM pg_temp.wanted_department
    ON CONFLICT (slug) DO UPDATE
        SET number = excluded.number, definition = excluded.definition, contract_sha256 = excluded.contract_sha256
        WHERE (department.number, department.definition, department.contract_sha256)
              IS DISTINCT FROM (excluded.number, excluded.definition, excluded.contract_sha256);

    CREATE TEMPORARY TABLE wanted_service ON COMMIT DROP AS
    -- within the department, so that what comes or goes in one does not move the others
    SELECT entry ->> 'slug' AS slug, entry ->> 'department' AS department,
           (row_number() OVER (PARTITION BY entry ->> 'department' ORDER BY ordering))::integer AS ordering, entry - 'department' AS definition
    FROM jsonb_array_elements(document -> 'services') WITH ORDINALITY AS list (entry, ordering);
    IF EXISTS (SELECT FROM shimin.service s JOIN pg_temp.wanted_service w USING (slug) WHERE s.registered IS NOT NULL) THEN
        RAISE EXCEPTION 'a department has registered a service of this name: %', (
            SELECT string_agg(slug, ', ') FROM shimin.service s JOIN pg_temp.wanted_service w USING (slug) WHERE s.registered IS NOT NULL)
            USING ERRCODE = 'unique_violation';
    END IF;
    DELETE FROM shimin.service s
    WHERE s.registered IS NULL AND NOT EXISTS (SELECT FROM pg_temp.wanted_service w WHERE w.slug = s.slug);
    INSERT INTO shimin.service (slug, department, ordering, definition)
    SELECT slug, department, ordering, definition FROM pg_temp.wanted_service
    ON CONFLICT (slug) DO UPDATE
        SET department = excluded.department, ordering = excluded.ordering, definition = excluded.definition
        WHERE (service.department, service.ordering, service.definition)
              IS DISTINCT FROM (excluded.department, excluded.ordering, excluded.definition);

    DELETE FROM shimin.department d WHERE NOT EXISTS (SELECT FROM pg_temp.wanted_department w WHERE w.slug = d.slug);
    DELETE FROM shimin.category WHERE ordering < 0;

    INSERT INTO shimin.area (code, name, level, parent)
    SELECT entry ->> 0, entry ->> 1, entry ->> 2, entry ->> 3
    FROM jsonb_array_elements(document -> 'areas') AS list (entry)
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, level = excluded.level, parent = excluded.parent
        WHERE (area.name, area.level, area.parent) IS DISTINCT FROM (excluded.name, excluded.level, excluded.parent);
    DELETE FROM shimin.area a
    WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(document -> 'areas') AS list (entry) WHERE entry ->> 0 = a.code);

    DROP TABLE pg_temp.wanted_department, pg_temp.wanted_service;
    PERFORM shimin.audit_append(jsonb_build_array(jsonb_build_object(
        'id', gen_random_uuid(), 'at', floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'actor', by,
        'action', 'applyCatalogue', 'object', 'catalogue', 'status', 'done', 'detail', detail)));
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION shimin.catalogue_apply(jsonb, bigint, text, text) FROM PUBLIC;
DROP FUNCTION shimin.catalogue_replace(jsonb);
