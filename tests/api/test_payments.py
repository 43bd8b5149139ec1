"""Bills and payments as the citizens' app sees them: accounts that departments confirm, bills of all at once, one attempt at a time."""
import random
import threading
import unittest
import uuid

from client import SANDBOX, call, login, sql, staff_session, wait_until

WATER = "water-bill-payment"


def bind(token, service=WATER, number="0100012345", **more):
    answer = call(f"/v1/services/{service}/accounts", body={"number": number, **more}, token=token)
    assert answer.status == 201, answer
    return answer.json


def bills(token, state="due"):
    answer = call(f"/v1/bills?state={state}", token=token)
    assert answer.status == 200, answer
    return answer.json


def pay(token, *of, provider="wechat", key=None, **more):
    items = [{"bill": bill["id"], "amount_fen": bill["outstanding_fen"]} for bill in of]
    return call("/v1/payments", body={"provider": provider, "bills": items, **more}, token=token, headers={"Idempotency-Key": key or str(uuid.uuid4())})


class Accounts(unittest.TestCase):
    def test_the_department_confirms_an_account_and_only_its_end_is_shown(self):
        token = login()
        account = bind(token, nickname="爸妈家")
        self.assertEqual((account["number"], account["department"], account["nickname"]), ("**** 2345", "water-supply", "爸妈家"))
        self.assertEqual(call("/v1/bill-accounts", token=token).json["items"], [account])
        self.assertEqual(call("/v1/bill-accounts", token=login()).json["items"], [])
        self.assertEqual(call(f"/v1/services/{WATER}/accounts", body={"number": "0100012345"}, token=token).status, 409)
        self.assertEqual(sql(f"SELECT position('0100012345' in encode(number_cipher, 'escape')) FROM shimin.bill_account WHERE id = '{account['id']}'"), [["0"]])

    def test_what_the_service_does_not_take_for_a_number_is_named(self):
        answer = call(f"/v1/services/{WATER}/accounts", body={"number": "12"}, token=login())
        self.assertEqual((answer.status, answer.json["errors"][0]["parameter"]), (400, "account_number"))
        self.assertEqual(call("/v1/services/fund-balance-query/accounts", body={"number": "0100012345"}, token=login()).status, 404)
        self.assertEqual(call(f"/v1/services/{WATER}/accounts", body={"number": "0100012345"}).status, 401)

    def test_an_account_is_its_owners(self):
        token, other = login(), login()
        account = bind(token)
        path = f"/v1/bill-accounts/{account['id']}"
        self.assertEqual(call(path, "PATCH", {"nickname": "x"}, token=other, headers={"If-Match": '"1"'}).status, 404)
        self.assertEqual(call(path, "DELETE", token=other).status, 404)
        self.assertEqual(call(path, "PATCH", {"nickname": "x"}, token=token).status, 428)
        self.assertEqual(call(path, "PATCH", {"nickname": "x"}, token=token, headers={"If-Match": '"9"'}).status, 412)
        self.assertEqual(call(path, "PATCH", {"nickname": "x"}, token=token, headers={"If-Match": '"1"'}).json["nickname"], "x")
        self.assertEqual(call(path, "DELETE", token=token).status, 204)
        self.assertEqual(call(path, "DELETE", token=token).status, 404)
        bind(token)


class Bills(unittest.TestCase):
    def test_all_departments_are_asked_at_once_and_each_is_accounted_for(self):
        token = login()
        for service in (WATER, "gas-bill-payment", "power-bill-payment"):
            bind(token, service)
        said = bills(token, "all")
        self.assertEqual({source["status"] for source in said["sources"]}, {"asked"})
        self.assertEqual({bill["department"] for bill in said["items"]}, {"water-supply", "gas", "power"})
        for bill in said["items"]:
            self.assertEqual(bill["outstanding_fen"], bill["amount_fen"] if bill["state"] == "due" else 0)
        reads = wait_until(lambda: (i := call("/v1/me/footprint", token=token).json["items"]) and len(i) >= 6 and i, 20, "footprints")
        self.assertEqual({item["service"] for item in reads}, {WATER, "gas-bill-payment", "power-bill-payment"})

    def test_a_department_that_is_away_is_named_and_what_is_known_is_shown(self):
        token = login()
        bind(token, "gas-bill-payment")
        before = bills(token, "all")
        path = "/sandbox/departments/gas/behaviour"
        call(path, "PUT", {"mode": "failing"}, base=SANDBOX)
        self.addCleanup(call, path, "DELETE", base=SANDBOX)
        said = bills(token, "all")
        self.assertEqual([source["status"] for source in said["sources"]], ["unavailable"])
        self.assertEqual([bill["id"] for bill in said["items"]], [bill["id"] for bill in before["items"]])

    def test_pages_follow_one_another(self):
        token = login()
        for service in (WATER, "gas-bill-payment"):
            bind(token, service)
        whole = [bill["id"] for bill in bills(token, "all")["items"]]
        first = call("/v1/bills?state=all&limit=2", token=token).json
        second = call(f"/v1/bills?state=all&limit=100&cursor={first['next_cursor']}", token=token).json
        self.assertEqual([bill["id"] for bill in first["items"] + second["items"]], whole)
        self.assertEqual(call("/v1/bills?cursor=nonsense", token=token).json["code"], "invalid-cursor")


