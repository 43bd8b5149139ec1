-- The registry: systems of departments, the versions of their contracts and of the services made of them. What citizens are served
-- still stands in shimin.service; a registered service's row is the definition of its live version.

CREATE TABLE shimin.system (
    -- deferred: `catalogue load` replaces all departments in one transaction
    department text NOT NULL REFERENCES shimin.department (slug) DEFERRABLE INITIALLY DEFERRED,
    name text NOT NULL CHECK (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(name) <= 40),
    -- production, test: addresses; concurrency; deadline_ms
    backend jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(backend) = 'object'),
    edition bigint NOT NULL DEFAULT 1,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (department, name)
);

ALTER TABLE shimin.contract
    ADD system text,
    ADD title text NOT NULL DEFAULT '',
    -- each operation, and whether a service can be made of it
    ADD operations jsonb NOT NULL DEFAULT '[]',
    ADD registered_by text NOT NULL DEFAULT 'catalogue',
    ADD FOREIGN KEY (department, system) REFERENCES shimin.system (department, name);

CREATE INDEX contract_system ON shimin.contract (department, system, registered_at DESC);

-- Encrypted (context "system_credential.sealed", row "department/system/environment"). A new one replaces the old.
CREATE TABLE shimin.system_credential (
    department text NOT NULL,
    system text NOT NULL,
    environment text NOT NULL CHECK (environment IN ('production', 'test')),
    kind text NOT NULL,
    key_id text,
    fingerprint text NOT NULL,
    sealed bytea NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (department, system, environment),
    FOREIGN KEY (department, system) REFERENCES shimin.system (department, name)
);

CREATE TABLE shimin.service_version (
    service text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    department text NOT NULL,
    system text NOT NULL,
    contract_sha256 text NOT NULL,
    definition jsonb NOT NULL CHECK (definition ->> 'slug' = service),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN (
        'draft', 'testing', 'submitted', 'failed', 'refused', 'canary', 'live', 'superseded', 'withdrawn', 'retired')),
    edition bigint NOT NULL DEFAULT 1,
    -- of ten thousand citizens, while on trial
    share integer CHECK (share BETWEEN 1 AND 10000),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    submitted_by text,
    submitted_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    decision_reason text,
    deprecated_at timestamptz,
    sunset_at timestamptz CHECK (sunset_at >= deprecated_at),
    notice jsonb,
    PRIMARY KEY (service, number),
    FOREIGN KEY (department, system) REFERENCES shimin.system (department, name),
    FOREIGN KEY (department, contract_sha256) REFERENCES shimin.contract (department, sha256),
    CHECK (state <> 'canary' OR share IS NOT NULL),
    CHECK (decided_by IS NULL OR decided_by <> submitted_by)
);

CREATE UNIQUE INDEX service_version_live ON shimin.service_version (service) WHERE state = 'live';
CREATE UNIQUE INDEX service_version_canary ON shimin.service_version (service) WHERE state = 'canary';
CREATE UNIQUE INDEX service_version_at_work ON shimin.service_version (service)
    WHERE state IN ('draft', 'testing', 'submitted', 'failed', 'refused');
CREATE INDEX service_version_department ON shimin.service_version (department, service, number DESC);
CREATE INDEX service_version_submitted ON shimin.service_version (submitted_at) WHERE state = 'submitted';

-- Who did what to which version; never changed.
CREATE TABLE shimin.service_version_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    number integer NOT NULL,
    event text NOT NULL,
    detail text NOT NULL DEFAULT '',
    done_by text NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX service_version_event_of ON shimin.service_version_event (service, id DESC);

CREATE TABLE shimin.gate_report (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    number integer NOT NULL,
    passed boolean NOT NULL,
    report jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (service, number) REFERENCES shimin.service_version (service, number)
);
CREATE INDEX gate_report_of ON shimin.gate_report (service, number, id DESC);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.service_version_event
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.service_version_event
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.gate_report
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.gate_report
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

-- The gate's harmless parts, again and again: the last result of each live service, and whose turn it is.
CREATE TABLE shimin.service_probe (
    service text PRIMARY KEY,
    number integer NOT NULL,
    owner text NOT NULL,
    leased_until timestamptz NOT NULL,
    next_at timestamptz NOT NULL DEFAULT now(),
    passed boolean,
    result jsonb,
    probed_at timestamptz,
    -- since when it has been as it is
    since timestamptz
);

