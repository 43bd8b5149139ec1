-- Roles and extensions. The schema shimin exists already: `shimin migrate` keeps its own table in it.
--
-- Who migrates owns everything. What serves logs in as a user that holds nothing but shimin_app, so that neither a fault in the
-- gateway nor a stolen password of it can change the schema, the audit or the footprints.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shimin_app') THEN
        CREATE ROLE shimin_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role shimin_app is missing and % may not create it; let an administrator run: CREATE ROLE shimin_app NOLOGIN', current_user;
END
$$;

-- Distances and areas of places. Not a trusted extension: an administrator may have to create it beforehand.
CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;

REVOKE ALL ON SCHEMA shimin FROM PUBLIC;
GRANT USAGE ON SCHEMA shimin TO shimin_app;

-- For tables that take INSERT only. The grants keep the application from it; this keeps everybody from it.
CREATE FUNCTION shimin.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% takes INSERT only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
