"""Limits, breakers, deadlines, caches and concurrency, changed live for a service or a department."""
import concurrent.futures
import time
import unittest

from client import behave, call, login_verified, staff_session, wait_until

FUND = "/v1/services/fund-balance-query/records"


class Settings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.admin, cls.second = staff_session("system"), staff_session("system")

    def send(self, path, body=None, token=None, status=201):
        answer = call("/admin/v1/" + path, "POST", body, token=token or self.admin)
        self.assertEqual(answer.status, status, answer)
        return answer

    def set(self, name, value, target="fund-balance-query", scope="service", **more):
        return self.send("settings", {"scope": scope, "target": target, "name": name, "value": value, "reason": "test"}, **more)

    def tearDown(self):
        behave("housing-fund")
        for entry in call("/admin/v1/settings?limit=100", token=self.admin).json["items"]:
            self.set(entry["name"], None, entry["target"], entry["scope"])
        self.assertEqual(call("/admin/v1/settings", token=self.admin).json["items"], [])

    def test_a_limit_of_a_service_holds_at_once_and_is_gone_when_it_is_undone(self):
        token = login_verified()
        answer = self.set("limit", {"requests": 3, "window": 3600})
        self.assertTrue(answer.json["taken_up"]["confirmed"])
        statuses = [call(FUND, token=token).status for _ in range(6)]
        self.assertIn(429, statuses)
        refused = wait_until(lambda: (a := call(FUND, token=token)).status == 429 and a)
        self.assertEqual(refused.json["violated-policies"], ["service"])
        self.send(f"settings/{answer.json['setting']['id']}/undo")
        self.assertEqual(call(FUND, token=token).status, 200)
        self.send(f"settings/{answer.json['setting']['id']}/undo", status=409)

    def test_a_limit_of_a_department_counts_all_of_its_services(self):
        token = login_verified()
        self.set("limit", {"requests": 2, "window": 3600}, "housing-fund", "department")
        refused = wait_until(lambda: (a := call(FUND, token=token)).status == 429 and a)
        self.assertEqual(refused.json["violated-policies"], ["department"])

    def test_a_deadline_of_a_service_goes_before_its_departments(self):
        token = login_verified()
        self.set("cache", {"fresh": 0, "stale": 0})
        behave("housing-fund", "slow", delay_ms=500)
        self.assertEqual(call(FUND + "?year=2021", token=token).status, 200)
        self.set("deadline_ms", 200, "housing-fund", "department")
        self.assertEqual(call(FUND + "?year=2022", token=token).status, 504)
        self.set("deadline_ms", 9000)
        self.assertEqual(call(FUND + "?year=2023", token=token).status, 200)

    def test_a_cache_is_set_live(self):
        token = login_verified()
        self.set("cache", {"fresh": 0, "stale": 0})
        first = call(FUND + "?year=2019", token=token).json
        time.sleep(1.1)  # as_of counts in seconds
        self.assertNotEqual(call(FUND + "?year=2019", token=token).json["as_of"], first["as_of"])
        self.set("cache", {"fresh": 60, "stale": 60}, "housing-fund", "department")
        self.set("cache", None)  # the department's holds then
        kept = call(FUND + "?year=2018", token=token).json
        time.sleep(1.1)
        self.assertEqual(call(FUND + "?year=2018", token=token).json["as_of"], kept["as_of"])

    def test_concurrency_of_a_service_is_bounded(self):
        token = login_verified()
        self.set("cache", {"fresh": 0, "stale": 0})
        self.set("concurrency", 1)
        behave("housing-fund", "slow", delay_ms=1000)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda year: call(f"{FUND}?year={year}", token=token), range(2001, 2013)))
        self.assertEqual({a.status for a in answers}, {200, 503})
        self.assertEqual({a.json["code"] for a in answers if a.status == 503}, {"department-unavailable"})

    def test_a_breaker_is_set_live(self):
        token = login_verified()
        self.set("cache", {"fresh": 0, "stale": 0})
        self.set("breaker", {"ratio": 0.1, "minimum": 2}, "housing-fund", "department")
        behave("housing-fund", "failing")
        wait_until(lambda: call(FUND, token=token).json["code"] == "department-unavailable", what="the breaker")
        behave("housing-fund")
        wait_until(lambda: all(call(FUND, token=token).status == 200 for _ in range(8)), what="its recovery")

    def test_what_reaches_far_waits_for_a_second_person_and_history_tells_all(self):
        operator = staff_session("operator", department="metro")
        self.set("deadline_ms", 900, token=operator, status=403)
        answer = self.set("deadline_ms", 900, "metro", "department", token=operator)
        entry = call(answer.headers["Location"], token=self.admin).json
        self.assertEqual((entry["value"], entry["state"], entry["reason"]), (900, "holds", "test"))
        self.set("deadline_ms", 800, "metro", "department")
        states = [e["state"] for e in call("/admin/v1/settings?state=history&scope=department&target=metro", token=self.admin).json["items"]]
        self.assertEqual(states[:2], ["holds", "replaced"])

    def test_values_out_of_their_bounds_are_refused(self):
        for name, value in (("deadline_ms", 1), ("deadline_ms", "fast"), ("concurrency", 0), ("breaker", {"ratio": 0.5, "minimum": 5}),
                            ("cache", {"fresh": -1, "stale": 0}), ("limit", {"requests": 1}), ("colour", 1)):
            self.set(name, value, status=422)
        self.set("deadline_ms", 900, "no-such", status=422)
        self.send("settings/99999999/undo", status=404)


if __name__ == "__main__":
    unittest.main()
