"""The registry: from an OpenAPI document to a citizen's answer, and what happens to it afterwards."""
import copy
import glob
import itertools
import json
import os
import pathlib
import unittest

import backend
from client import another_gateway, call, client_token, login_verified, staff_session, wait_until

EXAMPLES = os.environ.get("SHIMIN_OAS_EXAMPLES")
_numbers = itertools.count(1)
_departments = []


def tearDownModule():
    """Other tests count the services of the catalogue."""
    token = staff_session("system")
    for department in _departments:
        call(f"/admin/v1/services/{department.slug}", "DELETE", token=token)
    wait_until(lambda: not any(department.asked().status == 200 for department in _departments), what="the catalogue as it was")

CONTRACT = {
    "openapi": "3.0.3",
    "info": {"title": "Arrivals", "version": "1.0.0"},
    "paths": {
        "/arrivals": {"get": {
            "operationId": "listArrivals",
            "parameters": [{"name": "station", "in": "query", "required": True, "schema": {"type": "string"}},
                           {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object"}}],
            "responses": {"200": {"description": "Arrivals", "content": {"application/json": {"schema": {
                "type": "object", "required": ["arrivals"], "properties": {"arrivals": {"type": "array", "items": {
                    "$ref": "#/components/schemas/Arrival"}}}}}}}}}},
        "/trips": {"get": {
            "operationId": "listTrips",
            "parameters": [{"name": "id_number", "in": "query", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "Trips", "content": {"application/json": {"schema": {
                "type": "object", "properties": {"trips": {"type": "array", "items": {"type": "object", "properties": {
                    "trip": {"type": "string"}, "holder": {"type": "string"}}}}}}}}}}}},
        "/files": {"post": {
            "operationId": "upload",
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {"type": "object"}}}},
            "responses": {"204": {"description": "Done"}}}},
    },
    "components": {
        "schemas": {"Arrival": {"type": "object", "required": ["line", "minutes"], "properties": {
            "line": {"type": "string"}, "minutes": {"type": "integer"}, "via": {"$ref": "#/components/schemas/Arrival"}}}},
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
    },
    "security": [{"key": []}],
}
ARRIVALS = {"/arrivals": {"arrivals": [{"line": "1", "minutes": 3}]},
            "/trips": {"trips": [{"trip": "天府广场 → 春熙路", "holder": "11010519491231002X"}]}}


def definition(slug, **more):
    return {"slug": slug, "name": {"zh": "地铁到站", "en": "Metro arrivals"}, "summary": {"zh": "几时到站。", "en": "When the train comes."},
            "pinyin": "dtdz", "category": "travel", "archetype": "query", "level": "L0", "personal": False,
            "promise": {"working_days": 0},
            "operation": {"id": "listArrivals", "request": {"station": "query.station"}, "items": "/arrivals", "masks": {},
                          "cache": {"fresh": 0, "stale": 0}},
            "parameters": [{"name": "station", "required": True, "schema": {"type": "string", "default": "天府广场"},
                            "description": {"zh": "车站", "en": "Station"}}], **more}


def trips(slug, masks):
    return {**definition(slug, level="L2", personal=True, operation={
        "id": "listTrips", "request": {"id_number": "citizen.id_number"}, "items": "/trips", "masks": masks,
        "cache": {"fresh": 0, "stale": 0}}), "parameters": None}


