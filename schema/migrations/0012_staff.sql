-- Staff: the accounts of the city's administrators and operators and of departments' engineers.
--
-- Separation of duties stands here as well as in the gateway: nobody holds two of system, security and audit, whoever writes the row.

CREATE TABLE shimin.staff (
    id uuid PRIMARY KEY,
    -- what they log in with
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9._-]{1,31}$'),
    display_name text NOT NULL,
    -- one of the city's, or one or both of a department's
    roles text[] NOT NULL CHECK (roles IN (ARRAY['system'], ARRAY['security'], ARRAY['audit'], ARRAY['operator'])
                                 OR (roles <@ ARRAY['manager', 'engineer'] AND cardinality(roles) BETWEEN 1 AND 2)),
    -- where their rights end; the slug of a department, the code of an area
    department text,
    area text,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'locked')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    row_version bigint NOT NULL DEFAULT 1,
    CHECK (CASE WHEN roles <@ ARRAY['manager', 'engineer'] THEN department IS NOT NULL AND area IS NULL
                WHEN roles = ARRAY['operator'] THEN num_nonnulls(department, area) = 1
                ELSE department IS NULL AND area IS NULL END)
);

CREATE INDEX staff_department ON shimin.staff (department) WHERE department IS NOT NULL;

CREATE TRIGGER count_version BEFORE UPDATE ON shimin.staff FOR EACH ROW EXECUTE FUNCTION shimin.count_version();

-- Somebody must be able to make and unlock accounts. The lock is held to the commit, so that two who lock each other do not both
-- find the other still there.
CREATE FUNCTION shimin.keep_security() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('shimin.keep_security'));
    IF NOT EXISTS (SELECT FROM shimin.staff WHERE roles = ARRAY['security'] AND state = 'active' AND id <> OLD.id) THEN
        RAISE EXCEPTION 'the last account with the role security cannot be locked' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER keep_security BEFORE UPDATE OF roles, state ON shimin.staff FOR EACH ROW
    WHEN (OLD.roles = ARRAY['security'] AND OLD.state = 'active' AND (NEW.roles <> OLD.roles OR NEW.state <> 'active'))
    EXECUTE FUNCTION shimin.keep_security();

-- What proves who they are. Apart from the account, since every login writes it.
CREATE TABLE shimin.staff_credential (
    staff_id uuid PRIMARY KEY REFERENCES shimin.staff (id),
    -- argon2id as a PHC string
    password_hash text NOT NULL,
    password_set_at timestamptz NOT NULL DEFAULT now(),
    -- somebody else chose it: it must be changed before anything else
    password_temporary boolean NOT NULL DEFAULT true,
    -- the second factor (RFC 6238), encrypted; good once a code of it was shown
    totp_cipher bytea,
    totp_confirmed boolean NOT NULL DEFAULT false CHECK (NOT totp_confirmed OR totp_cipher IS NOT NULL),
    -- of the last code that was taken: none is taken twice
    totp_step bigint NOT NULL DEFAULT 0,
    -- sessions of an earlier one have ended
    epoch bigint NOT NULL DEFAULT 1,
    last_login_at timestamptz
);

-- Passwords that were used before. INSERT only.
CREATE TABLE shimin.staff_password (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES shimin.staff (id),
    password_hash text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX staff_password_staff ON shimin.staff_password (staff_id, id DESC);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.staff_password
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.staff_password
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

GRANT SELECT, INSERT ON shimin.staff TO shimin_app;
GRANT UPDATE (display_name, roles, department, area, state) ON shimin.staff TO shimin_app;
GRANT SELECT, INSERT ON shimin.staff_credential TO shimin_app;
GRANT UPDATE (password_hash, password_set_at, password_temporary, totp_cipher, totp_confirmed, totp_step, epoch, last_login_at)
    ON shimin.staff_credential TO shimin_app;
GRANT SELECT, INSERT ON shimin.staff_password TO shimin_app;

-- Records are {id, at (microseconds since 1970), actor, session, action, object, address, status, trace_id, detail}; returns how many were new. A detail stands after the session.
CREATE OR REPLACE FUNCTION shimin.audit_append(records jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last shimin.audit_head;
    first_at timestamptz;
    last_at timestamptz;
    added integer;
BEGIN
    SELECT * INTO STRICT last FROM shimin.audit_head FOR UPDATE;
    SELECT to_timestamp(min(r.at) / 1000000.0), to_timestamp(max(r.at) / 1000000.0) INTO first_at, last_at
    FROM jsonb_to_recordset(records) AS r (at bigint);
    WITH known AS (
        SELECT a.record FROM shimin.audit a WHERE a.occurred_at BETWEEN first_at AND last_at AND a.record IS NOT NULL
    ), record AS (
        SELECT last.id + row_number() OVER () AS id, r.id AS record, r.at, to_timestamp(r.at / 1000000.0) AS occurred_at,
               coalesce(r.actor, 'guest') AS actor, r.action, coalesce(r.object, '') AS object, coalesce(r.address, '') AS address,
               r.status AS result, coalesce(r.trace_id, '') AS trace_id, concat_ws(' ', 'session ' || r.session, r.detail) AS detail
        FROM jsonb_to_recordset(records)
             AS r (id uuid, at bigint, actor text, session text, action text, object text, address text, status text, trace_id text,
                detail text)
        WHERE r.id NOT IN (SELECT known.record FROM known)
    ), chained AS (
        SELECT record.*, shimin.audit_chain(last.hash, shimin.audit_digest(id, at, actor, action, object, address, result, trace_id, detail))
                         OVER (ORDER BY id) AS hash
        FROM record
    ), inserted AS (
        INSERT INTO shimin.audit (id, occurred_at, actor, action, object, address, result, trace_id, detail, prev_hash, hash, record)
        SELECT id, occurred_at, actor, action, object, address, result, trace_id, detail,
               coalesce(lag(hash) OVER (ORDER BY id), last.hash), hash, record
        FROM chained
        RETURNING audit.id, audit.hash
    )
    SELECT count(*), coalesce(max(id), last.id), coalesce((array_agg(hash ORDER BY id DESC))[1], last.hash)
    INTO added, last.id, last.hash
    FROM inserted;
    UPDATE shimin.audit_head SET id = last.id, hash = last.hash WHERE added > 0;
    RETURN added;
END
$$;
