"""The sandbox over the network: every scheme, every misbehaviour, the control API. Usage: listening_test.py FIXTURE ROOT."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

FIXTURE, ROOT = sys.argv[1:3]
SECRET = b"0123456789abcdef0123456789abcdef"
CREDENTIALS = {
    "housing-fund": {"key_id": "gateway", "hmac_key": base64.b64encode(SECRET).decode()},
    "health": {"client_id": "gateway", "client_secret": "a:b+c"},
}
CONFIG = """
workers: 2
tls: {{certificate: server.pem, private_key: server.key}}
postgres: {{application: dbname=none}}
keys: {{file: none}}
secrets: {{file: secrets.yaml}}
catalogue: {{directory: {root}/schema/catalogue, contracts: {root}/schema/contracts, snapshot: none}}
federation: {{spool: none}}
sandbox: {{control_port: {port}, first_port: {first}, certificate: server.pem, private_key: server.key, ca: ca.pem}}
"""


def free_ports(count):
    """The first of so many ports in a row that nobody listens on."""
    for first in range(24000 + os.getpid() % 300 * 20, 32000, count):
        probes = []
        try:
            for port in range(first, first + count):
                probes.append(socket.socket())
                probes[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise RuntimeError("no free ports")


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def make_certificates(directory):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for authority in ("ca", "stranger"):
        openssl(directory, "req", "-x509", *key, "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-subj", f"/CN={authority}")
    for name in ("server", "client"):
        openssl(directory, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem")


class Answer:
    def __init__(self, connection, method, path, body, headers):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        self.status, self.headers, self.bytes = response.status, response.headers, response.read()
        connection.close()

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def reason(self):
        return self.headers["x-sandbox-reason"]


def call(port, method, path, body=None, headers=None, tls=None, timeout=10):
    if tls:
        return Answer(http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=timeout), method, path, body, headers)
    return Answer(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout), method, path, body, headers)


class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.control = free_ports(44)
        make_certificates(cls.directory.name)
        for name, text in (("secrets.yaml", json.dumps({"departments": CREDENTIALS})),
                           ("shimin.yaml", CONFIG.format(root=ROOT, port=cls.control, first=cls.control + 1))):
            path = os.path.join(cls.directory.name, name)
            with open(path, "w", encoding="utf-8", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
                file.write(text)
        cls.process = subprocess.Popen([FIXTURE, os.path.join(cls.directory.name, "shimin.yaml")], stdout=subprocess.PIPE)
        cls.departments = {}
        end = time.monotonic() + 30
        while not cls.departments:
            try:
                cls.departments = {d["slug"]: d for d in call(cls.control, "GET", "/sandbox/departments").json["items"]}
            except ConnectionRefusedError:
                if cls.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.stdout.read()
        cls.process.stdout.close()
        status = cls.process.wait(20)
        cls.directory.cleanup()
        assert status == 0, status

    def tearDown(self):
        self.tell("DELETE", "/sandbox/behaviours")

    def tell(self, method, path, value=None):
        body = None if value is None else json.dumps(value)
        return call(self.control, method, path, body, {"content-type": "application/json"} if body else {})

    def ask(self, slug, method, path, *more, **named):
        return call(self.departments[slug]["port"], method, path, *more, **named)

    def behave(self, slug, **behaviour):
        self.assertEqual(self.tell("PUT", f"/sandbox/departments/{slug}/behaviour", behaviour).status, 200)


def signed(path, key=SECRET, key_id="gateway"):
    stamp, nonce = str(int(time.time())), base64.urlsafe_b64encode(os.urandom(18)).decode()
    text = "\n".join(["GET", path, stamp, nonce, hashlib.sha256(b"").hexdigest()])
    signature = base64.b64encode(hmac.new(key, text.encode(), "sha256").digest()).decode()
    return {"X-Department-Key": key_id, "X-Department-Timestamp": stamp, "X-Department-Nonce": nonce, "X-Department-Signature": signature}


ACCOUNT = "/v1/accounts?id_number=11010519491231002X&name=" + urllib.parse.quote("张伟")


class Calls(Sandbox):
    def test_all_departments_of_the_catalogue_are_played(self):
        self.assertEqual(len(self.departments), 43)

    def test_a_signed_call_is_answered_once(self):
        headers = signed(ACCOUNT)
        answer = self.ask("housing-fund", "GET", ACCOUNT, headers=headers)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["data"]["accounts"][0]["name"], "张伟")
        self.assertEqual(self.ask("housing-fund", "GET", ACCOUNT, headers=headers).status, 401)
        self.assertEqual(self.ask("housing-fund", "GET", ACCOUNT, headers=signed(ACCOUNT)).bytes, answer.bytes)

    def test_a_call_that_is_not_signed_is_told_what_is_missing(self):
        answer = self.ask("housing-fund", "GET", ACCOUNT)
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.json["code"], 40101)
        self.assertIn("X-Department-Key", answer.reason)

    def test_faults_come_in_the_departments_own_envelope(self):
        path = "/v1/accounts?id_number=12"
        answer = self.ask("housing-fund", "GET", path, headers=signed(path))
        self.assertEqual((answer.status, answer.json["code"]), (400, 40001))
        self.assertIn("id_number", answer.json["msg"])
        answer = self.ask("metro", "POST", "/lost-property", '{"phone": 1}', {"content-type": "application/json"})
        self.assertEqual((answer.status, answer.json["error"]), (400, "invalid_request"))
        self.assertEqual(self.ask("metro", "GET", "/nowhere").status, 404)
        answer = self.ask("metro", "DELETE", "/lines")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))

    def test_an_access_token_is_needed_and_can_be_revoked(self):
        headers = {"authorization": "Basic " + base64.b64encode(b"gateway:a%3Ab%2Bc").decode(),
                   "content-type": "application/x-www-form-urlencoded"}
        self.assertEqual(self.tell("PUT", "/sandbox/tokens", {"expires_in": 600}).status, 200)
        granted = self.ask("health", "POST", "/oauth/token", "grant_type=client_credentials", headers).json
        bearer = {"authorization": "Bearer " + granted["access_token"]}
        self.assertEqual(granted["expires_in"], 600)
        self.assertEqual(self.ask("health", "GET", HEALTH_PATH).status, 401)
        self.assertEqual(self.ask("health", "GET", HEALTH_PATH, headers=bearer).status, 200)
        self.assertEqual(self.tell("DELETE", "/sandbox/tokens").status, 204)
        self.assertEqual(self.ask("health", "GET", HEALTH_PATH, headers=bearer).status, 401)

    def test_a_department_without_credentials_says_so(self):
        self.assertFalse(self.departments["finance"]["credentials"])

    def test_a_client_certificate_is_asked_for_and_checked(self):
        for files, status in ((None, 401), ("stranger", 401), ("client", 200)):
            context = ssl.create_default_context(cafile=os.path.join(self.directory.name, "ca.pem"))
            context.check_hostname = False
            if files:
                context.load_cert_chain(*(os.path.join(self.directory.name, f"{files}.{end}") for end in ("pem", "key")))
            self.assertEqual(self.ask("power", "GET", POWER_PATH, tls=context).status, status)

    def test_what_arrived_can_be_seen(self):
        self.ask("housing-fund", "GET", ACCOUNT, headers=signed(ACCOUNT, key_id="nobody"))
        newest = self.tell("GET", "/sandbox/calls?department=housing-fund&limit=1").json["items"][0]
        self.assertEqual((newest["operation"], newest["status"], newest["path"]), ("getFundAccount", 401, "/v1/accounts"))
        self.assertNotIn("11010519491231002X", json.dumps(newest))

    def test_short_messages_are_kept_by_number(self):
        self.tell("DELETE", "/sandbox/messages")
        for number, text in (("+8613800000001", "one"), ("+8613800000002", "two"), ("+8613800000001", "three")):
            self.assertEqual(self.tell("POST", "/sandbox/messages", {"phone_number": number, "text": text}).status, 201)
        items = self.tell("GET", "/sandbox/messages?phone_number=+8613800000001").json["items"]
        self.assertEqual([item["text"] for item in items], ["three", "one"])
        self.assertEqual(self.tell("POST", "/sandbox/messages", {"phone_number": "12"}).status, 422)


class Behaviours(Sandbox):
    def lines(self, timeout=10):
        return self.ask("metro", "GET", "/lines", timeout=timeout)

    def test_slow_answers_late(self):
        self.behave("metro", mode="slow", delay_ms=200)
        began = time.monotonic()
        self.assertEqual(self.lines().status, 200)
        self.assertGreaterEqual(time.monotonic() - began, 0.2)

    def test_hanging_does_not_answer(self):
        self.behave("metro", mode="hanging")
        with self.assertRaises(TimeoutError):
            self.lines(timeout=0.3)

    def test_failing_fails_as_often_as_told_and_for_the_operation_told(self):
        self.behave("metro", mode="failing", status=503, ratio=0.25)
        self.assertEqual(sorted(self.lines().status for _ in range(8)), [200] * 6 + [503] * 2)
        self.behave("metro", mode="failing", operation="listStationCrowding")
        self.assertEqual((self.lines().status, self.ask("metro", "GET", "/stations/crowding").status), (200, 500))

    def test_resetting_and_down_reset_the_connection(self):
        for mode in ("resetting", "down"):
            self.behave("metro", mode=mode)
            with self.assertRaises(ConnectionError):
                self.lines()

    def test_garbage_is_no_http(self):
        self.behave("metro", mode="garbage")
        with self.assertRaises(http.client.HTTPException):
            self.lines()

    def test_breaking_answers_otherwise_each_time(self):
        good = self.lines().bytes
        self.behave("metro", mode="breaking")
        answers = [self.lines() for _ in range(6)]
        self.assertTrue(all(answer.status == 200 and answer.json is not None and answer.bytes != good for answer in answers))
        self.assertGreater(len({answer.bytes for answer in answers}), 2)

    def test_redirecting_oversized_and_dripping(self):
        self.behave("metro", mode="redirecting")
        self.assertEqual(self.lines().status, 302)
        self.behave("metro", mode="oversized")
        self.assertEqual(len(self.lines().bytes), 16 << 20)
        self.behave("metro", mode="dripping", delay_ms=1)
        self.assertEqual(self.lines().status, 200)

    def test_a_behaviour_ends_when_it_was_told_to(self):
        self.behave("metro", mode="failing", until=1)
        end = time.monotonic() + 10
        while self.lines().status == 500 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.lines().status, 200)

    def test_what_cannot_be_is_refused(self):
        for behaviour in ({"mode": "angry"}, {"mode": "slow", "operation": "none"}, {"mode": "down", "operation": "listLines"}, {}):
            self.assertEqual(self.tell("PUT", "/sandbox/departments/metro/behaviour", behaviour).status, 422)
        self.assertEqual(self.tell("PUT", "/sandbox/departments/none/behaviour", {"mode": "slow"}).status, 404)


class OneContract(unittest.TestCase):
    def test_a_faulty_contract_is_refused_with_its_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("openapi: 3.1.0\ninfo: {title: a, version: '1'}\npaths:\n  /a:\n    get:\n      parameters: [{name: x, in: body}]\n")
            file.flush()
            done = subprocess.run([FIXTURE, "--contract", file.name, "9"], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn(file.name + ":", done.stdout)


def get_without_parameters(slug):
    import yaml

    with open(os.path.join(ROOT, "schema/contracts", slug + ".yaml"), encoding="utf-8") as file:
        for path, item in yaml.safe_load(file)["paths"].items():
            if "get" in item and not any(parameter.get("required") for parameter in item["get"].get("parameters", [])):
                return path
    raise LookupError(slug)


POWER_PATH = get_without_parameters("power")
HEALTH_PATH = get_without_parameters("health")

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
