-- The catalogue: what a snapshot is compiled from. Definitions are kept whole, as they were registered; what must be unique or
-- must refer to something is lifted out of them into columns that Postgres checks.

CREATE TABLE shimin.category (
    slug text PRIMARY KEY,
    ordering integer NOT NULL UNIQUE,
    name_zh text NOT NULL,
    name_en text NOT NULL
);

-- Every version of a contract that was ever registered. The bytes are those that were handed in.
CREATE TABLE shimin.contract (
    department text NOT NULL,
    version text NOT NULL,
    name text NOT NULL,
    bytes bytea NOT NULL,
    sha256 text GENERATED ALWAYS AS (encode(sha256(bytes), 'hex')) STORED,
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (department, sha256)
);

CREATE INDEX contract_sha256 ON shimin.contract (sha256);

CREATE TABLE shimin.department (
    slug text PRIMARY KEY,
    number integer NOT NULL UNIQUE CHECK (number > 0),
    -- name {zh, en}, kind, backend, …
    definition jsonb NOT NULL CHECK (jsonb_typeof(definition) = 'object'),
    -- of the contract in force; NULL: it has none yet
    contract_sha256 text,
    FOREIGN KEY (slug, contract_sha256) REFERENCES shimin.contract (department, sha256)
);

CREATE TABLE shimin.service (
    slug text PRIMARY KEY,
    department text NOT NULL REFERENCES shimin.department (slug),
    ordering integer NOT NULL,
    definition jsonb NOT NULL CHECK (jsonb_typeof(definition) = 'object'),
    category text GENERATED ALWAYS AS (definition ->> 'category') STORED REFERENCES shimin.category (slug),
    CHECK (definition ->> 'slug' = slug),
    CHECK (definition ->> 'category' IS NOT NULL)
);

CREATE INDEX service_department ON shimin.service (department);

CREATE TABLE shimin.area (
    code text PRIMARY KEY,
    name text NOT NULL,
    level text NOT NULL CHECK (level IN ('city', 'district', 'street', 'community', 'compound')),
    parent text REFERENCES shimin.area (code) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX area_parent ON shimin.area (parent);

-- Who switched what, when and why; the latest row of a service counts. A service that is gone keeps its history.
CREATE TABLE shimin.service_switch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_slug text NOT NULL,
    position text NOT NULL CHECK (position IN ('open', 'no_new', 'read_only', 'off')),
    reason_zh text NOT NULL DEFAULT '',
    reason_en text NOT NULL DEFAULT '',
    -- outside of its window the position that the catalogue declares holds
    starts_at timestamptz,
    ends_at timestamptz CHECK (ends_at > starts_at),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX service_switch_latest ON shimin.service_switch (service_slug, id DESC);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.service_switch
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.service_switch
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

CREATE VIEW shimin.service_switch_current AS
SELECT DISTINCT ON (service_slug) *
FROM shimin.service_switch
ORDER BY service_slug, id DESC;

-- One row. Both numbers only grow; who changes the catalogue holds the row until the commit, so that versions become visible in
-- order.
CREATE TABLE shimin.catalogue_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL DEFAULT 1,
    switches_version bigint NOT NULL DEFAULT 1
);

INSERT INTO shimin.catalogue_state DEFAULT VALUES;

-- Owner's rights: the application may change the catalogue, but not set its version.
CREATE FUNCTION shimin.announce_catalogue() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE shimin.catalogue_state SET version = version + 1;
    PERFORM pg_notify('shimin_catalogue', 'catalogue');
    RETURN NULL;
END
$$;

CREATE FUNCTION shimin.announce_switches() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE shimin.catalogue_state SET switches_version = switches_version + 1;
    PERFORM pg_notify('shimin_catalogue', 'switches');
    RETURN NULL;
END
$$;

CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shimin.category
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_catalogue();
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shimin.department
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_catalogue();
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shimin.service
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_catalogue();
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shimin.area
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_catalogue();
CREATE TRIGGER announce AFTER INSERT ON shimin.service_switch
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.announce_switches();

-- The switches that hold now or will; times in RFC 3339.
CREATE FUNCTION shimin.switches_json() RETURNS jsonb
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'service', service_slug,
               'position', position,
               'reason', jsonb_build_object('zh', reason_zh, 'en', reason_en),
               'from', starts_at,
               'until', ends_at,
               'set_by', set_by,
               'set_at', set_at)) ORDER BY service_slug), '[]'::jsonb)
    FROM shimin.service_switch_current
    WHERE ends_at IS NULL OR ends_at > now()
$$;

CREATE FUNCTION shimin.switches_document() RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object('switches_version', switches_version, 'switches', shimin.switches_json())
    FROM shimin.catalogue_state
$$;

-- Everything that a snapshot is compiled from, seen at one moment. Contracts are fetched by their digest.
CREATE FUNCTION shimin.catalogue_document() RETURNS json
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
        'services', (
            SELECT coalesce(json_agg(s.definition || jsonb_build_object('department', s.department)
                                     ORDER BY d.number, s.ordering, s.slug), '[]'::json)
            FROM shimin.service s
            JOIN shimin.department d ON d.slug = s.department),
        'areas', (
            SELECT coalesce(json_agg(json_build_array(code, name, level, parent) ORDER BY code), '[]'::json)
            FROM shimin.area),
        'switches', shimin.switches_json())
    FROM shimin.catalogue_state state
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON shimin.category, shimin.department, shimin.service, shimin.area TO shimin_app;
GRANT SELECT, INSERT ON shimin.contract, shimin.service_switch TO shimin_app;
GRANT SELECT ON shimin.catalogue_state, shimin.service_switch_current TO shimin_app;
