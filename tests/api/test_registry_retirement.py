"""The registry: how a version ends, and who hears of it."""
import datetime
import json
import unittest

from client import call
from receiver import Receiver
from registrant import Department, definition, remove_services, wait_until

RETIRING = "city.shimin.department.version.retiring"
NOTICE = {"zh": "请改用新版", "en": "Use the new one"}


def tearDownModule():
    remove_services()


def soon(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat(timespec="seconds")


class Retirement(unittest.TestCase):
    def retire(self, department, **more):
        return department.call(f"/services/{department.slug}/versions/1/retirement", "PUT", {
            "sunset_at": "2030-06-30T16:00:00Z", "notice": NOTICE, **more})

    def published(self, of="metro", **more):
        department = Department(of=of)
        self.assertEqual(department.publish(definition(department.slug, **more)).json["state"], "live")
        wait_until(lambda: department.asked().status == 200, "the service")
        return department

    def hears(self, department):
        """A webhook of the department's."""
        receiver = Receiver()
        self.addCleanup(receiver.close)
        answer = department.call("/webhooks", "POST", {"url": receiver.url, "types": [RETIRING]})
        self.assertEqual(answer.status, 201, answer)
        webhook = "/webhooks/" + answer.json["webhook"]["id"]
        self.addCleanup(lambda: department.call(webhook, "DELETE", headers={"If-Match": department.call(webhook).headers["ETag"]}))
        return receiver

    def test_a_version_that_ends_says_so_in_every_answer(self):
        department = self.published()
        answer = self.retire(department)
        self.assertEqual(answer.status, 200, answer)
        headers = wait_until(lambda: (a := department.asked()).headers["Sunset"] and a.headers)
        self.assertEqual(headers["Sunset"], "Sun, 30 Jun 2030 16:00:00 GMT")
        self.assertRegex(headers["Deprecation"], r"^@\d{10}$")
        self.assertEqual(call(f"/v1/services/{department.slug}").json["retirement"]["notice"]["en"], "Use the new one")

    def test_after_its_sunset_a_version_answers_410_and_names_its_successor(self):
        department = self.published()
        self.assertEqual(self.retire(department, successor="no-such-service").status, 422)
        self.assertEqual(self.retire(department, successor=department.slug).status, 422)
        answer = self.retire(department, sunset_at=soon(3), successor="metro-crowding")
        self.assertEqual((answer.status, answer.json["successor"]), (200, "metro-crowding"), answer)
        gone = wait_until(lambda: (a := department.asked()).status == 410 and a, "the sunset")
        self.assertEqual((gone.json["code"], gone.json["service"], gone.json["successor"]),
                         ("service-retired", department.slug, "metro-crowding"))
        self.assertEqual((gone.json["detail"], gone.headers["Link"]),
                         (NOTICE["zh"], '</v1/services/metro-crowding>; rel="successor-version"'))
        self.assertIn("Sunset", gone.headers)
        described = call(f"/v1/services/{department.slug}")
        self.assertEqual((described.status, described.json["retirement"]["successor"]), (200, "metro-crowding"))

    def test_what_has_ended_is_not_brought_back_and_a_newer_version_takes_its_place(self):
        department = self.published()
        self.assertEqual(self.retire(department, sunset_at=soon(3)).status, 200)
        wait_until(lambda: department.asked().status == 410, "the sunset")
        self.assertEqual(department.publish(definition(department.slug, pinyin="second")).json["number"], 2)
        wait_until(lambda: department.asked().status == 200, "the second version")
        back = department.call(f"/services/{department.slug}/rollback", "POST", headers={"Accept-Language": "en"})
        self.assertEqual((back.status, "sunset" in back.json["detail"]), (409, True), back)

    def test_its_department_and_those_whose_services_need_it_are_told(self):
        department = self.published()
        other = self.published(of="housing-fund", needs=[department.slug])
        own, theirs = self.hears(department), self.hears(other)
        self.assertEqual(self.retire(department, successor="metro-crowding").status, 200)
        for receiver in (own, theirs):
            delivery = wait_until(lambda receiver=receiver: receiver.deliveries and receiver.deliveries[0], "the event")
            event = json.loads(delivery.body)
            self.assertEqual((event["type"], event["subject"]), (RETIRING, "service:" + department.slug))
            self.assertEqual((event["data"]["department"], event["data"]["number"], event["data"]["successor"], event["data"]["notice"]),
                             ("metro", 1, "metro-crowding", NOTICE))


if __name__ == "__main__":
    unittest.main()
