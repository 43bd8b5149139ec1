"""Staff: login, sessions, roles."""
import os
import random
import subprocess
import unittest

from client import STAFF_PASSWORD, call, login, new_staff, staff_session, totp


class Login(unittest.TestCase):
    def test_name_password_and_code_give_a_session_that_says_what_one_may_do(self):
        answer = call("/admin/v1/sessions", body=new_staff("manager,engineer", "metro").credentials())
        self.assertEqual((answer.status, answer.json["setup"]), (201, []))
        session = call("/admin/v1/session", token=answer.json["token"]).json
        self.assertEqual((session["roles"], session["department"], session["area"]), (["manager", "engineer"], "metro", None))
        self.assertEqual(session["csrf_token"], answer.json["csrf_token"])

    def test_a_code_is_good_once(self):
        staff = new_staff("audit")
        credentials = staff.credentials()
        self.assertEqual(call("/admin/v1/sessions", body=credentials).status, 201)
        self.assertEqual(call("/admin/v1/sessions", body=credentials).json["code"], "credentials-rejected")
        self.assertEqual(call("/admin/v1/sessions", body=staff.credentials(step=1)).status, 201)

    def test_a_code_of_two_steps_ago_or_ahead_is_refused(self):
        staff = new_staff("audit")
        for step in (-3, 3):
            self.assertEqual(call("/admin/v1/sessions", body=staff.credentials(step)).status, 422)

    def test_unknown_name_wrong_password_and_wrong_code_get_the_same_answer(self):
        staff = new_staff("system")
        right = staff.credentials()
        wrong = [{**right, "name": "nobody"}, {**right, "password": "x"}, {**right, "code": "000000"},
                 {"name": staff.name, "password": staff.password}]
        answers = [call("/admin/v1/sessions", body=body) for body in wrong]
        shown = {(a.status, *(a.json[k] for k in ("type", "title", "detail"))) for a in answers}
        self.assertEqual(len(shown), 1, answers)
        self.assertEqual(answers[0].status, 422)

    def test_after_five_failures_a_name_must_wait_whether_it_exists_or_not(self):
        for name in (new_staff("system").name, f"nobody{random.randrange(10**9)}"):
            answers = [call("/admin/v1/sessions", body={"name": name, "password": "x"}) for _ in range(6)]
            self.assertEqual([a.status for a in answers], [422] * 5 + [429], name)
            self.assertTrue(1 <= int(answers[5].headers["Retry-After"]) <= 30)

    def test_failures_do_not_keep_others_out(self):
        staff = new_staff("system")
        for _ in range(6):
            call("/admin/v1/sessions", body={"name": staff.name + "x", "password": "x"})
        self.assertEqual(call("/admin/v1/sessions", body=staff.credentials()).status, 201)


class Sessions(unittest.TestCase):
    def test_a_session_ends_at_once_when_it_is_closed(self):
        token = staff_session("system")
        self.assertEqual(call("/admin/v1/session", "DELETE", token=token).status, 204)
        self.assertEqual({call("/admin/v1/session", token=token).status for _ in range(10)}, {401})

    def test_sessions_are_listed_and_ended_one_by_one(self):
        staff = new_staff("system")
        first, second = (call("/admin/v1/sessions", body=staff.credentials(step)).json for step in (0, 1))
        listed = call("/admin/v1/sessions", token=first["token"]).json["items"]
        self.assertEqual({(s["id"], s["current"]) for s in listed}, {(first["id"], True), (second["id"], False)})
        self.assertEqual(call("/admin/v1/sessions/" + second["id"], "DELETE", token=first["token"]).status, 204)
        self.assertEqual(call("/admin/v1/session", token=second["token"]).status, 401)
        self.assertEqual(call("/admin/v1/session", token=first["token"]).status, 200)

    def test_one_cannot_end_the_session_of_another(self):
        mine, theirs = staff_session("security"), staff_session("audit")
        id = call("/admin/v1/session", token=theirs).json["id"]
        self.assertEqual(call("/admin/v1/sessions/" + id, "DELETE", token=mine).status, 404)
        self.assertEqual(call("/admin/v1/session", token=theirs).status, 200)

    def test_tokens_of_citizens_and_of_staff_are_not_taken_for_each_other(self):
        self.assertEqual(call("/admin/v1/session", token=login()).status, 401)
        self.assertEqual(call("/v1/me", token=staff_session("system")).status, 401)
        self.assertEqual(call("/admin/v1/session").status, 401)


class Cookies(unittest.TestCase):
    def setUp(self):
        answer = call("/admin/v1/sessions", body={**new_staff("system").credentials(), "cookie": True})
        self.assertEqual(answer.status, 201, answer)
        self.session, self.cookie = answer.json, answer.headers["Set-Cookie"]

    def test_the_cookie_is_for_this_host_and_no_script(self):
        self.assertNotIn("token", self.session)
        for part in ("__Host-shimin-staff=", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"):
            self.assertIn(part, self.cookie)
        self.assertNotIn("Domain", self.cookie)

    def test_a_change_by_cookie_needs_the_token_that_a_page_elsewhere_cannot_read(self):
        cookie = {"Cookie": "theme=dark; " + self.cookie.split(";")[0]}
        self.assertEqual(call("/admin/v1/session", headers=cookie).status, 200)
        for more in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": "A" * 43}):
            answer = call("/admin/v1/session", "DELETE", headers={**cookie, **more})
            self.assertEqual((answer.status, answer.json["code"]), (403, "forbidden"))
        self.assertEqual(call("/admin/v1/session", headers=cookie).status, 200)
        answer = call("/admin/v1/session", "DELETE", headers={**cookie, "X-CSRF-Token": self.session["csrf_token"]})
        self.assertEqual(answer.status, 204)
        self.assertIn("Max-Age=0", answer.headers["Set-Cookie"])


class FirstAccount(unittest.TestCase):
    def create(self, *words, password=STAFF_PASSWORD):
        return subprocess.run([os.environ["SHIMIN"], "admin", "create", *words], input=password + "\n", capture_output=True, text=True, timeout=60)

    def test_it_prints_the_second_factor_and_never_the_password(self):
        done = self.create(f"first{random.randrange(10**9)}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"otpauth://totp/Shimin:first\d+\?secret=[A-Z2-7]{32}&issuer=Shimin&algorithm=SHA1&digits=6&period=30\n")
        self.assertNotIn(STAFF_PASSWORD, done.stdout + done.stderr)
        self.assertRegex(totp(done.stdout.split()[-1]), r"^\d{6}$")

    def test_roles_that_exclude_each_other_and_places_that_are_missing_are_refused(self):
        for words in (("x1", "--role", "system,audit"), ("x1", "--role", "manager"), ("x1", "--role", "operator"), ("x1", "--role", "king"),
                      ("x1", "--role", "system", "--department", "metro"), ("X 1",), ()):
            self.assertNotEqual(self.create(*words).returncode, 0, words)

    def test_a_short_password_is_refused(self):
        self.assertNotEqual(self.create("x2", password="short").returncode, 0)


if __name__ == "__main__":
    unittest.main()