def new_number():
    """An account of which nothing was paid or held in this run."""
    return f"{random.randrange(10 ** 10):010d}"


def mood(provider, **how):
    answer = call(f"/sandbox/providers/{provider}", "PUT", how, base=SANDBOX)
    assert answer.status == 200, answer


class Payers(unittest.TestCase):
    """With the providers of the sandbox: the payer's hand, notices, and what happens when they do not come."""

    def setUp(self):
        self.addCleanup(call, "/sandbox/providers", "DELETE", base=SANDBOX)
        self.token = login()
        self.bills = []
        while len(self.bills) < 4:
            bind(self.token, number=new_number())
            self.bills = bills(self.token)["items"]

    def payment(self, made):
        return call(f"/v1/payments/{made.json['payment']['id']}", token=self.token).json["payment"]

    def payer_pays(self, provider, made):
        answer = call("/sandbox/payments/pay", body={"provider": provider, "out_trade_no": made.json["payment"]["number"]}, base=SANDBOX)
        self.assertEqual(answer.status, 200, answer)

    def becomes(self, made, state, seconds=60):
        return wait_until(lambda: (p := self.payment(made))["state"] == state and p, seconds, f"the payment {state}")

    def test_what_the_payer_paid_is_paid_by_notice_and_the_department_told(self):
        for provider, channel in (("wechat", "app"), ("alipay", "native"), ("unionpay", "app")):
            with self.subTest(provider):
                bill = self.bills.pop()
                made = pay(self.token, bill, provider=provider, channel=channel)
                self.assertEqual((made.status, made.json["payment"]["state"], made.json["cashier"]["channel"]), (201, "pending", channel))
                self.payer_pays(provider, made)
                self.becomes(made, "paid")
                wait_until(lambda: self.payment(made)["bills"][0]["confirmation"] == "confirmed", 60, "the department's confirmation")
                self.assertEqual([b["state"] for b in bills(self.token, "all")["items"] if b["id"] == bill["id"]], ["paid"])
                self.assertEqual(pay(self.token, bill).json["code"], "bill-paid")

    def test_a_notice_that_never_comes_is_made_up_for_by_asking(self):
        mood("wechat", notice="never")
        made = pay(self.token, self.bills[0])
        self.payer_pays("wechat", made)
        paid = self.becomes(made, "paid", 90)
        self.assertEqual(sql(f"SELECT by FROM shimin.payment_event WHERE payment = '{paid['id']}' AND what = 'paid'"), [["query"]])

    def test_wrong_and_repeated_notices_change_nothing_and_are_kept_once(self):
        mood("wechat", notice="never")
        made = pay(self.token, self.bills[0])
        self.payer_pays("wechat", made)
        number = made.json["payment"]["number"]
        for kind in ("bad_signature", "stale", "foreign_order", "wrong_amount", "normal", "normal"):
            call("/sandbox/payments/notices", body={"provider": "wechat", "out_trade_no": number, "notice": kind}, base=SANDBOX)
        self.becomes(made, "paid")
        self.assertEqual(sql(f"SELECT count(*) FROM shimin.ledger_transaction WHERE key = 'payment:{self.payment(made)['id']}:paid'"), [["1"]])

    def test_an_order_without_an_answer_is_unknown_until_the_provider_says(self):
        mood("wechat", answer="deaf", operation="order", times=1)
        made = pay(self.token, self.bills[0])
        self.assertEqual(made.json["payment"]["state"], "unknown")
        self.assertNotIn("cashier", made.json)
        self.assertEqual(pay(self.token, self.bills[0]).json["code"], "bill-held")

    def test_a_payment_is_closed_by_the_providers_word_and_the_bill_is_free_again(self):
        made = pay(self.token, self.bills[0])
        cancelled = call(f"/v1/payments/{made.json['payment']['id']}/cancellation", "POST", token=self.token)
        self.assertEqual(cancelled.json["payment"]["state"], "closed")
        self.assertEqual(pay(self.token, self.bills[0], provider="unionpay").status, 201)

    def test_a_department_gives_back_within_what_was_paid_and_a_second_person_approves_above_the_limit(self):
        made = pay(self.token, self.bills[0])
        self.payer_pays("wechat", made)
        paid = self.becomes(made, "paid")
        manager, other = staff_session("manager", department="water-supply"), staff_session("manager", department="gas")

        def give_back(fen, token=manager):
            return call("/department/v1/refunds", body={"payment": paid["id"], "bill": self.bills[0]["id"], "amount_fen": fen, "reason": "计量有误"},
                        token=token, headers={"Idempotency-Key": str(uuid.uuid4())})

        self.assertEqual(give_back(100, other).status, 404)
        too_much = give_back(paid["amount_fen"] + 1)
        self.assertEqual((too_much.json["code"], too_much.json["refundable_fen"]), ("amount-differs", paid["amount_fen"]))
        self.assertEqual(give_back(100).json["state"], "approved")
        back = wait_until(lambda: (p := self.payment(made))["refunded_fen"] == 100 and p, 120, "the refund")
        self.assertEqual(back["state"], "paid")
        refunds = call("/department/v1/refunds", token=manager).json["items"]
        self.assertEqual([(r["state"], r["amount_fen"]) for r in refunds if r["payment"] == paid["id"]], [("done", 100)])
        self.assertNotIn(paid["id"], [r["payment"] for r in call("/department/v1/refunds", token=other).json["items"]])
        proposed = sql(f"SELECT shimin.refund_begin('{uuid.uuid4()}', '{paid['id']}', '{self.bills[0]['id']}', 200, 'x', 'staff:somebody', 0) ->> 'outcome'")
        self.assertEqual(proposed, [["proposed"]])
        administrator = staff_session("system")
        waiting = [r for r in call("/admin/v1/refunds?state=proposed", token=administrator).json["items"] if r["payment"] == paid["id"]]
        decided = call(f"/admin/v1/refunds/{waiting[0]['id']}/decision", body={"decision": "approve"}, token=administrator)
        self.assertEqual(decided.json, {"state": "approved"})
        self.assertEqual(call(f"/admin/v1/refunds/{waiting[0]['id']}/decision", body={"decision": "approve"}, token=administrator).status, 409)
        wait_until(lambda: self.payment(made)["refunded_fen"] == 300, 120, "the second refund")
        overview = call("/admin/v1/payments/overview", token=administrator).json
        self.assertEqual((overview["trial_balance_fen"], overview["payments"]["paid"] > 0), (0, True))

    def test_several_bills_are_paid_in_one_payment(self):
        made = pay(self.token, *self.bills[:3], provider="unionpay")
        self.payer_pays("unionpay", made)
        paid = self.becomes(made, "paid")
        self.assertEqual(paid["amount_fen"], sum(bill["outstanding_fen"] for bill in self.bills[:3]))
        self.assertEqual(len(paid["bills"]), 3)
        self.assertEqual(pay(self.token, self.bills[3]).status, 201)
        whole = call("/v1/payments", token=self.token).json["items"]
        first = call("/v1/payments?limit=1", token=self.token).json
        self.assertEqual(first["items"], whole[:1])
        second = call(f"/v1/payments?cursor={first['next_cursor']}", token=self.token).json
        self.assertEqual((second["items"], second["next_cursor"]), (whole[1:], None))


