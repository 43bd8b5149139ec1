"""Queries of departments through the gateway, and what happens when a department misbehaves."""
import json
import re
import threading
import time
import unittest
import urllib.parse

from client import behave, call, login, login_by_face, login_verified, metric, new_id_number, shimin, wait_until

def value_of(schema):
    """Something that the schema of a parameter takes."""
    for keyword in ("examples", "enum"):
        if keyword in schema:
            return schema[keyword][0]
    if "pattern" in schema:
        return from_pattern(schema["pattern"])
    if schema.get("format") == "cn-uscc":
        return "91110000600037341L"
    if schema.get("format") == "date":
        return "2026-03-01"
    if schema["type"] == "string":
        return "川" * max(2, schema.get("minLength", 2))
    return schema.get("minimum", 1)


def from_pattern(pattern):
    """Patterns here are alternatives of characters or classes, each with {n}, {n,m} or nothing."""
    text = ""
    for one, least in re.findall(r"(\[[^\]]+\]|\\?.)(?:\{([0-9]+)(?:,[0-9]*)?\})?", pattern.strip("^$()").split("|")[0]):
        text += (one[1] if one[0] == "[" else one[-1]) * int(least or 1)
    return text


FUND = "/v1/services/fund-balance-query/records"


class Queries(unittest.TestCase):
    def test_a_citizen_sees_their_own_record_masked(self):
        number = new_id_number()
        token = login_verified("张伟", number)
        # other tests make this department ill, and a worker may only just be finding out that it is well again
        answer = wait_until(lambda: (a := call("/v1/services/housing-fund-balance/records", token=token)).status == 200 and a, what="an answer")
        self.assertEqual((answer.json["source"], answer.json["stale"]), ("housing-fund", False))
        self.assertEqual(answer.json["items"][0]["id_number"], number[:6] + "********" + number[-4:])
        self.assertNotIn(number, answer.bytes.decode())

    def test_the_same_citizen_gets_the_same_balance_and_another_citizen_another(self):
        first, second = login_verified(), login_verified()
        balances = [call(FUND, token=t).json["items"] for t in (first, first, second)]
        self.assertEqual(balances[0], balances[1])
        self.assertNotEqual(balances[0], balances[2])

    def test_every_open_query_answers_at_its_level(self):
        token, low = login_by_face(), login_verified()
        services = [s for s in call("/v1/services?archetype=query&limit=100").json["items"] if s["switch"]["position"] == "open"]
        self.assertEqual(len(services), 25)
        for service in services:
            details = call("/v1/services/" + service["slug"]).json
            given = {p["name"]: value_of(p["schema"]) for p in details["parameters"] if p["required"]}
            path = f"/v1/services/{service['slug']}/records?" + urllib.parse.urlencode(given)
            answer = call(path, token=token)
            self.assertEqual(answer.status, 200, (service["slug"], answer))
            self.assertRegex(json.dumps(answer.json["items"], ensure_ascii=False), "[\u4e00-\u9fff]", service["slug"])
            self.assertEqual(set(answer.json), {"items", "as_of", "source", "stale"})
            if service["level"] == "L3":
                self.assertEqual(call(path, token=low).json["code"], "insufficient-user-authentication", service["slug"])

    def test_a_service_of_another_kind_has_no_records(self):
        self.assertEqual(call("/v1/services/public-toilet-finder/records").status, 404)

    def test_parameters_of_the_service_are_checked(self):
        answer = call(FUND + "?year=1066", token=login_verified())
        self.assertEqual((answer.status, answer.json["errors"][0]["parameter"]), (400, "year"))

    def test_reading_leaves_a_footprint(self):
        token = login_verified()
        trace = call(FUND, token=token).headers["X-Request-Id"]
        found = wait_until(lambda: [i for i in call("/v1/me/footprint", token=token).json["items"] if i["trace_id"] == trace])
        self.assertEqual((found[0]["service"], found[0]["department"]), ("fund-balance-query", "housing-fund"))
        self.assertEqual(call("/v1/me/footprint", token=login()).json["items"], [])


