-- name: add_account
-- $1 id, $2 citizen, $3 service, $4 department, $5 cipher, $6 blind, $7 number as shown, $8 holder as shown, $9 nickname. No row: bound already.
INSERT INTO shimin.bill_account (id, citizen_id, service, department, number_cipher, number_blind, number_shown, holder_shown, nickname)
VALUES ($1::uuid, $2::uuid, $3, $4, $5::bytea, $6::bytea, $7, $8, $9)
ON CONFLICT (citizen_id, service, number_blind) WHERE ended_at IS NULL DO NOTHING
RETURNING id;

-- name: read_bill_account
SELECT json_build_object('id', a.id, 'service', a.service, 'department', a.department, 'number', a.number_shown, 'holder', a.holder_shown,
                         'nickname', a.nickname, 'bound_at', shimin.outbox_time(a.bound_at))::text, a.row_version
FROM shimin.bill_account a
WHERE a.id = $1::uuid AND a.citizen_id = $2::uuid AND a.ended_at IS NULL;

-- name: list_accounts
SELECT json_build_object('items', coalesce(json_agg(json_build_object(
           'id', a.id, 'service', a.service, 'department', a.department, 'number', a.number_shown, 'holder', a.holder_shown,
           'nickname', a.nickname, 'bound_at', shimin.outbox_time(a.bound_at)) ORDER BY a.bound_at, a.id), '[]'))::text
FROM shimin.bill_account a
WHERE a.citizen_id = $1::uuid AND a.ended_at IS NULL;

-- name: count_accounts
SELECT count(*) FROM shimin.bill_account WHERE citizen_id = $1::uuid AND ended_at IS NULL;

-- name: change_account
UPDATE shimin.bill_account SET nickname = $4
WHERE id = $1::uuid AND citizen_id = $2::uuid AND ended_at IS NULL AND row_version = $3::bigint
RETURNING row_version;

-- name: end_account
-- What is being paid goes on; nothing new can be.
UPDATE shimin.bill_account SET ended_at = now() WHERE id = $1::uuid AND citizen_id = $2::uuid AND ended_at IS NULL
RETURNING id;

-- name: accounts_to_ask
-- The citizen's accounts, to ask their departments for bills.
SELECT id, service, number_cipher, number_blind FROM shimin.bill_account
WHERE citizen_id = $1::uuid AND ended_at IS NULL ORDER BY bound_at, id;

-- name: keep_bills
-- As a department told them. $1 department, $2 service, $3 blind, $4 items (JSON), $5 as of. An open payment of a bill fixes it; what it says to have
-- been paid, and was not paid here, was paid elsewhere. What is older than what is known changes nothing.
INSERT INTO shimin.bill AS known (department, service, number, account_blind, period, amount_fen, due_on, payable_until, in_parts, source, as_of,
                                  ended_at, ended_as)
SELECT $1, $2, i.number, $3::bytea, coalesce(i.period, ''), i.amount_fen, i.due_on, i.payable_until, coalesce(i.in_parts, false), 'pulled',
       $5::timestamptz, CASE WHEN i.paid THEN now() END, CASE WHEN i.paid THEN 'paid_elsewhere' END
FROM jsonb_to_recordset($4::jsonb)
     AS i (number text, amount_fen bigint, period text, due_on date, payable_until timestamptz, in_parts boolean, paid boolean)
ORDER BY i.number
ON CONFLICT (department, account_blind, number) DO UPDATE
SET amount_fen = greatest(excluded.amount_fen, known.paid_fen), period = excluded.period, due_on = excluded.due_on,
    payable_until = excluded.payable_until, in_parts = excluded.in_parts, as_of = excluded.as_of,
    ended_at = CASE WHEN known.paid_fen = 0 THEN excluded.ended_at ELSE known.ended_at END,
    ended_as = CASE WHEN known.paid_fen = 0 THEN excluded.ended_as ELSE known.ended_as END
WHERE known.as_of <= excluded.as_of AND NOT EXISTS (SELECT FROM shimin.bill_hold h WHERE h.bill = known.id);

