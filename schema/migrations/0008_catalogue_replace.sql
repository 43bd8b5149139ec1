-- The whole catalogue at once, from the document that `shimin catalogue load` makes of its files. One transaction: a gateway sees
-- all of the change or none. Switches and contracts are history and stay. The owner's alone.

CREATE FUNCTION shimin.catalogue_replace(document jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM shimin.service;
    DELETE FROM shimin.department;
    DELETE FROM shimin.category;
    DELETE FROM shimin.area;

    INSERT INTO shimin.category (slug, ordering, name_zh, name_en)
    SELECT entry ->> 'slug', ordering, entry #>> '{name,zh}', entry #>> '{name,en}'
    FROM jsonb_array_elements(document -> 'categories') WITH ORDINALITY AS list (entry, ordering);

    INSERT INTO shimin.department (slug, number, definition, contract_sha256)
    SELECT entry ->> 'slug', (entry ->> 'number')::integer, entry - 'contract', entry #>> '{contract,sha256}'
    FROM jsonb_array_elements(document -> 'departments') AS list (entry);

    INSERT INTO shimin.service (slug, department, ordering, definition)
    SELECT entry ->> 'slug', entry ->> 'department', ordering, entry - 'department'
    FROM jsonb_array_elements(document -> 'services') WITH ORDINALITY AS list (entry, ordering);

    INSERT INTO shimin.area (code, name, level, parent)
    SELECT entry ->> 0, entry ->> 1, entry ->> 2, entry ->> 3
    FROM jsonb_array_elements(document -> 'areas') AS list (entry);
END
$$;

REVOKE ALL ON FUNCTION shimin.catalogue_replace(jsonb) FROM PUBLIC;
