-- Bills, payments, refunds, and what departments are told of them. Money is integer fen. The functions here are the only way in: each is
-- one transaction, says in its result what it did or why not, and does nothing when it is called a second time.

-- A household or a person at a department, bound by a citizen after the department confirmed that it is theirs.
CREATE TABLE shimin.bill_account (
    id uuid PRIMARY KEY,
    citizen_id uuid NOT NULL REFERENCES shimin.citizen (id),
    service text NOT NULL,
    department text NOT NULL,
    -- encrypted, by the gateway; the blind column is a keyed digest of department and number, by which bills find their accounts
    number_cipher bytea NOT NULL,
    number_blind bytea NOT NULL,
    -- masked, as it may be shown
    number_shown text NOT NULL,
    holder_shown text NOT NULL DEFAULT '',
    nickname text NOT NULL DEFAULT '' CHECK (length(nickname) <= 40),
    bound_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    row_version bigint NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX bill_account_once ON shimin.bill_account (citizen_id, service, number_blind) WHERE ended_at IS NULL;
CREATE INDEX bill_account_number ON shimin.bill_account (number_blind, citizen_id) WHERE ended_at IS NULL;
CREATE TRIGGER count_version BEFORE UPDATE ON shimin.bill_account FOR EACH ROW EXECUTE FUNCTION shimin.count_version();

CREATE TABLE shimin.bill (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    department text NOT NULL,
    service text NOT NULL,
    -- the department's own, within the account
    number text NOT NULL,
    account_blind bytea NOT NULL,
    period text NOT NULL DEFAULT '',
    amount_fen bigint NOT NULL CHECK (amount_fen BETWEEN 1 AND 100000000000),
    paid_fen bigint NOT NULL DEFAULT 0 CHECK (paid_fen BETWEEN 0 AND amount_fen),
    due_on date,
    -- after which the department takes no payment of it
    payable_until timestamptz,
    in_parts boolean NOT NULL DEFAULT false,
    -- asked for, or sent by the department
    source text NOT NULL CHECK (source IN ('pulled', 'pushed')),
    as_of timestamptz NOT NULL,
    -- the department took it back, or had it paid elsewhere
    ended_at timestamptz,
    ended_as text CHECK (ended_as IN ('withdrawn', 'paid_elsewhere')),
    CHECK ((ended_at IS NULL) = (ended_as IS NULL)),
    UNIQUE (department, account_blind, number)
);
CREATE INDEX bill_account_due ON shimin.bill (account_blind, due_on, id);

CREATE TABLE shimin.payment_state (
    name text PRIMARY KEY,
    -- the provider may still take the money: its bills are held
    open boolean NOT NULL
);
INSERT INTO shimin.payment_state VALUES
('created', true), ('pending', true), ('unknown', true), ('paid', false), ('failed', false), ('closed', false), ('refunding', false), ('refunded', false);

-- The whole state machine. A payment that failed or was closed and that the provider took after all is paid: what is known wins.
CREATE TABLE shimin.payment_transition (
    from_state text NOT NULL REFERENCES shimin.payment_state (name),
    to_state text NOT NULL REFERENCES shimin.payment_state (name),
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO shimin.payment_transition VALUES
('created', 'pending'), ('created', 'unknown'), ('created', 'paid'), ('created', 'failed'), ('created', 'closed'),
('pending', 'unknown'), ('pending', 'paid'), ('pending', 'failed'), ('pending', 'closed'),
('unknown', 'pending'), ('unknown', 'paid'), ('unknown', 'failed'), ('unknown', 'closed'),
('failed', 'paid'), ('closed', 'paid'),
('paid', 'refunding'), ('refunding', 'paid'), ('refunding', 'refunded');

CREATE TABLE shimin.payment (
    id uuid PRIMARY KEY,
    citizen_id uuid NOT NULL REFERENCES shimin.citizen (id),
    provider text NOT NULL,
    -- by which the provider knows it
    out_trade_no text NOT NULL UNIQUE,
    amount_fen bigint NOT NULL CHECK (amount_fen BETWEEN 1 AND 100000000000),
    refunded_fen bigint NOT NULL DEFAULT 0 CHECK (refunded_fen BETWEEN 0 AND amount_fen),
    state text NOT NULL DEFAULT 'created' REFERENCES shimin.payment_state (name),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    paid_at timestamptz,
    -- the provider's own number of it
    transaction_id text,
    -- when the provider is asked next, and how often it was; NULL: there is nothing to ask
    ask_at timestamptz,
    asked integer NOT NULL DEFAULT 0,
    UNIQUE (provider, transaction_id),
    CHECK (state NOT IN ('paid', 'refunding', 'refunded') OR (transaction_id IS NOT NULL AND paid_at IS NOT NULL))
);
CREATE INDEX payment_citizen ON shimin.payment (citizen_id, created_at DESC, id DESC);
CREATE INDEX payment_ask ON shimin.payment (ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE shimin.payment_bill (
    payment uuid NOT NULL REFERENCES shimin.payment (id),
    bill uuid NOT NULL REFERENCES shimin.bill (id),
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    PRIMARY KEY (payment, bill)
);
CREATE INDEX payment_bill_bill ON shimin.payment_bill (bill);

-- The bills of open payments: one attempt at a time.
CREATE TABLE shimin.bill_hold (
    bill uuid PRIMARY KEY REFERENCES shimin.bill (id),
    payment uuid NOT NULL REFERENCES shimin.payment (id)
);
CREATE INDEX bill_hold_payment ON shimin.bill_hold (payment);

-- All that happened to a payment, in order.
CREATE TABLE shimin.payment_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment uuid NOT NULL REFERENCES shimin.payment (id),
    -- a state it came to, or what was noticed: amount_differs, second_transaction, paid_twice
    what text NOT NULL,
    -- citizen, order, notice, query, close, staff:<name>, reconciliation
    by text NOT NULL,
    detail text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX payment_event_payment ON shimin.payment_event (payment, id);

-- What the department is told of a bill that was paid, at least once, in the order of `id` within an account.
CREATE TABLE shimin.payment_confirmation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- its Idempotency-Key
    key uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    payment uuid NOT NULL,
    bill uuid NOT NULL,
    department text NOT NULL,
    account_blind bytea NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'confirmed', 'disputed')),
    attempts integer NOT NULL DEFAULT 0,
    -- when it may be tried; while an attempt is under way, when that is taken for lost
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    -- of the last attempt: an outcome, or the department's own words
    said text NOT NULL DEFAULT '',
    UNIQUE (payment, bill),
    FOREIGN KEY (payment, bill) REFERENCES shimin.payment_bill (payment, bill)
);
CREATE INDEX payment_confirmation_waiting ON shimin.payment_confirmation (department, account_blind, id) WHERE state = 'waiting';
CREATE INDEX payment_confirmation_due ON shimin.payment_confirmation (due_at) WHERE state = 'waiting';
CREATE INDEX payment_confirmation_disputed ON shimin.payment_confirmation (department, id) WHERE state = 'disputed';

