"""The console's files as browsers get them: under their policy, compressed, kept as long as they may be; and what its cookie needs."""
import gzip
import re
import unittest

from client import call, new_staff

POLICY = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'", "frame-ancestors": "'none'",
          "base-uri": "'none'", "form-action": "'self'"}


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = call("/console/")
        cls.text = cls.page.bytes.decode()
        if cls.page.status == 404:
            raise unittest.SkipTest("no console was built: ./deploy/run does, or the stage console")
        cls.script = re.search(r'<script[^>]* src="\./(assets/[^"]+\.js)"', cls.text)[1]

    def test_the_policy_lets_in_this_origin_alone_and_nothing_inline(self):
        directives = dict(one.strip().partition(" ")[::2] for one in self.page.headers["Content-Security-Policy"].split(";"))
        self.assertEqual({name: directives.get(name) for name in POLICY}, POLICY)
        self.assertNotIn("unsafe", self.page.headers["Content-Security-Policy"])
        self.assertEqual(self.page.headers.get_all("Content-Security-Policy"), [self.page.headers["Content-Security-Policy"]])
        for script in re.findall(r"<script([^>]*)>(.*?)</script>", self.text, re.S):
            self.assertIn("src=", script[0])
            self.assertEqual(script[1].strip(), "")
        self.assertNotRegex(self.text, r"<style|\sstyle=|\son[a-z]+=|javascript:")

    def test_no_browser_guesses_types_frames_it_or_tells_others_where_it_was(self):
        for path, kind in (("/console/", "text/html"), ("/console/" + self.script, "text/javascript"), ("/console/favicon.svg", "image/svg+xml")):
            answer = call(path)
            self.assertEqual(answer.status, 200, path)
            self.assertTrue(answer.headers["Content-Type"].startswith(kind), answer.headers["Content-Type"])
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
            self.assertIn("max-age=", answer.headers["Strict-Transport-Security"])

    def test_without_its_slash_it_leads_there(self):
        answer = call("/console")
        self.assertEqual((answer.status, answer.headers["Location"]), (308, "/console/"))

    def test_it_comes_compressed_to_who_takes_that_and_is_the_same(self):
        plain = call("/console/" + self.script)
        small = call("/console/" + self.script, headers={"Accept-Encoding": "gzip"})
        self.assertEqual((plain.headers["Content-Encoding"], small.headers["Content-Encoding"]), (None, "gzip"))
        self.assertLess(len(small.bytes), len(plain.bytes))
        self.assertEqual(gzip.decompress(small.bytes), plain.bytes)
        self.assertIn("accept-encoding", small.headers["Vary"].lower())

    def test_hashed_files_are_kept_and_the_page_is_asked_for_again(self):
        self.assertIn("immutable", call("/console/" + self.script).headers["Cache-Control"])
        self.assertEqual(self.page.headers["Cache-Control"], "no-cache")
        again = call("/console/", headers={"If-None-Match": self.page.headers["ETag"]})
        self.assertEqual((again.status, again.bytes), (304, b""))

    def test_no_path_leaves_its_folder(self):
        for path in ("../deploy/shimin.yaml", "..%2f..%2fpackage.json", "assets/..%2findex.html", "assets", "%2e%2e/README.md", "index.html%00"):
            self.assertIn(call("/console/" + path).status, (400, 404), path)


class Cookie(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.answer = call("/admin/v1/sessions", body={**new_staff("system").credentials(), "cookie": True})
        cls.cookie = {"Cookie": cls.answer.headers["Set-Cookie"].split(";")[0]}
        cls.wish = {"scope": "service", "target": "metro-line-timetable", "position": "open"}

    def test_it_is_bound_to_this_host_and_no_script_reads_it(self):
        name, *attributes = [part.strip() for part in self.answer.headers["Set-Cookie"].split(";")]
        self.assertTrue(name.startswith("__Host-shimin-staff="))
        self.assertLessEqual({"Secure", "HttpOnly", "SameSite=Strict", "Path=/"}, set(attributes))
        self.assertFalse([one for one in attributes if one.lower().startswith("domain")])
        self.assertNotIn("token", self.answer.json)

    def test_a_change_needs_the_token_against_forgery_and_reading_does_not(self):
        self.assertEqual(call("/admin/v1/session", headers=self.cookie).status, 200)
        for token in (None, "", "x", "A" * 43, self.answer.json["csrf_token"][:-1], self.answer.json["csrf_token"] + "A"):
            forged = {} if token is None else {"X-CSRF-Token": token}
            answer = call("/admin/v1/switches/preview", body=self.wish, headers={**self.cookie, **forged})
            self.assertEqual(answer.status, 403, (token, answer))
        answer = call("/admin/v1/switches/preview", body=self.wish, headers={**self.cookie, "X-CSRF-Token": self.answer.json["csrf_token"]})
        self.assertEqual(answer.status, 200, answer)

    def test_another_sessions_token_does_not_do(self):
        other = call("/admin/v1/sessions", body={**new_staff("system").credentials(), "cookie": True}).json["csrf_token"]
        answer = call("/admin/v1/switches/preview", body=self.wish, headers={**self.cookie, "X-CSRF-Token": other})
        self.assertEqual(answer.status, 403, answer)

    def test_a_cookie_without_its_prefix_or_with_another_value_is_nobody(self):
        value = self.cookie["Cookie"].partition("=")[2]
        for cookie in (f"shimin-staff={value}", f"__Secure-shimin-staff={value}", f"__Host-shimin-staff={value[:-1]}", "__Host-shimin-staff=" + "A" * 43):
            self.assertEqual(call("/admin/v1/session", headers={"Cookie": cookie}).status, 401, cookie)


if __name__ == "__main__":
    unittest.main()
