"""Administrators' switches: previewed, confirmed by a second person where they reach far, taken up by every gateway, undone."""
import datetime
import os
import unittest
import urllib.parse
import uuid

from relay import Relay, postgres_address
from client import another_gateway, call, login_verified, sql, staff_session, wait_until

FUND = "/v1/services/fund-balance-query/records"
REASON = {"zh": "系统升级", "en": "Upgrade"}


def wish(position="off", target="fund-balance-query", scope="service", **more):
    return {"scope": scope, "position": position, "reason": REASON, **({"target": target} if target else {}), **more}


def later(**span):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**span)).isoformat(timespec="seconds")


class Switches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.admin, cls.second, cls.auditor = staff_session("system"), staff_session("system"), staff_session("audit")

    def send(self, path, body=None, token=None, status=201):
        answer = call("/admin/v1/" + path, "POST", body, token=token or self.admin)
        self.assertEqual(answer.status, status, answer)
        return answer

    def tearDown(self):
        for entry in call("/admin/v1/switches?limit=100", token=self.admin).json["items"]:
            if entry["set_by"].startswith("staff:") and entry["position"] != "open":
                self.send(f"switches/{entry['id']}/undo")

    def test_a_switch_is_in_force_when_its_answer_comes_and_says_which_gateways_took_it_up(self):
        token = login_verified()
        answer = self.send("switches", wish())
        self.assertTrue(answer.json["taken_up"]["confirmed"])
        self.assertIn((True, False), [(g["confirmed"], g["stale"]) for g in answer.json["taken_up"]["gateways"]])
        refused = call(FUND, token=token, headers={"Accept-Language": "en"})
        self.assertEqual((refused.status, refused.json["detail"]), (503, "Upgrade"))
        entry = call(answer.headers["Location"], token=self.auditor).json
        self.assertEqual((entry["state"], entry["position"], entry["set_by"][:6]), ("holds", "off", "staff:"))
        undone = self.send(f"switches/{entry['id']}/undo")
        self.assertEqual(undone.json["switch"]["undoes"], entry["id"])
        self.assertEqual(call(FUND, token=token).status, 200)
        self.assertEqual(call(answer.headers["Location"], token=self.auditor).json["state"], "undone")
        self.send(f"switches/{entry['id']}/undo", status=409)

    def test_what_is_sent_again_under_its_key_is_set_once(self):
        entries = lambda: [e["id"] for e in call("/admin/v1/switches?state=history&target=fund-balance-query&limit=100", token=self.admin).json["items"]]
        def again(path, body=None, status=201):
            headers = {"Idempotency-Key": f'"{uuid.uuid4()}"'}
            first, second = (call("/admin/v1/" + path, "POST", body, token=self.admin, headers=headers) for _ in range(2))
            self.assertEqual((first.status, second.status, second.json), (status, status, first.json), (path, first, second))
            self.assertEqual((first.headers["Idempotency-Replayed"], second.headers["Idempotency-Replayed"]), (None, "true"))
            return first, headers
        before = entries()
        first, headers = again("switches", wish("read_only"))
        self.assertEqual(entries(), [first.json["switch"]["id"], *before])
        reused = call("/admin/v1/switches", "POST", wish("off"), token=self.admin, headers=headers)
        self.assertEqual((reused.status, reused.json["code"]), (422, "idempotency-key-reused"))
        undone, _ = again(f"switches/{first.json['switch']['id']}/undo")
        self.assertEqual(entries(), [undone.json["switch"]["id"], first.json["switch"]["id"], *before])
        setting, _ = again("settings", {"scope": "service", "target": "fund-balance-query", "name": "deadline_ms", "value": 1500})
        again(f"settings/{setting.json['setting']['id']}/undo")
        proposed, _ = again("switches", wish("off", None, "city"), status=202)
        again(f"proposals/{proposed.json['proposal']['id']}/refuse", status=200)

    def test_a_plan_is_announced_and_listed_as_planned(self):
        answer = self.send("switches", wish("no_new", "housing-fund", "department", **{"from": later(hours=1), "until": later(hours=2)}))
        self.assertEqual(call(answer.headers["Location"], token=self.admin).json["state"], "planned")
        self.assertEqual(call("/v1/services/fund-balance-query").json["planned"][0]["position"], "no_new")
        planned = call("/admin/v1/switches?state=planned&scope=department&target=housing-fund", token=self.admin).json["items"]
        self.assertEqual([entry["id"] for entry in planned], [answer.json["switch"]["id"]])

    def test_what_reaches_far_waits_until_another_member_of_staff_confirms_it(self):
        far = wish("read_only", "livelihood", "category")
        self.assertTrue(self.send("switches/preview", far, status=200).json["needs_second_person"])
        answer = self.send("switches", far, status=202)
        self.assertEqual(call("/v1/services/fund-balance-query").json["switch"]["position"], "open")
        proposal = answer.headers["Location"].removeprefix("/admin/v1/")
        self.assertIn(answer.json["proposal"]["id"], [p["id"] for p in call("/admin/v1/proposals", token=self.second).json["items"]])
        self.send(proposal + "/confirm", status=403)
        self.send(proposal + "/confirm", token=self.auditor, status=403)
        done = self.send(proposal + "/confirm", token=self.second, status=200)
        self.assertEqual((done.json["proposal"]["state"], done.json["switch"]["proposal"]), ("confirmed", answer.json["proposal"]["id"]))
        self.assertEqual(call("/v1/services/fund-balance-query").json["switch"]["position"], "read_only")
        self.send(proposal + "/confirm", token=self.second, status=409)

    def test_a_refused_or_expired_proposal_changes_nothing(self):
        answer = self.send("switches", wish("off", None, "city"), status=202)
        proposal = answer.headers["Location"].removeprefix("/admin/v1/")
        self.assertEqual(self.send(proposal + "/refuse", token=self.second, status=200).json["proposal"]["state"], "refused")
        self.send(proposal + "/confirm", token=self.second, status=409)
        sql("INSERT INTO shimin.proposal (kind, wish, reach, proposed_by, expires_at) VALUES "
            "('switch', '{\"scope\": \"city\", \"position\": \"off\"}', 187, 'staff:test', now() - interval '1 second')")
        expired = call("/admin/v1/proposals?state=all", token=self.second).json["items"][0]
        self.assertEqual(expired["state"], "expired")
        self.send(f"proposals/{expired['id']}/confirm", token=self.second, status=409)
        self.assertEqual(call("/v1/services/fund-balance-query").json["switch"]["position"], "open")

    def test_an_operator_ends_at_their_department(self):
        operator = staff_session("operator", department="housing-fund")
        self.send("switches", wish(), token=operator)
        answer = self.send("switches", wish("read_only", "housing-fund", "department"), token=operator)
        for foreign in (wish(target="metro-line-timetable"), wish(target="metro", scope="department"), wish(target="livelihood", scope="category"),
                        wish(target="510104", scope="area"), wish(target=None, scope="city")):
            self.send("switches", foreign, token=operator, status=403)
            self.send("switches/preview", foreign, token=operator, status=403)
        other = staff_session("operator", department="metro")
        self.send(f"switches/{answer.json['switch']['id']}/undo", token=other, status=403)
        self.send(f"switches/{answer.json['switch']['id']}/undo", token=operator)

    def test_an_operator_ends_at_their_area(self):
        operator = staff_session("operator", area="510104")
        self.send("switches", wish(target="510104017", scope="area"), token=operator)
        self.send("switches", wish(target="510105", scope="area"), token=operator, status=403)
        self.send("switches", wish(), token=operator, status=403)

    def test_a_preview_counts_what_is_known_and_says_why_the_rest_is_not(self):
        token = login_verified()
        for _ in range(3):
            call(FUND, token=token)
        def counted():
            answer = self.send("switches/preview", wish("off", "housing-fund", "department"), status=200).json
            return answer["calls_last_hour"] >= 3 and answer
        answer = wait_until(counted)
        self.assertIn("fund-balance-query", answer["services"])
        self.assertEqual(answer["reach"], len(answer["services"]))
        self.assertFalse(answer["needs_second_person"])
        self.assertGreaterEqual(answer["sessions_active"], 1)
        for figure in ("open_cases", "bookings_tomorrow", "unsettled_payments"):
            self.assertIsNone(answer[figure])
            self.assertTrue(answer["unknown"][figure]["en"])
        self.assertEqual(call("/v1/services/fund-balance-query").json["switch"]["position"], "open")

    def test_the_history_goes_on_over_pages_without_gap_or_repetition(self):
        made = []
        for position in ("read_only", "no_new", "off", "open", "off"):
            made.append(self.send("switches", wish(position)).json["switch"]["id"])
        path, seen = "/admin/v1/switches?state=history&scope=service&target=fund-balance-query&limit=2", []
        while len(seen) < 5:
            page = call(path, token=self.auditor).json
            seen += [entry["id"] for entry in page["items"]]
            if not page["next_cursor"]:
                break
            path = path.split("&cursor")[0] + "&cursor=" + urllib.parse.quote(page["next_cursor"])
        self.assertEqual(seen[:5], sorted(made, reverse=True))
        self.assertEqual(call("/admin/v1/switches?cursor=AAAA", token=self.auditor).status, 400)

    def test_faults_are_named_where_they_are(self):
        for body, pointer in ((wish(target="no-such"), "/target"), ({"scope": "service", "target": "fund-balance-query", "position": "off"}, "/reason"),
                              (wish(until="2020-01-01T00:00:00Z"), "/until"), (wish(**{"from": later(hours=2), "until": later(hours=1)}), "/until")):
            answer = self.send("switches", body, status=422)
            self.assertTrue(answer.json["errors"][0]["pointer"].endswith(pointer), answer)
        for body in (wish(position="ajar"), wish(target=None), wish(target="x", scope="city"), wish(share=100), wish(more=1)):
            self.send("switches", body, status=422)
        self.send("switches/99999999/undo", status=404)
        self.send("proposals/99999999/confirm", status=404)

    def test_who_is_not_of_the_staff_switches_nothing(self):
        for token, status in ((None, 401), (login_verified(), 401), (self.auditor, 403), (staff_session("security"), 403),
                              (staff_session("engineer", department="housing-fund"), 403)):
            self.assertEqual(call("/admin/v1/switches", body=wish(), token=token).status, status)


