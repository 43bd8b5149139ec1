"""Switches: in force in every worker, with reason, window and Retry-After."""
import datetime
import re
import unittest

from client import call, login_verified, shimin, wait_until

FUND = "/v1/services/fund-balance-query/records"


def switch(service, position, *more):
    done = shimin("switch", service, position, *more)
    assert done.returncode == 0, done.stderr


def undo(words):
    """Undoes the newest entry of the list that says so; its id."""
    row = [line.split()[0] for line in shimin("switch", "list").stdout.splitlines() if words in line][-1]
    done = shimin("switch", "undo", row)
    assert done.returncode == 0, done.stderr
    return row


class Switches(unittest.TestCase):
    def tearDown(self):
        switch("fund-balance-query", "open")
        wait_until(lambda: call("/v1/services/fund-balance-query").json["switch"]["position"] == "open")

    def test_calls_to_any_worker_are_refused_with_the_reason(self):
        token = login_verified()
        for _ in range(20):
            self.assertEqual(call(FUND, token=token).status, 200)
        switch("fund-balance-query", "off", "--reason-zh", "系统升级", "--reason-en", "Upgrade")

        def refusals():
            answers = [call(FUND, token=token, headers={"Accept-Language": "en"}) for _ in range(20)]
            return {a.status for a in answers} == {503} and answers

        answers = wait_until(refusals, what="the switch in every worker")
        self.assertEqual((answers[0].json["code"], answers[0].json["detail"]), ("service-switched", "Upgrade"))
        self.assertGreater(int(answers[0].headers["Retry-After"]), 0)

    def test_a_window_ends_by_itself(self):
        token = login_verified()
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=6)
        switch("fund-balance-query", "off", "--reason", "维护", "--until", until.isoformat(timespec="seconds"))
        answer = wait_until(lambda: (a := call(FUND, token=token)).status == 503 and a)
        self.assertIn("until", answer.json)
        wait_until(lambda: call(FUND, token=token).status == 200, what="the window's end")

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

    def test_a_departments_switch_holds_for_its_services_until_it_is_undone(self):
        token = login_verified()
        switch("department:housing-fund", "off", "--reason-zh", "机房停电", "--reason-en", "No power")
        answer = wait_until(lambda: (a := call(FUND, token=token, headers={"Accept-Language": "en"})).status == 503 and a)
        self.assertEqual((answer.json["detail"], answer.json["scope"]), ("No power", "department"))
        self.assertEqual(call("/v1/departments/housing-fund").json["switch"]["position"], "off")
        self.assertEqual(call("/v1/services/metro-line-timetable").json["switch"]["position"], "open")
        undo("department:housing-fund  off")
        wait_until(lambda: call(FUND, token=token).status == 200)

    def test_undo_brings_back_what_held_before(self):
        switch("fund-balance-query", "read_only", "--reason", "只读")
        switch("fund-balance-query", "off", "--reason", "停")
        wait_until(lambda: call("/v1/services/fund-balance-query").json["switch"]["position"] == "off")
        row = undo("service:fund-balance-query  off")
        wait_until(lambda: call("/v1/services/fund-balance-query").json["switch"]["position"] == "read_only")
        self.assertNotEqual(shimin("switch", "undo", row).returncode, 0)  # it holds no more
        self.assertIn(f"undoes {row}", shimin("switch", "history").stdout)

    def test_a_plan_is_announced_and_can_be_taken_back(self):
        start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        switch("department:housing-fund", "off", "--reason-zh", "维护", "--reason-en", "Maintenance", "--from", start.isoformat(timespec="seconds"))
        for path in ("/v1/services/fund-balance-query", "/v1/departments/housing-fund"):
            plan = wait_until(lambda: call(path).json.get("planned"))[0]
            self.assertEqual((plan["scope"], plan["position"], plan["reason"]["en"]), ("department", "off", "Maintenance"))
        undo("department:housing-fund  off")
        wait_until(lambda: "planned" not in call("/v1/services/fund-balance-query").json)

    def test_a_share_hits_some_citizens_always_and_guests_never(self):
        tokens = [login_verified() for _ in range(12)]
        switch("fund-balance-query", "off", "--reason", "灰度", "--share", "50")
        wait_until(lambda: 503 in [call(FUND, token=token).status for token in tokens])
        first, second = ([call(FUND, token=token).status for token in tokens] for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(set(first), {200, 503})
        self.assertEqual(call("/v1/services/fund-balance-query").json["switch"]["position"], "open")
        switch("metro-line-timetable", "off", "--reason", "灰度", "--share", "99")
        self.assertNotIn(503, {call("/v1/services/metro-line-timetable/records").status for _ in range(20)})
        switch("metro-line-timetable", "open")

    def test_a_request_that_names_an_area_is_hit_by_the_areas_switch(self):
        token = login_verified()
        switch("area:510104", "off", "--reason", "封控")
        wait_until(lambda: call(FUND + "?area=510104017", token=token).status == 503)
        self.assertEqual(call(FUND + "?area=510104000000", token=token).json["scope"], "area")
        self.assertNotEqual(call(FUND + "?area=510105", token=token).status, 503)
        self.assertEqual(call(FUND, token=token).status, 200)
        undo("area:510104  off")

    def test_what_hits_many_waits_for_a_second_person(self):
        done = shimin("switch", "category:livelihood", "read_only", "--reason", "演练")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("waits for a second person", done.stdout)
        proposal = re.search(r"proposal (\d+)", done.stdout)[1]
        self.assertIn(f"{proposal}  category:livelihood  read_only", shimin("switch", "proposals").stdout)
        self.assertEqual(call("/v1/services/fund-balance-query").json["switch"]["position"], "open")
        same = shimin("switch", "confirm", proposal)
        self.assertNotEqual(same.returncode, 0)
        self.assertIn("Somebody else", same.stderr)
        self.assertEqual(shimin("switch", "refuse", proposal).returncode, 0)
        self.assertNotEqual(shimin("switch", "refuse", proposal).returncode, 0)

    def test_a_preview_says_what_would_be_hit_and_sets_nothing(self):
        said = shimin("switch", "department:housing-fund", "off", "--reason", "x", "--preview").stdout
        self.assertIn("fund-balance-query", said)
        self.assertRegex(said, r"reach +\d")
        self.assertRegex(said, r"unknown +.*open_cases")
        self.assertEqual(call("/v1/departments/housing-fund").json["switch"]["position"], "open")

    def test_faults_of_the_command_are_told(self):
        for words in (("no-such", "off", "--reason", "x"), ("fund-balance-query", "ajar", "--reason", "x"), ("fund-balance-query", "off"),
                      ("fund-balance-query", "off", "--reason", "x", "--until", "tomorrow"), ("department:nobody", "off", "--reason", "x"),
                      ("planet:mars", "off", "--reason", "x"), ("fund-balance-query", "off", "--reason", "x", "--share", "100"),
                      ("fund-balance-query", "off", "--reason", "x", "--until", "2020-01-01T00:00:00Z"), ("undo", "99999999"), ("confirm", "99999999")):
            done = shimin("switch", *words)
            self.assertNotEqual(done.returncode, 0)
            self.assertTrue(done.stderr.strip())


if __name__ == "__main__":
    unittest.main()
