"""Login of staff at an identity provider that is not ours: the npm package oidc-provider. SHIMIN_NODE_MODULES names its folder."""
import html
import http.cookiejar
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

from client import another_gateway, answers, call, free_port, new_staff, wait_until

MODULES = os.environ.get("SHIMIN_NODE_MODULES")
PAGE = "https://console.example/console/"


class _StopAtPage(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, response, code, message, headers, url):
        return None if url.startswith(PAGE) else super().redirect_request(request, response, code, message, headers, url)


class Browser:
    """Follows the provider's pages until they send it to ours."""

    def __init__(self):
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), _StopAtPage())

    def log_in(self, url, name):
        """The parameters that the provider sends back."""
        try:
            answer = self.opener.open(url, timeout=30)
            for _ in range(4):
                page = answer.read().decode()
                action = html.unescape(re.search(r'<form[^>]*action="([^"]+)"', page)[1])
                prompt = re.search(r'name="prompt" value="(\w+)"', page)[1]
                form = {"prompt": prompt, "login": name, "password": "x"} if prompt == "login" else {"prompt": prompt}
                answer = self.opener.open(urllib.parse.urljoin(answer.url, action), urllib.parse.urlencode(form).encode(), timeout=30)
        except urllib.error.HTTPError as redirect:
            assert redirect.code in (302, 303), redirect.read()
            return dict(urllib.parse.parse_qsl(urllib.parse.urlparse(redirect.headers["Location"]).query))
        raise AssertionError("the provider does not let anybody in")


@unittest.skipUnless(MODULES, "SHIMIN_NODE_MODULES does not say where oidc-provider is")
class Oidc(unittest.TestCase):
    claims_in_id_token = "no"

    @classmethod
    def setUpClass(cls):
        port, secret = free_port(), "a-secret-of-the-tests"
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        file = pathlib.Path(folder.name, "secret")
        file.write_text(secret + "\n")
        cls.issuer = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(["node", pathlib.Path(__file__).with_name("oidc_provider.mjs"), MODULES, str(port), secret, PAGE],
                                   env={**os.environ, "CLAIMS_IN_ID_TOKEN": cls.claims_in_id_token}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait, 30)
        cls.addClassCleanup(process.terminate)
        wait_until(lambda: answers(cls.issuer, "/.well-known/openid-configuration"), what="the provider")
        gateway = another_gateway(SHIMIN_STAFF_OIDC_ISSUER=cls.issuer, SHIMIN_STAFF_OIDC_SECRET_FILE=str(file), SHIMIN_STAFF_OIDC_REDIRECT_URI=PAGE)
        cls.gateway = gateway.__enter__()
        cls.addClassCleanup(gateway.__exit__, None, None, None)

    def begin(self):
        """Where the browser goes, and the cookie that binds it."""
        answer = call("/admin/v1/oidc/authorizations", "POST", base=self.gateway)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["url"], answer.headers["Set-Cookie"]

    def finish(self, parameters, cookie, **more):
        body = {name: parameters[name] for name in ("state", "code", "iss") if name in parameters}
        return call("/admin/v1/oidc/sessions", body={**body, **more}, headers={"Cookie": cookie.split(";")[0]}, base=self.gateway)

    def test_who_logs_in_there_has_a_session_here_with_the_roles_that_we_gave(self):
        staff = new_staff("system")
        url, cookie = self.begin()
        for part in ("__Host-shimin-oidc=", "Secure", "HttpOnly", "SameSite=Lax"):
            self.assertIn(part, cookie)
        answer = self.finish(Browser().log_in(url, staff.name), cookie)
        self.assertEqual((answer.status, answer.json["setup"]), (201, []), answer)
        session = call("/admin/v1/session", token=answer.json["token"], base=self.gateway).json
        self.assertEqual((session["name"], session["roles"]), (staff.name, ["system"]))

    def test_an_answer_is_good_once_and_in_the_browser_that_began_only(self):
        staff = new_staff("system")
        url, cookie = self.begin()
        back = Browser().log_in(url, staff.name)
        _, foreign = self.begin()
        self.assertEqual(self.finish(back, foreign).status, 422)
        self.assertEqual(self.finish(back, cookie).status, 422)  # the state is used up by the attempt
        url, cookie = self.begin()
        back = Browser().log_in(url, staff.name)
        self.assertEqual(self.finish({**back, "iss": "https://elsewhere.example"}, cookie).status, 422)
        url, cookie = self.begin()
        back = Browser().log_in(url, staff.name)
        self.assertEqual(self.finish({**back, "code": back["code"] + "x"}, cookie).status, 422)
        self.assertEqual(self.finish({"state": "A" * 43, "code": "x"}, cookie).status, 422)

    def test_who_has_no_account_or_a_locked_one_is_not_let_in(self):
        url, cookie = self.begin()
        answer = self.finish(Browser().log_in(url, "nobody-here"), cookie)
        self.assertEqual((answer.status, answer.json["code"]), (422, "credentials-rejected"))
        staff = new_staff("audit")
        subprocess.run([os.environ["SHIMIN"], "admin", "lock", staff.name], check=True, capture_output=True)
        url, cookie = self.begin()
        self.assertEqual(self.finish(Browser().log_in(url, staff.name), cookie).status, 422)

    def test_where_no_provider_is_configured_there_is_no_such_login(self):
        self.assertEqual(call("/admin/v1/oidc").json, {"offered": False})
        self.assertEqual(call("/admin/v1/oidc", base=self.gateway).json, {"offered": True})
        self.assertEqual(call("/admin/v1/oidc/authorizations", "POST").status, 404)
        self.assertEqual(call("/admin/v1/oidc/sessions", body={"state": "x", "code": "y"}).status, 404)


class OidcWithClaimsInTheToken(Oidc):
    """The same with a provider that puts the name into the ID token itself."""

    claims_in_id_token = "yes"


if __name__ == "__main__":
    unittest.main()
