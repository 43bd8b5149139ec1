"""Postgres, Redis, the departments and the gateway itself killed under load, and brought back.

Each fault gets the same questions: does everything that does not need the part go on, is what needs it a clear problem, and is all of it
back by itself soon after the part's return, without touching the gateway? Runs a stack of its own, since others would mind.
"""
import collections
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy/lib"), str(ROOT / "tests/api")]

from stack import private_stack  # noqa: E402

FUND = "/v1/services/fund-balance-query/records"
CATALOGUE = "/v1/services?category=travel"
FEED = "/v1/services/metro-crowding/feed"
QUICK = 0.9  # seconds: who waits for the patience of postgres and redis waits for one


class Load:
    """Threads that ask the same questions over and over, and what they were answered."""

    def __init__(self, client, questions, threads=8):
        self.client, self.questions = client, questions
        self.answers = collections.defaultdict(collections.Counter)
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, turn):
        while not self.ended.is_set():
            turn += 1
            path, token = self.questions[turn % len(self.questions)]
            try:
                answer = self.client.call(path, token=token)
                problem = answer.headers["Content-Type"] == "application/problem+json"
                self.answers[path][answer.status if answer.status < 400 or problem else "not a problem"] += 1
            except OSError as fault:
                self.answers[path][type(fault).__name__] += 1


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(dir=os.environ.get("SHIMIN_TEST_DIRECTORY", ROOT / "var"), prefix="faults-")
        cls.context = private_stack(cls.folder.name, os.environ["SHIMIN"])
        cls.stack = cls.context.__enter__()
        os.environ.update(cls.stack.environment())
        import client
        cls.client = client

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)
        cls.folder.cleanup()

    def setUp(self):
        self.token = self.client.login_verified()
        for path in (FUND, CATALOGUE, FEED, "/v1/me"):
            self.client.wait_until(lambda p=path: self.status(p) == 200, what=path)

    def status(self, path):
        try:
            return self.client.call(path, token=self.token).status
        except OSError:
            return 0

    def all_well(self, *paths):
        """Enough calls in a row to reach every worker."""
        return all(self.status(path) == 200 for path in paths for _ in range(8))

    def kill(self, process):
        """As a crash would: no farewell."""
        pid = process.pid()
        os.kill(pid, signal.SIGKILL)
        self.client.wait_until(lambda: not process.pid(), what="the death of " + process.name)

    def back_by_itself(self, *paths):
        began = time.monotonic()
        self.client.wait_until(lambda: self.all_well(*paths), what="full service")
        print(f"{self.id()}: back in {time.monotonic() - began:.2f} s", file=sys.stderr)

    def only(self, load, path, *statuses):
        self.assertTrue(load.answers[path], path)
        self.assertLessEqual(set(load.answers[path]), set(statuses), (path, load.answers[path]))

    def test_postgres_killed_and_brought_back(self):
        gateway = self.stack.gateway.pid()
        with Load(self.client, [(CATALOGUE, None), (FUND, self.token), ("/v1/me", self.token), (FEED, None)]) as load:
            time.sleep(0.5)
            self.kill_postgres()
            self.client.wait_until(lambda: self.status("/v1/me") == 503, what="a clear problem")
            time.sleep(1)
            self.assertEqual(self.client.call("/readyz", base=self.client.OPERATIONS).status, 503)
            self.stack.postgres.open()
            self.back_by_itself(CATALOGUE, FUND, "/v1/me", FEED)
        self.only(load, CATALOGUE, 200)
        self.only(load, FEED, 200)
        self.only(load, FUND, 200)
        self.only(load, "/v1/me", 200, 503)
        self.assertEqual(self.stack.gateway.pid(), gateway)

    def kill_postgres(self):
        """An immediate stop: every backend drops what it does."""
        self.stack.postgres.stop(signal.SIGQUIT, 30)

    def test_footprints_survive_the_loss_of_postgres(self):
        self.kill_postgres()
        traces = {self.client.call(FUND, token=self.token).headers["X-Request-Id"] for _ in range(20)}
        self.stack.postgres.open()
        def all_there():
            answer = self.client.call("/v1/me/footprint?limit=100", token=self.token)
            return answer.status == 200 and traces <= {item["trace_id"] for item in answer.json["items"]}
        self.client.wait_until(all_there, what="every footprint")

    def test_redis_killed_and_brought_back(self):
        gateway = self.stack.gateway.pid()
        with Load(self.client, [(CATALOGUE, None), (FUND, self.token), (FEED, None)]) as load:
            time.sleep(0.5)
            self.kill(self.stack.redis)
            self.client.wait_until(lambda: self.status(FUND) == 503, what="a clear problem")
            time.sleep(0.5)
            self.stack.redis.open()
            self.token = self.client.wait_until(self.try_login, what="a login")  # sessions may be lost; logging in may not
            self.back_by_itself(CATALOGUE, FUND, FEED)
        self.only(load, CATALOGUE, 200)
        self.only(load, FEED, 200)
        self.only(load, FUND, 200, 401, 503)
        self.assertEqual(self.stack.gateway.pid(), gateway)

    def test_a_redis_that_hangs_holds_nobody_up_for_long(self):
        pid = self.stack.redis.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            self.client.wait_until(lambda: self.status(FUND) == 503, what="a clear problem")
            self.client.wait_until(lambda: self.takes(FUND) < QUICK and self.takes(CATALOGUE) < QUICK, what="quick answers")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.back_by_itself(CATALOGUE, FUND, FEED)

    def test_a_postgres_that_hangs_holds_nobody_up_for_long(self):
        """The server keeps its connections and takes new ones, but answers nothing."""
        with Load(self.client, [(CATALOGUE, None), (FUND, self.token), ("/v1/me", self.token), (FEED, None)]) as load:
            time.sleep(0.3)
            stopped = self.suspend(self.stack.postgres.pid())
            try:
                began = time.monotonic()
                self.client.wait_until(lambda: self.status("/v1/me") == 503, what="a clear problem")
                self.assertLess(time.monotonic() - began, 8)  # not the ten seconds of the request
                self.client.wait_until(lambda: self.all_quick("/v1/me"), what="quick problems from every worker")
                self.client.wait_until(lambda: self.all_quick(CATALOGUE, FUND, FEED), what="quick answers")
                ready = self.client.call("/readyz", base=self.client.OPERATIONS)
                self.assertEqual((ready.status, b"[-] postgres" in ready.bytes), (503, True))
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)
            self.back_by_itself(CATALOGUE, FUND, "/v1/me", FEED)
        self.only(load, CATALOGUE, 200)
        self.only(load, FEED, 200)
        self.only(load, FUND, 200)
        self.only(load, "/v1/me", 200, 503)

    def test_readiness_tells_a_postgres_that_hangs_though_nobody_asks_it(self):
        stopped = self.suspend(self.stack.postgres.pid())
        try:
            began = time.monotonic()
            self.assertEqual(self.client.call("/readyz", base=self.client.OPERATIONS).status, 503)
            self.assertLess(time.monotonic() - began, 8)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        self.client.wait_until(lambda: self.client.call("/readyz", base=self.client.OPERATIONS).status == 200, what="readiness")

    def suspend(self, pid):
        """It and all its descendants, parents first; whom to let go on."""
        os.kill(pid, signal.SIGSTOP)
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid] + [one for child in children for one in self.suspend(int(child))]

    def all_quick(self, *paths):
        """Enough calls in a row to reach every worker."""
        return all(self.takes(path) < QUICK for path in paths for _ in range(8))

    def takes(self, path):
        began = time.monotonic()
        self.status(path)
        return time.monotonic() - began

    def try_login(self):
        try:
            return self.client.login_verified()
        except (AssertionError, OSError):
            return None

    def test_all_departments_killed_and_brought_back(self):
        gateway = self.stack.gateway.pid()
        paths = [FUND + f"?year={year}" for year in range(2000, 2020)]  # none is in the cache
        with Load(self.client, [(path, self.token) for path in paths] + [(CATALOGUE, None)]) as load:
            time.sleep(0.3)
            self.kill(self.stack.sandbox)
            time.sleep(1.5)
            self.assertEqual(self.client.call(CATALOGUE).status, 200)
            self.stack._open_sandbox()
            self.back_by_itself(CATALOGUE, FUND + "?year=2030")
        self.only(load, CATALOGUE, 200)
        for path in paths:
            self.only(load, path, 200, 502, 503, 504)
        self.assertEqual(self.stack.gateway.pid(), gateway)

    def test_the_gateway_killed_comes_back_with_its_sessions(self):
        self.kill(self.stack.gateway)
        self.stack._open_gateway()
        self.back_by_itself(CATALOGUE, FUND, "/v1/me", FEED)

    def test_an_event_outlives_the_gateway_that_was_killed_between_attempts(self):
        from receiver import Receiver
        endpoint = Receiver(answer=lambda n: (500 if n == 0 else 204, {}, b""))
        self.addCleanup(endpoint.close)
        engineer = self.client.staff_session("engineer", "housing-fund")
        base = "/department/v1/webhooks"
        made = self.client.call(base, body={"url": endpoint.url, "types": []}, token=engineer)
        self.assertEqual(made.status, 201, made)
        event = self.client.call(f"{base}/{made.json['webhook']['id']}/test", body={}, token=engineer).json["event"]
        self.client.wait_until(lambda: endpoint.deliveries, what="the first attempt")
        self.kill(self.stack.gateway)
        self.stack._open_gateway()
        self.client.wait_until(lambda: len(endpoint.deliveries) > 1, 60, "the second attempt")
        self.assertEqual([d.headers["webhook-id"] for d in endpoint.deliveries[:2]], [event, event])

    def test_calls_are_counted_once_through_the_loss_of_postgres(self):
        def calls():
            rows = self.client.sql("SELECT coalesce(sum(calls), 0) FROM shimin.traffic_day WHERE service = 'fund-balance-query'")
            return int(rows[0][0])

        before = -1
        while (now := calls()) != before:  # what was asked before is handed in every two seconds
            before = now
            time.sleep(5)
        for turn in range(40):
            self.client.call(FUND, token=self.token)
            if turn == 10:
                self.kill_postgres()
            if turn == 30:
                self.stack.postgres.open()
            time.sleep(0.1)
        self.client.wait_until(lambda: calls() >= before + 40, 60, "every call")
        time.sleep(3)  # a batch that came twice would show
        self.assertEqual(calls(), before + 40)

    def test_a_gateway_starts_and_serves_publications_while_postgres_is_down(self):
        content = "/v1/services/service-guide/content"
        self.client.wait_until(lambda: self.client.call(content).json.get("items"), what="content")
        self.stack.gateway.stop()
        self.kill_postgres()
        try:
            self.stack.gateway.start([self.stack.program, "serve"], self.stack.whole_environment())
            self.client.wait_until(lambda: self.status(CATALOGUE) == 200, what="the gateway without Postgres")
            for path in (FEED, content):
                self.client.wait_until(lambda p=path: self.status(p) == 200, what=path)
            self.assertTrue(self.client.call(content).json["items"])
            self.assertEqual(self.status("/v1/me"), 503)
        finally:
            self.stack.postgres.open()
        self.back_by_itself(CATALOGUE, FUND, "/v1/me", FEED)


if __name__ == "__main__":
    unittest.main()