class Misbehaviour(unittest.TestCase):
    def setUp(self):
        self.token = login_verified()

    def tearDown(self):
        self.recovered()

    def recovered(self):
        """Each worker has a breaker of its own: many calls in a row must do."""
        behave("housing-fund")

        def all_closed():
            token = login_verified()  # whose answers are in no cache, so that each call asks the department
            return (all(call(FUND + f"?year={2000 + n}", token=token).status == 200 for n in range(20))
                    and metric("circuit_breaker_state", department="housing-fund") == 0)

        wait_until(all_closed, what="the department's return")

    def test_an_earlier_answer_is_given_while_the_department_fails(self):
        fresh = call(FUND, token=self.token).json
        behave("housing-fund", "failing")
        # the copy is fresh for a minute: it is not even asked
        again = call(FUND, token=self.token).json
        self.assertEqual(again["items"], fresh["items"])

    def test_a_department_that_fails_gives_a_clear_problem(self):
        behave("housing-fund", "failing")
        answer = call(FUND, token=self.token)
        self.assertIn((answer.status, answer.json["code"]), ((502, "department-failed"), (503, "department-unavailable")))

    def test_an_answer_outside_the_contract_names_the_operation(self):
        before = metric("department_contract_violations_total", department="housing-fund")
        behave("housing-fund", "breaking")
        answer = call(FUND, token=self.token)
        self.assertEqual((answer.status, answer.json["code"]), (502, "department-contract-violation"))
        self.assertIn("getFundAccount", answer.bytes.decode())
        self.assertGreater(metric("department_contract_violations_total", department="housing-fund"), before)

    def test_a_hanging_department_is_given_up_at_the_deadline(self):
        behave("housing-fund", "hanging")
        began = time.monotonic()
        answer = call(FUND, token=self.token)
        self.assertIn(answer.status, (504, 503))
        self.assertLess(time.monotonic() - began, 15)  # the deadline is two seconds, the department's silence has no end

    def test_a_hanging_department_takes_nothing_from_another(self):
        behave("housing-fund", "hanging")
        threads = [threading.Thread(target=call, args=(FUND,), kwargs={"token": self.token}) for _ in range(40)]
        for thread in threads:
            thread.start()
        other = call("/v1/services/social-insurance-records/records", token=self.token)
        for thread in threads:
            thread.join()
        self.assertEqual(other.status, 200, other)

    def test_resets_garbage_redirects_and_floods_are_502(self):
        for mode in ("resetting", "garbage", "redirecting", "oversized"):
            behave("housing-fund", mode)
            answer = call(FUND, token=login_verified())
            self.assertIn(answer.status, (502, 503), (mode, answer))
            self.recovered()

    def test_a_dripping_department_is_given_up_at_the_deadline(self):
        behave("housing-fund", "dripping")
        self.assertIn(call(FUND, token=self.token).status, (504, 503))

    def test_the_breaker_opens_and_closes_again(self):
        behave("housing-fund", "failing")
        wait_until(lambda: call(FUND, token=self.token).status == 503, what="the breaker's opening")
        self.recovered()


class Passage(unittest.TestCase):
    def test_a_path_that_the_department_lacks_is_not_found(self):
        self.assertEqual(call("/v1/departments/metro/api/no/such/path").status, 404)
        self.assertEqual(call("/v1/departments/nobody/api/x").status, 404)

    def test_every_method_reaches_the_contract_which_names_those_it_has(self):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = call("/v1/departments/metro/api/lines", method, token=login())
            self.assertEqual((answer.status, answer.json["code"]), (405, "method-not-allowed"), method)
            self.assertEqual(answer.headers["Allow"], "GET, HEAD, OPTIONS")

    def test_it_is_no_way_around_the_level_of_a_service(self):
        body = {"idNumber": "x", "personName": "x", "dateFrom": "2026-01-01", "dateTo": "2026-02-01"}
        path = "/v1/departments/exit-entry/api/crossings/query"
        answer = call(path, body=body, token=login_verified())
        self.assertEqual((answer.status, answer.json["code"]), (401, "insufficient-user-authentication"))
        self.assertIn("urn:city:loa:3", answer.headers["WWW-Authenticate"])
        self.assertEqual(call(path, body=body, token=login_by_face()).status, 200)

    def test_it_is_no_way_around_the_masks_of_a_service(self):
        number = new_id_number()
        answer = call("/v1/departments/housing-fund/api/v1/accounts", token=login_verified("张伟", number))
        self.assertEqual(answer.status, 200)
        account = answer.json["data"]["accounts"][0]
        self.assertEqual((account["id_number"], account["name"]), (number[:6] + "********" + number[-4:], "张*"))
        self.assertNotIn(number, answer.bytes.decode())

    def test_it_is_no_way_around_a_switch(self):
        lines = "/v1/departments/metro/api/lines"
        self.assertEqual(call(lines).status, 200)
        self.addCleanup(shimin, "switch", "metro-arrivals", "open")
        shimin("switch", "metro-arrivals", "off", "--reason", "演练")
        answer = wait_until(lambda: (a := call(lines)).status == 503 and a, what="the switch")
        self.assertEqual((answer.json["code"], answer.json["service"]), ("service-switched", "metro-line-timetable"))
        self.assertEqual(call("/v1/departments/metro/api/stations/crowding").status, 200)

    def test_personal_data_that_is_passed_leaves_a_footprint(self):
        token = login_verified()
        trace = call("/v1/departments/housing-fund/api/v1/accounts", token=token).headers["X-Request-Id"]
        found = wait_until(lambda: [i for i in call("/v1/me/footprint", token=token).json["items"] if i["trace_id"] == trace])
        self.assertEqual((found[0]["department"], found[0]["purpose"]), ("housing-fund", "passage"))


if __name__ == "__main__":
    unittest.main()