CREATE TABLE shimin.refund (
    id uuid PRIMARY KEY,
    payment uuid NOT NULL,
    bill uuid NOT NULL,
    -- by which the provider knows it
    out_refund_no text NOT NULL UNIQUE,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    -- proposed: a second person has to approve. sent: the provider has it, or may have it. abnormal: the provider could not give it back,
    -- and somebody has to
    state text NOT NULL CHECK (state IN ('proposed', 'approved', 'sent', 'done', 'refused', 'abnormal')),
    reason text NOT NULL,
    asked_by text NOT NULL,
    decided_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    ask_at timestamptz,
    asked integer NOT NULL DEFAULT 0,
    FOREIGN KEY (payment, bill) REFERENCES shimin.payment_bill (payment, bill)
);
CREATE INDEX refund_payment ON shimin.refund (payment);
CREATE INDEX refund_ask ON shimin.refund (ask_at) WHERE ask_at IS NOT NULL;

-- Providers' notices, each taken once.
CREATE TABLE shimin.payment_notice (
    provider text NOT NULL,
    id text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, id)
);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.payment_event FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.payment_event FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE ON shimin.payment_bill FOR EACH ROW EXECUTE FUNCTION shimin.refuse_change();
CREATE TRIGGER insert_only_truncate BEFORE TRUNCATE ON shimin.payment_bill FOR EACH STATEMENT EXECUTE FUNCTION shimin.refuse_change();

-- When the provider is asked for the (n+1)-th time: 10 s, 1, 5, 15 minutes, hourly for a day, then daily.
CREATE FUNCTION shimin.payment_ask_after(n integer) RETURNS interval
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN n < 4 THEN (ARRAY['10 seconds', '1 minute', '5 minutes', '15 minutes'])[n + 1]::interval
                WHEN n < 28 THEN interval '1 hour' ELSE interval '1 day' END
