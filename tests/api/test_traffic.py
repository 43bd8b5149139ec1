"""What was asked is counted: by service, department's operation, minute and day; and a department sees its own."""
import http.client
import json
import ssl
import time
import unittest
import urllib.parse
import uuid

from client import URL, behave, call, login_verified, sql, staff_session, wait_until

BALANCE = "/v1/services/fund-balance-query/records"


def sums(table, where):
    """Calls, and every count by its name, of the rows."""
    row = sql(f"SELECT coalesce(sum(calls), 0), coalesce(shimin.counts_sum(counts), '{{}}') FROM shimin.{table} WHERE {where}")[0]
    return int(row[0]), json.loads(row[1])


def of_service(table="traffic_minute"):
    return sums(table, "service = 'fund-balance-query' AND department = 'housing-fund'")


def of_operation(table="backend_minute"):
    return sums(table, "department = 'housing-fund' AND operation = 'getFundAccount'")


class Counted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = login_verified()

    def added(self, ask, read):
        """What `ask` adds to the sums that `read` gives."""
        calls, counts = self.settled(read)
        ask()
        wait_until(lambda: read()[0] > calls, what="a count")
        after, added = self.settled(read)
        return after - calls, {name: value - counts.get(name, 0) for name, value in added.items() if value != counts.get(name, 0)}

    @staticmethod
    def settled(read):
        """The sums once readings agree for four seconds: workers hand in every two seconds."""
        last = [None, 0.0]

        def same():
            now = read()
            if now != last[0]:
                last[:] = [now, time.monotonic()]
            return time.monotonic() - last[1] > 4

        wait_until(same, 60, "quiet")
        return last[0]

    def test_each_request_to_a_service_is_one_call_by_minute_and_day(self):
        def ask():
            for _ in range(7):
                self.assertEqual(call(BALANCE, token=self.token).status, 200)

        day = of_service("traffic_day")[0]
        calls, counts = self.added(ask, of_service)
        self.assertEqual(calls, 7)
        self.assertEqual(counts["outcome.ok"], 7)
        self.assertEqual(counts.get("cache.hit", 0) + counts.get("cache.miss", 0) + counts.get("cache.shared", 0), 7)
        self.assertGreaterEqual(of_service("traffic_day")[0] - day, 7)

    def test_what_the_caller_did_wrong_is_counted_by_its_problem(self):
        def ask():
            self.assertEqual(call(BALANCE).status, 401)

        calls, counts = self.added(ask, of_service)
        self.assertEqual((calls, counts), (1, {"outcome.client_error": 1, "problem.unauthenticated": 1}))

    def test_a_description_is_no_call_of_the_service(self):
        def ask():
            self.assertEqual(call("/v1/services/fund-balance-query").status, 200)
            self.assertEqual(call(BALANCE).status, 401)

        self.assertEqual(self.added(ask, of_service)[0], 1)

    def test_a_department_that_fails_is_counted_by_service_and_operation(self):
        behave("housing-fund", "failing")
        try:
            def ask():
                self.assertEqual(call(BALANCE, token=login_verified()).status, 502)

            before = self.settled(of_operation)
            calls, counts = self.added(ask, of_service)
        finally:
            behave("housing-fund")
        self.assertEqual(calls, 1)
        self.assertEqual(counts, {"outcome.server_error": 1, "problem.department-failed": 1, "backend.server_error": 1})
        after = of_operation()
        self.assertEqual(after[0] - before[0], 1)
        self.assertEqual(after[1]["backend.server_error"] - before[1].get("backend.server_error", 0), 1)

    def test_a_batch_that_comes_again_is_added_once(self):
        service, minute = f"test-{uuid.uuid4().hex}", int(time.time()) - 9 * 86400
        batch = json.dumps([{"id": str(uuid.uuid4()), "minute": minute, "operations": [], "services": [
            {"service": service, "department": "test", "calls": 3, "took": 9, "latency": [3], "counts": {"outcome.ok": 3}}]}])
        for _ in range(2):
            sql(f"SELECT shimin.traffic_add('{batch}')")
        for table in ("traffic_minute", "traffic_day"):
            self.assertEqual(sums(table, f"service = '{service}'"), (3, {"outcome.ok": 3}))
        sql("SELECT shimin.traffic_sweep()")
        self.assertEqual(sums("traffic_minute", f"service = '{service}'")[0], 0)
        self.assertEqual(sums("traffic_day", f"service = '{service}'")[0], 3)

    def test_quantiles_lie_within_a_fifth_of_the_truth(self):
        for bound in (0.003, 0.04, 0.7):
            bucket = int(sql(f"SELECT max(n) FROM generate_series(1, 28) n WHERE shimin.latency_bound(n - 1) <= {bound}")[0][0])
            latency = "{" + ",".join("9" if n == bucket else "0" for n in range(1, 29)) + "}"
            told = float(sql(f"SELECT shimin.latency_quantile('{latency}', 0.5)")[0][0])
            self.assertLess(abs(told / bound - 1), 0.25)

    def test_the_gateway_may_add_to_the_sums_and_not_change_them(self):
        rights = sql("SELECT DISTINCT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'shimin_app' "
                     "AND table_name IN ('traffic_minute', 'traffic_day', 'backend_minute', 'backend_day', 'traffic_batch')")
        self.assertEqual({right for _, right in rights}, {"SELECT"})
        self.assertNotIn("traffic_batch", {table for table, _ in rights})


