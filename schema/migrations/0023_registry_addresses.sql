-- A system without an address for production must not be taken for one that the sandbox plays, which is what a missing address means in
-- the catalogue's files. The name is one that never resolves (RFC 6761 §6.4), so calls fail and nothing else does.
CREATE OR REPLACE FUNCTION shimin.systems_json() RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT coalesce(json_agg(json_build_object(
               'department', used.department,
               'name', used.system,
               'key', used.department || '/' || used.system || '@' || used.contract_sha256,
               'contract', json_build_object('name', c.name, 'version', c.version, 'sha256', c.sha256),
               'backend', (s.backend - 'production' - 'test') || jsonb_build_object(
                   'address', coalesce(s.backend ->> 'production', 'https://not-registered.invalid'),
                   'credentials', used.department || '/' || used.system || '/production'))), '[]'::json)
    FROM (SELECT DISTINCT department, system, contract_sha256
          FROM shimin.service_version
          WHERE state IN ('live', 'canary')) used
    JOIN shimin.system s ON s.department = used.department AND s.name = used.system
    JOIN shimin.contract c ON c.department = used.department AND c.sha256 = used.contract_sha256
$$;

-- Before a version is served: what the catalogue as a whole would be refused for, or citizens could not be answered with. NULL: nothing.
CREATE FUNCTION shimin.service_version_fault(slug text, wanted integer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
               WHEN s.backend ->> 'production' IS NULL THEN 'production address'
               WHEN EXISTS (SELECT FROM shimin.service other
                            WHERE other.slug = v.service AND (other.registered IS NULL OR other.department <> v.department)) THEN 'name'
               WHEN EXISTS (SELECT FROM shimin.service other WHERE other.definition -> 'aliases' ? v.service) THEN 'name'
               WHEN NOT EXISTS (SELECT FROM shimin.category c WHERE c.slug = v.definition ->> 'category') THEN 'category'
               WHEN v.definition ? 'area' AND NOT EXISTS (SELECT FROM shimin.area a WHERE a.code = v.definition ->> 'area') THEN 'area'
           END
    FROM shimin.service_version v
    JOIN shimin.system s ON s.department = v.department AND s.name = v.system
    WHERE v.service = slug AND v.number = wanted
$$;
