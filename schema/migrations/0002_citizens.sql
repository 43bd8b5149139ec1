-- Citizens. Phone, name and identity number are encrypted by the gateway; the blind columns are keyed digests of the plain value,
-- by which a citizen is found and doubles are refused.

CREATE TABLE shimin.citizen (
    id uuid PRIMARY KEY,
    phone_cipher bytea NOT NULL,
    phone_blind bytea NOT NULL UNIQUE,
    name_cipher bytea,
    id_number_cipher bytea,
    id_number_blind bytea,
    -- access levels L0 … L4; an account begins with a verified phone
    level smallint NOT NULL DEFAULT 1 CHECK (level BETWEEN 0 AND 4),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz NOT NULL DEFAULT now(),
    verified_at timestamptz,
    -- grows with every change, for optimistic locking
    row_version bigint NOT NULL DEFAULT 1,
    CHECK (level < 2 OR (name_cipher IS NOT NULL AND id_number_cipher IS NOT NULL AND id_number_blind IS NOT NULL
                         AND verified_at IS NOT NULL))
);

CREATE UNIQUE INDEX citizen_id_number_blind ON shimin.citizen (id_number_blind) WHERE id_number_blind IS NOT NULL;

CREATE FUNCTION shimin.count_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.row_version := OLD.row_version + 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER count_version BEFORE UPDATE ON shimin.citizen FOR EACH ROW EXECUTE FUNCTION shimin.count_version();

-- Each try at proving a real name, whatever became of it.
CREATE TABLE shimin.verification_attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    citizen_id uuid NOT NULL,
    outcome text NOT NULL,
    attempted_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX verification_attempt_citizen ON shimin.verification_attempt (citizen_id, attempted_at DESC);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.verification_attempt
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.verification_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

GRANT SELECT, INSERT, UPDATE ON shimin.citizen TO shimin_app;
GRANT SELECT, INSERT ON shimin.verification_attempt TO shimin_app;