-- The live version of a registered service; NULL: the service comes from the catalogue's files.
ALTER TABLE shimin.service ADD registered integer;

CREATE TRIGGER announce AFTER UPDATE ON shimin.system
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_catalogue();

CREATE FUNCTION shimin.announce_credentials() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('shimin_credentials', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON shimin.system_credential
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_credentials();

-- What a snapshot is told of a registered version beside its definition.
CREATE FUNCTION shimin.service_version_json(version shimin.service_version) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT jsonb_build_object(
               'department', version.department,
               'version', version.number,
               'system', version.department || '/' || version.system || '@' || version.contract_sha256)
           || CASE WHEN version.deprecated_at IS NULL THEN '{}'::jsonb
              ELSE jsonb_build_object('retirement', jsonb_strip_nulls(jsonb_build_object(
                  'deprecated_at', version.deprecated_at, 'sunset_at', version.sunset_at, 'notice', version.notice))) END
$$;

-- A system as a version that is served sees it: the production address, the credentials of production.
CREATE FUNCTION shimin.systems_json() RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT coalesce(json_agg(json_build_object(
               'department', used.department,
               'name', used.system,
               'key', used.department || '/' || used.system || '@' || used.contract_sha256,
               'contract', json_build_object('name', c.name, 'version', c.version, 'sha256', c.sha256),
               'backend', (s.backend - 'production' - 'test') || jsonb_build_object(
                   'address', s.backend ->> 'production',
                   'credentials', used.department || '/' || used.system || '/production'))), '[]'::json)
    FROM (SELECT DISTINCT department, system, contract_sha256
          FROM shimin.service_version
          WHERE state IN ('live', 'canary')) used
    JOIN shimin.system s ON s.department = used.department AND s.name = used.system
    JOIN shimin.contract c ON c.department = used.department AND c.sha256 = used.contract_sha256
$$;

CREATE OR REPLACE FUNCTION shimin.catalogue_document() RETURNS json
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
        'services', (
            SELECT coalesce(json_agg(
                       s.definition || jsonb_build_object('department', s.department)
                       || CASE WHEN live.service IS NULL THEN '{}'::jsonb ELSE shimin.service_version_json(live) END
                       || CASE WHEN canary.service IS NULL THEN '{}'::jsonb
                          ELSE jsonb_build_object('canary', canary.definition || shimin.service_version_json(canary)
                                                            || jsonb_build_object('share', canary.share)) END
                       ORDER BY d.number, s.ordering, s.slug), '[]'::json)
            FROM shimin.service s
            JOIN shimin.department d ON d.slug = s.department
            LEFT JOIN shimin.service_version live
                ON s.registered IS NOT NULL AND live.service = s.slug AND live.state = 'live'
            LEFT JOIN shimin.service_version canary
                ON s.registered IS NOT NULL AND canary.service = s.slug AND canary.state = 'canary'),
        'areas', (
            SELECT coalesce(json_agg(json_build_array(code, name, level, parent) ORDER BY code), '[]'::json)
            FROM shimin.area),
        'switches', shimin.switches_json())
    FROM shimin.catalogue_state state
$$;

