"""Login, sessions, real names."""
import threading
import unittest

from client import call, login, login_verified, new_id_number, new_phone, redis, sent_code, wait_until


class Codes(unittest.TestCase):
    def test_a_code_is_asked_for_once_a_minute(self):
        phone = new_phone()
        self.assertEqual(call("/v1/login/codes", body={"phone_number": phone}).json, {"expires_in": 300, "resend_after": 60})
        again = call("/v1/login/codes", body={"phone_number": phone})
        self.assertEqual(again.status, 429)
        self.assertTrue(1 <= int(again.headers["Retry-After"]) <= 60)

    def test_known_and_unknown_phones_get_the_same_answer(self):
        known = new_phone()
        waits = set(redis("KEYS", "code-wait:*"))
        login(known)
        redis("DEL", *(set(redis("KEYS", "code-wait:*")) - waits))  # as if a minute had passed
        first, second = (call("/v1/login/codes", body={"phone_number": p}) for p in (known, new_phone()))
        self.assertEqual((first.status, first.json), (second.status, second.json))
        self.assertEqual(sorted(first.headers.keys()), sorted(second.headers.keys()))
        wrong = [call("/v1/sessions", body={"phone_number": p, "code": "000000"}) for p in (known, new_phone())]
        self.assertEqual([(a.status, a.json["code"], a.json["title"]) for a in wrong][0], [(a.status, a.json["code"], a.json["title"]) for a in wrong][1])

    def test_a_code_works_once(self):
        phone = new_phone()
        call("/v1/login/codes", body={"phone_number": phone})
        body = {"phone_number": phone, "code": sent_code(phone)}
        self.assertEqual(call("/v1/sessions", body=body).status, 201)
        self.assertEqual(call("/v1/sessions", body=body).json["code"], "code-rejected")

    def test_of_many_at_once_one_gets_in(self):
        phone = new_phone()
        call("/v1/login/codes", body={"phone_number": phone})
        body, results = {"phone_number": phone, "code": sent_code(phone)}, []
        threads = [threading.Thread(target=lambda: results.append(call("/v1/sessions", body=body).status)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(results), [201, 422, 422, 422, 422])

    def test_the_fifth_wrong_try_voids_the_code(self):
        phone = new_phone()
        call("/v1/login/codes", body={"phone_number": phone})
        right = sent_code(phone)
        wrong = "000000" if right != "000000" else "111111"
        for _ in range(5):
            self.assertEqual(call("/v1/sessions", body={"phone_number": phone, "code": wrong}).status, 422)
        self.assertEqual(call("/v1/sessions", body={"phone_number": phone, "code": right}).status, 422)

    def test_numbers_are_taken_with_and_without_the_country_code(self):
        phone = new_phone()
        self.assertEqual(call("/v1/login/codes", body={"phone_number": phone[3:]}).status, 202)
        self.assertEqual(call("/v1/sessions", body={"phone_number": phone, "code": sent_code(phone)}).status, 201)


class Sessions(unittest.TestCase):
    def test_a_session_shows_itself_and_ends(self):
        phone = new_phone()
        token = login(phone)
        sessions = call("/v1/sessions", token=token).json["items"]
        self.assertEqual([(s["level"], s["current"]) for s in sessions], [("L1", True)])
        self.assertEqual(call("/v1/sessions/" + sessions[0]["id"], "DELETE", token=token).status, 204)
        wait_until(lambda: call("/v1/me", token=token).status == 401)

    def test_revoking_is_in_force_in_every_worker(self):
        token = login()
        for _ in range(40):  # enough connections to reach each worker, whose copies are warm then
            self.assertEqual(call("/v1/me", token=token).status, 200)
        self.assertEqual(call("/v1/sessions", "DELETE", token=token).status, 204)
        wait_until(lambda: {call("/v1/me", token=token).status for _ in range(40)} == {401}, what="the end in every worker")

    def test_one_cannot_end_the_session_of_another(self):
        mine, theirs = login(), login()
        their_id = call("/v1/sessions", token=theirs).json["items"][0]["id"]
        self.assertEqual(call("/v1/sessions/" + their_id, "DELETE", token=mine).status, 404)
        self.assertEqual(call("/v1/me", token=theirs).status, 200)

    def test_tokens_that_were_never_made_are_refused(self):
        for token in ("x", "A" * 43, "A" * 5000):
            answer = call("/v1/me", token=token)
            self.assertEqual(answer.status, 401, token[:50])
            self.assertIn("invalid_token", answer.headers["WWW-Authenticate"])

    def test_a_guest_is_told_to_log_in(self):
        answer = call("/v1/me")
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.headers.get_all("WWW-Authenticate"), ["Bearer"])


class RealNames(unittest.TestCase):
    def test_a_verified_name_gives_l2_and_a_new_token(self):
        old, number = login(), new_id_number()
        answer = call("/v1/me/identity", body={"name": "李娜", "id_number": number}, token=old)
        self.assertEqual((answer.status, answer.json["level"]), (200, "L2"))
        wait_until(lambda: call("/v1/me", token=old).status == 401)
        me = call("/v1/me", token=answer.json["token"]).json
        self.assertEqual((me["level"], me["name"], me["id_number"]), ("L2", "李*", number[:6] + "********" + number[-4:]))

    def test_a_name_that_is_not_the_numbers_is_rejected(self):
        number = new_id_number()
        login_verified("王芳", number)
        answer = call("/v1/me/identity", body={"name": "王强", "id_number": number}, token=login())
        self.assertEqual((answer.status, answer.json["code"]), (422, "identity-rejected"))

    def test_an_identity_belongs_to_one_account(self):
        number = new_id_number()
        login_verified("刘洋", number)
        answer = call("/v1/me/identity", body={"name": "刘洋", "id_number": number}, token=login())
        self.assertEqual(answer.status, 409)

    def test_a_wrong_check_digit_is_refused_before_anybody_is_asked(self):
        number = new_id_number()
        wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
        answer = call("/v1/me/identity", body={"name": "张伟", "id_number": wrong}, token=login())
        self.assertEqual(answer.json["errors"][0]["pointer"], "#/id_number")

    def test_a_low_level_is_told_what_to_prove(self):
        answer = call("/v1/services/fund-balance-query/records", token=login())
        self.assertEqual(answer.status, 401)
        self.assertIn('error="insufficient_user_authentication"', answer.headers["WWW-Authenticate"])
        self.assertIn("urn:city:loa:2", answer.headers["WWW-Authenticate"])

    def test_the_same_idempotency_key_gets_the_same_answer(self):
        token, number = login(), new_id_number()
        login_verified("赵敏", number)
        send = lambda body: call("/v1/me/identity", body=body, token=token, headers={"Idempotency-Key": '"8e03978e-40d5"'})
        first = send({"name": "赵六", "id_number": number})
        again = send({"name": "赵六", "id_number": number})
        self.assertEqual((first.status, again.status), (422, 422))
        self.assertEqual(first.bytes, again.bytes)
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.assertEqual(send({"name": "赵七", "id_number": number}).json["code"], "idempotency-key-reused")


if __name__ == "__main__":
    unittest.main()
