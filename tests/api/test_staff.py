"""Staff: login, sessions, accounts and roles."""
import hashlib
import json
import os
import random
import subprocess
import time
import unittest

from client import STAFF_PASSWORD, Staff, call, login, new_address, new_staff, redis, sql, staff_session, totp, wait_until


def log_in(body, source=None):
    """From an address of its own, as failures count by address."""
    return call("/admin/v1/sessions", body=body, source=source or new_address())


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
        self.assertEqual(log_in(credentials).json["code"], "credentials-rejected")
        self.assertEqual(call("/admin/v1/sessions", body=staff.credentials(step=1)).status, 201)

    def test_a_code_of_two_steps_ago_or_ahead_is_refused(self):
        staff = new_staff("audit")
        for step in (-3, 3):
            self.assertEqual(log_in(staff.credentials(step)).status, 422)

    def test_unknown_name_wrong_password_and_wrong_code_get_the_same_answer(self):
        staff = new_staff("system")
        right = staff.credentials()
        wrong = [{**right, "name": "nobody"}, {**right, "password": "x"}, {**right, "code": "000000"},
                 {"name": staff.name, "password": staff.password}]
        answers = [log_in(body) for body in wrong]
        shown = {(a.status, *(a.json[k] for k in ("type", "title", "detail"))) for a in answers}
        self.assertEqual(len(shown), 1, answers)
        self.assertEqual(answers[0].status, 422)

    def test_after_five_failures_a_name_must_wait_whether_it_exists_or_not(self):
        for name in (new_staff("system").name, f"nobody{random.randrange(10**9)}"):
            answers = [log_in({"name": name, "password": "x"}) for _ in range(6)]
            self.assertEqual([a.status for a in answers], [422] * 5 + [429], name)
            self.assertTrue(1 <= int(answers[5].headers["Retry-After"]) <= 30)

    def test_an_unknown_name_takes_as_long_as_a_known_one(self):
        def seconds(name):
            began = time.monotonic()
            self.assertEqual(log_in({"name": name, "password": "x"}).status, 422)
            return time.monotonic() - began
        known, unknown = new_staff("system").name, f"nobody{random.randrange(10**9)}"
        times = [(seconds(known), seconds(unknown)) for _ in range(4)]
        # without a hash it would be a tenth
        self.assertGreater(min(u for _, u in times), min(k for k, _ in times) / 2, times)

    def test_failures_do_not_keep_others_out(self):
        staff = new_staff("system")
        for _ in range(6):
            log_in({"name": staff.name + "x", "password": "x"})
        self.assertEqual(call("/admin/v1/sessions", body=staff.credentials()).status, 201)


    def test_an_address_that_fails_with_many_names_must_wait(self):
        source, staff = new_address(), new_staff("system")
        answers = [log_in({"name": f"guess{n}", "password": "x"}, source).status for n in range(31)]
        self.assertEqual(answers, [422] * 30 + [429])
        self.assertEqual(log_in(staff.credentials(), source).status, 429)
        self.assertEqual(log_in(staff.credentials()).status, 201)


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


