"""What was asked is counted: by service, department's operation, minute and day."""
import json
import time
import unittest
import uuid

from client import behave, call, login_verified, sql, wait_until

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
        wait_until(lambda: read()[0] > calls, 10, "a count")
        after, added = self.settled(read)
        return after - calls, {name: value - counts.get(name, 0) for name, value in added.items() if value != counts.get(name, 0)}

    @staticmethod
    def settled(read):
        """The sums once two readings three seconds apart agree: workers hand in every two seconds."""
        last = [None, 0.0]

        def same():
            now = read()
            if now != last[0]:
                last[:] = [now, time.monotonic()]
            return time.monotonic() - last[1] > 2.5

        wait_until(same, 30, "quiet")
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


if __name__ == "__main__":
    unittest.main()