class Department:
    """Metro, with a system of its own for each test."""

    def __init__(self, answers=ARRIVALS, **more):
        self.backend = backend.Backend(dict(answers), **more)
        self.name = f"arrivals-{os.getpid()}-{next(_numbers)}"
        self.slug = f"metro-{self.name}"
        self.token = staff_session("engineer", "metro")
        _departments.append(self)

    def call(self, path, method=None, body=None, **more):
        return call("/department/v1" + path, method, body, token=self.token, **more)

    def register(self, contract=CONTRACT):
        document = {**contract, "info": {**contract["info"], "description": self.name}}
        return self.call(f"/contracts?system={self.name}", "POST", raw=json.dumps(document).encode(),
                         headers={"Content-Type": "application/json"})

    def connect(self, **more):
        etag = self.call(f"/systems/{self.name}").headers["ETag"]
        answer = self.call(f"/systems/{self.name}", "PUT", {"production": self.backend.url, "test": self.backend.url, **more},
                           headers={"If-Match": etag} if etag else {})
        assert answer.status in (200, 201), answer
        for environment in ("production", "test"):
            answer = self.call(f"/systems/{self.name}/credentials/{environment}", "PUT", {"api_key": "right"})
            assert answer.status == 200, answer

    def draft(self, what=None, **more):
        what = {name: value for name, value in (what or definition(self.slug)).items() if value is not None}
        now = self.call(f"/services/{self.slug}")
        at_work = [v["edition"] for v in now.json["versions"] if v["state"] in ("draft", "submitted", "failed", "refused")
                   ] if now.status == 200 else []
        return self.call(f"/services/{self.slug}", "PUT", {"system": self.name, "definition": what, **more},
                         headers={"If-Match": f'"{at_work[0]}"'} if at_work else {})

    def try_out(self, **order):
        return self.call(f"/services/{self.slug}/try", "POST", order)

    def submit(self):
        return self.call(f"/services/{self.slug}/submit", "POST")

    def ready(self, what=None):
        """Registered, connected, drafted, and its credentials known to every worker."""
        assert self.register().status in (200, 201)
        self.connect()
        answer = self.draft(what)
        assert answer.status in (200, 201), answer
        wait_until(lambda: all(self.try_out().json["outcome"] == "ok" for _ in range(6)), what="the credentials")

    def publish(self, what=None, share=None):
        self.ready(what) if what is None or share is None else self.draft(what)
        report = self.submit()
        assert report.status == 200 and report.json["passed"], report.json
        return decide(self.slug, **({"share": share} if share else {}))

    def asked(self, token=None, station="天府广场"):
        return call(f"/v1/services/{self.slug}/records", token=token)


def decide(slug, decision="approve", token=None, etag=None, language="zh", **more):
    token = token or staff_session("system")
    etag = etag or call(f"/admin/v1/submissions/{slug}", token=token).headers["ETag"] or '"0"'
    return call(f"/admin/v1/submissions/{slug}/decision", "POST", {"decision": decision, "reason": "核对无误", **more}, token=token,
                headers={"If-Match": etag, "Accept-Language": language})


