-- The ledger: double entry in integer fen. A transaction has postings that sum to zero, which is checked when the database's own
-- transaction commits; what was committed is never changed and never added to. Debits are positive, credits negative.
--
-- Nobody but the functions of the payments engine posts: shimin_app reads.

CREATE TABLE shimin.ledger_account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- provider: what it holds for us. transit: paid by citizens, the department has not confirmed it yet. department: owed to the
    -- department. refunds: on the way back to citizens. fees: of providers. suspense: differences that somebody has to explain
    kind text NOT NULL CHECK (kind IN ('provider', 'transit', 'department', 'refunds', 'fees', 'suspense')),
    -- a provider's name or a department's slug
    party text NOT NULL,
    UNIQUE (kind, party)
);

CREATE TABLE shimin.ledger_transaction (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- what happened, by which it is posted once: "payment:<uuid>:paid"
    key text NOT NULL UNIQUE,
    -- the database's own transaction that made it: no other may add a posting
    made_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    posted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE shimin.ledger_posting (
    transaction bigint NOT NULL REFERENCES shimin.ledger_transaction (id),
    account integer NOT NULL REFERENCES shimin.ledger_account (id),
    amount_fen bigint NOT NULL CHECK (amount_fen <> 0 AND amount_fen BETWEEN -1000000000000 AND 1000000000000),
    PRIMARY KEY (transaction, account)
);
CREATE INDEX ledger_posting_account ON shimin.ledger_posting (account, transaction) INCLUDE (amount_fen);

CREATE FUNCTION shimin.ledger_check(of_transaction bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    postings bigint;
    difference numeric;
BEGIN
    SELECT count(*), sum(amount_fen) INTO postings, difference FROM shimin.ledger_posting WHERE transaction = of_transaction;
    IF postings < 2 OR difference <> 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance: % postings, % fen too much', of_transaction, postings, difference
            USING ERRCODE = 'check_violation';
    END IF;
END
$$;

CREATE FUNCTION shimin.ledger_transaction_checked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM shimin.ledger_check(NEW.id);
    RETURN NULL;
END
$$;

CREATE FUNCTION shimin.ledger_posting_checked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT made_in FROM shimin.ledger_transaction WHERE id = NEW.transaction) <> pg_current_xact_id() THEN
        RAISE EXCEPTION 'ledger transaction % is closed', NEW.transaction USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM shimin.ledger_check(NEW.transaction);
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON shimin.ledger_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shimin.ledger_transaction_checked();
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON shimin.ledger_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shimin.ledger_posting_checked();

-- Balances of all accounts after transaction `up_to`, so that nobody sums history.
CREATE TABLE shimin.ledger_point (
    up_to bigint PRIMARY KEY,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE shimin.ledger_point_balance (
    up_to bigint NOT NULL REFERENCES shimin.ledger_point (up_to),
    account integer NOT NULL REFERENCES shimin.ledger_account (id),
    balance_fen bigint NOT NULL,
    PRIMARY KEY (up_to, account)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_account', 'ledger_transaction', 'ledger_posting', 'ledger_point', 'ledger_point_balance'] LOOP
        EXECUTE format('CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.%I FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change()', name);
        EXECUTE format('CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.%I FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change()', name);
    END LOOP;
END
$$;

CREATE FUNCTION shimin.ledger_account_of(of_kind text, of_party text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found integer;
BEGIN
    LOOP
        SELECT id INTO found FROM shimin.ledger_account WHERE kind = of_kind AND party = of_party;
        EXIT WHEN found IS NOT NULL;
        INSERT INTO shimin.ledger_account (kind, party) VALUES (of_kind, of_party) ON CONFLICT DO NOTHING RETURNING id INTO found;
        EXIT WHEN found IS NOT NULL;
    END LOOP;
    RETURN found;
END
$$;

-- One transaction. `lines` is [["provider", "wechat", 1200], ["transit", "water-supply", -1200]]; lines of one account are summed, what
-- sums to nothing is left out. The id; NULL when `of_key` was posted before: then nothing happens.
CREATE FUNCTION shimin.ledger_post(of_key text, lines jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO shimin.ledger_transaction (key) VALUES (of_key) ON CONFLICT (key) DO NOTHING RETURNING id INTO made;
    IF made IS NOT NULL THEN
        INSERT INTO shimin.ledger_posting (transaction, account, amount_fen)
        SELECT made, shimin.ledger_account_of(line ->> 0, line ->> 1), sum((line ->> 2)::bigint)
        FROM jsonb_array_elements(lines) AS line
        GROUP BY line ->> 0, line ->> 1
        HAVING sum((line ->> 2)::bigint) <> 0
        ORDER BY line ->> 0, line ->> 1;
    END IF;
    RETURN made;
END
$$;

-- What each account stands at, now.
CREATE VIEW shimin.ledger_balance AS
WITH point AS (SELECT max(up_to) AS up_to FROM shimin.ledger_point)
SELECT a.id AS account, a.kind, a.party,
       coalesce((SELECT b.balance_fen FROM shimin.ledger_point_balance b WHERE b.up_to = point.up_to AND b.account = a.id), 0)
       + coalesce((SELECT sum(p.amount_fen) FROM shimin.ledger_posting p
                   WHERE p.account = a.id AND p.transaction > coalesce(point.up_to, 0)), 0)::bigint AS balance_fen
FROM shimin.ledger_account a, point;

-- Takes the balances down. Waits for transactions that are under way and keeps new ones waiting meanwhile (some milliseconds): ids are
-- given in another order than transactions commit in, and only so is every id up to the highest one decided. NULL: nothing new.
CREATE FUNCTION shimin.ledger_take_point() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    last bigint;
    newest bigint;
BEGIN
    LOCK TABLE shimin.ledger_transaction IN SHARE ROW EXCLUSIVE MODE;
    SELECT coalesce(max(up_to), 0) INTO last FROM shimin.ledger_point;
    SELECT max(id) INTO newest FROM shimin.ledger_transaction WHERE id > last;
    IF newest IS NOT NULL THEN
        INSERT INTO shimin.ledger_point (up_to) VALUES (newest);
        INSERT INTO shimin.ledger_point_balance (up_to, account, balance_fen)
        SELECT newest, account, sum(amount_fen)
        FROM (SELECT account, balance_fen AS amount_fen FROM shimin.ledger_point_balance WHERE up_to = last
              UNION ALL
              SELECT account, amount_fen FROM shimin.ledger_posting WHERE transaction > last) AS parts
        GROUP BY account;
    END IF;
    RETURN newest;
END
$$;

REVOKE ALL ON FUNCTION shimin.ledger_check(bigint), shimin.ledger_transaction_checked(), shimin.ledger_posting_checked(),
    shimin.ledger_account_of(text, text), shimin.ledger_post(text, jsonb), shimin.ledger_take_point() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.ledger_take_point() TO shimin_app;
GRANT SELECT ON shimin.ledger_account, shimin.ledger_transaction, shimin.ledger_posting, shimin.ledger_point, shimin.ledger_point_balance,
    shimin.ledger_balance TO shimin_app;
