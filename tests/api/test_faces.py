"""Live faces: from guest to L3, and every way of not getting there."""
import datetime
import threading
import unittest
import uuid

from client import (SANDBOX, behave, call, complete_face, login, login_by_face, login_verified, new_id_number, new_phone, open_face, redis,
                    sent_code, sql, wait_until)

START = "/v1/me/face-verifications"
SERVICES = {"exit-entry-records", "lab-report-query", "property-record-query"}


def decide(**decision):
    answer = call("/sandbox/faces", "PUT", decision, base=SANDBOX)
    assert answer.status == 204, answer


def attempts(token):
    """The outcomes of the citizen's attempts with a face, first to last."""
    citizen = call("/v1/me", token=token).json["id"]
    return [row[0] for row in sql(f"SELECT outcome FROM shimin.verification_attempt WHERE citizen_id = '{citizen}' AND kind = 'live_face' ORDER BY id")]


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


class Faces(unittest.TestCase):
    def test_a_guest_gets_to_l3_by_what_each_refusal_says(self):
        path, phone, number = "/v1/services/exit-entry-records/records", new_phone(), new_id_number()
        self.assertEqual(call(path).json["code"], "unauthenticated")
        call("/v1/login/codes", body={"phone_number": phone})
        token = call("/v1/sessions", body={"phone_number": phone, "code": sent_code(phone)}).json["token"]
        refused = call(START, "POST", token=token)
        self.assertIn("POST /v1/me/identity", refused.json["detail"])
        second = call("/v1/me/identity", body={"name": "李娜", "id_number": number}, token=token).json
        self.assertEqual((second["level"], second["amr"]), ("L2", ["sms"]))
        refused = call(path, token=second["token"])
        self.assertEqual((refused.status, refused.json["code"]), (401, "insufficient-user-authentication"))
        self.assertIn("urn:city:loa:3", refused.headers["WWW-Authenticate"])
        self.assertIn("POST " + START, refused.json["detail"])
        face = open_face(second["token"])
        self.assertEqual(set(face), {"id", "sdk_token", "expires_at"})
        answer = complete_face(face, second["token"])
        self.assertEqual((answer.status, answer.json["level"], answer.json["amr"]), (200, "L3", ["sms", "face"]))
        wait_until(lambda: call("/v1/me", token=second["token"]).status == 401)
        third = answer.json["token"]
        sessions = call("/v1/sessions", token=third).json["items"]
        self.assertEqual([(s["level"], s["amr"], s["current"]) for s in sessions], [("L3", ["sms", "face"], True)])
        self.assertEqual(attempts(third), ["opened", "matched"])

    def test_the_services_that_want_a_face_answer_to_one(self):
        number = new_id_number()
        token = login_by_face("张伟", number)
        levels = {s["slug"]: s["level"] for s in call("/v1/services?archetype=query&limit=100").json["items"]}
        self.assertEqual({slug for slug, level in levels.items() if level == "L3"}, SERVICES)
        for slug in SERVICES:
            answer = call(f"/v1/services/{slug}/records", token=token)
            self.assertEqual(answer.status, 200, (slug, answer))
            self.assertTrue(answer.json["items"], slug)
            self.assertNotIn(number, answer.bytes.decode(), slug)

    def test_the_face_is_of_the_session_and_the_next_login_is_l2_again(self):
        phone, number = new_phone(), new_id_number()
        token = call("/v1/me/identity", body={"name": "周杰", "id_number": number}, token=login(phone)).json["token"]
        self.assertEqual(complete_face(open_face(token), token).json["level"], "L3")
        redis("DEL", *redis("KEYS", "code-wait:*"))  # as if a minute had passed
        self.assertEqual(call("/v1/me", token=login(phone)).json["level"], "L2")

    def test_an_l3_session_is_as_short_as_a_verified_one(self):
        token = login_verified()
        face = open_face(token)
        l2 = call("/v1/sessions", token=token).json["items"][0]
        l3 = complete_face(face, token).json
        self.assertLess(abs(seconds(l3["expires_at"]) - seconds(l2["expires_at"])), 60)

    def test_anothers_verification_is_not_found(self):
        mine, theirs = login_verified(), login_verified()
        face = open_face(theirs)
        self.assertEqual(complete_face(face, mine).status, 404)
        self.assertEqual(complete_face({"id": str(uuid.uuid4())}, mine).status, 404)
        self.assertEqual(complete_face({"id": "x"}, mine).status, 400)
        self.assertEqual(complete_face(face, theirs).status, 200)

    def test_it_is_used_once(self):
        token = login_verified()
        face = open_face(token)
        token = complete_face(face, token).json["token"]
        again = complete_face(face, token)
        self.assertEqual((again.status, again.json["code"]), (409, "conflict"))
        self.assertEqual(attempts(token), ["opened", "matched"])

    def test_of_many_at_once_one_opens_a_session(self):
        phone, number = new_phone(), new_id_number()
        token = call("/v1/me/identity", body={"name": "吴刚", "id_number": number}, token=login(phone)).json["token"]
        face, statuses = open_face(token), []
        threads = [threading.Thread(target=lambda: statuses.append(complete_face(face, token).status)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses.count(200), 1, statuses)
        self.assertLessEqual(set(statuses), {200, 401, 409})  # 401: the winner has ended the session already

    def test_somebody_else_before_the_camera_is_refused_for_good(self):
        token = login_verified()
        face = open_face(token)
        decide(sdk_token=face["sdk_token"], result="failed")
        self.assertEqual((complete_face(face, token).status, complete_face(face, token).json["code"]), (422, "face-rejected"))
        decide(sdk_token=face["sdk_token"], result="passed")
        self.assertEqual(complete_face(face, token).json["code"], "face-rejected")
        self.assertEqual((call("/v1/me", token=token).json["level"], attempts(token)), ("L2", ["opened", "refused"]))

    def test_a_person_can_be_made_to_fail(self):
        number = new_id_number()
        token = login_verified("孙丽", number)
        decide(id_number=number, result="failed")
        self.assertEqual(complete_face(open_face(token), token).status, 422)
        decide(id_number=number, result="passed")
        self.assertEqual(complete_face(open_face(token), token).status, 200)

    def test_what_is_pending_is_asked_for_again(self):
        token = login_verified()
        face = open_face(token)
        decide(sdk_token=face["sdk_token"], result="pending")
        for _ in range(2):
            answer = complete_face(face, token)
            self.assertEqual((answer.status, answer.json["code"]), (409, "face-pending"))
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        decide(sdk_token=face["sdk_token"], result="passed")
        self.assertEqual(complete_face(face, token).status, 200)

    def test_what_has_expired_at_either_side_stays_expired(self):
        token = login_verified()
        theirs, ours = open_face(token), open_face(token)
        decide(sdk_token=theirs["sdk_token"], result="expired")
        redis("HSET", "face:" + ours["id"], "ends", "1")  # as if its time were over
        for face in (theirs, ours, theirs, ours):
            answer = complete_face(face, token)
            self.assertEqual((answer.status, answer.json["code"]), (410, "face-expired"))
        decide(sdk_token=theirs["sdk_token"], result="passed")
        self.assertEqual(complete_face(theirs, token).status, 410)
        self.assertEqual(attempts(token), ["opened", "opened", "expired", "expired"])

    def test_what_the_department_has_forgotten_is_expired(self):
        token = login_verified()
        face = open_face(token)
        redis("HSET", "face:" + face["id"], "serial", "RL-forgotten")
        self.assertEqual(complete_face(face, token).status, 410)

    def test_while_the_department_is_down_it_stays_open(self):
        token = login_verified()
        face = open_face(token)
        self.addCleanup(behave, "public-security")
        behave("public-security", "failing", operation="readFaceVerification")
        self.assertIn(complete_face(face, token).status, (502, 503))
        behave("public-security", "failing", operation="startFaceVerification")
        self.assertIn(call(START, "POST", token=token).status, (502, 503))
        behave("public-security")
        answer = wait_until(lambda: (a := complete_face(face, token)).status == 200 and a, what="the department's return")
        outcomes = attempts(answer.json["token"])
        self.assertEqual((outcomes[0], outcomes[-1]), ("opened", "matched"))
        self.assertGreaterEqual(outcomes.count("failed"), 2)

    def test_the_same_idempotency_key_opens_one(self):
        token = login_verified()
        first, again = (call(START, "POST", token=token, headers={"Idempotency-Key": '"face-1"'}) for _ in range(2))
        self.assertEqual((first.status, again.status, first.bytes), (201, 201, again.bytes))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.assertEqual(attempts(token), ["opened"])

    def test_a_name_in_the_body_changes_nobody(self):
        mine, other = new_id_number(), new_id_number()
        decide(id_number=other, result="failed")
        token = login_verified("郑爽", mine)
        answer = call(START, body={"xm": "郑爽", "sfzh": other, "id_number": other}, token=token)
        if answer.status == 201:
            self.assertEqual(complete_face(answer.json, token).status, 200)
        else:
            self.assertIn(answer.status, (400, 415, 422))


if __name__ == "__main__":
    unittest.main()
