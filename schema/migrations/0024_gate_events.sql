-- A gate that failed, and a live service whose probes fail or pass again, are events to the department. The registry's own inserts
-- make them, in their own transactions.

UPDATE shimin.event_type
SET schema = '{"type": "object", "required": ["department", "service", "number", "report", "failed"], "properties": {"department": {"type": "string"}, "service": {"type": "string"}, "number": {"type": "integer"}, "report": {"type": "string", "description": "where the report is"}, "failed": {"type": "array", "description": "the checks that failed", "items": {"type": "string"}}}}'
WHERE type = 'city.shimin.department.gate.failed';

INSERT INTO shimin.event_type (type, summary_zh, summary_en, schema)
SELECT 'city.shimin.department.probe.' || name, zh, en,
       '{"type": "object", "required": ["department", "service", "number"], "properties": {"department": {"type": "string"}, "service": {"type": "string"}, "number": {"type": "integer"}}}'
FROM (VALUES ('failed', '已上线服务的例行检查未通过', 'The probes of a live service fail'),
             ('recovered', '已上线服务的例行检查恢复通过', 'The probes of a live service pass again')) AS kind (name, zh, en);

CREATE FUNCTION shimin.gate_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO shimin.event (type, department, subject, data, key)
    SELECT 'city.shimin.department.gate.failed', v.department, 'service:' || v.service,
           jsonb_build_object(
               'department', v.department, 'service', v.service, 'number', v.number,
               'report', '/department/v1/services/' || v.service || '/versions/' || v.number || '/gate',
               'failed', coalesce(jsonb_path_query_array(NEW.report, '$[*] ? (@.result == "failed").name'), '[]')),
           'gate.' || NEW.id
    FROM shimin.service_version v
    WHERE v.service = NEW.service AND v.number = NEW.number
    ON CONFLICT (key) DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER INSERT ON shimin.gate_report FOR EACH ROW WHEN (NOT NEW.passed) EXECUTE FUNCTION shimin.gate_tell();

CREATE FUNCTION shimin.probe_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO shimin.event (type, department, subject, data)
    SELECT 'city.shimin.department.probe.' || CASE WHEN NEW.passed THEN 'recovered' ELSE 'failed' END, v.department,
           'service:' || v.service, jsonb_build_object('department', v.department, 'service', v.service, 'number', v.number)
    FROM shimin.service_version v
    WHERE v.service = NEW.service AND v.number = NEW.number;
    RETURN NULL;
END
$$;
-- The first probe of a version says nothing when it passes.
CREATE TRIGGER tell AFTER UPDATE OF passed ON shimin.service_probe
    FOR EACH ROW WHEN (NEW.passed IS DISTINCT FROM OLD.passed AND NOT (OLD.passed IS NULL AND NEW.passed) AND NEW.passed IS NOT NULL)
    EXECUTE FUNCTION shimin.probe_tell();
REVOKE ALL ON FUNCTION shimin.gate_tell(), shimin.probe_tell() FROM PUBLIC;
