"""Programs that are not ours check our providers and the sandbox: the npm packages wechatpay-axios-plugin and alipay-sdk, unmodified.
SHIMIN_NODE_MODULES names the folder that holds them. Usage: packages_test.py MERCHANT SANDBOX ROOT."""
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import threading
import time
import unittest
import urllib.parse
import uuid

import providers_test as shared
from providers_test import world

MODULES = os.environ.get("SHIMIN_NODE_MODULES")


class Recorder(http.server.ThreadingHTTPServer):
    """Stands between a caller and a server, and keeps what both said."""
    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), Passing)
        self.target, self.kept = target, []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=shared.PATIENCE)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        text = answer.read()
        self.server.kept.append({"method": self.command, "target": self.path, "body": body.decode(),
                                 "headers": {name.lower(): value for name, value in self.headers.items()},
                                 "answer": text.decode(errors="replace"),
                                 "answer_headers": {name.lower(): value for name, value in answer.getheaders()}})
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *_):
        pass


@unittest.skipUnless(MODULES, "SHIMIN_NODE_MODULES names no folder with wechatpay-axios-plugin and alipay-sdk")
class Packages(shared.Case):
    @classmethod
    def setUpClass(cls):
        cls.calls, cls.notices_sent = Recorder(world.providers), Recorder(world.merchant)
        text = world.config.read_text(encoding="utf-8").replace(f"127.0.0.1:{world.providers}", f"127.0.0.1:{cls.calls.server_port}")
        world.config.write_text(text.replace(f"127.0.0.1:{world.merchant}/", f"127.0.0.1:{cls.notices_sent.server_port}/"), encoding="utf-8")
        world.start()
        script = pathlib.Path(__file__).with_name("packages_check.js")
        cls.node = subprocess.Popen(["node", script, MODULES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.keys = pathlib.Path(world.folder.name) / "payments"

    @classmethod
    def tearDownClass(cls):
        cls.node.stdin.close()
        cls.node.wait(shared.PATIENCE)
        cls.node.stdout.close()
        for recorder in (cls.calls, cls.notices_sent):
            recorder.shutdown()
            recorder.server_close()
        world.stop()

    def setUp(self):
        super().setUp()
        self.calls.kept.clear()
        self.notices_sent.kept.clear()

    def file(self, name):
        return (self.keys / name).read_text(encoding="ascii")

    def serial(self, name):
        done = subprocess.run(["openssl", "x509", "-in", self.keys / name, "-noout", "-serial"], capture_output=True, text=True, check=True)
        return done.stdout.strip().partition("=")[2]

    def ask_package(self, what, **more):
        self.node.stdin.write(json.dumps({"ask": what} | more) + "\n")
        self.node.stdin.flush()
        said = json.loads(self.node.stdout.readline())
        self.assertNotIn("error", said)
        return said["answer"]

    def all_calls(self, provider):
        order = self.paid(provider, channel="native")
        refund = self.refund_of(order, 34)
        self.ok(provider, "refund", refund)
        self.ok(provider, "refund_query", refund)
        self.notices(order, 2)
        closed, _ = self.order(provider, channel="native")
        self.ok(provider, "close", closed)
        return order, refund

    def test_wechatpay_axios_plugin_verifies_our_requests_and_the_sandboxs_answers(self):
        self.all_calls("wechat")
        self.assertGreaterEqual(len(self.calls.kept), 6)
        for call in self.calls.kept:
            self.assertTrue(self.ask_package("wechat_request", method=call["method"], target=call["target"], body=call["body"],
                                             authorization=call["headers"]["authorization"], certificate=self.file("wechat-merchant.pem")))
            self.assertTrue(self.ask_package("wechat_signed", headers=call["answer_headers"], body=call["answer"],
                                             certificate=self.file("wechat-platform.pem")))
        spoilt = self.calls.kept[0]
        self.assertFalse(self.ask_package("wechat_request", method="POST", target=spoilt["target"], body=spoilt["body"] + " ",
                                          authorization=spoilt["headers"]["authorization"], certificate=self.file("wechat-merchant.pem")))

    def test_wechatpay_axios_plugin_verifies_and_opens_the_sandboxs_notices(self):
        order, refund = self.all_calls("wechat")
        opened = []
        for notice in self.notices_sent.kept:
            self.assertTrue(self.ask_package("wechat_signed", headers=notice["headers"], body=notice["body"],
                                             certificate=self.file("wechat-platform.pem")))
            opened.append(self.ask_package("wechat_open", body=notice["body"], key=self.file("wechat-v3.key")))
        self.assertEqual({one["out_trade_no"] for one in opened}, {order["out_trade_no"]})
        self.assertIn(refund["out_refund_no"], [one.get("out_refund_no") for one in opened])

    def test_wechatpay_axios_plugin_verifies_what_the_app_is_given(self):
        _, cashier = self.order("wechat")
        self.assertTrue(self.ask_package("wechat_bridge", cashier=cashier, certificate=self.file("wechat-merchant.pem")))

    def test_we_take_a_notice_that_wechatpay_axios_plugin_made(self):
        number = uuid.uuid4().hex[:30]
        resource = {"mchid": "1900000109", "appid": "wx0000000000000001", "out_trade_no": number, "transaction_id": "4200001",
                    "trade_type": "APP", "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS",
                    "success_time": "2026-11-24T08:00:00+08:00", "payer": {"openid": "o"},
                    "amount": {"total": 77, "payer_total": 77, "currency": "CNY", "payer_currency": "CNY"}}
        made = self.ask_package("wechat_notice", resource=resource, event="TRANSACTION.SUCCESS", private_key=self.file("wechat-platform.key"),
                                key=self.file("wechat-v3.key"))
        connection = http.client.HTTPConnection("127.0.0.1", world.merchant, timeout=shared.PATIENCE)
        connection.request("POST", "/notices/wechat", made["body"].encode(), made["headers"] | {"wechatpay-serial": self.serial("wechat-platform.pem")})
        self.assertEqual(connection.getresponse().status, 204)
        connection.close()
        notice = self.notices({"out_trade_no": number})[0]
        self.assertEqual((notice["state"], notice["amount_fen"], notice["transaction_id"]), ("paid", 77, "4200001"))

    def test_wechatpay_axios_plugin_is_served_as_a_merchant(self):
        number = uuid.uuid4().hex[:30]
        order = {"appid": "wx0000000000000001", "mchid": "1900000109", "description": "水费", "out_trade_no": number,
                 "notify_url": f"http://127.0.0.1:{world.merchant}/notices/wechat", "amount": {"total": 9, "currency": "CNY"}}
        answer = self.ask_package("wechat_merchant", base=f"http://127.0.0.1:{world.providers}/", mchid="1900000109",
                                  serial=self.serial("wechat-merchant.pem"), private_key=self.file("wechat-merchant.key"),
                                  platform_serial=self.serial("wechat-platform.pem"), certificate=self.file("wechat-platform.pem"), order=order)
        self.assertTrue(answer["code"].startswith("weixin://"))
        self.assertEqual(answer["state"], "NOTPAY")

    def alipay_keys(self, private, public):
        return {"app_id": "2021000000000001", "private_key": "".join(self.file(private).split("\n")[1:-2]),
                "public_key": "".join(self.file(public).split("\n")[1:-2]), "gateway": f"http://127.0.0.1:{world.providers}/gateway.do"}

    def test_alipay_sdk_verifies_our_requests(self):
        self.all_calls("alipay")
        _, cashier = self.order("alipay")
        forms = [dict(urllib.parse.parse_qsl(call["body"])) for call in self.calls.kept] + [dict(urllib.parse.parse_qsl(cashier["order"]))]
        self.assertGreaterEqual(len(forms), 7)
        for form in forms:
            keys = self.alipay_keys("alipay-app.key", "alipay-app.pub")
            self.assertTrue(self.ask_package("alipay_form", form=form, **keys))
            self.assertFalse(self.ask_package("alipay_form", form=form | {"timestamp": "2026-11-24 00:00:00"}, **keys))

    def test_alipay_sdk_verifies_the_sandboxs_notices(self):
        self.all_calls("alipay")
        self.assertGreaterEqual(len(self.notices_sent.kept), 2)
        for notice in self.notices_sent.kept:
            form = dict(urllib.parse.parse_qsl(notice["body"]))
            keys = self.alipay_keys("alipay-app.key", "alipay-platform.pub")
            self.assertTrue(self.ask_package("alipay_form", form=form, **keys))
            self.assertFalse(self.ask_package("alipay_form", form=form | {"total_amount": "1.00"}, **keys))

    def test_alipay_sdk_is_served_as_a_merchant_and_verifies_its_answers(self):
        number, keys = uuid.uuid4().hex[:30], self.alipay_keys("alipay-app.key", "alipay-platform.pub")
        made = self.ask_package("alipay_merchant", method="alipay.trade.precreate",
                                content={"out_trade_no": number, "total_amount": "0.09", "subject": "水费"}, **keys)
        self.assertEqual((made["code"], made["outTradeNo"]), ("10000", number))
        asked = self.ask_package("alipay_merchant", method="alipay.trade.query", content={"out_trade_no": number}, **keys)
        self.assertEqual((asked["tradeStatus"], asked["totalAmount"]), ("WAIT_BUYER_PAY", "0.09"))

    def test_we_take_a_notice_that_alipay_sdk_signed(self):
        number, now = uuid.uuid4().hex[:30], time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
        form = {"notify_time": now, "notify_type": "trade_status_sync", "notify_id": number, "sign_type": "RSA2", "trade_no": "2026001",
                "out_trade_no": number, "seller_id": "2088000000000001", "trade_status": "TRADE_SUCCESS", "total_amount": "0.77",
                "gmt_payment": now, "subject": "水费 & 电费"}
        made = self.ask_package("alipay_notice", form=form, **self.alipay_keys("alipay-platform.key", "alipay-platform.pub"))
        connection = http.client.HTTPConnection("127.0.0.1", world.merchant, timeout=shared.PATIENCE)
        connection.request("POST", "/notices/alipay", urllib.parse.urlencode(made), {"content-type": "application/x-www-form-urlencoded"})
        self.assertEqual(connection.getresponse().read(), b"success")
        connection.close()
        notice = self.notices({"out_trade_no": number})[0]
        self.assertEqual((notice["state"], notice["amount_fen"], notice["transaction_id"]), ("paid", 77, "2026001"))


if __name__ == "__main__":
    unittest.main(argv=["packages_test"])