-- Registered services are their departments' and stay; a file that brings a service of the same name is refused.
CREATE OR REPLACE FUNCTION shimin.catalogue_replace(document jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CREATE TEMPORARY TABLE kept_service ON COMMIT DROP AS SELECT * FROM shimin.service WHERE registered IS NOT NULL;
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

    INSERT INTO shimin.service (slug, department, ordering, definition, registered)
    SELECT slug, department, ordering, definition, registered FROM pg_temp.kept_service;
    DROP TABLE pg_temp.kept_service;

    INSERT INTO shimin.service (slug, department, ordering, definition)
    SELECT entry ->> 'slug', entry ->> 'department', ordering, entry - 'department'
    FROM jsonb_array_elements(document -> 'services') WITH ORDINALITY AS list (entry, ordering);

    INSERT INTO shimin.area (code, name, level, parent)
    SELECT entry ->> 0, entry ->> 1, entry ->> 2, entry ->> 3
    FROM jsonb_array_elements(document -> 'areas') AS list (entry);
END
$$;

-- Puts a version that is 'submitted' or was served before into force, and what was in force aside. The caller's transaction has
-- checked who may. false: the version is not in a state from which it can.
CREATE FUNCTION shimin.service_version_go_live(slug text, wanted integer, by_whom text, happening text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    version shimin.service_version;
BEGIN
    PERFORM FROM shimin.service_version v WHERE v.service = slug ORDER BY v.number FOR UPDATE;
    SELECT * INTO version FROM shimin.service_version v WHERE v.service = slug AND v.number = wanted;
    IF NOT FOUND OR version.state NOT IN ('submitted', 'canary', 'superseded', 'withdrawn') THEN
        RETURN false;
    END IF;
    UPDATE shimin.service_version v SET state = 'superseded', edition = edition + 1
    WHERE v.service = slug AND v.state = 'live';
    UPDATE shimin.service_version v SET state = 'withdrawn', share = NULL, edition = edition + 1
    WHERE v.service = slug AND v.state = 'canary' AND v.number <> wanted;
    UPDATE shimin.service_version v SET state = 'live', share = NULL, edition = edition + 1
    WHERE v.service = slug AND v.number = wanted;
    INSERT INTO shimin.service (slug, department, ordering, definition, registered)
    VALUES (slug, version.department, 1000000, version.definition, wanted)
    ON CONFLICT ON CONSTRAINT service_pkey DO UPDATE SET definition = excluded.definition, registered = excluded.registered
        WHERE service.registered IS NOT NULL;
    INSERT INTO shimin.service_version_event (service, number, event, done_by) VALUES (slug, wanted, happening, by_whom);
    RETURN true;
END
$$;

-- What the interface shows of each record. Times are RFC 3339.
CREATE FUNCTION shimin.credential_json(c shimin.system_credential) RETURNS json
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT json_build_object('environment', c.environment, 'kind', c.kind, 'key_id', c.key_id, 'fingerprint', c.fingerprint,
                             'set_by', c.set_by, 'set_at', c.set_at)
$$;

CREATE FUNCTION shimin.system_json(s shimin.system) RETURNS json
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT json_build_object(
        'name', s.name, 'backend', s.backend, 'edition', s.edition,
        'credentials', (SELECT coalesce(json_agg(shimin.credential_json(c) ORDER BY c.environment), '[]'::json)
                        FROM shimin.system_credential c
                        WHERE c.department = s.department AND c.system = s.name),
        'changed_by', s.changed_by, 'changed_at', s.changed_at)
$$;

CREATE FUNCTION shimin.contract_json(c shimin.contract, whole boolean) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
               'sha256', c.sha256, 'system', c.system, 'title', c.title, 'version', c.version, 'size', length(c.bytes),
               'operation_count', jsonb_array_length(c.operations), 'registered_by', c.registered_by,
               'registered_at', c.registered_at)
           || CASE WHEN whole THEN jsonb_build_object('operations', c.operations) ELSE '{}'::jsonb END
$$;

CREATE FUNCTION shimin.version_json(v shimin.service_version, whole boolean) RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
               'service', v.service, 'number', v.number, 'department', v.department, 'system', v.system,
               'contract', v.contract_sha256, 'state', v.state, 'edition', v.edition, 'share', v.share / 100.0,
               'created_by', v.created_by, 'created_at', v.created_at, 'submitted_by', v.submitted_by,
               'submitted_at', v.submitted_at, 'decided_by', v.decided_by, 'decided_at', v.decided_at,
               'decision_reason', v.decision_reason, 'deprecated_at', v.deprecated_at, 'sunset_at', v.sunset_at,
               'notice', v.notice)
           || CASE WHEN whole THEN jsonb_build_object('definition', v.definition) ELSE '{}'::jsonb END
$$;

CREATE FUNCTION shimin.gate_json(r shimin.gate_report) RETURNS json
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT json_build_object('service', r.service, 'number', r.number, 'passed', r.passed, 'made_at', r.made_at,
                             'checks', r.report)
$$;

GRANT SELECT, INSERT ON shimin.service_version_event, shimin.gate_report TO shimin_app;
GRANT SELECT, INSERT, UPDATE ON shimin.system, shimin.service_version, shimin.service_probe TO shimin_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON shimin.system_credential TO shimin_app;