-- name: list_bills
-- Of all accounts of a citizen with these services ($6, JSON). $2: whether what is paid or ended is wanted too. Newest due first; $3 and $4 is where the page before ended.
SELECT b.id, coalesce(b.due_on, date '1970-01-01')::text, json_build_object(
           'id', b.id, 'account', a.id, 'service', b.service, 'department', b.department, 'number', b.number, 'period', b.period,
           'amount_fen', b.amount_fen, 'paid_fen', b.paid_fen, 'outstanding_fen', CASE WHEN b.ended_at IS NULL THEN b.amount_fen - b.paid_fen ELSE 0 END,
           'due_on', b.due_on, 'in_parts', b.in_parts,
           'state', CASE WHEN b.paid_fen = b.amount_fen THEN 'paid' WHEN b.ended_as IS NOT NULL THEN b.ended_as
                         WHEN h.payment IS NOT NULL THEN 'being_paid' WHEN b.payable_until <= now() THEN 'expired'
                         WHEN b.paid_fen > 0 THEN 'partly_paid' ELSE 'due' END,
           'payment', h.payment, 'source', b.source, 'as_of', shimin.outbox_time(b.as_of))::text
FROM shimin.bill_account a
JOIN shimin.bill b ON b.account_blind = a.number_blind AND b.department = a.department AND b.service = a.service
LEFT JOIN shimin.bill_hold h ON h.bill = b.id
WHERE a.citizen_id = $1::uuid AND a.ended_at IS NULL AND b.service IN (SELECT jsonb_array_elements_text($6::jsonb))
  AND ($2::boolean OR (b.ended_at IS NULL AND b.paid_fen < b.amount_fen))
  AND (coalesce(b.due_on, date '1970-01-01'), b.id) < ($3::date, $4::uuid)
ORDER BY coalesce(b.due_on, date '1970-01-01') DESC, b.id DESC
LIMIT $5::bigint;

-- name: services_of_bills
SELECT DISTINCT b.service
FROM jsonb_to_recordset($1::jsonb) AS i (bill uuid) JOIN shimin.bill b ON b.id = i.bill;

-- name: create_payment
-- $1 id, $2 citizen, $3 provider, $4 out_trade_no, $5 items (JSON), $6 seconds it may take.
SELECT shimin.payment_create($1::uuid, $2::uuid, $3, $4, $5::jsonb, $6::double precision)::text, now();

-- name: advance_payment
SELECT shimin.payment_advance($1::uuid, $2, $3, $4);

-- name: take_payment
SELECT shimin.payment_take($1::uuid, $2, $3::bigint, $4::timestamptz, $5);

-- name: read_payment
-- $2 the citizen whose it is.
SELECT p.provider, p.out_trade_no, p.created_at, p.expires_at, p.amount_fen, p.state, json_build_object(
           'id', p.id, 'number', p.out_trade_no, 'provider', p.provider, 'state', p.state, 'amount_fen', p.amount_fen,
           'refunded_fen', p.refunded_fen, 'created_at', shimin.outbox_time(p.created_at), 'expires_at', shimin.outbox_time(p.expires_at),
           'paid_at', shimin.outbox_time(p.paid_at),
           'bills', (SELECT json_agg(json_build_object('bill', pb.bill, 'department', b.department, 'service', b.service, 'amount_fen', pb.amount_fen,
                                                       'confirmation', c.state) ORDER BY pb.bill)
                     FROM shimin.payment_bill pb JOIN shimin.bill b ON b.id = pb.bill
                     LEFT JOIN shimin.payment_confirmation c ON c.payment = pb.payment AND c.bill = pb.bill
                     WHERE pb.payment = p.id))::text
FROM shimin.payment p
WHERE p.id = $1::uuid AND p.citizen_id = $2::uuid;

-- name: list_payments
-- $2, $3: where the page before ended.
SELECT p.id, (extract(epoch FROM p.created_at) * 1000000)::bigint, json_build_object(
           'id', p.id, 'number', p.out_trade_no, 'provider', p.provider, 'state', p.state, 'amount_fen', p.amount_fen,
           'refunded_fen', p.refunded_fen, 'created_at', shimin.outbox_time(p.created_at), 'expires_at', shimin.outbox_time(p.expires_at),
           'paid_at', shimin.outbox_time(p.paid_at))::text
FROM shimin.payment p
WHERE p.citizen_id = $1::uuid AND (p.created_at, p.id) < ($2::timestamptz, $3::uuid)
ORDER BY p.created_at DESC, p.id DESC
LIMIT $4::bigint;