class Contracts(unittest.TestCase):
    def test_a_document_is_taken_with_what_each_operation_is_good_for(self):
        department = Department()
        answer = department.register()
        self.assertEqual(answer.status, 201, answer)
        operations = {o["id"]: o for o in answer.json["operations"]}
        self.assertTrue(operations["listArrivals"]["usable"])
        self.assertEqual(operations["upload"]["reasons"], ["it needs a body that is not JSON", "it describes no JSON answer"])
        again = department.register()
        self.assertEqual((again.status, again.json["sha256"]), (200, answer.json["sha256"]))
        document = department.call(f"/contracts/{answer.json['sha256']}/document")
        self.assertEqual(json.loads(document.bytes)["info"]["title"], "Arrivals")

    def test_every_fault_comes_back_at_once_with_its_pointer(self):
        broken = copy.deepcopy(CONTRACT)
        broken["paths"]["/arrivals"]["get"]["parameters"][0]["in"] = "body"
        broken["paths"]["/trips"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"$ref": "#/nowhere"}
        broken["components"]["schemas"]["Arrival"]["properties"]["line"]["pattern"] = "("
        answer = Department().register(broken)
        self.assertEqual(answer.status, 422)
        pointers = {error["pointer"] for error in answer.json["errors"]}
        self.assertLessEqual({"#/paths/~1arrivals/get/parameters/0/in", "#/components/schemas/Arrival/properties/line/pattern",
                              "#/paths/~1trips/get/responses/200/content/application~1json/schema/%24ref"}, pointers)

    def test_yaml_is_taken_whatever_it_is_called_and_swagger_is_refused_with_advice(self):
        department = Department()
        text = f"openapi: 3.1.0\ninfo: {{title: {department.name}, version: '1'}}\npaths: {{}}\n".encode()
        for kind in ("application/yaml", "text/plain", "application/octet-stream"):
            answer = department.call(f"/contracts?system={department.name}", "POST", raw=text, headers={"Content-Type": kind})
            self.assertIn(answer.status, (200, 201), (kind, answer))
        old = department.call(f"/contracts?system={department.name}", "POST", raw=b"swagger: '2.0'\n",
                              headers={"Content-Type": "application/yaml"})
        self.assertEqual(old.status, 422)
        self.assertIn("swagger2openapi", old.json["errors"][0]["detail"])

    def test_two_megabytes_go_through_and_five_do_not(self):
        department = Department()
        large = copy.deepcopy(CONTRACT)
        for i in range(7000):
            large["components"]["schemas"][f"S{i}"] = {"type": "object", "properties": {
                "next": {"$ref": f"#/components/schemas/S{i - 1 if i else 0}"}, "text": {"type": "string", "description": "x" * 200}}}
        self.assertGreater(len(json.dumps(large)), 2_000_000)
        self.assertEqual(department.register(large).status, 201)
        answer = department.call(f"/contracts?system={department.name}", "POST", raw=b"#" * 5_000_000,
                                 headers={"Content-Type": "application/yaml"})
        self.assertEqual(answer.status, 413)

    def test_another_departments_documents_do_not_exist(self):
        sha256 = Department().register().json["sha256"]
        other = staff_session("engineer", "bus")
        for path in (f"/contracts/{sha256}", f"/contracts/{sha256}/document"):
            self.assertEqual(call("/department/v1" + path, token=other).status, 404)

    def test_a_new_version_comes_with_what_it_breaks(self):
        department = Department()
        before = department.register().json["sha256"]
        changed = copy.deepcopy(CONTRACT)
        changed["info"]["version"] = "2.0.0"
        changed["paths"]["/arrivals"]["get"]["parameters"].append(
            {"name": "line", "in": "query", "required": True, "schema": {"type": "string"}})
        changed["components"]["schemas"]["Arrival"]["properties"]["platform"] = {"type": "string"}
        changed["paths"]["/trips"]["get"]["summary"] = "Trips"
        after = department.register(changed).json["sha256"]
        diff = department.call(f"/contracts/{after}/diff?from={before}").json
        self.assertEqual((diff["breaking"], diff["compatible"], diff["editorial"]), (1, 1, 1), diff)
        self.assertEqual({c["kind"] for c in diff["changes"]}, {"required-parameter-added", "member-added", "words-changed"})
        listed = department.call(f"/contracts?system={department.name}&limit=1")
        self.assertEqual(listed.json["items"][0]["sha256"], after)
        rest = department.call(f"/contracts?system={department.name}&limit=1&cursor={listed.json['next_cursor']}")
        self.assertEqual(([i["sha256"] for i in rest.json["items"]], rest.json["next_cursor"]), ([before], None))

    @unittest.skipUnless(EXAMPLES, "SHIMIN_OAS_EXAMPLES does not name the folder of the npm package")
    def test_documents_that_nobody_here_wrote_go_through(self):
        refused = {"parameters-common", "response-http-behavior", "schema-validation-local", "schema-validation-top-level"}
        department, taken = Department(), 0
        department.name = "oas-examples"
        for path in glob.glob(EXAMPLES + "/3.*/**/*.*", recursive=True):
            if not path.endswith((".json", ".yaml")) or pathlib.Path(path).stem in refused:
                continue
            answer = department.call(f"/contracts?system={department.name}", "POST", raw=pathlib.Path(path).read_bytes(),
                                     headers={"Content-Type": "application/octet-stream"})
            self.assertIn(answer.status, (200, 201), (path, answer))
            taken += 1
        self.assertGreater(taken, 80)