class Gateways(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.admin = staff_session("system")

    def gateways(self):
        return call("/admin/v1/gateways", token=self.admin).json["items"]

    def test_two_gateways_agree_and_both_confirm(self):
        with another_gateway() as other:
            wait_until(lambda: sum(not g["stale"] for g in self.gateways()) >= 2, what="the second gateway in the list")
            token = login_verified()
            answer = call("/admin/v1/switches", body=wish(), token=self.admin).json
            self.assertTrue(answer["taken_up"]["confirmed"])
            self.assertGreaterEqual(sum(g["confirmed"] for g in answer["taken_up"]["gateways"]), 2)
            self.assertEqual([call(FUND, token=token, base=base).status for base in (other, os.environ["SHIMIN_URL"])], [503, 503])
            call(f"/admin/v1/switches/{answer['switch']['id']}/undo", "POST", token=self.admin)
            self.assertEqual(call(FUND, token=token, base=other).status, 200)
        wait_until(lambda: sum(not g["stale"] for g in self.gateways()) == 1, what="its leave")

    def test_a_gateway_that_falls_silent_is_stale_and_does_not_hold_up_a_switch(self):
        sql("INSERT INTO shimin.gateway (id, host, program, workers, started_at, version, switches_version, beat_at) VALUES "
            "(gen_random_uuid(), 'lost', '0', 1, now(), 1, 1, now() - interval '10 seconds')")
        lost = [g for g in self.gateways() if g["host"] == "lost"][0]
        self.assertTrue(lost["stale"])
        self.assertFalse(lost["current"])
        answer = call("/admin/v1/switches", body=wish("open"), token=self.admin).json
        self.assertTrue(answer["taken_up"]["confirmed"])
        self.assertIn({"host": "lost", "confirmed": False, "stale": True},
                      [{k: g[k] for k in ("host", "confirmed", "stale")} for g in answer["taken_up"]["gateways"]])
        sql("DELETE FROM shimin.gateway WHERE host = 'lost'")

    def test_readiness_names_the_snapshot_and_the_last_contact(self):
        said = call("/readyz?verbose", base=os.environ["SHIMIN_OPERATIONS"]).bytes.decode()
        self.assertRegex(said, r"\[\+\] catalogue: snapshot \d+\.\d+\n")
        self.assertRegex(said, r"\[\+\] postgres\n\[.\] presence: last contact \d+\.\d s ago\n")

    def test_one_that_is_cut_off_from_postgres_says_so_goes_on_and_catches_up(self):
        known = {g["id"] for g in self.gateways()}
        with Relay(*postgres_address()) as relay, another_gateway(**relay.environment()) as other:
            mine = lambda: next((g for g in self.gateways() if g["id"] not in known), {"stale": None, "current": None})
            ready = lambda: call("/readyz?verbose", base=other.operations)
            position = lambda: call("/v1/services/fund-balance-query", base=other).json["switch"]["position"]
            wait_until(lambda: mine()["current"] and not mine()["stale"], 30, "the second gateway in the list")
            wait_until(lambda: b"[+] presence" in ready().bytes, 30, "its presence")
            relay.cut()
            wait_until(lambda: mine()["stale"], 30, "its silence in the list")
            wait_until(lambda: b"[-] presence: last contact" in ready().bytes, 30, "its own word of that")
            said = ready()
            self.assertEqual(said.status, 503, said)
            self.assertIn(b"[-] postgres\n", said.bytes)
            answer = call("/admin/v1/switches", body=wish("read_only"), token=self.admin).json
            self.assertTrue(answer["taken_up"]["confirmed"])
            self.assertIn((mine()["id"], False, True), [(g["id"], g["confirmed"], g["stale"]) for g in answer["taken_up"]["gateways"]])
            self.assertEqual((position(), mine()["current"]), ("open", False))
            relay.mend()
            wait_until(lambda: position() == "read_only", 60, "the switch that it missed")
            wait_until(lambda: mine()["current"] and not mine()["stale"], 30, "its word in the list")
            wait_until(lambda: ready().status == 200 and b"[+] presence" in ready().bytes, 30, "readiness")
            call(f"/admin/v1/switches/{answer['switch']['id']}/undo", "POST", token=self.admin)
            wait_until(lambda: position() == "open", 30, "the undo")


if __name__ == "__main__":
    unittest.main()
