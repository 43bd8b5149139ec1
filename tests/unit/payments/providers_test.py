"""The engine's payment providers against the sandbox that plays them, over HTTP. Usage: providers_test.py MERCHANT SANDBOX ROOT."""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

MERCHANT, SANDBOX, ROOT = sys.argv[1:4]
sys.path.insert(0, os.path.join(ROOT, "deploy/lib"))
import credentials  # noqa: E402  # pylint: disable=wrong-import-position

PATIENCE, DEPARTMENTS = 30, 43
PROVIDERS = ("wechat", "alipay", "unionpay")
CONFIG = """
workers: 1
tls: {{certificate: none, private_key: none}}
postgres: {{application: dbname=none}}
keys: {{file: none}}
catalogue: {{directory: {root}/schema/catalogue, contracts: {root}/schema/contracts, snapshot: none}}
federation: {{spool: none}}
sandbox: {{control_port: {control}, first_port: {first}, providers_port: {providers}, providers_keys: payments, providers_file: till}}
payments:
  deadline: 20s
  notify_url: http://127.0.0.1:{merchant}/notices
  wechat: {{merchant: "1900000109", app_id: wx0000000000000001, address: "http://127.0.0.1:{providers}",
    private_key: payments/wechat-merchant.key, certificate: payments/wechat-merchant.pem, platform: payments/wechat-platform.pem,
    v3_key: payments/wechat-v3.key}}
  alipay: {{merchant: "2088000000000001", app_id: "2021000000000001", address: "http://127.0.0.1:{providers}/gateway.do",
    bill_address: "http://127.0.0.1:{providers}", private_key: payments/alipay-app.key, platform: payments/alipay-platform.pub}}
  unionpay: {{merchant: "777290058110048", address: "http://127.0.0.1:{providers}/gateway/api",
    file_address: "http://127.0.0.1:{providers}/", private_key: payments/unionpay-merchant.key,
    certificate: payments/unionpay-merchant.pem, authority: payments/unionpay-ca.pem}}
"""


def free_ports(count):
    for first in range(27000 + os.getpid() % 250 * 20, 32000, count):
        probes = []
        try:
            for port in range(first, first + count):
                probes.append(socket.socket())
                probes[-1].bind(("127.0.0.1", port))
            return list(range(first, first + count))
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise RuntimeError("no free ports")


def ask(port, method, path, value=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE * 2)
    connection.request(method, path, None if value is None else json.dumps(value), {"content-type": "application/json"} if value else {})
    response = connection.getresponse()
    status, text = response.status, response.read()
    connection.close()
    return status, json.loads(text) if text and b"json" in response.headers.get("content-type", "").encode() else text


def await_true(condition):
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError("it did not come to pass")
        time.sleep(0.02)