class Systems(unittest.TestCase):
    def test_credentials_are_never_readable_again(self):
        department = Department()
        department.register()
        department.connect()
        shown = department.call(f"/systems/{department.name}")
        self.assertNotIn(b"right", shown.bytes)
        credential = shown.json["credentials"][0]
        self.assertEqual(credential["kind"], "api_key")
        self.assertRegex(credential["fingerprint"], "^[0-9a-f]{16}$")
        self.assertEqual(department.call(f"/systems/{department.name}/credentials/test", "DELETE").status, 204)
        self.assertEqual(len(department.call(f"/systems/{department.name}").json["credentials"]), 1)

    def test_half_of_a_credential_and_paths_into_our_disk_are_refused(self):
        department = Department()
        department.register()
        for given in ({"key_id": "a"}, {"key_id": "a", "private_key": "/etc/shadow"}, {"hmac_key": "not base64!", "key_id": "a"}):
            answer = department.call(f"/systems/{department.name}/credentials/test", "PUT", given)
            self.assertEqual(answer.status, 422, given)
            self.assertNotIn(b"shadow", answer.bytes)

    def test_an_address_is_changed_with_its_etag_only(self):
        department = Department()
        self.assertEqual(department.call(f"/systems/{department.name}", "PUT", {"test": "https://a.example"}).status, 201)
        self.assertEqual(department.call(f"/systems/{department.name}", "PUT", {"test": "https://b.example"}).status, 428)
        stale = department.call(f"/systems/{department.name}", "PUT", {"test": "https://b.example"}, headers={"If-Match": '"9"'})
        self.assertEqual(stale.status, 412)
        bad = department.call(f"/systems/{department.name}", "PUT", {"test": "https://u@b.example"}, headers={"If-Match": '"1"'})
        self.assertEqual((bad.status, bad.json["errors"][0]["pointer"]), (422, "#/test"))


class Drafts(unittest.TestCase):
    def test_a_definition_is_checked_against_the_contract_with_pointers(self):
        department = Department()
        department.register()
        wrong = definition(department.slug)
        wrong["operation"] = {**wrong["operation"], "request": {}, "items": "/nothing"}
        answer = department.draft(wrong)
        self.assertEqual(answer.status, 422)
        self.assertEqual({e["pointer"] for e in answer.json["errors"]}, {"#/definition/operation/request", "#/definition/operation/items"})
        malformed = department.draft({**definition(department.slug), "level": "L9"})
        self.assertEqual([e["pointer"] for e in malformed.json["errors"]], ["#/definition/level"])

    def test_what_needs_a_deep_object_or_a_file_says_so(self):
        department = Department()
        department.register()
        wrong = definition(department.slug)
        wrong["operation"]["request"]["filter"] = "const:x"
        self.assertIn("an object in a parameter", department.draft(wrong).json["errors"][0]["detail"])
        wrong["operation"] = {**wrong["operation"], "id": "upload", "request": {}}
        self.assertIn("not JSON", department.draft(wrong).bytes.decode())

    def test_a_name_of_the_citys_files_or_of_another_department_is_taken(self):
        department = Department()
        department.register()
        department.slug = "metro-crowding"
        self.assertEqual(department.draft().status, 409)

    def test_try_shows_request_answer_mapping_and_masks_for_a_test_person(self):
        department = Department()
        department.ready(trips(department.slug, {"/holder": "id_number"}))
        report = department.try_out(person="zhang-wei").json
        self.assertEqual(report["request"]["method"], "GET")
        self.assertIn("/trips?id_number=11010519491231002X", report["request"]["url"])
        self.assertEqual(report["request"]["headers"]["x-api-key"], "(not shown)")
        self.assertEqual((report["response"]["status"], report["violations"]), (200, []))
        self.assertEqual(report["items"]["items"], [{"trip": "天府广场 → 春熙路", "holder": "110105********002X"}])
        self.assertGreater(report["response"]["duration_ms"], 0)

    def test_try_names_where_an_answer_breaks_the_contract(self):
        department = Department()
        department.ready()
        department.backend.answers["/arrivals"] = {"arrivals": [{"line": "1", "minutes": "soon"}]}
        report = department.try_out().json
        self.assertEqual([v["pointer"] for v in report["violations"]], ["/arrivals/0/minutes"])
        self.assertEqual((report["items"], report["problem"]["type"]), (None, "department-contract-violation"))

    def test_the_sandbox_twin_plays_a_document_before_anything_else_is_there(self):
        department = Department()
        department.register()
        self.assertEqual(department.draft().status, 201)
        report = department.try_out(environment="sandbox", parameters={"station": "春熙路"}).json
        self.assertEqual((report["response"]["status"], report["violations"], report["outcome"]), (200, [], "ok"), report)
        self.assertIn("items", report["items"])


