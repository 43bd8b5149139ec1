"""Clients: departments' programs obtain tokens, and departments govern their clients."""
import base64
import datetime
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid

from client import URL, another_gateway, call, client_token, free_port, login, new_client, oauth, staff_session, wait_until

ISSUER = URL
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


def openssl(*words, stdin=None):
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


class Key:
    """A key pair made and used by the openssl program, and its public JWK."""

    def __init__(self, algorithm, bits=2048):
        self.algorithm = algorithm
        options = {"EdDSA": ["-algorithm", "ed25519"], "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}
        self.pem = openssl("genpkey", *options.get(algorithm, ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}"]))
        der = openssl("pkey", "-pubout", "-outform", "DER", stdin=self.pem)
        if algorithm == "EdDSA":
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(der[-32:])}
        elif algorithm == "ES256":
            self.jwk = {"kty": "EC", "crv": "P-256", "x": b64(der[-64:-32]), "y": b64(der[-32:])}
        else:
            modulus = openssl("rsa", "-pubin", "-inform", "DER", "-noout", "-modulus", stdin=der).decode().strip().split("=")[1]
            self.jwk = {"kty": "RSA", "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}
        self.jwk["kid"] = uuid.uuid4().hex

    def sign(self, data):
        with tempfile.TemporaryDirectory() as folder:
            key, message = pathlib.Path(folder, "key"), pathlib.Path(folder, "message")
            key.write_bytes(self.pem)
            message.write_bytes(data)
            if self.algorithm == "EdDSA":
                return openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", message)
            pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if self.algorithm == "PS256" else []
            signature = openssl("dgst", "-sha256", "-sign", key, *pss, message)
        if self.algorithm != "ES256":
            return signature
        numbers, at = [], 2
        for _ in range(2):
            length = signature[at + 1]
            numbers.append(signature[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0"))
            at += 2 + length
        return b"".join(numbers)

    def jwt(self, claims, **header):
        signed = b64({"alg": self.algorithm, "kid": self.jwk["kid"], **header}) + "." + b64(claims)
        return signed + "." + b64(self.sign(signed.encode()))


def claims(client_id, **changes):
    now = int(time.time())
    made = {"iss": client_id, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex} | changes
    return {name: value for name, value in made.items() if value is not None}


def ask(assertion, **more):
    return oauth("/oauth/token", grant_type="client_credentials", client_assertion_type=ASSERTION, client_assertion=assertion, **more)


class Secrets(unittest.TestCase):
    def test_a_secret_obtains_a_token_by_basic_and_by_post(self):
        client, credential = new_client("metro", ["clients", "traffic"])
        posted = oauth("/oauth/token", grant_type="client_credentials", client_id=client["id"], client_secret=credential["client_secret"])
        self.assertEqual((posted.status, posted.json["token_type"], posted.json["expires_in"], posted.json["scope"]), (200, "Bearer", 600, "clients traffic"))
        self.assertEqual(posted.headers["Cache-Control"], "no-store")
        basic = base64.b64encode(f"{client['id']}:{credential['client_secret']}".encode()).decode()
        answer = call("/oauth/token", raw=b"grant_type=client_credentials&scope=traffic", headers={
            "Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic " + basic})
        self.assertEqual((answer.status, answer.json["scope"]), (200, "traffic"))

    def test_errors_are_in_oauths_own_form(self):
        client, credential = new_client("metro", ["clients"])
        good = {"grant_type": "client_credentials", "client_id": client["id"], "client_secret": credential["client_secret"]}
        for changes, status, error in (({"client_secret": "x" * 43}, 401, "invalid_client"), ({"client_id": "metro.nobody"}, 401, "invalid_client"),
                                       ({"grant_type": "password"}, 400, "unsupported_grant_type"), ({"grant_type": ""}, 400, "invalid_request"),
                                       ({"scope": "contracts"}, 400, "invalid_scope"), ({"scope": "everything"}, 400, "invalid_scope"),
                                       ({"client_assertion": "x.y.z", "client_assertion_type": ASSERTION}, 400, "invalid_request")):
            answer = oauth("/oauth/token", **(good | changes))
            self.assertEqual((answer.status, answer.json["error"]), (status, error), changes)
            self.assertEqual(answer.headers["Content-Type"], "application/json")
        twice = call("/oauth/token", raw=urllib.parse.urlencode(good).encode() + b"&scope=a&scope=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual((twice.status, twice.json["error"]), (400, "invalid_request"))
        as_json = call("/oauth/token", body=good)
        self.assertEqual((as_json.status, as_json.json["error"]), (400, "invalid_request"))
        self.assertIn("WWW-Authenticate", oauth("/oauth/token", **(good | {"client_secret": "x"})).headers)


class Assertions(unittest.TestCase):
    def test_every_algorithm_of_the_list_obtains_a_token(self):
        for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
            key = Key(algorithm)
            client, _ = new_client("metro", ["clients"], method={"method": "private_key_jwt", "jwk": key.jwk})
            for audience in (ISSUER, ISSUER + "/oauth/token", ["https://elsewhere.example", ISSUER]):
                answer = ask(key.jwt(claims(client["id"], aud=audience)))
                self.assertEqual(answer.status, 200, (algorithm, audience, answer))

    def test_an_assertion_is_good_once(self):
        key = Key("EdDSA")
        client, _ = new_client("metro", ["clients"], method={"method": "private_key_jwt", "jwk": key.jwk})
        assertion = key.jwt(claims(client["id"]))
        self.assertEqual([ask(assertion).status for _ in range(3)], [200, 401, 401])

    def test_assertions_of_others_for_others_or_for_long_are_refused(self):
        key, other = Key("ES256"), Key("ES256")
        client, _ = new_client("metro", ["clients"], method={"method": "private_key_jwt", "jwk": key.jwk})
        id, now = client["id"], int(time.time())
        wrong = [claims(id, aud="https://elsewhere.example"), claims(id, aud=None), claims(id, exp=now - 1), claims(id, exp=None),
                 claims(id, exp=now + 3600), claims(id, jti=None), claims(id, iss="metro.other"), claims(id, sub="metro.other"),
                 claims(id, iat=now + 600), claims(id, nbf=now + 600)]
        for bad in wrong:
            answer = ask(key.jwt(bad), client_id=id)
            self.assertEqual((answer.status, answer.json["error"]), (401, "invalid_client"), bad)
        other.jwk["kid"] = key.jwk["kid"]
        self.assertEqual(ask(other.jwt(claims(id))).status, 401)
        header, payload, signature = key.jwt(claims(id)).split(".")
        self.assertEqual(ask(f"{b64({'alg': 'none'})}.{payload}.").status, 401)
        self.assertEqual(ask(f"{b64({'alg': 'HS256'})}.{payload}.{signature}").status, 401)
        self.assertEqual(ask(f"{header}.{b64(claims(id))}.{signature}").status, 401)
        self.assertEqual(ask(key.jwt(claims(id), crit=["exp"])).status, 401)
        self.assertEqual(ask(key.jwt(claims(id))).status, 200)

    def test_keys_that_are_private_small_or_unknown_are_refused(self):
        manager = staff_session("manager", "metro")
        client = call("/department/v1/clients", body={"name": f"k{os.getpid()}-{time.time_ns()}", "scopes": ["traffic"]}, token=manager).json
        good = Key("EdDSA").jwk
        for jwk in ({**good, "d": "AAAA"}, {"kty": "oct", "k": "AAAA"}, Key("RS256", 1024).jwk, {**good, "use": "enc"}, {**good, "alg": "RS256"},
                    {**good, "x": "AAAA"}, {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}, {}):
            answer = call(f"/department/v1/clients/{client['id']}/credentials", body={"method": "private_key_jwt", "jwk": jwk}, token=manager)
            self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, "#/jwk"), jwk)


class Certificates(unittest.TestCase):
    """Mutual TLS: a connection of its own with the certificate."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        for name in ("one", "two"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN=metro {name}",
                    "-keyout", f"{cls.folder.name}/{name}.key", "-out", f"{cls.folder.name}/{name}.pem")

    def call_with(self, name, path, form=None, token=None, base=URL):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if name:
            context.load_cert_chain(f"{self.folder.name}/{name}.pem", f"{self.folder.name}/{name}.key")
        request = urllib.request.Request(base + path, data=form and urllib.parse.urlencode(form).encode())
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as fault:
            return fault.code, json.loads(fault.read())

    def test_a_self_signed_certificate_obtains_a_token_that_is_good_with_it_only(self):
        pem = pathlib.Path(self.folder.name, "one.pem").read_text()
        client, _ = new_client("metro", ["clients"], method={"method": "self_signed_tls_client_auth", "certificate": pem})
        form = {"grant_type": "client_credentials", "client_id": client["id"]}
        status, body = self.call_with("one", "/oauth/token", form)
        self.assertEqual(status, 200, body)
        token = body["access_token"]
        self.assertEqual(self.call_with("one", "/department/v1/clients", token=token)[0], 200)
        self.assertEqual(self.call_with("two", "/department/v1/clients", token=token)[0], 401)
        self.assertEqual(self.call_with(None, "/department/v1/clients", token=token)[0], 401)
        self.assertEqual(self.call_with("two", "/oauth/token", form)[0], 401)
        self.assertEqual(self.call_with(None, "/oauth/token", form)[0], 401)

    def test_a_subject_that_no_authority_vouches_for_is_worth_nothing(self):
        client, _ = new_client("metro", ["clients"], method={"method": "tls_client_auth", "subject": "CN=metro one"})
        self.assertEqual(self.call_with("one", "/oauth/token", {"grant_type": "client_credentials", "client_id": client["id"]})[0], 401)

    def test_a_subject_that_the_configured_authority_vouches_for_obtains_a_token(self):
        folder, port = self.folder.name, free_port()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Authority",
                "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem")
        for name, subject in (("signed", "/C=CN/O=成都地铁, Ltd/CN=metro"), ("other", "/C=CN/O=成都地铁, Ltd/CN=tram")):
            request = openssl("req", "-utf8", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout", f"{folder}/{name}.key")
            openssl("x509", "-req", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", "2", "-out", f"{folder}/{name}.pem", stdin=request)
        client, _ = new_client("metro", ["clients"], method={"method": "tls_client_auth", "subject": "CN=metro,O=成都地铁\\, Ltd,C=CN"})
        form = {"grant_type": "client_credentials", "client_id": client["id"]}
        with another_gateway(SHIMIN_LISTEN_TLS_PORT=str(port), SHIMIN_TLS_CLIENT_CA=f"{folder}/ca.pem"):
            base = f"https://localhost:{port}"
            status, body = self.call_with("signed", "/oauth/token", form, base=base)
            self.assertEqual(status, 200, body)
            self.assertEqual(self.call_with("signed", "/department/v1/clients", token=body["access_token"], base=base)[0], 200)
            self.assertEqual(self.call_with("other", "/department/v1/clients", token=body["access_token"], base=base)[0], 401)
            self.assertEqual(self.call_with("other", "/oauth/token", form, base=base)[0], 401)
            self.assertEqual(self.call_with("one", "/oauth/token", form, base=base)[0], 401)
            self.assertEqual(self.call_with(None, "/oauth/token", form, base=base)[0], 401)

    def test_a_certificate_that_cannot_be_read_is_refused(self):
        manager = staff_session("manager", "metro")
        client = call("/department/v1/clients", body={"name": f"c{os.getpid()}-{time.time_ns()}", "scopes": ["traffic"]}, token=manager).json
        one = pathlib.Path(self.folder.name, "one.pem").read_text()
        for pem in ("x", "", one + one):
            answer = call(f"/department/v1/clients/{client['id']}/credentials", token=manager,
                          body={"method": "self_signed_tls_client_auth", "certificate": pem})
            self.assertEqual((answer.status, answer.json["errors"][0]["pointer"]), (422, "#/certificate"))

    def test_who_shows_a_certificate_is_served_like_anybody(self):
        self.assertEqual(self.call_with("one", "/v1/categories")[0], 200)


class Tokens(unittest.TestCase):
    def test_a_token_ends_when_it_is_revoked_and_others_cannot_end_it(self):
        client, credential = new_client("metro", ["clients"])
        other, others = new_client("metro", ["clients"])
        mine = {"client_id": client["id"], "client_secret": credential["client_secret"]}
        token = oauth("/oauth/token", grant_type="client_credentials", **mine).json["access_token"]
        self.assertEqual(oauth("/oauth/revoke", token=None, client_id=other["id"], client_secret=others["client_secret"]).status, 400)
        revoke = lambda who: call("/oauth/revoke", raw=urllib.parse.urlencode({**who, "token": token}).encode(),
                                  headers={"Content-Type": "application/x-www-form-urlencoded"}).status
        self.assertEqual(revoke({"client_id": other["id"], "client_secret": others["client_secret"]}), 200)
        self.assertEqual(call("/department/v1/clients", token=token).status, 200)
        self.assertEqual(revoke(mine), 200)
        self.assertEqual(call("/department/v1/clients", token=token).status, 401)

    def test_a_token_is_taken_where_its_scope_is_named_and_nowhere_else(self):
        token = client_token("metro", ["traffic"])
        answer = call("/department/v1/clients", token=token)
        self.assertEqual(answer.status, 403)
        self.assertIn("insufficient_scope", answer.headers["WWW-Authenticate"])
        self.assertEqual(call("/admin/v1/session", token=token).status, 401)
        self.assertEqual(call("/v1/me", token=token).status, 401)
        self.assertEqual(call("/department/v1/clients", token=login()).status, 401)

    def test_revoking_a_credential_or_the_client_ends_its_tokens_at_once(self):
        client, credential = new_client("metro", ["clients"])
        manager = staff_session("manager", "metro")
        token = lambda: oauth("/oauth/token", grant_type="client_credentials", client_id=client["id"], client_secret=credential["client_secret"])
        first = token().json["access_token"]
        path = f"/department/v1/clients/{client['id']}"
        self.assertEqual(call(f"{path}/credentials/{credential['id']}", "DELETE", token=manager).status, 204)
        self.assertEqual((call(path, token=first).status, token().status), (401, 401))
        credential = call(path + "/credentials", body={"method": "client_secret"}, token=manager).json
        second = token().json["access_token"]
        etag = call(path, token=second).headers["ETag"]
        self.assertEqual(call(path, "DELETE", token=manager, headers={"If-Match": etag}).status, 200)
        self.assertEqual((call(path, token=second).status, token().status), (401, 401))


class Rotation(unittest.TestCase):
    def test_two_credentials_live_at_once_until_the_old_one_ends(self):
        client, old = new_client("metro", ["clients"])
        manager = staff_session("manager", "metro")
        path = f"/department/v1/clients/{client['id']}/credentials"
        ends = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=8)).isoformat()
        new = call(path, body={"method": "client_secret", "others_end_at": ends}, token=manager).json
        works = lambda secret: oauth("/oauth/token", grant_type="client_credentials", client_id=client["id"], client_secret=secret).status == 200
        self.assertTrue(works(old["client_secret"]) and works(new["client_secret"]))
        self.assertEqual(call(path, body={"method": "client_secret"}, token=manager).status, 409)
        wait_until(lambda: not works(old["client_secret"]))
        self.assertTrue(works(new["client_secret"]))
        listed = call(path.rsplit("/", 1)[0], token=manager).json["credentials"]
        self.assertEqual([c["id"] for c in listed], [new["id"]])
        self.assertNotIn(new["client_secret"], json.dumps(listed))


class Management(unittest.TestCase):
    def setUp(self):
        self.manager = staff_session("manager", "metro")
        self.client, _ = new_client("metro", ["contracts"])
        self.path = "/department/v1/clients/" + self.client["id"]

    def test_changes_need_the_version_that_was_read(self):
        change = lambda **headers: call(self.path, "PATCH", raw=b'{"title": "Other"}', token=self.manager,
                                        headers={"Content-Type": "application/merge-patch+json", **headers})
        self.assertEqual(change().status, 428)
        etag = call(self.path, token=self.manager).headers["ETag"]
        changed = change(**{"If-Match": etag})
        self.assertEqual((changed.status, changed.json["title"]), (200, "Other"))
        self.assertEqual(change(**{"If-Match": etag}).status, 412)

    def test_another_departments_clients_are_not_there(self):
        other = staff_session("manager", "tax")
        etag = {"If-Match": '"1"'}
        self.assertEqual(call(self.path, token=other).status, 404)
        self.assertEqual(call(self.path, "DELETE", token=other, headers=etag).status, 404)
        self.assertEqual(call(self.path + "/credentials", body={"method": "client_secret"}, token=other).status, 404)
        self.assertNotIn(self.client["id"], json.dumps(call("/department/v1/clients?limit=100", token=other).json))
        self.assertEqual(call(self.path, token=client_token("tax", ["clients"])).status, 404)

    def test_an_engineer_reads_and_does_not_change(self):
        engineer = staff_session("engineer", "metro")
        self.assertEqual(call(self.path, token=engineer).status, 200)
        self.assertEqual(call(self.path + "/credentials", body={"method": "client_secret"}, token=engineer).status, 403)
        self.assertEqual(call("/department/v1/clients", body={"name": "x", "scopes": ["traffic"]}, token=staff_session("system")).status, 403)

    def test_a_client_gives_no_scope_that_it_has_not(self):
        token = client_token("metro", ["clients"])
        name = f"s{os.getpid()}-{time.time_ns()}"
        self.assertEqual(call("/department/v1/clients", body={"name": name, "scopes": ["contracts"]}, token=token).status, 403)
        self.assertEqual(call(self.path + "/credentials", body={"method": "client_secret"}, token=token).status, 403)
        self.assertEqual(call("/department/v1/clients", body={"name": name, "scopes": ["clients"]}, token=token).status, 201)

    def test_names_are_given_once_and_pages_go_on(self):
        self.assertEqual(call("/department/v1/clients", body={"name": self.client["name"], "scopes": ["traffic"]}, token=self.manager).status, 409)
        new_client("metro", ["traffic"])
        first = call("/department/v1/clients?limit=1", token=self.manager).json
        second = call("/department/v1/clients?limit=1&cursor=" + first["next_cursor"], token=self.manager).json
        self.assertLess(first["items"][0]["id"], second["items"][0]["id"])

    def test_the_metadata_says_what_there_is(self):
        answer = call("/.well-known/oauth-authorization-server").json
        self.assertEqual((answer["issuer"], answer["token_endpoint"]), (ISSUER, ISSUER + "/oauth/token"))
        self.assertIn("private_key_jwt", answer["token_endpoint_auth_methods_supported"])


if __name__ == "__main__":
    unittest.main()