class Seen(unittest.TestCase):
    """What departments and administrators see of it."""

    @classmethod
    def setUpClass(cls):
        cls.own = staff_session("engineer", "housing-fund")
        cls.other = staff_session("manager", "metro")
        cls.city = staff_session("system")
        cls.citizen = login_verified()
        cls.calls = cls.count(cls.own)
        for _ in range(3):
            assert call(BALANCE, token=cls.citizen).status == 200
        wait_until(lambda: cls.count(cls.own) >= cls.calls + 3, what="the counts")

    @staticmethod
    def get(path, token, **query):
        return call(path + "?" + urllib.parse.urlencode(query), token=token)

    @classmethod
    def count(cls, token, path="/department/v1/traffic", **query):
        answer = cls.get(path, token, step="day", group="total", **query)
        assert answer.status == 200, answer
        return sum(item["calls"] for item in answer.json["sums"]["items"])

    def test_a_department_sees_its_services_and_operations_with_outcomes_and_latency(self):
        for step in ("minute", "hour", "day"):
            sums = self.get("/department/v1/traffic", self.own, step=step).json["sums"]
            self.assertEqual({item["department"] for item in sums["items"] + sums["operations"]}, {"housing-fund"})
            balance = [item for item in sums["items"] if item["service"] == "fund-balance-query"]
            self.assertGreaterEqual(sum(item["outcomes"].get("ok", 0) for item in balance), 3)
            latency = balance[-1]["latency"]
            self.assertTrue(0 < latency["p50"] <= latency["p90"] <= latency["p99"] < 13, latency)
            account = [item for item in sums["operations"] if item["operation"] == "getFundAccount"]
            self.assertGreaterEqual(sum(item["outcomes"].get("ok", 0) for item in account), 1)

    def test_a_department_sees_nothing_of_another(self):
        sums = self.get("/department/v1/traffic", self.other, step="day", service="fund-balance-query").json["sums"]
        self.assertEqual(sums["items"], [])
        self.assertNotIn("housing-fund", json.dumps(self.get("/department/v1/traffic", self.other, step="day").json))
        self.assertNotIn("housing-fund", json.dumps(self.get("/department/v1/traffic", self.other, step="day", department="housing-fund").json))
        self.assertNotIn("housing-fund", json.dumps(self.get("/department/v1/footprints", self.other).json))

    def test_a_department_finds_what_its_systems_did_wrong_by_exact_kind_and_nobody_elses(self):
        def faults(token, path="/department/v1/traffic"):
            operations = self.get(path, token, step="day", group="service").json["sums"]["operations"]
            return sum(item["faults"].get("server_error", 0) for item in operations if item["operation"] == "getFundAccount")

        before, all_before = faults(self.own), faults(self.city, "/admin/v1/traffic")
        behave("housing-fund", "failing")
        try:
            self.assertEqual(call(BALANCE, token=login_verified()).status, 502)
        finally:
            behave("housing-fund")
        wait_until(lambda: faults(self.own) > before, what="the fault")
        self.assertGreater(faults(self.city, "/admin/v1/traffic"), all_before)
        self.assertEqual(faults(self.other), 0)

    def test_an_administrator_sees_all_or_one(self):
        self.assertGreaterEqual(self.count(self.city, "/admin/v1/traffic"), self.count(self.own))
        self.assertGreaterEqual(self.count(self.city, "/admin/v1/traffic", department="housing-fund"), self.calls + 3)
        groups = self.get("/admin/v1/traffic", self.city, step="day").json["sums"]["items"]
        self.assertIn("housing-fund", {item["department"] for item in groups})

    def test_an_operator_of_a_department_sees_that_one_and_one_of_an_area_none(self):
        operator = staff_session("operator", "metro")
        self.assertEqual(self.get("/admin/v1/traffic", operator, department="housing-fund", group="service", step="day")
                         .json["sums"]["items"], self.get("/admin/v1/traffic", self.city, department="metro", group="service", step="day")
                         .json["sums"]["items"])
        self.assertEqual(self.get("/admin/v1/traffic", staff_session("operator", area="510104")).status, 403)

    def test_roles_of_the_other_side_are_refused(self):
        for path in ("traffic", "traffic/live", "footprints"):
            self.assertEqual(call("/department/v1/" + path, token=self.city).status, 403)
            self.assertEqual(call("/department/v1/" + path).status, 401)
        for path in ("traffic", "traffic/live", "traffic/footprints"):
            self.assertEqual(call("/admin/v1/" + path, token=self.own).status, 403)
            self.assertEqual(call("/admin/v1/" + path, token=self.citizen).status, 401)

    def test_a_span_that_is_too_long_or_no_time_is_a_bad_parameter(self):
        for query in ({"from": "2026-03-01T00:00:00+08:00", "to": "2026-03-02T00:00:00+08:00"}, {"from": "yesterday"}, {"step": "year"},
                      {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z", "step": "day"}):
            self.assertEqual(self.get("/department/v1/traffic", self.own, **query).status, 400, query)
        self.assertEqual(self.get("/department/v1/footprints", self.own, **{"from": "2026-02-30"}).status, 400)

    def test_reads_of_citizens_data_are_counted_by_day_and_purpose_and_name_nobody(self):
        def reads():
            items = self.get("/department/v1/footprints", self.own).json["items"]
            self.assertEqual({tuple(sorted(item)) for item in items}, {("day", "department", "purpose", "reader", "reads", "service")})
            self.assertEqual({item["department"] for item in items}, {"housing-fund"})
            return sum(item["reads"] for item in items if (item["service"], item["purpose"]) == ("fund-balance-query", "own_query"))

        before = Counted.settled(reads)
        for _ in range(4):
            call(BALANCE, token=self.citizen)
        wait_until(lambda: reads() == before + 4, what="the reads")
        self.assertEqual(int(sql("SELECT count(*) FROM shimin.footprint WHERE department_slug = 'housing-fund' AND "
                                 "service_slug = 'fund-balance-query'")[0][0]), reads())

    def test_live_numbers_follow_what_is_asked(self):
        address = urllib.parse.urlsplit(URL)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=30, context=context)
        connection.request("GET", "/department/v1/traffic/live", headers={"Authorization": f"Bearer {self.own}"})
        response = connection.getresponse()
        self.assertEqual((response.status, response.headers["Content-Type"]), (200, "text/event-stream"))

        def next_event():
            while True:
                line = response.readline().decode()
                self.assertTrue(line, "the stream ended")
                if line.startswith("data: "):
                    return json.loads(line[6:])

        first = next_event()
        call(BALANCE, token=self.citizen)
        began = time.monotonic()
        while next_event()["today"]["calls"] <= first["today"]["calls"]:
            self.assertLess(time.monotonic() - began, 20)
        connection.close()


if __name__ == "__main__":
    unittest.main()