class Lifetimes(unittest.TestCase):
    def setUp(self):
        self.token = staff_session("system")
        self.key = "ss:" + hashlib.sha256(self.token.encode()).hexdigest()

    def left(self):
        return int(redis("PTTL", self.key)[0]) / 1000

    def test_a_session_idles_half_an_hour_at_most_and_use_begins_it_anew(self):
        self.assertTrue(1700 < self.left() <= 1800)
        redis("PEXPIRE", self.key, "60000")
        self.assertEqual(call("/admin/v1/session", token=self.token).status, 200)
        self.assertTrue(1700 < self.left() <= 1800)

    def test_a_session_ends_after_twelve_hours_even_if_used(self):
        ends = int(redis("HGET", self.key, "ends")[0])
        self.assertTrue(11.9 * 3600 < ends / 1e6 - time.time() <= 12 * 3600)
        redis("HSET", self.key, "ends", str(int((time.time() + 100) * 1e6)))
        call("/admin/v1/session", token=self.token)
        self.assertTrue(0 < self.left() <= 100)
        redis("HSET", self.key, "ends", str(int((time.time() - 1) * 1e6)))
        self.assertEqual(call("/admin/v1/session", token=self.token).status, 401)

    def test_redis_has_no_token_and_the_database_no_secret_in_plain(self):
        self.assertEqual(redis("EXISTS", "ss:" + self.token), ["0"])
        self.assertNotIn(self.token, str(redis("HGETALL", self.key)))
        (kept, sealed), = sql("SELECT password_hash, encode(totp_cipher, 'hex') FROM shimin.staff_credential ORDER BY last_login_at DESC NULLS LAST LIMIT 1")
        self.assertTrue(kept.startswith("$argon2id$v=19$"))
        self.assertGreater(len(sealed), 2 * (20 + 28))


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


    def test_lock_unlock_and_reset_are_the_way_back_in(self):
        staff, run = new_staff("system"), lambda *words, **more: subprocess.run(
            [os.environ["SHIMIN"], "admin", *words], capture_output=True, text=True, timeout=60, **more)
        token = call("/admin/v1/sessions", body=staff.credentials()).json["token"]
        self.assertEqual(run("lock", staff.name).returncode, 0)
        self.assertEqual(call("/admin/v1/session", token=token).status, 401)
        self.assertEqual(log_in(staff.credentials(1)).status, 422)
        self.assertEqual(run("unlock", staff.name).returncode, 0)
        self.assertEqual(call("/admin/v1/session", token=token).status, 200)
        done = run("reset", staff.name, input="Other-Panda-2041-tea\n")
        self.assertEqual(call("/admin/v1/session", token=token).status, 401)
        self.assertEqual(call("/admin/v1/sessions", body=Staff(staff.name, "Other-Panda-2041-tea", done.stdout.split()[-1]).credentials()).status, 201)
        self.assertRegex(run("list").stdout, rf"{staff.name} +system +active +last login")
        self.assertNotEqual(run("lock", "nobody").returncode, 0)


def first_login(name, password, chosen=STAFF_PASSWORD):
    """What a new account does before anything else; its session's token at the end, and the account."""
    answer = call("/admin/v1/sessions", body={"name": name, "password": password})
    assert answer.status == 201 and answer.json["setup"] == ["password", "second_factor"], answer
    answer = call("/admin/v1/session/password", "PUT", {"current": password, "password": chosen}, token=answer.json["token"])
    assert answer.status == 200 and answer.json["setup"] == ["second_factor"], answer
    token = answer.json["token"]
    uri = call("/admin/v1/session/second-factor", "POST", token=token).json["uri"]
    answer = call("/admin/v1/session/second-factor", "PUT", {"code": totp(uri)}, token=token)
    assert answer.status == 200 and answer.json["setup"] == [], answer
    return answer.json["token"], Staff(name, chosen, uri)


def name_for(role):
    return f"{role}.{random.randrange(10**12)}"


