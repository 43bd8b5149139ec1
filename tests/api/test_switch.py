"""Switches: in force everywhere within 50 ms, with reason, window and Retry-After."""
import datetime
import time
import unittest

from client import call, login_verified, shimin, wait_until

FUND = "/v1/services/fund-balance-query/records"


def switch(service, position, *more):
    done = shimin("switch", service, position, *more)
    assert done.returncode == 0, done.stderr


class Switches(unittest.TestCase):
    def tearDown(self):
        switch("fund-balance-query", "open")
        wait_until(lambda: call("/v1/services/fund-balance-query").json["switch"]["position"] == "open")

    def test_the_next_call_in_any_worker_is_refused_with_the_reason(self):
        token = login_verified()
        for _ in range(20):
            self.assertEqual(call(FUND, token=token).status, 200)
        switch("fund-balance-query", "off", "--reason-zh", "系统升级", "--reason-en", "Upgrade")
        time.sleep(0.05)  # the promise itself
        answers = [call(FUND, token=token, headers={"Accept-Language": "en"}) for _ in range(20)]
        self.assertEqual({a.status for a in answers}, {503})
        self.assertEqual((answers[0].json["code"], answers[0].json["detail"]), ("service-switched", "Upgrade"))
        self.assertGreater(int(answers[0].headers["Retry-After"]), 0)

    def test_a_window_ends_by_itself(self):
        token = login_verified()
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        switch("fund-balance-query", "off", "--reason", "维护", "--until", until.isoformat(timespec="seconds"))
        answer = wait_until(lambda: (a := call(FUND, token=token)).status == 503 and a, 1)
        self.assertIn("until", answer.json)
        wait_until(lambda: call(FUND, token=token).status == 200, 4, "the window's end")

    def test_a_window_in_the_future_is_announced_and_not_yet_in_force(self):
        start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        switch("fund-balance-query", "off", "--reason", "维护", "--from", start.isoformat(timespec="seconds"))
        self.assertEqual(call(FUND, token=login_verified()).status, 200)

    def test_read_only_lets_reads_through(self):
        switch("fund-balance-query", "read_only", "--reason", "只读")
        wait_until(lambda: call("/v1/services/fund-balance-query").json["switch"]["position"] == "read_only")
        self.assertEqual(call(FUND, token=login_verified()).status, 200)

    def test_an_alias_switches_its_service(self):
        switch("metro-arrivals", "off", "--reason", "演练")
        wait_until(lambda: call("/v1/services/metro-line-timetable").json["switch"]["position"] == "off")
        switch("metro-arrivals", "open")
        wait_until(lambda: call("/v1/services/metro-line-timetable").json["switch"]["position"] == "open")

    def test_faults_of_the_command_are_told(self):
        for words in (("no-such", "off", "--reason", "x"), ("fund-balance-query", "ajar", "--reason", "x"), ("fund-balance-query", "off"),
                      ("fund-balance-query", "off", "--reason", "x", "--until", "tomorrow")):
            done = shimin("switch", *words)
            self.assertNotEqual(done.returncode, 0)
            self.assertTrue(done.stderr.strip())


if __name__ == "__main__":
    unittest.main()