class World:
    """Keys, a sandbox, a merchant."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(self.folder.name)
        self.control, self.providers, self.merchant, self.first = free_ports(3 + DEPARTMENTS)[:4]
        credentials._make_providers(root / "payments")  # pylint: disable=protected-access
        self.config = root / "shimin.yaml"
        self.write_config("")
        self.processes = []

    def write_config(self, more):
        self.config.write_text(CONFIG.format(root=ROOT, control=self.control, first=self.first, providers=self.providers,
                                             merchant=self.merchant) + more, encoding="utf-8")

    def start(self):
        self.sandbox = self._start([SANDBOX, str(self.config)], self.control, "/sandbox/providers")
        self._start([MERCHANT, str(self.config), str(self.merchant)], self.merchant, "/notices")

    def _start(self, command, port, path):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.processes.append(process)

        def answers():
            try:
                return ask(port, "GET", path)[0] == 200
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended with {process.returncode}") from None
                return False
        await_true(answers)
        return process

    def restart_sandbox(self):
        self.sandbox.kill()
        self.sandbox.wait()
        self.processes.remove(self.sandbox)
        self.sandbox = self._start([SANDBOX, str(self.config)], self.control, "/sandbox/providers")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(PATIENCE)
        self.folder.cleanup()


world = World()


def setUpModule():
    world.start()


def tearDownModule():
    world.stop()


class Case(unittest.TestCase):
    def setUp(self):
        self.tell("DELETE", "/sandbox/providers")
        self.tell("DELETE", "/sandbox/payments")
        ask(world.merchant, "GET", "/notices")

    def tell(self, method, path, value=None, status=None):
        got, answer = ask(world.control, method, path, value)
        self.assertIn(got, (status,) if status else (200, 204), answer)
        return answer

    def behave(self, provider, **mood):
        self.tell("PUT", f"/sandbox/providers/{provider}", mood)

    def call(self, provider, what, order, **more):
        status, answer = ask(world.merchant, "POST", "/call", {"provider": provider, "call": what} | order | more)
        self.assertEqual(status, 200)
        return answer

    def ok(self, *words, **more):
        answer = self.call(*words, **more)
        self.assertEqual(answer["outcome"], "ok", answer)
        return answer

    def order(self, provider, channel="app", amount=1234, **more):
        order = {"out_trade_no": uuid.uuid4().hex[:30], "ordered_at": time.time_ns() // 1000, "amount_fen": amount, "channel": channel} | more
        return order, self.ok(provider, "order", order)["cashier"]

    def paid(self, provider, **more):
        order, cashier = self.order(provider, **more)
        self.tell("POST", "/sandbox/payments/pay", {"provider": provider, "cashier": cashier})
        payment = self.ok(provider, "query", order)
        self.assertEqual((payment["state"], payment["amount_fen"]), ("paid", order["amount_fen"]))
        return order | {"transaction_id": payment["transaction_id"]}

    def refund_of(self, order, fen):
        return order | {"out_refund_no": uuid.uuid4().hex[:30], "requested_at": time.time_ns() // 1000, "refund_fen": fen}

    def notices(self, order, wanted=1):
        def come():
            found = [n for n in ask(world.merchant, "GET", "/notices")[1] if n and n.get("out_trade_no") == order["out_trade_no"]]
            return found if len(found) >= wanted else None
        return await_true(come)


class Paying(Case):
    def test_every_channel_gives_the_app_what_its_sdk_takes_and_the_payer_pays_with_it(self):
        for provider in PROVIDERS:
            for channel in ("app", "h5", "native", "jsapi"):
                if (provider, channel) == ("unionpay", "jsapi"):
                    self.assertEqual(self.call(provider, "order", {"out_trade_no": "x" * 10, "amount_fen": 1, "channel": channel})["outcome"],
                                     "refused")
                    continue
                order = self.paid(provider, channel=channel)
                notice = self.notices(order)[0]
                self.assertEqual((notice["outcome"], notice["state"], notice["amount_fen"], notice["transaction_id"]),
                                 ("ok", "paid", 1234, order["transaction_id"]))

    def test_an_order_that_is_made_again_is_the_same_order(self):
        for provider in PROVIDERS:
            order, _ = self.order(provider)
            self.ok(provider, "order", order)
            self.tell("POST", "/sandbox/payments/pay", {"provider": provider, "cashier": self.ok(provider, "order", order)["cashier"]})
            self.assertEqual(len(self.tell("GET", f"/sandbox/payments?out_trade_no={order['out_trade_no']}")["orders"]), 1)

    def test_an_order_that_was_not_made_is_not_found(self):
        for provider in PROVIDERS:
            order = {"out_trade_no": uuid.uuid4().hex[:30], "ordered_at": time.time_ns() // 1000, "amount_fen": 5}
            self.assertEqual(self.ok(provider, "query", order)["state"], "not_found")

    def test_a_closed_order_cannot_be_paid_and_a_paid_one_cannot_be_closed(self):
        for provider in ("wechat", "alipay"):
            order, _ = self.order(provider, channel="native")
            self.ok(provider, "close", order)
            self.ok(provider, "close", order)
            self.assertEqual(self.ok(provider, "query", order)["state"], "closed")
            self.tell("POST", "/sandbox/payments/pay", {"provider": provider, "out_trade_no": order["out_trade_no"]}, status=422)
        for provider in PROVIDERS:
            answer = self.call(provider, "close", self.paid(provider))
            self.assertEqual((answer["outcome"], answer["reason"]), ("refused", "paid"))

    def test_unionpay_closes_nothing(self):
        answer = self.call("unionpay", "close", self.order("unionpay")[0])
        self.assertEqual((answer["outcome"], answer["reason"]), ("refused", "not_closable"))

    def test_an_order_that_expired_cannot_be_paid(self):
        ends = time.time() + 10
        cashiers = {provider: self.order(provider, expires_at=int(ends * 1000000))[1] for provider in PROVIDERS}
        await_true(lambda: time.time() > ends)
        for provider, cashier in cashiers.items():
            self.tell("POST", "/sandbox/payments/pay", {"provider": provider, "cashier": cashier}, status=422)


class Refunding(Case):
    def test_parts_of_a_payment_are_refunded_up_to_what_was_paid(self):
        for provider in PROVIDERS:
            order = self.paid(provider, amount=1000)
            first, second = self.refund_of(order, 400), self.refund_of(order, 600)
            for refund in (first, second):
                self.ok(provider, "refund", refund)
                answer = self.ok(provider, "refund_query", refund)
                self.assertEqual((answer["state"], answer["amount_fen"]), ("success", refund["refund_fen"]))
            refused = self.call(provider, "refund", self.refund_of(order, 1))
            self.assertEqual((refused["outcome"], refused["reason"]), ("refused", "too_much"))
            refund = [n for n in self.notices(order, 3) if n["is_refund"]]
            self.assertEqual({n["out_refund_no"] for n in refund}, {first["out_refund_no"], second["out_refund_no"]})

    def test_a_refund_that_is_asked_for_again_is_done_once(self):
        for provider in PROVIDERS:
            order = self.paid(provider, amount=1000)
            refund = self.refund_of(order, 700)
            for _ in range(3):
                self.assertIn(self.ok(provider, "refund", refund)["state"], ("success", "processing"))
            held = self.tell("GET", f"/sandbox/payments?out_trade_no={order['out_trade_no']}")
            self.assertEqual((held["orders"][0]["refunded_fen"], len(held["refunds"])), (700, 1))

    def test_a_refund_that_takes_its_time_ends_when_it_does(self):
        for provider in PROVIDERS:
            self.behave(provider, refund="processing")
            refund = self.refund_of(self.paid(provider), 34)
            self.assertEqual(self.ok(provider, "refund", refund)["state"], "processing")
            self.assertEqual(self.ok(provider, "refund_query", refund)["state"], "processing")
            self.tell("POST", "/sandbox/payments/refunds", {"provider": provider, "out_refund_no": refund["out_refund_no"]})
            self.assertEqual(self.ok(provider, "refund_query", refund)["state"], "success")

    def test_an_abnormal_refund_is_seen(self):
        self.behave("wechat", refund="abnormal")
        refund = self.refund_of(self.paid("wechat"), 34)
        self.ok("wechat", "refund", refund)
        self.assertEqual(self.ok("wechat", "refund_query", refund)["state"], "abnormal")
        self.assertEqual({n["state"] for n in self.notices(refund, 2) if n["is_refund"]}, {"abnormal"})

    def test_a_refund_that_was_not_asked_for_is_not_found(self):
        for provider in PROVIDERS:
            refund = self.refund_of(self.paid(provider), 34)
            self.assertEqual(self.ok(provider, "refund_query", refund)["state"], "not_found")


class Unknown(Case):
    def test_no_answer_and_a_wrong_answer_are_unknown_and_never_a_failure(self):
        for provider in PROVIDERS:
            order, _ = self.order(provider)
            for answer in ("failing", "failing_after", "bad_signature", "garbage"):
                self.behave(provider, answer=answer)
                for what in ("query", "close"):
                    self.assertEqual(self.call(provider, what, order)["outcome"], "unknown", answer)

    def test_what_was_done_without_an_answer_is_found_by_asking(self):
        for provider in PROVIDERS:
            order, _ = self.order(provider, channel="native")
            self.tell("POST", "/sandbox/payments/pay", {"provider": provider, "out_trade_no": order["out_trade_no"]})
            order["transaction_id"] = self.ok(provider, "query", order)["transaction_id"]
            refund = self.refund_of(order, 34)
            self.behave(provider, answer="failing_after", operation="refund", times=1)
            self.assertEqual(self.call(provider, "refund", refund)["outcome"], "unknown")
            self.assertEqual(self.ok(provider, "refund_query", refund)["state"], "success")

    def test_a_refusal_is_definite(self):
        for provider in PROVIDERS:
            self.behave(provider, answer="refuse", operation="order", times=1)
            order = {"out_trade_no": uuid.uuid4().hex[:30], "ordered_at": time.time_ns() // 1000, "amount_fen": 5, "channel": "native"}
            self.assertEqual(self.call(provider, "order", order)["outcome"], "refused")
            self.ok(provider, "order", order)


class Notices(Case):
    def test_a_notice_that_was_changed_or_is_old_is_refused(self):
        for provider in PROVIDERS:
            self.behave(provider, notice="never")
            order = self.paid(provider)
            for notice in ("bad_signature", "stale"):
                if (provider, notice) == ("unionpay", "stale"):
                    continue  # its notices have no time
                said = self.tell("POST", "/sandbox/payments/notices",
                                 {"provider": provider, "out_trade_no": order["out_trade_no"], "notice": notice})
                self.assertTrue(said["status"] == 500 or said["body"] == "fail", said)
            self.assertEqual(self.tell("POST", "/sandbox/payments/notices", {"provider": provider, "out_trade_no": order["out_trade_no"]})
                             ["status"] // 100, 2)

    def test_what_a_notice_says_of_amount_and_order_is_handed_on_as_it_stands(self):
        for provider in PROVIDERS:
            self.behave(provider, notice="wrong_amount")
            order = self.paid(provider)
            self.assertEqual(self.notices(order)[0]["amount_fen"], 1235)
            said = self.tell("POST", "/sandbox/payments/notices",
                             {"provider": provider, "out_trade_no": order["out_trade_no"], "notice": "foreign_order"})
            self.assertEqual(said["status"] // 100, 2)

    def test_a_notice_that_is_not_taken_comes_again(self):
        for provider in PROVIDERS:
            ask(world.merchant, "GET", "/notices?refuse")
            order = self.paid(provider)
            first = await_true(lambda order=order: [n for n in ask(world.merchant, "GET", "/notices?refuse")[1]
                                                    if n and n.get("out_trade_no") == order["out_trade_no"]])
            ask(world.merchant, "GET", "/notices")
            self.assertGreater(len(self.notices(order, len(first) + 1)), 1)
            await_true(lambda order=order: self.tell("GET", f"/sandbox/payments?out_trade_no={order['out_trade_no']}")["orders"][0]["told"])

    def test_a_notice_may_come_before_the_answer_and_twice(self):
        for provider in PROVIDERS:
            self.behave(provider, notice="before")
            order, _ = self.order(provider, channel="native")
            self.assertEqual(self.notices(order)[0]["state"], "paid")
            self.behave(provider, notice="twice")
            self.notices(self.paid(provider), 2)

    def test_a_sandbox_that_was_killed_remembers_and_tells(self):
        self.behave("wechat", notice="never")
        order = self.paid("wechat")
        world.restart_sandbox()
        self.assertEqual(self.ok("wechat", "query", order)["state"], "paid")
        self.assertEqual(self.notices(order)[0]["outcome"], "ok")


class Bills(Case):
    @staticmethod
    def today():
        return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))

    def bill(self, provider):
        return self.call(provider, "bill", {"date": self.date})

    def day(self, provider):
        """Two payments and a refund of one and the same day."""
        self.date = None
        while self.date != self.today():
            self.date = self.today()
            self.tell("DELETE", "/sandbox/payments")
            order = self.paid(provider, amount=1000)
            refund = self.refund_of(order, 300)
            self.ok(provider, "refund", refund)
            other = self.paid(provider, amount=99999)
        return order, refund, other

    def test_a_bill_file_has_a_line_of_each_payment_and_refund(self):
        for provider in PROVIDERS:
            order, refund, other = self.day(provider)
            bill = self.bill(provider)
            self.assertEqual(bill["outcome"], "ok", bill)
            payments = {line["out_trade_no"]: line for line in bill["lines"] if not line["is_refund"]}
            self.assertEqual({number: line["amount_fen"] for number, line in payments.items()},
                             {order["out_trade_no"]: 1000, other["out_trade_no"]: 99999})
            self.assertEqual(payments[order["out_trade_no"]]["transaction_id"], order["transaction_id"])
            self.assertEqual((payments[order["out_trade_no"]]["fee_fen"], payments[other["out_trade_no"]]["fee_fen"]), (6, 600))
            self.assertEqual([(line["out_refund_no"], line["amount_fen"], line["fee_fen"], line["transaction_id"])
                              for line in bill["lines"] if line["is_refund"]],
                             [(refund["out_refund_no"], 300, -2, order["transaction_id"])])

    def test_lies_of_single_lines_are_read_as_they_stand(self):
        for provider in PROVIDERS:
            self.day(provider)
            for lie, count in (("missing", 2), ("extra", 4), ("amount", 3), ("status", 4), ("duplicate", 4)):
                self.behave(provider, bill=[lie])
                bill = self.bill(provider)
                self.assertEqual((bill["outcome"], len(bill["lines"])), ("ok", count), lie)

    def test_a_file_that_is_damaged_or_disagrees_with_itself_is_unknown(self):
        for provider in PROVIDERS:
            self.day(provider)
            for lie in ("hash", "cut") + (() if provider == "unionpay" else ("summary",)):
                self.behave(provider, bill=[lie])
                self.assertEqual(self.bill(provider)["outcome"], "unknown", lie)

    def test_a_day_without_a_file_is_said_to_have_none(self):
        for provider in PROVIDERS:
            answer = self.call(provider, "bill", {"date": "2025-01-02"})
            self.assertEqual((answer["outcome"], answer["reason"]), ("refused", "no_bill"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