class FirstLogin(unittest.TestCase):
    def setUp(self):
        self.security, self.name = staff_session("security"), name_for("system")
        made = call("/admin/v1/staff", body={"name": self.name, "roles": ["system"]}, token=self.security)
        self.assertEqual(made.status, 201, made)
        self.id, self.password = made.json["id"], made.json["password"]

    def test_password_and_second_factor_come_before_anything_else(self):
        token = call("/admin/v1/sessions", body={"name": self.name, "password": self.password}).json["token"]
        answer = call("/admin/v1/staff", token=token)
        self.assertEqual(answer.status, 403)
        self.assertIn("/admin/v1/session/password", answer.json["detail"])
        token, staff = first_login(self.name, self.password)
        self.assertEqual(call("/admin/v1/session", token=token).json["setup"], [])
        self.assertEqual(log_in({"name": self.name, "password": STAFF_PASSWORD}).status, 422)
        self.assertEqual(call("/admin/v1/sessions", body=staff.credentials(1)).status, 201)

    def test_a_step_makes_a_new_token_and_ends_the_old_one(self):
        old = call("/admin/v1/sessions", body={"name": self.name, "password": self.password}).json["token"]
        answer = call("/admin/v1/session/password", "PUT", {"current": self.password, "password": STAFF_PASSWORD}, token=old)
        self.assertEqual(call("/admin/v1/session", token=old).status, 401)
        self.assertEqual(call("/admin/v1/session", token=answer.json["token"]).status, 200)

    def test_a_wrong_code_enrols_nothing(self):
        token = call("/admin/v1/sessions", body={"name": self.name, "password": self.password}).json["token"]
        self.assertEqual(call("/admin/v1/session/second-factor", "PUT", {"code": "000000"}, token=token).status, 422)
        call("/admin/v1/session/second-factor", "POST", token=token)
        self.assertEqual(call("/admin/v1/session/second-factor", "PUT", {"code": "000000"}, token=token).status, 422)
        self.assertEqual(call("/admin/v1/session", token=token).json["setup"], ["password", "second_factor"])

    def test_a_confirmed_second_factor_is_not_replaced_by_its_owner(self):
        token, _ = first_login(self.name, self.password)
        self.assertEqual(call("/admin/v1/session/second-factor", "POST", token=token).status, 409)

    def test_a_reset_ends_sessions_and_begins_anew(self):
        token, staff = first_login(self.name, self.password)
        answer = call(f"/admin/v1/staff/{self.id}/reset", "POST", token=self.security)
        self.assertEqual(answer.status, 200)
        self.assertEqual(call("/admin/v1/session", token=token).status, 401)
        self.assertEqual(log_in(staff.credentials(1)).status, 422)
        first_login(self.name, answer.json["password"], "Another-Tea-1985-house")


class Passwords(unittest.TestCase):
    def test_the_policy_refuses_what_is_short_simple_common_or_the_name(self):
        token = staff_session("system")
        name = call("/admin/v1/session", token=token).json["name"]
        for password in ("Short-1-pass"[:11], "allowercasebutlong", "Password-12345", "1Qwerty!2345678", "Ab1" + name, "Chengdu@20262026"):
            answer = call("/admin/v1/session/password", "PUT", {"current": STAFF_PASSWORD, "password": password}, token=token)
            self.assertEqual((answer.status, answer.json.get("errors", [{}])[0].get("pointer")), (422, "#/password"), password)

    def test_passwords_of_before_are_not_taken_again(self):
        token, current = staff_session("system"), STAFF_PASSWORD
        change = lambda new: call("/admin/v1/session/password", "PUT", {"current": current, "password": new}, token=token)
        self.assertEqual(change(STAFF_PASSWORD).status, 422)
        for n in range(2):
            answer = change(f"Number-{n}-of-many-x")
            self.assertEqual(answer.status, 200, answer)
            token, current = answer.json["token"], f"Number-{n}-of-many-x"
        self.assertEqual(change(STAFF_PASSWORD).status, 422)
        self.assertEqual(change("Number-0-of-many-x").status, 422)

    def test_a_password_of_ninety_days_must_be_changed(self):
        token = staff_session("system")
        name = call("/admin/v1/session", token=token).json["name"]
        sql(f"UPDATE shimin.staff_credential SET password_set_at = now() - interval '91 days' WHERE staff_id = (SELECT id FROM shimin.staff WHERE name = '{name}')")
        self.assertEqual(call("/admin/v1/session", token=token).json["setup"], ["password"])
        self.assertEqual(call("/admin/v1/staff", token=token).status, 403)
        answer = call("/admin/v1/session/password", "PUT", {"current": STAFF_PASSWORD, "password": "Number-7-of-many-x"}, token=token)
        self.assertEqual((answer.status, answer.json["setup"]), (200, []))

    def test_a_wrong_current_password_changes_nothing_and_counts(self):
        token, source = staff_session("system"), new_address()
        answers = [call("/admin/v1/session/password", "PUT", {"current": "x", "password": "Number-9-of-many-x"}, token=token, source=source) for _ in range(6)]
        self.assertEqual([a.status for a in answers], [422] * 5 + [429])
        self.assertEqual(call("/admin/v1/session", token=token).status, 200)


