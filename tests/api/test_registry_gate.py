"""The registry's publish gate: what a backend must show before citizens are sent to it."""
import functools
import itertools
import json
import pathlib
import ssl
import subprocess
import tempfile
import unittest

from backend import SECRETS
from client import call, staff_session
from registrant import ARRIVALS, CONTRACT, decide, definition, remove_services, trips, writing
import registrant

# A department may have 64 systems, and the other files of the registry's tests make theirs at metro.
Department = functools.partial(registrant.Department, of="housing-fund")


def tearDownModule():
    remove_services()


class GateCase(unittest.TestCase):
    def results(self, department):
        report = department.submit()
        self.assertEqual(report.status, 200, report)
        return report.json["passed"], {c["name"]: c["result"] for c in report.json["checks"]}


class Gate(GateCase):
    def test_a_good_backend_passes_and_the_report_is_kept(self):
        department = Department()
        department.ready()
        passed, results = self.results(department)
        self.assertTrue(passed, results)
        self.assertEqual(set(results.values()), {"passed", "not_applicable"})
        self.assertEqual(department.call(f"/services/{department.slug}/versions/1/gate").json["passed"], True)
        shown = call(f"/admin/v1/submissions/{department.slug}", token=staff_session("system")).json
        self.assertEqual((shown["version"]["state"], shown["gate"]["passed"]), ("submitted", True))

    def test_a_backend_that_lets_everybody_in_fails(self):
        department = Department(checks=False)
        department.ready()
        passed, results = self.results(department)
        self.assertFalse(passed)
        self.assertEqual((results["authentication_missing"], results["authentication_wrong"]), ("failed", "failed"))

    def test_an_identity_number_that_leaves_unmasked_is_found_by_its_look(self):
        department = Department()
        department.ready(trips(department.slug, {}))
        passed, results = self.results(department)
        self.assertEqual((passed, results["masks"]), (False, "failed"))

    def test_a_phone_number_in_the_middle_of_a_text_is_found_as_well(self):
        department = Department({**ARRIVALS, "/trips": {"trips": [{"trip": "请致电 +86 13800000001 联系", "holder": "x"}]}})
        department.ready(trips(department.slug, {"/holder": "id_number"}))
        report = department.submit().json
        self.assertIn("/0/trip looks like an unmasked phone number", [c["detail"]["en"] for c in report["checks"] if c["name"] == "masks"])

    def test_answers_outside_the_contract_fail_and_so_do_successes_that_should_be_errors(self):
        department = Department({**ARRIVALS, "/no-such-path-of-the-publish-gate": {"welcome": "portal"}})
        department.ready()
        department.backend.answers["/arrivals"] = {"arrivals": "none"}
        passed, results = self.results(department)
        self.assertEqual((passed, results["contract"], results["errors"]), (False, "failed", "failed"))

    def test_a_backend_that_answers_without_what_it_requires_fails(self):
        department = Department(strict=False)
        department.ready()
        passed, results = self.results(department)
        self.assertEqual((passed, results["errors_parameter"], results["errors_resource"]), (False, "failed", "not_applicable"))

    def test_a_resource_that_does_not_exist_is_an_error_or_an_empty_list_and_nothing_else(self):
        line = lambda target: {"stations": ["天府广场"]} if target == "/lines/1/stations" else None  # noqa: E731
        for unknown, result in ((lambda target: None, "passed"), (lambda target: {"stations": []}, "passed"),
                                (lambda target: {"stations": ["春熙路"]}, "failed"), (lambda target: (500, {}), "failed")):
            department = Department()
            department.ready({**definition(department.slug, operation={
                "id": "listStations", "request": {"line": "query.station"}, "items": "/stations", "masks": {},
                "cache": {"fresh": 0, "stale": 0}}),
                "parameters": [{"name": "station", "required": True, "schema": {"type": "string", "default": "1"},
                                "description": {"zh": "线路", "en": "Line"}}]})
            known = department.backend.answer
            department.backend.answer = lambda method, target, headers, body, known=known, unknown=unknown: (
                known(method, target, headers, body) if "/lines/" not in target else
                (200, line(target)) if line(target) else
                found if isinstance(found := unknown(target), tuple) else (200, found) if found else (404, {}))
            department.backend.checks = False
            self.assertEqual(self.results(department)[1]["errors_resource"], result)

    def test_answers_that_come_too_near_to_the_deadline_fail(self):
        department = Department(takes=1.8)
        department.ready(deadline_ms=2000)
        passed, results = self.results(department)
        self.assertEqual((passed, results["deadline"]), (False, "failed"))

    def test_a_backend_that_is_away_fails_and_the_draft_can_be_mended_and_submitted_again(self):
        department = Department()
        department.ready()
        department.backend.close()
        passed, results = self.results(department)
        self.assertEqual((passed, results["reachable"]), (False, "failed"))
        self.assertEqual(department.draft().json["state"], "draft")
        self.assertFalse(self.results(department)[0])

