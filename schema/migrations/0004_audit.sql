-- Footprints and the audit: INSERT only, partitioned by month, so that a month whose time is over is dropped as a whole.

-- One read of personal data: who, what, why, when.
CREATE TABLE shimin.footprint (
    id bigint GENERATED ALWAYS AS IDENTITY,
    citizen_id uuid NOT NULL,
    service_slug text NOT NULL,
    department_slug text NOT NULL,
    reader text NOT NULL,
    purpose text NOT NULL,
    trace_id text NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (read_at, id)
) PARTITION BY RANGE (read_at);

CREATE INDEX footprint_citizen ON shimin.footprint (citizen_id, read_at DESC, id DESC);

-- What administrators, departments and citizens did. A hash chain: see chain_audit below.
CREATE TABLE shimin.audit (
    id bigint NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '',
    result text NOT NULL,
    trace_id text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (occurred_at, id)
) PARTITION BY RANGE (occurred_at);

CREATE INDEX audit_id ON shimin.audit (id);
CREATE INDEX audit_actor ON shimin.audit (actor, occurred_at DESC);
CREATE INDEX audit_object ON shimin.audit (object, occurred_at DESC);

-- The chain's end. One row; who appends holds it until the commit, so that the chain has one order and no gap.
CREATE TABLE shimin.audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
);

INSERT INTO shimin.audit_head DEFAULT VALUES;

-- Signatures over the chain's end at a moment; what was signed cannot be exchanged even by who owns the database.
CREATE TABLE shimin.audit_checkpoint (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    audit_id bigint NOT NULL,
    hash bytea NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT now()
);

-- A field as length, colon, bytes, comma (a netstring), so that no two different rows give the same text.
CREATE FUNCTION shimin.audit_field(value text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT convert_to(octet_length(convert_to(value, 'UTF8')) || ':' || value || ',', 'UTF8')
$$;

-- SHA-256 of the previous hash and the row's fields, in the order of the columns; the time in microseconds since 1970.
CREATE FUNCTION shimin.audit_hash(entry shimin.audit) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(entry.prev_hash
        || shimin.audit_field(entry.id::text)
        || shimin.audit_field((extract(epoch FROM entry.occurred_at) * 1000000)::bigint::text)
        || shimin.audit_field(entry.actor)
        || shimin.audit_field(entry.action)
        || shimin.audit_field(entry.object)
        || shimin.audit_field(entry.address)
        || shimin.audit_field(entry.result)
        || shimin.audit_field(entry.trace_id)
        || shimin.audit_field(entry.detail))
$$;

-- Number and hashes are never the writer's: whoever may insert appends to the chain and can do nothing else to it.
CREATE FUNCTION shimin.chain_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT head.id + 1, head.hash INTO STRICT NEW.id, NEW.prev_hash FROM shimin.audit_head head FOR UPDATE;
    NEW.hash := shimin.audit_hash(NEW);
    UPDATE shimin.audit_head SET id = NEW.id, hash = NEW.hash;
    RETURN NEW;
END
$$;

CREATE TRIGGER chain BEFORE INSERT ON shimin.audit FOR EACH ROW EXECUTE FUNCTION shimin.chain_audit();

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.footprint
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.footprint
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.audit
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.audit
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

-- Makes the partitions from this month to `ahead` months on, for every table of the schema that is partitioned; returns how many
-- were missing. Called by `shimin migrate` and daily by the gateway, which has no right to make tables of its own.
CREATE FUNCTION shimin.create_partitions(ahead integer DEFAULT 12) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'Asia/Shanghai' AS $$
DECLARE
    parent record;
    month timestamptz;
    child text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('shimin.create_partitions'));
    FOR parent IN
        SELECT c.oid, c.relname
        FROM pg_partitioned_table p
        JOIN pg_class c ON c.oid = p.partrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'shimin' AND p.partstrat = 'r'
    LOOP
        FOR n IN 0 .. least(ahead, 60) LOOP
            month := date_trunc('month', now()) + make_interval(months => n);
            child := parent.relname || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(format('shimin.%I', child)) IS NOT NULL;
            EXECUTE format('CREATE TABLE shimin.%I PARTITION OF shimin.%I FOR VALUES FROM (%L) TO (%L)',
                           child, parent.relname, month, month + interval '1 month');
            -- triggers for rows are inherited, those for TRUNCATE are not
            IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = parent.oid AND tgname = 'insert_only_truncate') THEN
                EXECUTE format('CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.%I '
                               'FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change()', child);
            END IF;
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

REVOKE ALL ON FUNCTION shimin.create_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.create_partitions(integer) TO shimin_app;
GRANT SELECT, INSERT ON shimin.footprint, shimin.audit, shimin.audit_checkpoint TO shimin_app;
GRANT SELECT ON shimin.audit_head TO shimin_app;
