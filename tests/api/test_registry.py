"""The registry: documents, systems, credentials, drafts."""
import copy
import glob
import json
import pathlib
import unittest

from client import another_gateway, call, staff_session
from registrant import CONTRACT, EXAMPLES, Department, definition, remove_services, trips


def tearDownModule():
    remove_services()


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

    def test_a_department_hands_in_so_much_a_day_and_so_much_altogether(self):
        department = Department(of="housing-fund")
        half = lambda n: f"openapi: 3.1.0\ninfo: {{title: {department.name} {n}, version: '1'}}\npaths: {{}}\n#{'x' * 3000}".encode()  # noqa: E731
        used = sum(one["size"] for one in department.call("/contracts?limit=100").json["items"])
        send = lambda n: call(f"/department/v1/contracts?system={department.name}", "POST", token=department.token, raw=half(n),  # noqa: E731
                              headers={"Content-Type": "application/yaml"}, base=gateway)
        for setting, status in (("SHIMIN_FEDERATION_CONTRACT_BYTES_A_DAY", 429), ("SHIMIN_FEDERATION_CONTRACT_BYTES", 409)):
            with another_gateway(**{setting: f"{used + 5000}B"}) as gateway:
                self.assertIn(send(1).status, (200, 201))
                refused = send(2)
                self.assertEqual(refused.status, status, refused)
                self.assertEqual("Retry-After" in refused.headers, status == 429)
                self.assertEqual(send(1).status, 200)  # the very same is there already

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

if __name__ == "__main__":
    unittest.main()