class Writes(GateCase):
    """A write that is sent twice acts once, and the answers show it."""

    def replayed(self, operation, path, act):
        department = Department({path: act})
        department.ready(writing(department.slug, operation))
        report = department.submit().json
        checks = {c["name"]: c for c in report["checks"]}
        self.assertEqual((checks["reachable"]["result"], checks["contract"]["result"]), ("passed", "passed"), report)
        return report["passed"], checks["replay"]["result"], checks["replay"]["detail"]["en"]

    def test_a_backend_that_keeps_to_the_idempotency_key_passes(self):
        known, numbers = {}, itertools.count(1)

        def act(method, headers, body):
            if "text" not in body:
                return 400, {"message": "text is missing"}
            return 201, known.setdefault(headers["Idempotency-Key"], {"number": f"R{next(numbers)}"})

        self.assertEqual(self.replayed("fileReport", "/reports", act)[:2], (True, "passed"))

    def test_a_backend_that_acts_twice_is_found_out(self):
        numbers = itertools.count(1)
        passed, result, detail = self.replayed("fileReport", "/reports", lambda *_: (201, {"number": f"R{next(numbers)}"}))
        self.assertEqual((passed, result), (False, "failed"))
        self.assertIn("acted twice", detail)

    def test_answers_that_cannot_tell_one_act_from_two_prove_nothing(self):
        passed, result, detail = self.replayed("fileReport", "/reports", lambda *_: (201, {"number": "accepted"}))
        self.assertEqual((passed, result), (False, "failed"))
        self.assertIn("cannot tell", detail)

    def test_a_put_changes_nothing_the_second_time(self):
        edits = itertools.count(1)
        self.assertEqual(self.replayed("putReport", "/reports/latest", lambda *_: (200, {"edits": 1}))[1], "passed")
        self.assertEqual(self.replayed("putReport", "/reports/latest", lambda *_: (200, {"edits": next(edits)}))[1], "failed")


    def test_a_write_that_is_not_declared_repeatable_is_refused(self):
        department = Department({"/reports": lambda *_: (201, {"number": "R1"})})
        department.contract = json.loads(json.dumps(CONTRACT))
        del department.contract["paths"]["/reports"]["post"]["parameters"]
        department.ready(writing(department.slug, "fileReport"))
        report = department.submit().json
        detail = {c["name"]: c["detail"]["en"] for c in report["checks"]}["replay"]
        self.assertEqual((report["passed"], "Idempotency-Key" in detail), (False, True), report)

    def test_a_query_by_post_must_not_act_either(self):
        numbers = itertools.count(1)
        for answer, expected in ((lambda *_: (200, {"edits": 7}), "passed"), (lambda *_: (200, {"edits": next(numbers)}), "failed")):
            department = Department({"/reports/latest": answer})
            department.ready({**writing(department.slug, "putReport"), "archetype": "query", "operation": {
                "id": "putReport", "request": {"/text": "query.text"}, "items": "", "masks": {}, "cache": {"fresh": 0, "stale": 0}}})
            self.assertEqual(self.results(department)[1]["replay"], expected)

    def test_what_no_engine_carries_out_is_tested_and_not_published(self):
        known, numbers = {}, itertools.count(1)
        department = Department({"/reports": lambda method, headers, body: (201, known.setdefault(
            headers["Idempotency-Key"], {"number": f"R{next(numbers)}"})) if "text" in body else (400, {})})
        department.ready(writing(department.slug, "fileReport"))
        self.assertTrue(department.submit().json["passed"])
        answer = decide(department.slug, language="en")
        self.assertEqual((answer.status, "no engine" in answer.json["detail"]), (409, True), answer)


class MutualTls(GateCase):
    """The proof is the connection: who has no certificate, or one that nobody vouches for, must be turned away."""

    def department(self, clients):
        department = Department(checks=False, clients=clients)
        department.contract = {**CONTRACT, "components": {**CONTRACT["components"], "securitySchemes": {"key": {"type": "mutualTLS"}}},
                               "openapi": "3.1.0"}
        department.credentials = {**self.certificate(), "ca": (SECRETS / "ca.pem").read_text()}
        self.addCleanup(department.backend.close)
        return department

    def certificate(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            openssl = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)  # noqa: E731
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=shimin", "-keyout", folder / "key",
                    "-out", folder / "request")
            openssl("x509", "-req", "-in", folder / "request", "-CA", SECRETS / "ca.pem", "-CAkey", SECRETS / "ca.key", "-days", "2",
                    "-set_serial", "78", "-out", folder / "certificate")
            return {"certificate": (folder / "certificate").read_text(), "private_key": (folder / "key").read_text()}

    def test_a_backend_that_demands_a_certificate_passes(self):
        department = self.department(ssl.CERT_REQUIRED)
        department.ready()
        passed, results = self.results(department)
        self.assertEqual((results["authentication_missing"], results["authentication_wrong"], passed), ("passed", "passed", True), results)

    def test_a_backend_that_only_asks_for_one_fails(self):
        department = self.department(ssl.CERT_OPTIONAL)
        department.ready()
        passed, results = self.results(department)
        self.assertEqual((passed, results["contract"], results["authentication_missing"]), (False, "passed", "failed"), results)


if __name__ == "__main__":
    unittest.main()
