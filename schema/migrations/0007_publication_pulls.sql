-- When each service of places and texts was pulled, who is at it now, and which texts are shown.

-- One gateway of many pulls: whoever holds the lease.
CREATE TABLE shimin.publication (
    service_slug text PRIMARY KEY,
    -- a digest of the catalogue's operation that it was pulled by
    definition text,
    -- of the last complete pull: when the department said so, and when we kept it; NULL before the first
    as_of timestamptz,
    pulled_at timestamptz,
    source text,
    item_count integer NOT NULL DEFAULT 0 CHECK (item_count >= 0),
    -- since then
    failures integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    lease_owner uuid,
    lease_until timestamptz
);

-- The version of each text that is shown; a text that the department has taken back has versions, but no row here.
CREATE TABLE shimin.content_current (
    service_slug text NOT NULL,
    id text NOT NULL,
    version integer NOT NULL,
    pulled_at timestamptz NOT NULL,
    PRIMARY KEY (service_slug, id),
    FOREIGN KEY (service_slug, id, version) REFERENCES shimin.content_version
);

-- A search reads one index: the service's places, nearest first, open at a minute. Of a place whose hours nobody knows it has every
-- minute of the week, and of every place the minute -1, which a search for any hours asks for.
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;
CREATE INDEX place_search ON shimin.place USING gist (
    service_slug,
    position,
    (coalesce(opening, '{[0,10080)}'::int4multirange) + '{[-1,0)}'::int4multirange)
);
CREATE INDEX place_name ON shimin.place (service_slug, name COLLATE "C", id COLLATE "C");
DROP INDEX shimin.place_position, shimin.place_opening;

GRANT SELECT, INSERT, UPDATE, DELETE ON shimin.publication, shimin.content_current TO shimin_app;