class Accounts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.security, cls.manager = staff_session("security"), staff_session("manager", "metro")

    def make(self, token=None, path="/admin/v1/staff", **body):
        return call(path, body={"name": name_for("t"), **body}, token=token or self.security)

    def change(self, id, body, token=None, path="/admin/v1/staff"):
        token = token or self.security
        etag = call(f"{path}/{id}", token=token).headers["ETag"] or '"1"'
        return call(f"{path}/{id}", "PATCH", raw=json.dumps(body).encode(), token=token,
                    headers={"If-Match": etag, "Content-Type": "application/merge-patch+json"})

    def test_nobody_holds_two_of_the_citys_roles(self):
        for roles, more in ((["system", "audit"], {}), (["security", "system"], {}), (["audit", "operator"], {"area": "510104"}),
                            (["system", "manager"], {"department": "metro"}), (["operator"], {}), (["manager"], {}), (["system"], {"department": "metro"}),
                            (["operator"], {"area": "510104", "department": "metro"}), (["manager"], {"department": "nowhere"}), (["operator"], {"area": "999999"})):
            self.assertEqual(self.make(roles=roles, **more).status, 422, (roles, more))
        for roles, more in ((["audit"], {}), (["operator"], {"area": "510104"}), (["operator"], {"department": "metro"}),
                            (["manager", "engineer"], {"department": "metro"})):
            self.assertEqual(self.make(roles=roles, **more).status, 201, (roles, more))

    def test_only_security_makes_accounts_and_audit_may_look(self):
        for role, place in (("system", None), ("audit", None), ("manager", "metro"), ("engineer", "metro")):
            self.assertEqual(self.make(staff_session(role, place), roles=["audit"]).status, 403, role)
        self.assertEqual(call("/admin/v1/staff", token=staff_session("audit")).status, 200)
        self.assertEqual(call("/admin/v1/staff", token=staff_session("system")).status, 403)

    def test_security_gives_itself_nothing(self):
        name = call("/admin/v1/session", token=self.security).json["name"]
        mine, cursor = None, ""
        while mine is None:
            page = call("/admin/v1/staff?limit=100" + cursor, token=self.security).json
            mine = next((a["id"] for a in page["items"] if a["name"] == name), None)
            cursor = f"&cursor={page['next_cursor']}"
        for answer in (self.change(mine, {"roles": ["system"]}), self.change(mine, {"state": "locked"}),
                       call(f"/admin/v1/staff/{mine}/reset", "POST", token=self.security)):
            self.assertEqual((answer.status, answer.json["code"]), (403, "forbidden"))

    def test_a_lock_and_a_changed_role_are_in_force_at_once(self):
        made = self.make(roles=["audit"]).json
        token, _ = first_login(call(f"/admin/v1/staff/{made['id']}", token=self.security).json["name"], made["password"])
        self.assertEqual(call("/admin/v1/staff", token=token).status, 200)
        self.assertEqual(self.change(made["id"], {"roles": ["system"]}).status, 200)
        self.assertEqual(call("/admin/v1/staff", token=token).status, 403)
        locked = self.change(made["id"], {"state": "locked"})
        self.assertEqual((locked.status, locked.json["state"]), (200, "locked"))
        self.assertEqual(call("/admin/v1/session", token=token).status, 401)

    def test_a_stale_version_is_refused_and_a_missing_one_asked_for(self):
        id = self.make(roles=["audit"]).json["id"]
        patch = lambda **headers: call(f"/admin/v1/staff/{id}", "PATCH", raw=b'{"display_name": "X"}', token=self.security,
                                       headers={"Content-Type": "application/merge-patch+json", **headers}).status
        self.assertEqual((patch(), patch(**{"If-Match": '"1"'}), patch(**{"If-Match": '"1"'})), (428, 200, 412))

    def test_a_managers_accounts_are_those_of_the_department(self):
        path = "/department/v1/staff"
        made = self.make(self.manager, path, roles=["engineer"])
        self.assertEqual(made.status, 201, made)
        account = call(f"{path}/{made.json['id']}", token=self.manager).json
        self.assertEqual((account["department"], account["roles"]), ("metro", ["engineer"]))
        for roles in (["system"], ["operator"], ["engineer", "audit"]):
            self.assertEqual(self.make(self.manager, path, roles=roles).status, 422)
        other = staff_session("manager", "tax")
        self.assertEqual(call(f"{path}/{made.json['id']}", token=other).status, 404)
        self.assertEqual(self.change(made.json["id"], {"state": "locked"}, other, path).status, 404)
        self.assertEqual(call(f"{path}/{made.json['id']}/reset", "POST", token=other).status, 404)
        self.assertEqual(self.change(made.json["id"], {"state": "locked"}, self.manager, path).status, 200)
        operator = self.make(roles=["operator"], department="metro").json["id"]
        self.assertEqual(call(f"{path}/{operator}/reset", "POST", token=self.manager).status, 404)
        self.assertEqual(self.make(staff_session("engineer", "metro"), path, roles=["engineer"]).status, 403)

    def test_the_last_security_account_cannot_be_locked(self):
        with self.assertRaises(AssertionError) as refused:
            sql("UPDATE shimin.staff SET state = 'locked' WHERE roles = ARRAY['security']")
        self.assertIn("the last account with the role security", str(refused.exception))
        self.assertEqual(call("/admin/v1/session", token=self.security).status, 200)

    def test_acts_and_refusals_are_in_the_audit_with_actor_and_object(self):
        staff = new_staff("system")
        token = call("/admin/v1/sessions", body=staff.credentials()).json["token"]
        name = name_for("audited")
        self.assertEqual(self.make(token, roles=["audit"]).status, 403)
        self.assertEqual(self.make(name=name, roles=["audit"]).status, 201)
        found = lambda actor, action, object, result: wait_until(lambda: int(sql(
            f"SELECT count(*) FROM shimin.audit WHERE actor LIKE '{actor}' AND action = '{action}' AND object = '{object}' AND result = '{result}'")[0][0]) > 0,
            10, (actor, action))
        found("guest", "openStaffSession", f"staff:{staff.name}", "201")
        found(f"staff:{staff.name}", "createStaff", "", "403")
        found("staff:security.%", "createStaff", f"staff:{name}", "201")
        found("machine:%", "createStaff", f"staff:{staff.name}", "done")

    def test_sessions_of_others_are_seen_and_ended(self):
        staff = new_staff("system")
        token = call("/admin/v1/sessions", body=staff.credentials()).json["token"]
        cursor, id = "", None
        while id is None:
            page = call("/admin/v1/staff?limit=100" + cursor, token=self.security).json
            id = next((a["id"] for a in page["items"] if a["name"] == staff.name), None)
            cursor = f"&cursor={page['next_cursor']}"
        self.assertEqual(len(call(f"/admin/v1/staff/{id}/sessions", token=self.security).json["items"]), 1)
        self.assertEqual(call(f"/admin/v1/staff/{id}/sessions", "DELETE", token=self.security).status, 204)
        self.assertEqual(call("/admin/v1/session", token=token).status, 401)


if __name__ == "__main__":
    unittest.main()
