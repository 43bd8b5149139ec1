-- A version that ends names what takes its place, and whoever calls it hears of it: the department itself, and the departments of
-- services that need it.

ALTER TABLE shimin.service_version ADD successor text CHECK (successor <> service);

CREATE OR REPLACE FUNCTION shimin.service_version_json(version shimin.service_version) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT jsonb_build_object(
               'department', version.department,
               'version', version.number,
               'system', version.department || '/' || version.system || '@' || version.contract_sha256)
           || CASE WHEN version.deprecated_at IS NULL THEN '{}'::jsonb
              ELSE jsonb_build_object('retirement', jsonb_strip_nulls(jsonb_build_object(
                  'deprecated_at', version.deprecated_at, 'sunset_at', version.sunset_at, 'notice', version.notice,
                  'successor', version.successor))) END
$$;

CREATE OR REPLACE FUNCTION shimin.version_json(v shimin.service_version, whole boolean) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
               'service', v.service, 'number', v.number, 'department', v.department, 'system', v.system,
               'contract', v.contract_sha256, 'state', v.state, 'edition', v.edition, 'share', v.share / 100.0,
               'created_by', v.created_by, 'created_at', v.created_at, 'submitted_by', v.submitted_by,
               'submitted_at', v.submitted_at, 'decided_by', v.decided_by, 'decided_at', v.decided_at,
               'decision_reason', v.decision_reason, 'deprecated_at', v.deprecated_at, 'sunset_at', v.sunset_at,
               'notice', v.notice, 'successor', v.successor)
           || CASE WHEN whole THEN jsonb_build_object('definition', v.definition) ELSE '{}'::jsonb END
$$;

-- What has ended is not brought back.
CREATE OR REPLACE FUNCTION shimin.service_version_fault(slug text, wanted integer) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
               WHEN s.backend ->> 'production' IS NULL THEN 'production address'
               WHEN EXISTS (SELECT FROM shimin.service other
                            WHERE other.slug = v.service AND (other.registered IS NULL OR other.department <> v.department)) THEN 'name'
               WHEN EXISTS (SELECT FROM shimin.service other WHERE other.definition -> 'aliases' ? v.service) THEN 'name'
               WHEN NOT EXISTS (SELECT FROM shimin.category c WHERE c.slug = v.definition ->> 'category') THEN 'category'
               WHEN v.definition ? 'area' AND NOT EXISTS (SELECT FROM shimin.area a WHERE a.code = v.definition ->> 'area') THEN 'area'
               WHEN v.sunset_at <= now() THEN 'sunset'
               -- its operation can be tried and tested, but nothing here takes what citizens would hand in
               WHEN v.definition ->> 'archetype' IN ('apply', 'report') THEN 'archetype, which no engine carries out yet'
           END
    FROM shimin.service_version v
    JOIN shimin.system s ON s.department = v.department AND s.name = v.system
    WHERE v.service = slug AND v.number = wanted
$$;

INSERT INTO shimin.event_type (type, summary_zh, summary_en, schema) VALUES
('city.shimin.department.version.retiring', '所用服务的版本将停用', 'A version of a service that is called will end',
 '{"type": "object", "required": ["department", "service", "number", "deprecated_at", "sunset_at", "notice", "successor"], "properties": {"department": {"type": "string", "description": "whose the service is"}, "service": {"type": "string"}, "number": {"type": "integer"}, "deprecated_at": {"type": "string", "format": "date-time"}, "sunset_at": {"type": "string", "format": "date-time"}, "notice": {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}, "successor": {"type": ["string", "null"], "description": "the service to use instead"}}}');

CREATE FUNCTION shimin.retirement_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO shimin.event (type, department, subject, data)
    SELECT 'city.shimin.department.version.retiring', caller.department, 'service:' || NEW.service,
           jsonb_build_object(
               'department', NEW.department, 'service', NEW.service, 'number', NEW.number, 'deprecated_at', NEW.deprecated_at,
               'sunset_at', NEW.sunset_at, 'notice', NEW.notice, 'successor', NEW.successor)
    FROM (SELECT NEW.department
          UNION
          SELECT s.department FROM shimin.service s WHERE s.definition -> 'needs' ? NEW.service) AS caller (department);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER UPDATE OF sunset_at, notice, successor ON shimin.service_version
    FOR EACH ROW WHEN (NEW.sunset_at IS NOT NULL
                       AND (NEW.sunset_at, NEW.notice, NEW.successor) IS DISTINCT FROM (OLD.sunset_at, OLD.notice, OLD.successor))
    EXECUTE FUNCTION shimin.retirement_tell();
REVOKE ALL ON FUNCTION shimin.retirement_tell() FROM PUBLIC;
