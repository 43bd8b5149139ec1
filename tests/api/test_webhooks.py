"""Webhooks: endpoints are asked, events are signed, delivered at least once, logged, and repeated on demand."""
import datetime
import json
import os
import subprocess
import time
import unittest
import uuid

from client import another_gateway, behave, call, login_verified, shimin, sql, staff_session, wait_until
from receiver import Receiver

BASE = "/department/v1/webhooks"
FUND = "/v1/services/fund-balance-query/records"
TEST = "city.shimin.test"
BREAKER = ["city.shimin.department.breaker.opened", "city.shimin.department.breaker.closed"]
SWITCH = [f"city.shimin.department.switch.{what}" for what in ("set", "planned", "undone", "begun", "ended")]


class Checker:
    """The packages standardwebhooks and cloudevents, unmodified."""

    def __init__(self):
        script = os.path.join(os.path.dirname(__file__), "webhook_check.js")
        self.node = subprocess.Popen(["node", script, os.environ["SHIMIN_NODE_MODULES"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def check(self, delivery, secret, public_key=None):
        line = {"secret": secret, "public_key": public_key, "headers": delivery.headers, "body": delivery.body}
        self.node.stdin.write(json.dumps(line) + "\n")
        self.node.stdin.flush()
        return json.loads(self.node.stdout.readline())

    def close(self):
        self.node.stdin.close()
        self.node.wait(10)
        self.node.stdout.close()


@unittest.skipUnless("SHIMIN_NODE_MODULES" in os.environ, "SHIMIN_NODE_MODULES names no folder with standardwebhooks and cloudevents")
class Webhooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = staff_session("engineer", "housing-fund")
        cls.checker = Checker()
        cls.addClassCleanup(cls.checker.close)

    def receiver(self, **how):
        receiver = Receiver(**how)
        self.addCleanup(receiver.close)
        return receiver

    def add(self, receiver, *types):
        """A webhook that the test's end removes: its record and its secret."""
        answer = call(BASE, body={"url": receiver.url, "types": list(types)}, token=self.token)
        self.assertEqual(answer.status, 201, answer)
        self.addCleanup(self.remove, answer.json["webhook"]["id"])
        return answer.json["webhook"], answer.json["secret"]

    def remove(self, webhook):
        answer = self.get(webhook)
        if answer.status == 200:
            call(f"{BASE}/{webhook}", "DELETE", token=self.token, headers={"If-Match": answer.headers["ETag"]})

    def get(self, webhook, rest=""):
        return call(f"{BASE}/{webhook}{rest}", token=self.token)

    def send_test(self, webhook):
        answer = call(f"{BASE}/{webhook['id']}/test", body={"message": "你好"}, token=self.token)
        self.assertEqual(answer.status, 202, answer)
        return answer.json["event"]

    def delivery(self, webhook, event):
        """The newest delivery of the event, as the log has it."""
        return next(d for d in self.get(webhook["id"], "/deliveries").json["items"] if d["event"] == event)

    def attempts(self, webhook, event, count, seconds=40):
        """The attempts, once there are so many."""
        wait_until(lambda: len(self.delivery(webhook, event)["attempts"]) >= count, seconds, f"attempt {count}")
        return self.delivery(webhook, event)["attempts"]

    # ---- registering ----

    def test_a_secret_is_shown_once(self):
        webhook, secret = self.add(self.receiver(), *BREAKER)
        self.assertRegex(secret, r"^whsec_[A-Za-z0-9+/]{43}=$")
        for answer in (self.get(webhook["id"]), call(BASE, token=self.token), call("/admin/v1/webhooks", token=staff_session("audit"))):
            self.assertEqual(answer.status, 200)
            self.assertNotIn(secret[6:], answer.bytes.decode())
        self.assertNotIn(secret[6:], json.dumps(sql("SELECT * FROM shimin.webhook_key")))

    def test_an_endpoint_that_knows_the_handshake_is_asked_and_its_rate_is_kept(self):
        receiver = self.receiver(consent={"WebHook-Allowed-Origin": "localhost", "WebHook-Allowed-Rate": "60"})
        webhook, _ = self.add(receiver, *BREAKER)
        self.assertEqual((webhook["agreed"], webhook["rate"]), (True, 60))
        self.assertEqual(receiver.asked[0]["webhook-request-origin"], "localhost")
        unknowing, _ = self.add(self.receiver(), *BREAKER)
        self.assertEqual((unknowing["agreed"], unknowing["rate"]), (False, None))

    def test_an_endpoint_that_cannot_be_used_is_refused_with_the_reason(self):
        good, port_of_nobody = self.receiver(), self.receiver()
        port_of_nobody.close()
        cases = {
            "another origin": self.receiver(consent={"WebHook-Allowed-Origin": "elsewhere.example"}).url,
            "certificate": self.receiver(own_certificate=True).url,
            "refused": port_of_nobody.url,
            "https": good.url.replace("https", "http"),
            "address": f"https://[::1]:{good.port}/",
            "resolve": "https://no-such-host.invalid/",
        }
        for reason, url in cases.items():
            answer = call(BASE, body={"url": url, "types": BREAKER}, token=self.token, headers={"Accept-Language": "en"})
            self.assertEqual(answer.status, 422, (reason, answer))
            self.assertIn(reason, answer.bytes.decode())
        answer = call(BASE, body={"url": good.url, "types": ["city.shimin.nothing"]}, token=self.token)
        self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, "#/types"))

    def test_a_department_for_which_loopback_is_not_opened_cannot_have_it_called(self):
        receiver = self.receiver()
        answer = call(BASE, body={"url": receiver.url, "types": BREAKER}, token=staff_session("engineer", "tax"), headers={"Accept-Language": "en"})
        self.assertEqual((answer.status, receiver.asked), (422, []), answer)
        self.assertIn("not allowed", answer.bytes.decode())

    def test_the_types_are_listed_with_schemas(self):
        items = {item["type"]: item for item in call(BASE + "/types", token=self.token).json["items"]}
        self.assertLessEqual({*BREAKER, *SWITCH, TEST}, set(items))
        self.assertEqual(items[TEST]["schema"]["required"], ["message"])

    def test_a_webhook_of_another_department_is_not_found(self):
        webhook, _ = self.add(self.receiver(), *BREAKER)
        other, match = staff_session("manager", "metro"), {"If-Match": '"1"'}
        path = f"{BASE}/{webhook['id']}"
        span = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
        tried = [call(path, token=other), call(path, "PATCH", body={"state": "paused"}, token=other, headers=match),
                 call(path, "DELETE", token=other, headers=match), call(path + "/keys", body={"scheme": "v1"}, token=other),
                 call(path + "/test", body={}, token=other), call(path + "/deliveries", token=other),
                 call(path + "/deliveries/1/replay", "POST", token=other), call(path + "/replay", body=span, token=other)]
        self.assertEqual([answer.status for answer in tried], [404] * len(tried), tried)
        self.assertEqual({item["department"] for item in call(BASE, token=other).json["items"]} - {"metro"}, set())
        self.assertEqual(call(BASE, token=staff_session("system")).status, 403)
        self.assertEqual(call("/admin/v1/webhooks", token=self.token).status, 403)

    def test_a_change_needs_the_version_that_it_changes(self):
        webhook, _ = self.add(self.receiver(), *BREAKER)
        path = f"{BASE}/{webhook['id']}"
        self.assertEqual(call(path, "PATCH", body={"state": "paused"}, token=self.token).status, 428)
        changed = call(path, "PATCH", body={"state": "paused", "types": SWITCH}, token=self.token, headers={"If-Match": self.get(webhook["id"]).headers["ETag"]})
        self.assertEqual((changed.json["state"], changed.json["types"], changed.json["url"]), ("paused", SWITCH, webhook["url"]))
        self.assertEqual(call(path, "PATCH", body={"state": "active"}, token=self.token, headers={"If-Match": '"1"'}).status, 412)

    # ---- delivering ----

    def test_an_event_is_a_cloud_event_that_standard_webhooks_verifies(self):
        receiver = self.receiver()
        webhook, secret = self.add(receiver, *BREAKER)
        event = self.send_test(webhook)
        wait_until(lambda: receiver.deliveries, what="the delivery")
        checked = self.checker.check(receiver.deliveries[0], secret)["event"]
        self.assertEqual((checked["id"], checked["type"], checked["data"]), (event, TEST, {"message": "你好"}))
        self.assertEqual((checked["specversion"], checked["subject"], checked["department"]), ("1.0", "department:housing-fund", "housing-fund"))
        self.assertEqual(receiver.deliveries[0].headers["webhook-id"], event)
        self.assertEqual(receiver.deliveries[0].headers["webhook-request-origin"], "localhost")
        self.assertIn("error", self.checker.check(receiver.deliveries[0], "whsec_" + "A" * 43 + "="))
        wait_until(lambda: self.delivery(webhook, event)["state"] == "delivered", what="the end")
        self.assertEqual([(a["outcome"], a["status"]) for a in self.delivery(webhook, event)["attempts"]], [("delivered", 204)])

    def test_an_endpoint_that_was_down_gets_the_event_when_it_is_back(self):
        receiver = self.receiver()
        webhook, secret = self.add(receiver, *BREAKER)
        receiver.close()
        event = self.send_test(webhook)
        self.assertEqual(self.attempts(webhook, event, 1)[0]["outcome"], "connection_refused")
        back = self.receiver(port=receiver.port)
        wait_until(lambda: back.deliveries, what="the second attempt")
        self.assertEqual(self.checker.check(back.deliveries[0], secret)["event"]["id"], event)
        self.assertEqual([a["outcome"] for a in self.attempts(webhook, event, 2)], ["connection_refused", "delivered"])

    def test_a_failure_is_logged_with_no_more_than_a_kibibyte_of_the_answer(self):
        receiver = self.receiver(answer=lambda n: (500, {}, "坏了".encode() + b"\0" + b"x" * 5000) if n == 0 else (200, {}, b"y" * 100_000))
        webhook, _ = self.add(receiver, *BREAKER)
        event = self.send_test(webhook)
        first, second = self.attempts(webhook, event, 2)
        self.assertEqual((first["outcome"], first["status"]), ("refused", 500))
        self.assertTrue(first["answer"].startswith("坏了?xxx"), first["answer"][:20])
        self.assertLessEqual(len(first["answer"].encode()), 1024)
        self.assertEqual((second["outcome"], second["answer"]), ("delivered", None))
        apart = receiver.deliveries[1].at - receiver.deliveries[0].at
        self.assertTrue(4.9 < apart < 30, apart)
        self.assertEqual(len({d.headers["webhook-id"] for d in receiver.deliveries}), 1)

    def test_410_retires_the_webhook_and_withdraws_what_waits(self):
        receiver = self.receiver(answer=lambda n: (410, {}, b"gone"))
        webhook, _ = self.add(receiver, *BREAKER)
        event = self.send_test(webhook)
        wait_until(lambda: self.get(webhook["id"]).json["state"] == "retired", what="the retirement")
        self.assertEqual((self.delivery(webhook, event)["state"], self.get(webhook["id"]).json["waiting"]), ("given_up", 0))
        self.assertEqual(call(f"{BASE}/{webhook['id']}/test", body={}, token=self.token).status, 404)
        receiver.answer = lambda n: (204, {}, b"")
        now = self.get(webhook["id"])
        self.assertEqual(call(f"{BASE}/{webhook['id']}", "PATCH", body={"state": "active"}, token=self.token,
                              headers={"If-Match": now.headers["ETag"]}).json["state"], "active")
        self.attempts(webhook, self.send_test(webhook), 1)

    def test_429_is_obeyed_as_long_as_it_says(self):
        receiver = self.receiver(answer=lambda n: (429, {"Retry-After": "8"}, b"") if n == 0 else (204, {}, b""))
        webhook, _ = self.add(receiver, *BREAKER)
        outcomes = [a["outcome"] for a in self.attempts(webhook, self.send_test(webhook), 2)]
        self.assertEqual(outcomes, ["slow_down", "delivered"])
        self.assertGreaterEqual(receiver.deliveries[1].at - receiver.deliveries[0].at, 8)

    def test_a_redirect_is_not_followed(self):
        elsewhere = self.receiver()
        receiver = self.receiver(answer=lambda n: (307, {"Location": elsewhere.url}, b""))
        webhook, _ = self.add(receiver, *BREAKER)
        self.assertEqual(self.attempts(webhook, self.send_test(webhook), 1)[0]["outcome"], "redirect")
        self.assertEqual(elsewhere.deliveries, [])

    def test_an_answer_byte_by_byte_is_given_up_after_fifteen_seconds(self):
        receiver = self.receiver(drip=True)
        webhook, _ = self.add(receiver, *BREAKER)
        attempt = self.attempts(webhook, self.send_test(webhook), 1, 60)[0]
        self.assertEqual(attempt["outcome"], "late_head")
        self.assertTrue(14_000 < attempt["took_ms"] < 40_000, attempt)

    def test_a_certificate_for_another_name_gets_nothing(self):
        receiver = self.receiver()
        webhook, _ = self.add(receiver, *BREAKER)
        receiver.close()
        other = self.receiver(port=receiver.port, own_certificate=True)
        self.assertEqual(self.attempts(webhook, self.send_test(webhook), 1)[0]["outcome"], "certificate")
        self.assertEqual(other.deliveries, [])

    def test_a_slow_endpoint_holds_no_other_up(self):
        slow, quick = self.receiver(drip=True), self.receiver()
        first, _ = self.add(slow, *BREAKER)
        second, _ = self.add(quick, *BREAKER)
        self.send_test(first)
        wait_until(lambda: slow.deliveries, what="the slow delivery")
        self.send_test(second)
        wait_until(lambda: quick.deliveries, 12, "the quick delivery")  # the slow one is given up after fifteen

    def test_what_a_gateway_claimed_when_it_died_is_delivered_by_another(self):
        receiver = self.receiver()
        webhook, _ = self.add(receiver, *BREAKER)
        event = uuid.uuid4()
        # claimed in the transaction that makes it, so that no gateway is faster
        sql(f"BEGIN; INSERT INTO shimin.event (id, type, department, data, only_webhook) VALUES ('{event}', '{TEST}', 'housing-fund', "
            f"'{{\"message\": \"x\"}}', '{webhook['id']}'); SELECT count(*) FROM shimin.delivery_claim('{webhook['id']}', 3); COMMIT")
        began = time.time()
        wait_until(lambda: receiver.deliveries, what="the delivery")
        self.assertGreater(receiver.deliveries[0].at - began, 2)
        self.assertEqual([a["attempt"] for a in self.attempts(webhook, str(event), 1)], [2])

    def test_after_the_tenth_failure_it_is_given_up(self):
        receiver = self.receiver(answer=lambda n: (503, {}, b""))
        webhook, _ = self.add(receiver, *BREAKER)
        event, waits = self.send_test(webhook), []
        for attempt in range(1, 11):
            self.attempts(webhook, event, attempt)
            row = sql(f"SELECT id, extract(epoch FROM due_at - now()), state FROM shimin.delivery WHERE event = '{event}'")[0]
            waits.append(float(row[1]))
            if attempt < 10:
                sql(f"UPDATE shimin.delivery SET due_at = now() WHERE id = {row[0]}")
        self.assertEqual((row[2], self.delivery(webhook, event)["state"]), ("given_up", "given_up"))
        for wait, planned in zip(waits, (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)):
            self.assertTrue(planned - 30 < wait < planned * 1.1 + 1, (wait, planned))

    # ---- keys ----

    def test_a_rotated_secret_signs_beside_the_new_one_for_the_overlap(self):
        receiver = self.receiver()
        webhook, old = self.add(receiver, *BREAKER)
        new = call(f"{BASE}/{webhook['id']}/keys", body={"scheme": "v1", "overlap_hours": 1}, token=self.token).json["secret"]
        self.send_test(webhook)
        wait_until(lambda: len(receiver.deliveries) == 1, what="the first delivery")
        for secret in (old, new):
            self.assertIn("event", self.checker.check(receiver.deliveries[0], secret))
        newest = call(f"{BASE}/{webhook['id']}/keys", body={"scheme": "v1", "overlap_hours": 0}, token=self.token).json["secret"]
        self.send_test(webhook)
        wait_until(lambda: len(receiver.deliveries) == 2, what="the second delivery")
        self.assertIn("event", self.checker.check(receiver.deliveries[1], newest))
        for secret in (old, new):
            self.assertIn("error", self.checker.check(receiver.deliveries[1], secret))

    def test_a_public_key_verifies_beside_the_secret(self):
        receiver = self.receiver()
        webhook, secret = self.add(receiver, *BREAKER)
        key = call(f"{BASE}/{webhook['id']}/keys", body={"scheme": "v1a"}, token=self.token).json
        self.assertNotIn("secret", key)
        self.send_test(webhook)
        wait_until(lambda: receiver.deliveries, what="the delivery")
        self.assertIn("event", self.checker.check(receiver.deliveries[0], secret, key["public_key"]))
        self.assertIn("error", self.checker.check(receiver.deliveries[0], secret, "whpk_" + "A" * 43 + "="))

    # ---- again ----

    def test_one_delivery_and_a_span_can_be_repeated(self):
        receiver = self.receiver(answer=lambda n: (204, {}, b""))
        webhook, _ = self.add(receiver, *BREAKER)
        span = {"from": "2026-01-01T00:00:00Z", "to": (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()}
        event = uuid.uuid4()
        sql(f"INSERT INTO shimin.event (id, type, department, data) VALUES ('{event}', '{BREAKER[0]}', 'housing-fund', '{{\"n\": 1}}')")
        wait_until(lambda: self.delivery(webhook, str(event))["state"] == "delivered", what="the delivery")
        replayed = call(f"{BASE}/{webhook['id']}/deliveries/{self.delivery(webhook, str(event))['id']}/replay", "POST", token=self.token)
        self.assertEqual(replayed.status, 202)
        wait_until(lambda: len(receiver.deliveries) == 2, what="the repetition")
        self.assertEqual({d.headers["webhook-id"] for d in receiver.deliveries}, {str(event)})
        wait_until(lambda: self.delivery(webhook, str(event))["state"] == "delivered", what="the end")
        self.assertRegex(self.delivery(webhook, str(event))["replayed_by"], "^staff:engineer")
        path = f"{BASE}/{webhook['id']}/replay"
        everything = call(path, body={**span, "undelivered_only": False}, token=self.token).json["count"]
        self.assertGreaterEqual(everything, 1)
        wait_until(lambda: len([d for d in receiver.deliveries if d.headers["webhook-id"] == str(event)]) == 3, what="the span")
        wait_until(lambda: self.get(webhook["id"]).json["waiting"] == 0, 30, "the end of the span")
        self.assertEqual(call(path, body=span, token=self.token).json["count"], 0)

    def test_a_paused_webhook_gets_what_waited_when_it_goes_on(self):
        receiver = self.receiver()
        webhook, _ = self.add(receiver, *BREAKER)
        path = f"{BASE}/{webhook['id']}"
        tag = self.get(webhook["id"]).headers["ETag"]
        tag = call(path, "PATCH", body={"state": "paused"}, token=self.token, headers={"If-Match": tag}).headers["ETag"]
        sql(f"INSERT INTO shimin.event (type, department, data) VALUES ('{BREAKER[0]}', 'housing-fund', '{{\"n\": 2}}')")
        self.assertEqual(self.get(webhook["id"]).json["waiting"], 1)
        self.assertEqual(call(path, "PATCH", body={"state": "active"}, token=self.token, headers={"If-Match": tag}).status, 200)
        wait_until(lambda: receiver.deliveries, what="the delivery")
        self.assertEqual(len(receiver.deliveries), 1)

    # ---- what is told ----

    def told(self, receiver, type_name):
        return [json.loads(d.body) for d in receiver.deliveries if json.loads(d.body)["type"] == type_name]

    def test_a_breaker_that_opens_and_closes_is_told_once_each_though_every_worker_has_one(self):
        receiver = self.receiver()
        self.add(receiver, *BREAKER)
        behave("housing-fund", "failing")
        self.addCleanup(behave, "housing-fund")

        def ask():
            """Twenty questions whose answers are in no cache, so that each asks the department; their statuses."""
            token = login_verified()
            return {call(f"{FUND}?year={2000 + n}", token=token).status for n in range(20)}

        wait_until(lambda: ask() == {503}, what="the breakers' opening")
        wait_until(lambda: self.told(receiver, BREAKER[0]), what="the event")
        state = call("/department/v1/breaker", token=self.token).json
        self.assertEqual(state["state"], "open")
        behave("housing-fund")
        wait_until(lambda: (ask(), self.told(receiver, BREAKER[1]))[1], what="the other event")
        self.assertEqual((len(self.told(receiver, BREAKER[0])), len(self.told(receiver, BREAKER[1]))), (1, 1))
        opened = self.told(receiver, BREAKER[0])[0]
        self.assertEqual((opened["data"]["state"], opened["data"]["department"]), ("open", "housing-fund"))
        self.assertEqual(self.told(receiver, BREAKER[1])[0]["data"]["gateway"], opened["data"]["gateway"])
        wait_until(lambda: call("/department/v1/breaker", token=self.token).json["state"] == "closed", what="the state")
        self.assertEqual(call("/department/v1/breaker", token=staff_session("engineer", "metro")).json["gateways"], [])

    def test_client_certificates_that_end_soon_are_told_once_at_thirty_days_and_once_at_seven(self):
        receiver, kind = self.receiver(), "city.shimin.department.certificate.expiring"
        self.add(receiver, kind)
        ends = {"soon": "20 days", "sooner": "3 days", "far": "40 days", "over": "-1 day", "replaced": "10 days", "revoked": "10 days"}
        names = {name: f"housing-fund.{name}-{uuid.uuid4().hex[:8]}" for name in ends}
        for name, end in ends.items():
            sql(f"""INSERT INTO shimin.client (id, department, name, title, scopes, created_by)
                    VALUES ('{names[name]}', 'housing-fund', split_part('{names[name]}', '.', 2), 'test', '{{traffic}}', 'test');
                    INSERT INTO shimin.client_credential (id, client_id, method, certificate, created_by, expires_at, revoked_at)
                    VALUES (gen_random_uuid(), '{names[name]}', 'self_signed_tls_client_auth', 'x', 'test', now() + interval '{end}',
                            {"now()" if name == "revoked" else "NULL"})""")
        sql(f"""INSERT INTO shimin.client_credential (id, client_id, method, certificate, created_by, expires_at)
                VALUES (gen_random_uuid(), '{names["replaced"]}', 'self_signed_tls_client_auth', 'y', 'test', now() + interval '1 year')""")

        def subjects():
            return sorted(event["subject"] for event in self.told(receiver, kind) if event["subject"].removeprefix("client:") in names.values())

        expected = sorted("client:" + names[name] for name in ("soon", "sooner"))
        with another_gateway():  # one keeps house as soon as it is there
            wait_until(lambda: subjects() == expected, what="the events")
        event = next(event for event in self.told(receiver, kind) if event["subject"] == "client:" + names["soon"])
        self.assertEqual((event["data"]["which"], event["data"]["department"]), ("client", "housing-fund"))
        self.assertIn(event["data"]["days"], (19, 20))
        self.assertEqual(sql("SELECT shimin.tell_expiring_certificates()"), [["0"]])
        # seventeen days later
        sql(f"UPDATE shimin.client_credential SET expires_at = expires_at - interval '17 days' WHERE client_id = '{names['soon']}'")
        self.assertEqual(sql("SELECT shimin.tell_expiring_certificates()"), [["1"]])
        self.assertEqual(sql("SELECT shimin.tell_expiring_certificates()"), [["0"]])
        wait_until(lambda: len(subjects()) == 3, what="the second event")
        sql(f"UPDATE shimin.client_credential SET revoked_at = now() WHERE client_id IN ({', '.join(repr(name) for name in names.values())})")

    def test_a_gate_that_failed_and_probes_that_fail_are_told(self):
        receiver = self.receiver()
        kinds = [f"city.shimin.department.{kind}" for kind in ("gate.failed", "probe.failed", "probe.recovered")]
        self.add(receiver, *kinds)
        service = f"webhook-test-{uuid.uuid4().hex[:8]}"
        # a version that is nowhere at work: the registry's own tests have the gate run
        sql(f"""INSERT INTO shimin.system (department, name, changed_by) VALUES ('housing-fund', '{service}', 'test');
                INSERT INTO shimin.service_version (service, number, department, system, contract_sha256, state, definition, created_by)
                SELECT '{service}', 1, slug, '{service}', contract_sha256, 'withdrawn', '{{"slug": "{service}"}}', 'test'
                FROM shimin.department WHERE slug = 'housing-fund';
                INSERT INTO shimin.gate_report (service, number, passed, report) VALUES ('{service}', 1, true, '[]'),
                ('{service}', 1, false, '[{{"name": "masks", "result": "failed"}}, {{"name": "replay", "result": "passed"}}]');
                INSERT INTO shimin.service_probe (service, number, owner, leased_until) VALUES ('{service}', 1, 'test', 'infinity')""")
        for passed in ("true", "true", "false", "false", "true"):
            sql(f"UPDATE shimin.service_probe SET passed = {passed} WHERE service = '{service}'")
        for kind in kinds:
            wait_until(lambda: self.told(receiver, kind), what=kind)
        self.assertEqual([len(self.told(receiver, kind)) for kind in kinds], [1, 1, 1])
        failed = self.told(receiver, kinds[0])[0]
        self.assertEqual((failed["subject"], failed["data"]["failed"], failed["data"]["number"]), (f"service:{service}", ["masks"], 1))
        sql(f"DELETE FROM shimin.service_probe WHERE service = '{service}'")

    def test_switches_are_told_when_they_are_set_announced_undone_begin_and_end(self):
        receiver = self.receiver()
        self.add(receiver, *SWITCH)
        self.addCleanup(shimin, "switch", "fund-balance-query", "open")

        def switch(*words):
            done = shimin("switch", *words)
            self.assertEqual(done.returncode, 0, done.stderr)

        def at(seconds):
            return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat(timespec="seconds")

        switch("fund-balance-query", "read_only", "--reason", "演练")
        wait_until(lambda: self.told(receiver, SWITCH[0]), what="set")
        told = self.told(receiver, SWITCH[0])[0]
        self.assertEqual((told["subject"], told["data"]["position"], told["data"]["reason"]["zh"], told["data"]["services"]),
                         ("service:fund-balance-query", "read_only", "演练", ["fund-balance-query"]))
        switch("undo", str(told["data"]["switch"]))
        wait_until(lambda: self.told(receiver, SWITCH[2]), what="undone")
        switch("fund-balance-query", "off", "--reason", "维护", "--from", at(6), "--until", at(9))
        for what in (SWITCH[1], SWITCH[3], SWITCH[4]):
            wait_until(lambda: self.told(receiver, what), what=what)
        ids = {self.told(receiver, what)[0]["data"]["switch"] for what in (SWITCH[1], SWITCH[3], SWITCH[4])}
        self.assertEqual(len(ids), 1)
        self.assertEqual({what: len(self.told(receiver, what)) for what in SWITCH}, dict.fromkeys(SWITCH, 1))


if __name__ == "__main__":
    unittest.main()
