"""The books: what the database refuses, what `shimin ledger verify` finds, and thousands of random events against a small model."""
import os
import random
import subprocess
import threading
import unittest
import uuid

from client import login, sql

TABLES = ("ledger_transaction", "ledger_posting", "ledger_point", "ledger_point_balance", "payment_event", "payment_bill")


def ledger(*words):
    return subprocess.run([os.environ["SHIMIN"], "ledger", *words], capture_output=True, text=True, timeout=120, check=False)


class Session:
    """One connection of psql, as the gateway or the owner; a refusal is an exception that holds what the database said."""

    def __init__(self, user="shimin_gateway"):
        where = os.environ["SHIMIN_POSTGRES_OWNER"].replace("shimin_owner", user)
        self.psql = subprocess.Popen(["psql", "-XAtq", "-F", "\t", where], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def ask(self, statement):
        self.psql.stdin.write(statement + ";\n\\echo :ERROR\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline().rstrip("\n")) not in ("true", "false"):
            assert line or self.psql.poll() is None, "psql has ended"
            lines.append(line)
        if line == "true":
            raise AssertionError("\n".join(lines))
        return [row.split("\t") for row in lines]

    def value(self, statement):
        return self.ask("SELECT " + statement)[0][0]

    def close(self):
        self.psql.stdin.close()
        self.psql.stdout.close()
        self.psql.wait(20)


def citizen():
    login()
    return sql("SELECT id FROM shimin.citizen ORDER BY created_at DESC LIMIT 1")[0][0]


class Household:
    """A citizen with an account at a department, and its bills."""

    def __init__(self, department="water-supply", of=None):
        self.citizen = of or citizen()
        self.department = department
        self.blind = uuid.uuid4().hex
        sql("INSERT INTO shimin.bill_account (id, citizen_id, service, department, number_cipher, number_blind, number_shown)"
            f" VALUES (gen_random_uuid(), '{self.citizen}', 'water-bill', '{department}', '', '\\x{self.blind}', '***1')")

    def bill(self, fen, **columns):
        names = "".join(", " + name for name in columns)
        values = "".join(f", {value}" for value in columns.values())
        return sql(f"INSERT INTO shimin.bill (department, service, number, account_blind, amount_fen, source, as_of{names}) VALUES"
                   f" ('{self.department}', 'water-bill', '{uuid.uuid4()}', '\\x{self.blind}', {fen}, 'pulled', now(){values}) RETURNING id")[0][0]


def create(session, household, *bills, payment=None):
    """(what came of it, the payment). By a provider that is not configured, so that the gateway leaves it alone."""
    payment = payment or str(uuid.uuid4())
    items = ", ".join(f"jsonb_build_object('bill', '{bill}', 'amount_fen', {fen})" for bill, fen in bills)
    outcome = session.value(f"shimin.payment_create('{payment}', '{household.citizen}', 'nobody', '{payment.replace('-', '')}',"
                            f" jsonb_build_array({items}), 900) ->> 'outcome'")
    return outcome, payment


def take(session, payment, fen, transaction=None):
    return session.value(f"shimin.payment_take('{payment}', '{transaction or 'T' + payment}', {fen}, now(), 'notice')")


class Database(unittest.TestCase):
    def setUp(self):
        self.app = Session()
        self.addCleanup(self.app.close)
        self.owner = Session("shimin_owner")
        self.addCleanup(self.owner.close)

    def test_a_transaction_that_does_not_balance_is_refused_at_commit(self):
        for amounts in ("('provider', 'wechat', 100)", "('provider', 'wechat', 100), ('transit', 'gas', -99)"):
            lines = "jsonb_build_array(" + amounts.replace("(", "jsonb_build_array(") + ")"
            with self.assertRaisesRegex(AssertionError, "does not balance"):
                self.owner.ask(f"SELECT shimin.ledger_post('test:{uuid.uuid4()}', {lines})")
        with self.assertRaisesRegex(AssertionError, "does not balance"):
            self.owner.ask(f"INSERT INTO shimin.ledger_transaction (key) VALUES ('test:{uuid.uuid4()}')")

    def test_what_was_committed_is_closed_to_everybody(self):
        self.owner.ask(f"SELECT shimin.ledger_post('test:{uuid.uuid4()}', '[[\"suspense\", \"a\", 5], [\"suspense\", \"b\", -5]]')")
        newest = "(SELECT max(id) FROM shimin.ledger_transaction)"
        with self.assertRaisesRegex(AssertionError, "is closed"):
            self.owner.ask(f"INSERT INTO shimin.ledger_posting SELECT {newest}, shimin.ledger_account_of('suspense', k), f FROM (VALUES ('c', 5), ('d', -5)) v (k, f)")
        for table in ("ledger_account", "ledger_transaction", "ledger_posting", "ledger_point", "ledger_point_balance"):
            for change in (f"DELETE FROM shimin.{table}", f"TRUNCATE shimin.{table} CASCADE"):
                with self.assertRaisesRegex(AssertionError, "takes INSERT only"):
                    self.owner.ask(change if change.startswith("T") else "SELECT shimin.ledger_take_point(); " + change)

    def test_the_gateway_has_no_way_to_the_ledger(self):
        for statement in ("INSERT INTO shimin.ledger_transaction (key) VALUES ('x')", "SELECT shimin.ledger_post('x', '[]')",
                          "INSERT INTO shimin.ledger_point (up_to) VALUES (1)", "UPDATE shimin.payment SET state = 'paid'",
                          "UPDATE shimin.bill SET paid_fen = 0", "DELETE FROM shimin.bill_hold", "SELECT shimin.payment_move(NULL, 'paid', '', '')"):
            with self.assertRaisesRegex(AssertionError, "permission denied"):
                self.app.ask(statement)

    def test_a_bill_is_paid_by_one_attempt_of_two_hundred(self):
        household = Household()
        bill = household.bill(1200)
        outcomes, barrier = [], threading.Barrier(20)

        def attempt():
            session = Session()
            barrier.wait(60)
            outcomes.extend(create(session, household, (bill, 1200))[0] for _ in range(10))
            session.close()

        threads = [threading.Thread(target=attempt) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((outcomes.count("created"), outcomes.count("bill_held")), (1, 199))

    def test_two_refunds_at_once_never_exceed_what_was_paid(self):
        household = Household()
        bill = household.bill(1000)
        _, payment = create(self.app, household, (bill, 1000))
        self.assertEqual(take(self.app, payment, 1000), "paid")
        outcomes = []

        def refund():
            session = Session()
            outcomes.append(session.value(f"shimin.refund_begin(gen_random_uuid(), '{payment}', '{bill}', 300, 'x', 'staff:a', 10000) ->> 'outcome'"))
            session.close()

        threads = [threading.Thread(target=refund) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(outcomes), ["approved"] * 3 + ["too_much"] * 5)

    def test_what_the_provider_took_after_it_was_closed_is_paid_and_twice_paid_goes_back(self):
        household = Household()
        bill = household.bill(700)
        _, first = create(self.app, household, (bill, 700))
        self.assertEqual(self.app.value(f"shimin.payment_advance('{first}', 'closed', 'close', '')"), "t")
        _, second = create(self.app, household, (bill, 700))
        self.assertEqual(take(self.app, second, 700), "paid")
        self.assertEqual(take(self.app, first, 700), "paid")
        self.assertEqual(sql(f"SELECT state, reason LIKE '%twice%' FROM shimin.refund WHERE payment = '{first}'"), [["approved", "t"]])
        self.assertEqual(sql(f"SELECT count(*) FROM shimin.payment_confirmation WHERE bill = '{bill}'"), [["1"]])
        self.assertEqual(ledger("verify").returncode, 0)

    def test_another_amount_or_a_second_transaction_moves_nothing_and_is_kept_to_be_looked_at(self):
        household = Household()
        _, payment = create(self.app, household, (household.bill(500), 500))
        self.assertEqual(take(self.app, payment, 499), "amount_differs")
        self.assertEqual(take(self.app, payment, 499), "amount_differs")
        self.assertEqual(take(self.app, payment, 500), "paid")
        self.assertEqual(take(self.app, payment, 500), "known")
        self.assertEqual(take(self.app, payment, 500, "another"), "second_transaction")
        self.assertEqual([row[0] for row in sql(f"SELECT what FROM shimin.payment_event WHERE payment = '{payment}' ORDER BY id")],
                         ["created", "amount_differs", "paid", "second_transaction"])

    def test_amounts_owners_and_dates_are_checked_where_the_bill_is_locked(self):
        household, other = Household(), Household()
        bill = household.bill(1000)
        for fen, outcome in ((999, "amount_differs"), (1001, "amount_differs")):
            self.assertEqual(create(self.app, household, (bill, fen))[0], outcome)
        self.assertEqual(create(self.app, other, (bill, 1000))[0], "bill_unknown")
        self.assertEqual(create(self.app, household, (uuid.uuid4(), 1000))[0], "bill_unknown")
        self.assertEqual(create(self.app, household, (household.bill(5, payable_until="now() - interval '1 s'"), 5))[0], "bill_expired")
        self.assertEqual(create(self.app, household, (household.bill(5, ended_at="now()", ended_as="'withdrawn'"), 5))[0], "bill_withdrawn")
        parts = household.bill(1000, in_parts="true")
        self.assertEqual(create(self.app, household, (parts, 400))[0], "created")
        for fen in (0, -5):
            with self.assertRaisesRegex(AssertionError, "check constraint"):
                create(self.app, household, (household.bill(1000, in_parts="true"), fen))


class Faults(unittest.TestCase):
    """Each kind of error is planted by the database's owner, found and named, and taken back."""

    PLANTED = (
        ("Every transaction balances", "UPDATE shimin.ledger_posting SET amount_fen = amount_fen + 1 WHERE transaction = {transaction} AND amount_fen > 0",
         "UPDATE shimin.ledger_posting SET amount_fen = amount_fen - 1 WHERE transaction = {transaction} AND amount_fen > 0"),
        ("The trial balance is zero", "UPDATE shimin.ledger_point_balance SET balance_fen = balance_fen + 1 WHERE (up_to, account) = (SELECT max(up_to), min(account) FROM shimin.ledger_point_balance WHERE up_to = (SELECT max(up_to) FROM shimin.ledger_point))",
         "UPDATE shimin.ledger_point_balance SET balance_fen = balance_fen - 1 WHERE (up_to, account) = (SELECT max(up_to), min(account) FROM shimin.ledger_point_balance WHERE up_to = (SELECT max(up_to) FROM shimin.ledger_point))"),
        ("Each point says", "UPDATE shimin.ledger_point_balance SET balance_fen = balance_fen + CASE account WHEN (SELECT min(account) FROM shimin.ledger_point_balance) THEN 1 ELSE -1 END WHERE up_to = (SELECT max(up_to) FROM shimin.ledger_point) AND account IN (SELECT account FROM shimin.ledger_point_balance ORDER BY up_to DESC, account LIMIT 2)",
         "UPDATE shimin.ledger_point_balance SET balance_fen = balance_fen - CASE account WHEN (SELECT min(account) FROM shimin.ledger_point_balance) THEN 1 ELSE -1 END WHERE up_to = (SELECT max(up_to) FROM shimin.ledger_point) AND account IN (SELECT account FROM shimin.ledger_point_balance ORDER BY up_to DESC, account LIMIT 2)"),
        ("What was paid is in the ledger once", "UPDATE shimin.ledger_transaction SET key = 'lost' WHERE id = {transaction}",
         "UPDATE shimin.ledger_transaction SET key = 'payment:{payment}:paid' WHERE id = {transaction}"),
        ("A payment is the sum of its bills", "UPDATE shimin.payment SET amount_fen = amount_fen + 1 WHERE id = '{payment}'",
         "UPDATE shimin.payment SET amount_fen = amount_fen - 1 WHERE id = '{payment}'"),
        ("A bill counts as paid", "UPDATE shimin.bill SET paid_fen = paid_fen - 1 WHERE id = '{bill}'", "UPDATE shimin.bill SET paid_fen = paid_fen + 1 WHERE id = '{bill}'"),
        ("Of every bill of a paid payment the department is told", "CREATE TABLE shimin.kept AS SELECT * FROM shimin.payment_confirmation WHERE bill = '{bill}'; DELETE FROM shimin.payment_confirmation WHERE bill = '{bill}'",
         "INSERT INTO shimin.payment_confirmation OVERRIDING SYSTEM VALUE SELECT * FROM shimin.kept; DROP TABLE shimin.kept"),
        ("Nothing is told of a payment that was not taken", "INSERT INTO shimin.payment_confirmation (payment, bill, department, account_blind, amount_fen) VALUES ('{open}', '{open_bill}', 'gas', '', 800)",
         "DELETE FROM shimin.payment_confirmation WHERE payment = '{open}'"),
        ("An open payment holds all its bills", "DELETE FROM shimin.bill_hold WHERE payment = '{open}'", "INSERT INTO shimin.bill_hold (bill, payment) VALUES ('{open_bill}', '{open}')"),
        ("An open payment holds all its bills", "INSERT INTO shimin.bill_hold (bill, payment) VALUES ('{bill}', '{payment}')", "DELETE FROM shimin.bill_hold WHERE payment = '{payment}'"),
        ("No more goes back than was paid", "INSERT INTO shimin.refund (id, payment, bill, out_refund_no, amount_fen, state, reason, asked_by) VALUES ('{payment}', '{payment}', '{bill}', 'planted', 901, 'proposed', '', '')",
         "DELETE FROM shimin.refund WHERE out_refund_no = 'planted'"),
        ("No more goes back than was paid", "INSERT INTO shimin.refund (id, payment, bill, out_refund_no, amount_fen, state, reason, asked_by) VALUES ('{payment}', '{payment}', '{bill}', 'planted', 9, 'done', '', '')",
         "DELETE FROM shimin.refund WHERE out_refund_no = 'planted'"),
        ("The last state in a payment's history", "UPDATE shimin.payment SET state = 'pending' WHERE id = '{open}'", "UPDATE shimin.payment SET state = 'created' WHERE id = '{open}'"),
        ("What a department confirmed", "SELECT shimin.ledger_post('planted', '[[\"suspense\", \"planted\", 1], [\"transit\", \"gas\", -1]]')",
         "DELETE FROM shimin.ledger_posting WHERE transaction = (SELECT id FROM shimin.ledger_transaction WHERE key = 'planted'); DELETE FROM shimin.ledger_transaction WHERE key = 'planted'"),
    )

    @classmethod
    def setUpClass(cls):
        app = Session()
        household = Household("gas")
        bill, open_bill = household.bill(900), household.bill(800)
        payment = create(app, household, (bill, 900))[1]
        assert take(app, payment, 900) == "paid"
        app.ask("SELECT shimin.ledger_take_point()")
        cls.names = {"bill": bill, "payment": payment, "open_bill": open_bill, "open": create(app, household, (open_bill, 800))[1],
                     "transaction": sql(f"SELECT id FROM shimin.ledger_transaction WHERE key = 'payment:{payment}:paid'")[0][0]}
        app.close()

    def plant(self, statement):
        off = "".join(f"ALTER TABLE shimin.{table} DISABLE TRIGGER USER;" for table in TABLES)
        for name, value in self.names.items():
            statement = statement.replace("{" + name + "}", value)
        sql(f"BEGIN; {off} {statement}; {off.replace('DISABLE', 'ENABLE')} COMMIT")

    def test_every_planted_error_is_found(self):
        for what, planted, undo in self.PLANTED:
            with self.subTest(planted):
                self.assertEqual(ledger("verify").returncode, 0)
                self.plant(planted)
                done = ledger("verify")
                self.plant(undo)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("BROKEN " + what, done.stdout)
        self.assertEqual(ledger("verify").returncode, 0)

    def test_words_that_mean_nothing_are_used_wrongly(self):
        for words in ((), ("prove",), ("verify", "more")):
            self.assertEqual(ledger(*words).returncode, 2)


class Model:
    """What the database should say, in a few lines; the walk asks both."""

    NEXT = {"created": {"pending", "unknown", "failed", "closed"}, "pending": {"unknown", "failed", "closed"}, "unknown": {"pending", "failed", "closed"}}
    OPEN = set(NEXT)

    def __init__(self, session, household, rng):
        self.session, self.household, self.rng = session, household, rng
        self.left, self.whole, self.held, self.payments, self.refunds = {}, {}, {}, {}, {}

    def new_bill(self):
        fen = self.rng.randrange(1, 5000)
        parts = self.rng.random() < 0.5
        bill = self.household.bill(fen, in_parts=str(parts).lower())
        self.left[bill], self.whole[bill] = fen, not parts

    def pay(self):
        bills = self.rng.sample(sorted(self.left), self.rng.choice((1, 1, 2)))
        items = []
        for bill in sorted(bills):
            items.append((bill, self.rng.choice((self.left[bill], self.rng.randrange(1, 5000))) or 1))
        expected = "created"
        for bill, fen in items:
            left = self.left[bill]
            why = ("bill_held" if bill in self.held else "bill_paid" if not left else
                   "amount_differs" if fen > left or (fen < left and self.whole[bill]) else None)
            if why:
                expected = why
                break
        outcome, payment = create(self.session, self.household, *items)
        assert outcome == expected, (outcome, expected, items)
        if outcome == "created":
            self.payments[payment] = {"state": "created", "items": dict(items), "back": dict.fromkeys(dict(items), 0)}
            self.held.update((bill, payment) for bill, _ in items)

    def over(self, payment):
        self.held = {bill: holder for bill, holder in self.held.items() if holder != payment}

    def advance(self):
        payment = self.rng.choice(sorted(self.payments))
        mine = self.payments[payment]
        to = self.rng.choice(("pending", "unknown", "failed", "closed"))
        legal = to in self.NEXT.get(mine["state"], ())
        assert (self.session.value(f"shimin.payment_advance('{payment}', '{to}', 'query', '')") == "t") == legal, (mine, to)
        if legal:
            mine["state"] = to
            if to not in self.OPEN:
                self.over(payment)

    def take(self):
        payment = self.rng.choice(sorted(self.payments))
        mine = self.payments[payment]
        total = sum(mine["items"].values())
        wrong = self.rng.random() < 0.1
        taken = mine["state"] in ("paid", "refunding", "refunded")
        expected = "known" if taken else "amount_differs" if wrong else "paid"
        outcome = take(self.session, payment, total + wrong)
        assert outcome == expected, (outcome, expected, mine)
        if outcome != "paid":
            return
        self.over(payment)
        mine["state"], mine["applied"] = "paid", {}
        for bill, fen in mine["items"].items():
            mine["applied"][bill] = self.left[bill] >= fen
            if mine["applied"][bill]:
                self.left[bill] -= fen
            else:
                refund = sql(f"SELECT id FROM shimin.refund WHERE payment = '{payment}' AND bill = '{bill}'")[0][0]
                self.refunds[refund] = {"payment": payment, "bill": bill, "fen": fen, "state": "approved"}
                mine["back"][bill] = fen
                mine["state"] = "refunding"

    def refund(self):
        payment = self.rng.choice(sorted(self.payments))
        mine = self.payments[payment]
        bill = self.rng.choice(sorted(mine["items"]))
        fen, refund = self.rng.randrange(1, 3000), str(uuid.uuid4())
        expected = ("not_paid" if mine["state"] not in ("paid", "refunding", "refunded") else
                    "too_much" if fen > mine["items"][bill] - mine["back"][bill] else "proposed" if fen > 1000 else "approved")
        outcome = self.session.value(f"shimin.refund_begin('{refund}', '{payment}', '{bill}', {fen}, 'x', 'staff:a', 1000) ->> 'outcome'")
        assert outcome == expected, (outcome, expected, mine)
        if outcome in ("proposed", "approved"):
            self.refunds[refund] = {"payment": payment, "bill": bill, "fen": fen, "state": outcome}
            mine["back"][bill] += fen
            mine["state"] = "refunding"

    def end_refund(self):
        if not self.refunds:
            return
        refund = self.rng.choice(sorted(self.refunds))
        mine = self.refunds[refund]
        what = self.rng.choice(("send", "send", "done", "refused", "abnormal", "decide"))
        state = mine["state"]
        if what == "send":
            legal, statement, to = state == "approved", f"shimin.refund_send('{refund}')", "sent"
        elif what == "decide":
            legal, statement, to = state == "proposed", f"shimin.refund_decide('{refund}', true, 'staff:b') = 'approved'", "approved"
        else:
            froms = {"done": ("sent", "abnormal"), "refused": ("proposed", "approved", "sent"), "abnormal": ("sent",)}[what]
            legal, statement, to = state in froms, f"shimin.refund_end('{refund}', '{what}')", what
        assert (self.session.value(statement) == "t") == legal, (mine, what)
        if not legal:
            return
        mine["state"] = to
        payment = self.payments[mine["payment"]]
        if to == "refused":
            payment["back"][mine["bill"]] -= mine["fen"]
        if to == "done" and payment["applied"][mine["bill"]]:
            self.left[mine["bill"]] += mine["fen"]
        if all(r["state"] in ("done", "refused") for r in self.refunds.values() if r["payment"] == mine["payment"]):
            done = sum(r["fen"] for r in self.refunds.values() if r["payment"] == mine["payment"] and r["state"] == "done")
            payment["state"] = "refunded" if done == sum(payment["items"].values()) else "paid"

    def confirm(self):
        for row in self.session.ask("SELECT id, attempt FROM shimin.confirmation_claim(3, 0)"):
            how = self.rng.choice(("confirmed", "confirmed", "disputed", "again"))
            self.session.ask(f"SELECT shimin.confirmation_end({row[0]}, {row[1]}, '{how}', '', 0)")

    def point(self):
        self.session.ask("SELECT shimin.ledger_take_point()")
        assert self.session.value("sum(balance_fen) FROM shimin.ledger_balance") == "0"

    def compare(self):
        """Every state, every bill."""
        states = dict(sql(f"SELECT id, state FROM shimin.payment WHERE citizen_id = '{self.household.citizen}'"))
        assert states == {payment: mine["state"] for payment, mine in self.payments.items()}
        left = dict(sql(f"SELECT id, amount_fen - paid_fen FROM shimin.bill WHERE account_blind = '\\x{self.household.blind}'"))
        assert {bill: int(fen) for bill, fen in left.items()} == self.left


class Walks(unittest.TestCase):
    def test_thousands_of_random_events_come_out_as_the_model_says(self):
        seed = int(os.environ.get("SHIMIN_SEED", random.randrange(1 << 30)))
        with self.subTest(seed=seed):
            session = Session()
            self.addCleanup(session.close)
            model = Model(session, Household("power"), random.Random(seed))
            for _ in range(12):
                model.new_bill()
            while not model.payments:
                model.pay()
            acts = (model.pay,) * 6 + (model.advance,) * 5 + (model.take,) * 4 + (model.refund,) * 3 + (model.end_refund,) * 5 + (model.confirm, model.point)
            for step in range(3000):
                model.rng.choice(acts)()
                if step % 500 == 499:
                    model.compare()
                    for _ in range(4):
                        model.new_bill()
            done = ledger("verify")
            self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
