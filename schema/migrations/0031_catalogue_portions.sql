-- The catalogue's document in portions, a department's services at a time: of a large catalogue no answer is so long that it holds up who
-- reads it, and nothing is sorted that does not fit into memory. catalogue_document() puts the same portions together.

-- Everything but the services.
CREATE FUNCTION shimin.catalogue_frame() RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'version', state.version,
        'switches_version', state.switches_version,
        'categories', (
            SELECT coalesce(json_agg(json_build_object('slug', slug, 'name', json_build_object('zh', name_zh, 'en', name_en))
                                     ORDER BY ordering), '[]'::json)
            FROM shimin.category),
        'departments', (
            SELECT coalesce(json_agg(
                       d.definition || jsonb_build_object('slug', d.slug, 'number', d.number)
                       || CASE WHEN c.sha256 IS NULL THEN '{}'::jsonb
                          ELSE jsonb_build_object('contract', jsonb_build_object('name', c.name, 'version', c.version,
                                                                                 'sha256', c.sha256)) END
                       ORDER BY d.number), '[]'::json)
            FROM shimin.department d
            LEFT JOIN shimin.contract c ON c.department = d.slug AND c.sha256 = d.contract_sha256),
        'systems', shimin.systems_json(),
        'areas', (
            SELECT coalesce(json_agg(json_build_array(code, name, level, parent) ORDER BY code), '[]'::json)
            FROM shimin.area),
        'switches', shimin.switches_json())
    FROM shimin.catalogue_state state
$$;

-- The services of a department, in their order, as JSON texts with commas between; NULL when it has none.
CREATE FUNCTION shimin.catalogue_services(of_department text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT string_agg(
               (s.definition || jsonb_build_object('department', s.department)
                || CASE WHEN live.service IS NULL THEN '{}'::jsonb ELSE shimin.service_version_json(live) END
                || CASE WHEN canary.service IS NULL THEN '{}'::jsonb
                   ELSE jsonb_build_object('canary', canary.definition || shimin.service_version_json(canary)
                                                     || jsonb_build_object('share', canary.share)) END)::text,
               ',' ORDER BY s.ordering, s.slug)
    FROM shimin.service s
    LEFT JOIN shimin.service_version live
        ON s.registered IS NOT NULL AND live.service = s.slug AND live.state = 'live'
    LEFT JOIN shimin.service_version canary
        ON s.registered IS NOT NULL AND canary.service = s.slug AND canary.state = 'canary'
    WHERE s.department = of_department
$$;

CREATE OR REPLACE FUNCTION shimin.catalogue_document() RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT (left(shimin.catalogue_frame()::text, -1) || ', "services": ['
            || coalesce((SELECT string_agg(shimin.catalogue_services(slug), ',' ORDER BY number) FROM shimin.department), '')
            || ']}')::json
$$;