$$;

-- The payment, locked, comes to a state. false: it may not from where it is.
CREATE FUNCTION shimin.payment_move(of_payment uuid, new_state text, by text, detail text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE shimin.payment p SET state = new_state,
        ask_at = CASE WHEN s.open THEN now() + shimin.payment_ask_after(p.asked) END
    FROM shimin.payment_state s
    WHERE p.id = of_payment AND s.name = new_state
      AND EXISTS (SELECT FROM shimin.payment_transition t WHERE t.from_state = p.state AND t.to_state = new_state);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO shimin.payment_event (payment, what, by, detail) VALUES (of_payment, new_state, by, detail);
    IF NOT (SELECT open FROM shimin.payment_state WHERE name = new_state) THEN
        DELETE FROM shimin.bill_hold h WHERE h.payment = of_payment;
    END IF;
    RETURN true;
END
$$;

-- May this citizen see and pay the bill?
CREATE FUNCTION shimin.bill_is_for(b shimin.bill, citizen uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM shimin.bill_account a
                   WHERE a.number_blind = b.account_blind AND a.citizen_id = citizen AND a.department = b.department AND a.ended_at IS NULL)
$$;

-- Why this bill cannot be paid with this amount by this citizen; NULL: it can. The bill is locked.
CREATE FUNCTION shimin.bill_refusal(of_bill uuid, citizen uuid, amount bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b shimin.bill;
    left_fen bigint;
    holder record;
    why text;
BEGIN
    SELECT * INTO b FROM shimin.bill WHERE id = of_bill FOR UPDATE;
    IF NOT FOUND OR NOT shimin.bill_is_for(b, citizen) THEN
        RETURN jsonb_build_object('outcome', 'bill_unknown', 'bill', of_bill);
    END IF;
    SELECT p.id, p.state INTO holder FROM shimin.bill_hold h JOIN shimin.payment p ON p.id = h.payment WHERE h.bill = of_bill;
    IF FOUND THEN
        RETURN jsonb_build_object('outcome', 'bill_held', 'bill', of_bill, 'payment', holder.id, 'state', holder.state);
    END IF;
    left_fen := b.amount_fen - b.paid_fen;
    why := CASE WHEN left_fen = 0 OR b.ended_as = 'paid_elsewhere' THEN 'bill_paid'
                WHEN b.ended_at IS NOT NULL THEN 'bill_withdrawn'
                WHEN b.payable_until <= now() THEN 'bill_expired'
                WHEN amount > left_fen OR (amount < left_fen AND NOT b.in_parts) THEN 'amount_differs' END;
    RETURN CASE WHEN why IS NOT NULL THEN jsonb_build_object('outcome', why, 'bill', of_bill, 'outstanding_fen', left_fen) END;
END
$$;

-- A payment of bills: items is [{"bill": uuid, "amount_fen": n}, …]. {"outcome": "created"}, or why not and of which bill.
CREATE FUNCTION shimin.payment_create(new_id uuid, citizen uuid, with_provider text, trade_no text, items jsonb, lifetime double precision)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
    refusal jsonb;
    total bigint := 0;
BEGIN
    FOR item IN SELECT bill, amount_fen FROM jsonb_to_recordset(items) AS i (bill uuid, amount_fen bigint) ORDER BY bill LOOP
        refusal := shimin.bill_refusal(item.bill, citizen, item.amount_fen);
        IF refusal IS NOT NULL THEN
            RETURN refusal;
        END IF;
        total := total + item.amount_fen;
    END LOOP;
    INSERT INTO shimin.payment (id, citizen_id, provider, out_trade_no, amount_fen, expires_at, ask_at)
    VALUES (new_id, citizen, with_provider, trade_no, total, now() + make_interval(secs => lifetime), now() + shimin.payment_ask_after(0));
    INSERT INTO shimin.payment_bill (payment, bill, amount_fen)
    SELECT new_id, bill, amount_fen FROM jsonb_to_recordset(items) AS i (bill uuid, amount_fen bigint);
    INSERT INTO shimin.bill_hold (bill, payment) SELECT bill, new_id FROM shimin.payment_bill WHERE payment = new_id;
    INSERT INTO shimin.payment_event (payment, what, by) VALUES (new_id, 'created', 'citizen');
    RETURN jsonb_build_object('outcome', 'created', 'amount_fen', total);
END
$$;

-- An open payment comes to another state that takes no money: pending, unknown, failed, closed. false: it may not.
CREATE FUNCTION shimin.payment_advance(of_payment uuid, to_state text, by text, detail text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM shimin.payment WHERE id = of_payment FOR UPDATE;
    RETURN to_state IN ('pending', 'unknown', 'failed', 'closed') AND shimin.payment_move(of_payment, to_state, by, detail);
END
$$;

-- The provider says that it took the money. 'paid'; 'known': it was said before; 'absent'; or what is wrong with it, which is kept as an
-- event for somebody to look at and changes nothing: 'amount_differs', 'second_transaction'.
-- A bill that was paid meanwhile by somebody else's attempt is paid back.
CREATE FUNCTION shimin.payment_take(of_payment uuid, transaction text, amount bigint, at timestamptz, by text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p shimin.payment;
    item record;
    lines jsonb;
    wrong text;
BEGIN
    SELECT * INTO p FROM shimin.payment WHERE id = of_payment FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'absent';
    END IF;
    IF p.transaction_id = transaction THEN
        RETURN 'known';
    END IF;
    wrong := CASE WHEN p.transaction_id IS NOT NULL THEN 'second_transaction' WHEN amount <> p.amount_fen THEN 'amount_differs' END;
    IF wrong IS NOT NULL THEN
        INSERT INTO shimin.payment_event (payment, what, by, detail)
        SELECT p.id, wrong, by, format('%s: %s fen', transaction, amount)
        WHERE NOT EXISTS (SELECT FROM shimin.payment_event e WHERE e.payment = p.id AND e.what = wrong AND e.detail = format('%s: %s fen', transaction, amount));
        RETURN wrong;
    END IF;
    UPDATE shimin.payment SET transaction_id = transaction, paid_at = at WHERE id = p.id;
    PERFORM shimin.payment_move(p.id, 'paid', by, '');
    lines := jsonb_build_array(jsonb_build_array('provider', p.provider, p.amount_fen));
    -- so that within an account the ids of confirmations are in the order of commits
    PERFORM pg_advisory_xact_lock(hashtextextended(account, 0))
    FROM (SELECT DISTINCT b.account_blind::text AS account
          FROM shimin.payment_bill pb JOIN shimin.bill b ON b.id = pb.bill WHERE pb.payment = p.id ORDER BY 1) AS accounts;
    FOR item IN SELECT pb.bill, pb.amount_fen, b.department, b.account_blind, b.amount_fen - b.paid_fen AS left_fen
                FROM shimin.payment_bill pb JOIN shimin.bill b ON b.id = pb.bill
                WHERE pb.payment = p.id ORDER BY pb.bill FOR UPDATE OF b LOOP
        lines := lines || jsonb_build_array(jsonb_build_array('transit', item.department, -item.amount_fen));
        IF item.left_fen >= item.amount_fen THEN
            UPDATE shimin.bill SET paid_fen = paid_fen + item.amount_fen WHERE id = item.bill;
            INSERT INTO shimin.payment_confirmation (payment, bill, department, account_blind, amount_fen)
            VALUES (p.id, item.bill, item.department, item.account_blind, item.amount_fen);
        ELSE
            INSERT INTO shimin.payment_event (payment, what, by, detail) VALUES (p.id, 'paid_twice', by, item.bill::text);
            PERFORM shimin.refund_begin(gen_random_uuid(), p.id, item.bill, item.amount_fen, '重复缴费自动退回 / paid twice, given back by itself', 'system', NULL);
        END IF;
    END LOOP;
    PERFORM shimin.ledger_post('payment:' || p.id || ':paid', lines);
    RETURN 'paid';
END
$$;

-- Money of a paid payment goes back. needs_second above `free_fen` (NULL: never). {"outcome": "approved" | "proposed"} or why not.
CREATE FUNCTION shimin.refund_begin(new_id uuid, of_payment uuid, of_bill uuid, amount bigint, why text, by text, free_fen bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p shimin.payment;
    paid bigint;
    given bigint;
    next text := CASE WHEN amount > free_fen THEN 'proposed' ELSE 'approved' END;
BEGIN
    SELECT * INTO p FROM shimin.payment WHERE id = of_payment FOR UPDATE;
    SELECT amount_fen INTO paid FROM shimin.payment_bill WHERE payment = of_payment AND bill = of_bill;
    IF p.id IS NULL OR paid IS NULL THEN
        RETURN jsonb_build_object('outcome', 'absent');
    END IF;
    IF p.state NOT IN ('paid', 'refunding', 'refunded') THEN
        RETURN jsonb_build_object('outcome', 'not_paid', 'state', p.state);
    END IF;
    SELECT coalesce(sum(amount_fen), 0) INTO given FROM shimin.refund WHERE payment = of_payment AND bill = of_bill AND state <> 'refused';
    IF amount <= 0 OR amount > paid - given THEN
        RETURN jsonb_build_object('outcome', 'too_much', 'refundable_fen', paid - given);
    END IF;
    INSERT INTO shimin.refund (id, payment, bill, out_refund_no, amount_fen, state, reason, asked_by, ask_at)
    VALUES (new_id, of_payment, of_bill, replace(new_id::text, '-', ''), amount, next, why, by,
            CASE WHEN next = 'approved' THEN now() END);
    IF p.state <> 'refunding' THEN
        PERFORM shimin.payment_move(of_payment, 'refunding', by, '');
    END IF;
    RETURN jsonb_build_object('outcome', next);
END
$$;

-- A second person decides. 'approved', 'refused', 'own': who asked may not; 'late': it is decided.
CREATE FUNCTION shimin.refund_decide(of_refund uuid, approve boolean, by text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r shimin.refund;
BEGIN
    SELECT * INTO r FROM shimin.refund WHERE id = of_refund FOR UPDATE;
    IF r.state IS DISTINCT FROM 'proposed' THEN
        RETURN 'late';
    ELSIF r.asked_by = by THEN
        RETURN 'own';
    ELSIF approve THEN
        UPDATE shimin.refund SET state = 'approved', decided_by = by, ask_at = now() WHERE id = r.id;
        RETURN 'approved';
    END IF;
    UPDATE shimin.refund SET decided_by = by WHERE id = r.id;
    PERFORM shimin.refund_end(r.id, 'refused');
    RETURN 'refused';
END
$$;

-- The refund goes to the provider now: its money leaves what the department has, or is still to get.
CREATE FUNCTION shimin.refund_send(of_refund uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r shimin.refund;
    b shimin.bill;
    source text;
BEGIN
    UPDATE shimin.refund SET state = 'sent', ask_at = now() + shimin.payment_ask_after(0) WHERE id = of_refund AND state = 'approved'
    RETURNING * INTO r;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO b FROM shimin.bill WHERE id = r.bill FOR UPDATE;
    SELECT CASE WHEN EXISTS (SELECT FROM shimin.payment_confirmation c WHERE c.payment = r.payment AND c.bill = r.bill AND c.state = 'confirmed')
                THEN 'department' ELSE 'transit' END INTO source;
    PERFORM shimin.ledger_post('refund:' || r.id || ':sent',
        jsonb_build_array(jsonb_build_array(source, b.department, r.amount_fen),
                          jsonb_build_array('refunds', (SELECT provider FROM shimin.payment WHERE id = r.payment), -r.amount_fen)));
    RETURN true;
END
$$;

-- How a refund ended: 'done', 'refused' (its money stays where it was), or 'abnormal': it stays on the way until somebody gives it back in
-- another manner and says 'done'. false: it had ended.
CREATE FUNCTION shimin.refund_end(of_refund uuid, how text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r shimin.refund;
    p shimin.payment;
    was_sent boolean;
BEGIN
    SELECT pay.* INTO p FROM shimin.payment pay JOIN shimin.refund x ON x.payment = pay.id WHERE x.id = of_refund FOR UPDATE OF pay;
    SELECT * INTO r FROM shimin.refund WHERE id = of_refund FOR UPDATE;
    was_sent := r.state IN ('sent', 'abnormal');
    IF (CASE how WHEN 'refused' THEN r.state IN ('proposed', 'approved', 'sent') WHEN 'abnormal' THEN r.state = 'sent'
                 WHEN 'done' THEN was_sent END) IS NOT TRUE THEN
        RETURN false;
    END IF;
    UPDATE shimin.refund SET state = how, ask_at = NULL, ended_at = CASE WHEN how <> 'abnormal' THEN now() END WHERE id = r.id;
    IF how = 'done' THEN
        PERFORM shimin.ledger_post('refund:' || r.id || ':done',
            jsonb_build_array(jsonb_build_array('refunds', p.provider, r.amount_fen), jsonb_build_array('provider', p.provider, -r.amount_fen)));
        UPDATE shimin.payment SET refunded_fen = refunded_fen + r.amount_fen WHERE id = p.id RETURNING * INTO p;
        -- what was paid twice was never counted as paid
        UPDATE shimin.bill SET paid_fen = paid_fen - r.amount_fen
        WHERE id = r.bill AND EXISTS (SELECT FROM shimin.payment_confirmation c WHERE c.payment = r.payment AND c.bill = r.bill);
    ELSIF how = 'refused' AND was_sent THEN
        -- back to where it came from: the postings of its sending, turned around
        PERFORM shimin.ledger_post('refund:' || r.id || ':refused',
            (SELECT jsonb_agg(jsonb_build_array(a.kind, a.party, -l.amount_fen))
             FROM shimin.ledger_transaction t JOIN shimin.ledger_posting l ON l.transaction = t.id JOIN shimin.ledger_account a ON a.id = l.account
             WHERE t.key = 'refund:' || r.id || ':sent'));
    END IF;
    IF NOT EXISTS (SELECT FROM shimin.refund x WHERE x.payment = p.id AND x.state NOT IN ('done', 'refused')) THEN
        PERFORM shimin.payment_move(p.id, CASE WHEN p.refunded_fen = p.amount_fen THEN 'refunded' ELSE 'paid' END, 'refund', r.id::text);
    END IF;
    RETURN true;
END
$$;

-- The confirmations that are due, the first of each account only, for `lease` seconds this caller's.
CREATE FUNCTION shimin.confirmation_claim(most integer, lease double precision)
RETURNS TABLE (id bigint, attempt integer, key uuid, department text, service text, bill_number text, amount_fen bigint, paid_at timestamptz,
               payment uuid, number_cipher bytea, account_id uuid)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH due AS (
        SELECT c.id FROM shimin.payment_confirmation c
        WHERE c.state = 'waiting' AND c.due_at <= now()
          AND NOT EXISTS (SELECT FROM shimin.payment_confirmation e
                          WHERE e.department = c.department AND e.account_blind = c.account_blind AND e.state = 'waiting' AND e.id < c.id)
        ORDER BY c.due_at
        LIMIT most
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE shimin.payment_confirmation c SET attempts = c.attempts + 1, due_at = now() + make_interval(secs => lease)
        FROM due WHERE c.id = due.id
        RETURNING c.*
    )
    SELECT c.id, c.attempts, c.key, c.department, b.service, b.number, c.amount_fen, p.paid_at, p.id, a.number_cipher, a.id
    FROM claimed c
    JOIN shimin.bill b ON b.id = c.bill
    JOIN shimin.payment p ON p.id = c.payment
    LEFT JOIN LATERAL (SELECT x.id, x.number_cipher FROM shimin.bill_account x
                       WHERE x.number_blind = b.account_blind AND x.department = b.department
                       ORDER BY (x.citizen_id = p.citizen_id) DESC, x.ended_at DESC NULLS FIRST LIMIT 1) a ON true
$$;

-- What became of an attempt: 'confirmed', 'disputed' (the department refuses a bill that is paid: somebody has to settle it), or 'again' in
-- so many seconds. false: another attempt is the valid one, or it has ended.
CREATE FUNCTION shimin.confirmation_end(of_confirmation bigint, of_attempt integer, how text, what_it_said text, wait double precision) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c shimin.payment_confirmation;
    sent bigint;
BEGIN
    PERFORM FROM shimin.bill b JOIN shimin.payment_confirmation x ON x.bill = b.id WHERE x.id = of_confirmation FOR UPDATE OF b;
    UPDATE shimin.payment_confirmation x
    SET state = CASE how WHEN 'again' THEN 'waiting' ELSE how END, said = what_it_said, due_at = now() + make_interval(secs => wait),
        ended_at = CASE WHEN how <> 'again' THEN now() END
    WHERE x.id = of_confirmation AND x.attempts = of_attempt AND x.state = 'waiting'
    RETURNING * INTO c;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF how = 'confirmed' THEN
        -- what went back before the department knew was taken from transit already
        SELECT coalesce(sum(r.amount_fen), 0) INTO sent FROM shimin.refund r
        WHERE r.payment = c.payment AND r.bill = c.bill AND r.state IN ('sent', 'abnormal', 'done');
        IF c.amount_fen > sent THEN
            PERFORM shimin.ledger_post('confirmation:' || c.id,
                jsonb_build_array(jsonb_build_array('transit', c.department, c.amount_fen - sent),
                                  jsonb_build_array('department', c.department, sent - c.amount_fen)));
        END IF;
    END IF;
    RETURN true;
END
$$;

-- The open payments whose provider is to be asked now; the next time is set by the ladder.
CREATE FUNCTION shimin.payment_claim(most integer)
RETURNS TABLE (id uuid, provider text, out_trade_no text, created_at timestamptz, amount_fen bigint, state text, expired boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE shimin.payment p SET asked = p.asked + 1, ask_at = now() + shimin.payment_ask_after(p.asked + 1)
    FROM (SELECT x.id FROM shimin.payment x WHERE x.ask_at <= now() ORDER BY x.ask_at LIMIT most FOR UPDATE SKIP LOCKED) AS due
    WHERE p.id = due.id
    RETURNING p.id, p.provider, p.out_trade_no, p.created_at, p.amount_fen, p.state, p.expires_at <= now()
$$;

-- Likewise refunds: those to be sent (approved), and those to be asked about.
CREATE FUNCTION shimin.refund_claim(most integer)
RETURNS TABLE (id uuid, provider text, out_trade_no text, ordered_at timestamptz, transaction_id text, out_refund_no text,
               requested_at timestamptz, reason text, amount_fen bigint, total_fen bigint, state text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE shimin.refund r SET asked = r.asked + 1, ask_at = now() + shimin.payment_ask_after(r.asked)
    FROM (SELECT x.id FROM shimin.refund x WHERE x.ask_at <= now() ORDER BY x.ask_at LIMIT most FOR UPDATE SKIP LOCKED) AS due, shimin.payment p
    WHERE r.id = due.id AND p.id = r.payment
    RETURNING r.id, p.provider, p.out_trade_no, p.created_at, p.transaction_id, r.out_refund_no, r.created_at, r.reason, r.amount_fen,
              p.amount_fen, r.state
$$;

-- A notice of a provider that a payment was taken: as payment_take; 'seen': this very notice was taken before. What is 'absent' is not
-- kept, so that it may come again.
CREATE FUNCTION shimin.notice_take(with_provider text, notice text, trade_no text, transaction text, amount bigint, at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    payment uuid;
BEGIN
    SELECT p.id INTO payment FROM shimin.payment p WHERE p.out_trade_no = trade_no AND p.provider = with_provider;
    IF payment IS NULL THEN
        RETURN 'absent';
    END IF;
    INSERT INTO shimin.payment_notice (provider, id) VALUES (with_provider, notice) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'seen';
    END IF;
    RETURN shimin.payment_take(payment, transaction, amount, at, 'notice');
END
$$;

DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = 'shimin' AND p.proname ~ '^(payment|bill|refund|confirmation|notice)_' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f.name);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION shimin.payment_create(uuid, uuid, text, text, jsonb, double precision),
    shimin.payment_advance(uuid, text, text, text), shimin.payment_take(uuid, text, bigint, timestamptz, text),
    shimin.refund_begin(uuid, uuid, uuid, bigint, text, text, bigint), shimin.refund_decide(uuid, boolean, text), shimin.refund_send(uuid),
    shimin.refund_end(uuid, text), shimin.confirmation_claim(integer, double precision),
    shimin.confirmation_end(bigint, integer, text, text, double precision), shimin.payment_claim(integer), shimin.refund_claim(integer),
    shimin.notice_take(text, text, text, text, bigint, timestamptz), shimin.bill_is_for(shimin.bill, uuid) TO shimin_app;
GRANT SELECT ON shimin.bill_account, shimin.bill, shimin.payment, shimin.payment_bill, shimin.bill_hold, shimin.payment_event,
    shimin.payment_confirmation, shimin.refund, shimin.payment_state TO shimin_app;
GRANT INSERT ON shimin.bill_account, shimin.bill TO shimin_app;
GRANT UPDATE (nickname, ended_at) ON shimin.bill_account TO shimin_app;
GRANT UPDATE (amount_fen, period, due_on, payable_until, in_parts, as_of, ended_at, ended_as) ON shimin.bill TO shimin_app;