class Gate(unittest.TestCase):
    def results(self, department):
        report = department.submit()
        self.assertEqual(report.status, 200, report)
        return report.json["passed"], {c["name"]: c["result"] for c in report.json["checks"]}

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

    def test_a_backend_that_is_away_fails_and_the_draft_can_be_mended_and_submitted_again(self):
        department = Department()
        department.ready()
        department.backend.close()
        passed, results = self.results(department)
        self.assertEqual((passed, results["reachable"]), (False, "failed"))
        self.assertEqual(department.draft().json["state"], "draft")
        self.assertFalse(self.results(department)[0])


class Publishing(unittest.TestCase):
    def test_from_a_foreign_document_to_a_citizens_answer_in_under_ten_calls(self):
        department = Department()
        administrator = staff_session("system")
        self.assertEqual(department.register().status, 201)  # 1
        etag = '"1"'
        backends = {"production": department.backend.url, "test": department.backend.url}
        self.assertEqual(department.call(f"/systems/{department.name}", "PUT", backends, headers={"If-Match": etag}).status, 200)  # 2
        for environment in ("test", "production"):  # 3, 4
            department.call(f"/systems/{department.name}/credentials/{environment}", "PUT", {"api_key": "right"})
        self.assertEqual(department.draft().status, 201)  # 5
        report = wait_until(lambda: (r := department.submit()).json["passed"] and r, what="the gate")  # 6
        self.assertTrue(report.json["passed"])
        self.assertEqual(decide(department.slug, token=administrator).json["state"], "live")  # 7, 8: read and approved
        answer = wait_until(lambda: (a := department.asked()).status == 200 and a, what="the service")  # 9
        self.assertEqual(answer.json["items"], [{"line": "1", "minutes": 3}])
        self.assertEqual(answer.json["source"], "metro")

    @unittest.skipUnless(EXAMPLES, "SHIMIN_OAS_EXAMPLES does not name the folder of the npm package")
    def test_a_pet_of_a_document_that_nobody_here_wrote_reaches_a_citizen(self):
        pet = {"id": 7, "name": "doggie", "photoUrls": [], "status": "available"}
        department = Department({"/pet/7": pet}, key_header="api_key")
        document = json.loads(pathlib.Path(EXAMPLES, "3.0/json/petstore.json").read_text(encoding="utf-8"))
        self.assertEqual(department.register(document).status, 201)
        department.connect()
        answer = department.draft({**definition(department.slug, operation={
            "id": "getPetById", "request": {"petId": "query.pet"}, "items": "", "masks": {}, "cache": {"fresh": 0, "stale": 0}}),
            "parameters": [{"name": "pet", "required": True, "schema": {"type": "integer", "minimum": 7},
                            "description": {"zh": "编号", "en": "Number"}}]})
        self.assertEqual(answer.status, 201, answer)
        self.assertTrue(wait_until(lambda: department.submit().json["passed"], what="the gate"))
        self.assertEqual(decide(department.slug).json["state"], "live")
        answer = wait_until(lambda: (a := call(f"/v1/services/{department.slug}/records?pet=7")).status == 200 and a)
        self.assertEqual(answer.json["items"], [pet])

    def test_it_is_live_in_another_gateway(self):
        department = Department()
        department.ready()
        self.assertTrue(department.submit().json["passed"])
        administrator = staff_session("system")
        with another_gateway() as gateway:
            self.assertEqual(decide(department.slug, token=administrator).json["state"], "live")
            ask = lambda: call(f"/v1/services/{department.slug}/records?station=1", base=gateway)  # noqa: E731
            answer = wait_until(lambda: (a := ask()).status == 200 and a, what="the service in the other gateway")
            self.assertEqual(answer.json["items"], [{"line": "1", "minutes": 3}])

    def test_nothing_is_served_without_an_address_and_an_alias_is_the_citys_to_give(self):
        department = Department()
        department.ready()
        aliases = department.draft(definition(department.slug, aliases=["metro-crowding"]))
        self.assertEqual((aliases.status, aliases.json["errors"][0]["pointer"]), (422, "#/definition/aliases"))
        self.assertTrue(department.submit().json["passed"])
        path = f"/systems/{department.name}"
        etag = department.call(path).headers["ETag"]
        self.assertEqual(department.call(path, "PUT", {"test": department.backend.url}, headers={"If-Match": etag}).status, 200)
        answer = decide(department.slug, language="en")
        self.assertEqual(answer.status, 409)
        self.assertIn("production address", answer.json["detail"])

    def test_who_submitted_does_not_approve_and_engineers_may_not(self):
        department = Department()
        department.ready()
        department.submit()
        self.assertEqual(decide(department.slug, token=department.token).status, 403)
        self.assertEqual(decide(department.slug, token=staff_session("audit")).status, 403)

    def test_what_was_changed_after_it_was_read_is_not_approved(self):
        department = Department()
        department.ready()
        department.submit()
        path = f"/admin/v1/submissions/{department.slug}"
        administrator = staff_session("system")
        read = call(path, token=administrator).headers["ETag"]
        self.assertEqual(department.draft(definition(department.slug, pinyin="other")).status, 200)
        self.assertTrue(department.submit().json["passed"])
        self.assertEqual(decide(department.slug, token=administrator, etag=read).status, 412)
        self.assertEqual(call(path + "/decision", "POST", {"decision": "approve", "reason": "x"}, token=administrator).status, 428)
        self.assertEqual(decide(department.slug, share=10).status, 409)  # there is nothing beside which it could be tried
        self.assertEqual(decide(department.slug, token=administrator).json["state"], "live")

    def test_a_refusal_has_a_reason_and_can_be_mended(self):
        department = Department()
        department.ready()
        department.submit()
        self.assertEqual(decide(department.slug, "refuse").json["state"], "refused")
        version = department.call(f"/services/{department.slug}").json["versions"][0]
        self.assertEqual((version["state"], version["decision_reason"]), ("refused", "核对无误"))
        self.assertEqual(department.draft().json["state"], "draft")

    def test_what_runs_is_untouched_until_the_next_version_is_published_and_rolled_back_in_one_call(self):
        department = Department()
        self.assertEqual(department.publish().json["state"], "live")
        wait_until(lambda: department.asked().status == 200)
        newer = definition(department.slug, name={"zh": "地铁到站二", "en": "Second"})
        self.assertEqual(department.draft(newer).json["number"], 2)
        name = lambda: call(f"/v1/services/{department.slug}").json["name"]["en"]  # noqa: E731
        self.assertEqual(name(), "Metro arrivals")
        self.assertTrue(department.submit().json["passed"])
        self.assertEqual(decide(department.slug).json["state"], "live")
        wait_until(lambda: name() == "Second")
        self.assertEqual(department.call(f"/services/{department.slug}/rollback", "POST").json["number"], 1)
        wait_until(lambda: name() == "Metro arrivals")
        self.assertEqual(call(f"/admin/v1/services/{department.slug}/rollback", "POST", token=staff_session("system")).json["number"], 2)

    def test_a_canary_serves_the_same_citizens_and_goes_when_it_is_rolled_back(self):
        department = Department()
        department.publish(trips(department.slug, {"/holder": "id_number"}))
        newer = trips(department.slug, {"/holder": "id_number", "/trip": "name"})
        department.draft(newer)
        self.assertTrue(department.submit().json["passed"])
        self.assertEqual(decide(department.slug, share=50).json["state"], "canary")
        citizens = [login_verified() for _ in range(12)]
        seen = lambda token: department.asked(token).json["items"][0]["trip"]  # noqa: E731
        wait_until(lambda: len({seen(token) for token in citizens}) == 2, what="both versions")
        first = [seen(token) for token in citizens]
        for _ in range(3):
            self.assertEqual([seen(token) for token in citizens], first)
        self.assertEqual(department.call(f"/services/{department.slug}/rollback", "POST").json["number"], 1)
        wait_until(lambda: {seen(token) for token in citizens} == {"天府广场 → 春熙路"})

    def test_the_city_sees_what_a_submission_changes_and_leads_a_trial_to_its_end(self):
        department, city = Department(), staff_session("system")
        department.publish()
        diff = f"/admin/v1/submissions/{department.slug}/diff"
        self.assertEqual(call(diff, token=city).status, 404)  # nothing waits
        newer = copy.deepcopy(CONTRACT)
        del newer["paths"]["/trips"]
        self.assertEqual(department.register(newer).status, 201)
        self.assertEqual(department.draft().status, 201)
        self.assertTrue(department.submit().json["passed"])
        changes = call(diff, token=city)
        self.assertEqual((changes.status, changes.json["breaking"]), (200, 1), changes)
        self.assertEqual(call(diff, token=department.token).status, 403)
        self.assertEqual(decide(department.slug, share=10).json["state"], "canary")
        listed = [one for one in call("/admin/v1/services", token=city).json["items"] if one["service"] == department.slug]
        self.assertEqual([(one["number"], one["state"]) for one in listed[0]["versions"]], [(2, "canary"), (1, "live")])
        path = f"/admin/v1/services/{department.slug}"
        self.assertEqual(call(f"{path}/share", "PUT", {"share": 40}, token=city).json["share"], 40)
        self.assertEqual(call(f"{path}/promote", "POST", token=city).json["state"], "live")
        self.assertEqual(call(f"{path}/promote", "POST", token=city).status, 409)
        history = call(path, token=city).json["history"]
        self.assertEqual([entry["event"] for entry in history[:3]], ["promoted", "on trial", "on trial"])
        for method, way in (("PUT", "share"), ("POST", "promote")):
            self.assertEqual(call(f"{path}/{way}", method, {"share": 1} if way == "share" else None, token=department.token).status, 403)

    def test_a_version_that_ends_says_so_in_every_answer(self):
        department = Department()
        department.publish()
        wait_until(lambda: department.asked().status == 200)
        answer = department.call(f"/services/{department.slug}/versions/1/retirement", "PUT", {
            "sunset_at": "2030-06-30T16:00:00Z", "notice": {"zh": "请改用新版", "en": "Use the new one"}})
        self.assertEqual(answer.status, 200, answer)
        headers = wait_until(lambda: (a := department.asked()).headers["Sunset"] and a.headers)
        self.assertEqual(headers["Sunset"], "Sun, 30 Jun 2030 16:00:00 GMT")
        self.assertRegex(headers["Deprecation"], r"^@\d{10}$")
        self.assertEqual(call(f"/v1/services/{department.slug}").json["retirement"]["notice"]["en"], "Use the new one")

    def test_no_request_is_lost_while_versions_change(self):
        department = Department()
        department.publish()
        wait_until(lambda: department.asked().status == 200)
        department.draft(definition(department.slug, name={"zh": "二", "en": "Second"}))
        self.assertTrue(department.submit().json["passed"])
        decide(department.slug)
        statuses = set()
        for _ in range(3):
            department.call(f"/services/{department.slug}/rollback", "POST")
            statuses |= {department.asked().status for _ in range(40)}
        self.assertEqual(statuses, {200})

    def test_a_service_that_is_removed_is_gone_and_a_new_version_brings_it_back(self):
        department = Department()
        department.publish()
        wait_until(lambda: department.asked().status == 200)
        path = f"/admin/v1/services/{department.slug}"
        self.assertEqual(call(path, "DELETE", token=department.token).status, 403)
        self.assertEqual(call(path, "DELETE", token=staff_session("system")).status, 204)
        wait_until(lambda: department.asked().status == 404)
        self.assertEqual(department.draft().json["number"], 2)
        self.assertTrue(department.submit().json["passed"])
        self.assertEqual(decide(department.slug).json["state"], "live")
        wait_until(lambda: department.asked().status == 200)

    def test_programs_register_with_the_scopes_that_they_have(self):
        department = Department()
        contracts, services = client_token("metro", ["contracts"]), client_token("metro", ["services"])
        path = f"/department/v1/contracts?system={department.name}"
        document = {"raw": json.dumps(CONTRACT | {"info": {"title": department.name, "version": "1"}}).encode(),
                    "headers": {"Content-Type": "application/json"}}
        self.assertEqual(call(path, "POST", token=services, **document).status, 403)
        made = call(path, "POST", token=contracts, **document)
        self.assertEqual((made.status, made.json["registered_by"].split(":")[0]), (201, "client"))
        self.assertEqual(call("/department/v1/services", token=contracts).status, 403)
        self.assertEqual(call("/department/v1/services", token=services).status, 200)

    def test_a_live_service_is_probed(self):
        department = Department()
        department.publish()
        probe = lambda: department.call(f"/services/{department.slug}/probe").json  # noqa: E731
        wait_until(lambda: probe()["passed"], 60, "the first probe")
        self.assertEqual({c["name"] for c in probe()["checks"]}, {"credentials", "reachable", "contract", "deadline", "masks"})


if __name__ == "__main__":
    unittest.main()