class Payments(unittest.TestCase):
    def setUp(self):
        self.token = login()
        self.bills = []
        while len(self.bills) < 2:  # of some accounts everything is paid
            bind(self.token, number=new_number())
            self.bills = bills(self.token)["items"]

    def test_no_answer_is_not_a_failure_and_holds_the_bill(self):
        made = pay(self.token, self.bills[0])
        self.assertEqual(made.status, 201)
        self.assertIn(made.json["payment"]["state"], ("pending", "unknown"))
        again = pay(self.token, self.bills[0])
        self.assertEqual((again.status, again.json["code"], again.json["payment"]), (409, "bill-held", made.json["payment"]["id"]))
        self.assertIn("being_paid", [bill["state"] for bill in bills(self.token)["items"]])

    def test_two_hundred_requests_with_one_key_make_one_payment(self):
        key, answers, barrier = str(uuid.uuid4()), [], threading.Barrier(20)

        def ask():
            barrier.wait(60)
            answers.extend(pay(self.token, self.bills[0], key=key) for _ in range(10))

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = {answer.status for answer in answers}
        self.assertLessEqual(statuses, {201, 409})
        made = {answer.json["payment"]["id"] for answer in answers if answer.status == 201}
        self.assertEqual(len(made), 1)
        self.assertEqual({answer.json["code"] for answer in answers if answer.status == 409} - {"request-in-progress"}, set())
        self.assertEqual(len(call("/v1/payments", token=self.token).json["items"]), 1)
        replay = pay(self.token, self.bills[0], key=key)
        self.assertEqual((replay.status, replay.headers["Idempotency-Replayed"], replay.json["payment"]["id"]), (201, "true", made.pop()))
        other = pay(self.token, self.bills[1], key=key)
        self.assertEqual((other.status, other.json["code"]), (422, "idempotency-key-reused"))

    def test_amounts_that_are_none_are_refused_by_name(self):
        bill = self.bills[0]
        for fen in (0, -1, 1.5, "100", 10 ** 12, 1e300, None):
            answer = call("/v1/payments", body={"provider": "wechat", "bills": [{"bill": bill["id"], "amount_fen": fen}]}, token=self.token,
                          headers={"Idempotency-Key": str(uuid.uuid4())})
            self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, "#/bills/0/amount_fen"), fen)
        self.assertEqual(pay(self.token, bill, currency="USD").status, 422)
        differs = pay(self.token, {**bill, "outstanding_fen": bill["outstanding_fen"] + 1})
        self.assertEqual((differs.status, differs.json["code"], differs.json["outstanding_fen"]), (409, "amount-differs", bill["outstanding_fen"]))

    def test_bills_and_payments_of_others_do_not_exist(self):
        stranger = login()
        self.assertEqual(pay(stranger, self.bills[0]).status, 404)
        self.assertEqual(pay(self.token, {"id": str(uuid.uuid4()), "outstanding_fen": 5}).status, 404)
        payment = pay(self.token, self.bills[0]).json["payment"]["id"]
        self.assertEqual(call(f"/v1/payments/{payment}", token=stranger).status, 404)
        self.assertEqual(call(f"/v1/payments/{payment}/cancellation", "POST", token=stranger).status, 404)
        self.assertEqual(call("/v1/payments", token=stranger).json["items"], [])
        self.assertEqual(call("/v1/payments", body={}, token=self.token).json["code"], "idempotency-key-missing")

    def test_a_switched_service_takes_no_payment(self):
        bill = self.bills[0]
        sql(f"INSERT INTO shimin.switch (scope, target, position, reason_zh, reason_en, set_by) VALUES ('service', '{WATER}', 'no_new', '维护', 'maintenance', 'test')")
        self.addCleanup(sql, f"INSERT INTO shimin.switch (scope, target, position, reason_zh, reason_en, set_by) VALUES ('service', '{WATER}', 'open', '恢复', 'back', 'test')")
        answer = wait_until(lambda: (a := pay(self.token, {**bill, "outstanding_fen": bill["outstanding_fen"] + 1})).status == 503 and a, 20, "the switch")
        self.assertEqual(answer.json["detail"], "维护")

    def test_a_notice_that_proves_nothing_changes_nothing(self):
        for provider, body in (("wechat", b"{}"), ("alipay", b"trade_status=TRADE_SUCCESS&sign=x"), ("unionpay", b"respCode=00&signature=x")):
            kind = "application/json" if provider == "wechat" else "application/x-www-form-urlencoded"
            answer = call(f"/v1/payment-notices/{provider}", "POST", raw=body, headers={"Content-Type": kind})
            self.assertNotIn(answer.bytes, (b"success", b"ok"))
            if provider != "alipay":
                self.assertGreaterEqual(answer.status, 400)


if __name__ == "__main__":
    unittest.main()
