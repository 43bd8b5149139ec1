-- What departments publish and the gateway keeps: places, news, texts.

CREATE TABLE shimin.place (
    service_slug text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    address text NOT NULL DEFAULT '',
    -- WGS 84, longitude first
    position geography(Point, 4326),
    -- as the department wrote it …
    opening_hours text,
    -- … and as minutes of the week from Monday 00:00 on, China Standard Time: open at a minute is opening @> minute
    opening int4multirange CHECK (opening <@ int4multirange(int4range(0, 7 * 24 * 60))),
    phone_number text,
    category text,
    attributes jsonb NOT NULL DEFAULT '{}',
    -- when the department said so, and when we asked
    as_of timestamptz NOT NULL,
    pulled_at timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL,
    PRIMARY KEY (service_slug, id)
);

CREATE INDEX place_position ON shimin.place USING gist (position);
CREATE INDEX place_opening ON shimin.place USING gist (opening);
CREATE INDEX place_category ON shimin.place (service_slug, category);

CREATE TABLE shimin.feed_item (
    service_slug text NOT NULL,
    id text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL DEFAULT '',
    body text NOT NULL DEFAULT '',
    link text,
    category text,
    attributes jsonb NOT NULL DEFAULT '{}',
    published_at timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    pulled_at timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL,
    PRIMARY KEY (service_slug, id)
);

CREATE INDEX feed_item_newest ON shimin.feed_item (service_slug, published_at DESC, id);

-- convert_to() passes for changeable only because it could be told another encoding.
CREATE FUNCTION shimin.text_sha256(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(sha256(convert_to(value, 'UTF8')), 'hex')
$$;

-- Every version of a text that was ever shown.
CREATE TABLE shimin.content_version (
    service_slug text NOT NULL,
    id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    title text NOT NULL,
    body text NOT NULL,
    sha256 text GENERATED ALWAYS AS (shimin.text_sha256(title || E'\n' || body)) STORED,
    updated_at timestamptz NOT NULL,
    pulled_at timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL,
    PRIMARY KEY (service_slug, id, version)
);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.content_version
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.content_version
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON shimin.place, shimin.feed_item TO shimin_app;
GRANT SELECT, INSERT ON shimin.content_version TO shimin_app;
