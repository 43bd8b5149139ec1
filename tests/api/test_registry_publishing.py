"""The registry: from an OpenAPI document to a citizen's answer, and what happens to it afterwards."""
import copy
import json
import pathlib
import unittest

import backend
from client import another_gateway, call, client_token, login_verified, staff_session
from registrant import ARRIVALS, CONTRACT, EXAMPLES, Department, decide, definition, remove_services, trips, wait_until


def tearDownModule():
    remove_services()


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
        answer = wait_until(lambda: (a := department.asked()).status == 200 and a, "the service")  # 9
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

    def test_it_is_live_in_another_gateway_without_a_restart(self):
        department = Department()
        department.ready()
        self.assertTrue(department.submit().json["passed"])
        administrator = staff_session("system")
        with another_gateway() as gateway:
            self.assertEqual(decide(department.slug, token=administrator).json["state"], "live")
            ask = lambda: call(f"/v1/services/{department.slug}/records?station=1", base=gateway)  # noqa: E731
            answer = wait_until(lambda: (a := ask()).status == 200 and a, "the service in the other gateway")
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

    def test_a_list_that_is_kept_for_all_is_not_tried_by_some(self):
        department = Department()
        department.ready({**definition(department.slug, archetype="feed", operation={
            "id": "listArrivals", "request": {"station": "const:1"}, "items": "/arrivals", "refresh": 60,
            "fields": {"id": "/line", "title": "/line", "updated_at": "/line"}}), "parameters": None})
        self.assertTrue(department.submit().json["passed"])
        answer = decide(department.slug, share=10, language="en")
        self.assertEqual((answer.status, "one list" in answer.json["detail"]), (409, True), answer)

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

    def test_a_live_service_is_probed_where_citizens_are_sent_and_where_versions_are_tried(self):
        department = Department()
        department.publish()
        probe = lambda: department.call(f"/services/{department.slug}/probe").json  # noqa: E731
        wait_until(lambda: probe()["passed"], "the first probe")
        names = {"credentials", "reachable", "contract", "deadline", "masks"}
        self.assertEqual({(c["environment"], c["name"]) for c in probe()["checks"]},
                         {(where, name) for where in ("production", "test") for name in names})

    def test_the_probe_of_a_personal_service_names_nobody_in_production(self):
        production = backend.Backend(dict(ARRIVALS))
        self.addCleanup(production.close)
        department = Department()
        department.ready(trips(department.slug, {"/holder": "id_number"}), production=production.url)
        self.assertTrue(department.submit().json["passed"])
        self.assertEqual(decide(department.slug).json["state"], "live")
        probe = lambda: department.call(f"/services/{department.slug}/probe").json  # noqa: E731
        wait_until(lambda: probe()["passed"], "the first probe")
        self.assertEqual([c["name"] for c in probe()["checks"] if c["environment"] == "production"], ["credentials", "reachable", "deadline"])
        self.assertEqual({path for path, _ in production.heard}, {"/no-such-path-of-the-publish-gate"})


if __name__ == "__main__":
    unittest.main()