-- name: take_notice
-- $1 provider, $2 the notice's id, $3 out_trade_no, $4 transaction, $5 amount, $6 paid at.
SELECT shimin.notice_take($1, $2, $3, $4, $5::bigint, $6::timestamptz);

-- name: refund_of_number
SELECT r.id, r.amount_fen FROM shimin.refund r JOIN shimin.payment p ON p.id = r.payment
WHERE r.out_refund_no = $1 AND p.provider = $2;

-- name: claim_payments
SELECT id, provider, out_trade_no, created_at, state, expired FROM shimin.payment_claim($1::integer);

-- name: claim_refunds
SELECT id, provider, out_trade_no, ordered_at, transaction_id, out_refund_no, requested_at, reason, amount_fen, total_fen, state
FROM shimin.refund_claim($1::integer);

-- name: send_refund
SELECT shimin.refund_send($1::uuid);

-- name: end_refund
SELECT shimin.refund_end($1::uuid, $2);

-- name: claim_confirmations
SELECT id, attempt, key, department, service, bill_number, amount_fen, paid_at, payment, number_cipher, account_id
FROM shimin.confirmation_claim($1::integer, $2::double precision);

-- name: end_confirmation
-- $3 confirmed, disputed or again; $5 seconds to wait.
SELECT shimin.confirmation_end($1::bigint, $2::integer, $3, $4, $5::double precision);

-- name: take_point
SELECT shimin.ledger_take_point();

-- name: begin_refund
-- $1 id, $2 payment, $3 bill, $4 amount, $5 reason, $6 by, $7 what needs no second person, $8 department whose bill it must be.
SELECT (CASE WHEN EXISTS (SELECT FROM shimin.bill b WHERE b.id = $3::uuid AND b.department = $8)
             THEN shimin.refund_begin($1::uuid, $2::uuid, $3::uuid, $4::bigint, $5, $6, $7::bigint)
             ELSE jsonb_build_object('outcome', 'absent') END)::text;

-- name: list_refunds
-- The newest first. $1 department (NULL: of all), $2 state (NULL: any), $3 and $4 where the page before ended, $5 how many.
SELECT r.id, (extract(epoch FROM r.created_at) * 1000000)::bigint, json_build_object(
           'id', r.id, 'payment', r.payment, 'bill', r.bill, 'department', b.department, 'provider', p.provider, 'amount_fen', r.amount_fen,
           'state', r.state, 'reason', r.reason, 'asked_by', r.asked_by, 'decided_by', r.decided_by,
           'created_at', shimin.outbox_time(r.created_at), 'ended_at', shimin.outbox_time(r.ended_at))::text
FROM shimin.refund r
JOIN shimin.bill b ON b.id = r.bill
JOIN shimin.payment p ON p.id = r.payment
WHERE ($1::text IS NULL OR b.department = $1) AND ($2::text IS NULL OR r.state = $2) AND (r.created_at, r.id) < ($3::timestamptz, $4::uuid)
ORDER BY r.created_at DESC, r.id DESC
LIMIT $5::bigint;

-- name: decide_refund
SELECT shimin.refund_decide($1::uuid, $2::boolean, $3);

-- name: read_overview
-- What operators look at first: payments by state, the oldest that is not known, what departments dispute, refunds that wait, the books.
SELECT json_build_object(
    'payments', (SELECT coalesce(json_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n FROM shimin.payment GROUP BY state) s),
    'oldest_open_at', (SELECT shimin.outbox_time(min(p.created_at)) FROM shimin.payment p JOIN shimin.payment_state s ON s.name = p.state
                       WHERE p.ask_at IS NOT NULL AND s.open),
    'confirmations_waiting', (SELECT count(*) FROM shimin.payment_confirmation WHERE state = 'waiting'),
    'confirmations_disputed', (SELECT count(*) FROM shimin.payment_confirmation WHERE state = 'disputed'),
    'to_look_at', (SELECT count(*) FROM shimin.payment_event WHERE what IN ('amount_differs', 'second_transaction')),
    'refunds', (SELECT coalesce(json_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n FROM shimin.refund GROUP BY state) s),
    'accounts', (SELECT coalesce(json_agg(json_build_object('kind', kind, 'party', party, 'balance_fen', balance_fen) ORDER BY kind, party), '[]')
                 FROM shimin.ledger_balance),
    'trial_balance_fen', (SELECT coalesce(sum(balance_fen), 0) FROM shimin.ledger_balance))::text;
