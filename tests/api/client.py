"""What the API tests share: calls over TLS, login through the sandbox's SMS, and polling with a deadline.

The stack under test is named by the environment: SHIMIN_URL (https), SHIMIN_PLAIN_URL, SHIMIN_SANDBOX (control), SHIMIN_OPERATIONS,
SHIMIN_CONFIG and SHIMIN (the program).
"""
import base64
import contextlib
import functools
import hmac
import http.client
import itertools
import json
import os
import random
import re
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["SHIMIN_URL"]
SANDBOX = os.environ["SHIMIN_SANDBOX"]
OPERATIONS = os.environ["SHIMIN_OPERATIONS"]

_tls = ssl.create_default_context()
_tls.check_hostname = False
_tls.verify_mode = ssl.CERT_NONE


class _KeepErrors(urllib.request.HTTPErrorProcessor):
    """Every status is an answer; nothing is followed."""

    def http_response(self, request, response):
        return response

    https_response = http_response


class _From(urllib.request.HTTPSHandler):
    """Connections from an address of this machine."""

    def __init__(self, source):
        super().__init__()
        self.source = source

    def https_open(self, request):
        connect = functools.partial(http.client.HTTPSConnection, context=_tls, source_address=(self.source, 0))
        return self.do_open(connect, request)


_opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=_tls), _KeepErrors())


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()

    @property
    def json(self):
        return json.loads(self.bytes)

    def __repr__(self):
        return f"<{self.status} {self.bytes[:400]!r}>"


def call(path, method=None, body=None, token=None, headers=None, base=URL, raw=None, source=None):
    """One request. `body` is sent as JSON, `raw` as it is; from the address `source` (127.x.y.z) of this machine."""
    data = raw if raw is not None else None if body is None else json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(base + path, data=data, method=method or ("GET" if data is None else "POST"))
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    opener = urllib.request.build_opener(_From(source), _KeepErrors()) if source else _opener
    with opener.open(request, timeout=30) as response:
        return Answer(response)


def wait_until(condition, seconds=20, what="condition"):
    """Polls until condition() is true; its value. Fails after a deadline that a busy machine keeps: how fast it came is for deploy/bench."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


_phones = itertools.count(random.randrange(10_000_000, 90_000_000))


def new_phone():
    """A mobile number nobody has used in this run."""
    return f"+86137{next(_phones) % 100_000_000:08d}"


def new_id_number():
    """A valid identity number (GB 11643) that nobody has used in this run."""
    serial = next(_phones)
    digits = f"510104{1950 + serial % 50}{1 + serial // 50 % 12:02d}{1 + serial // 600 % 28:02d}{serial // 16800 % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights)) % 11]


def sent_code(phone):
    """The code of the newest message that the sandbox's SMS provider got for the phone."""
    answer = call("/sandbox/messages?phone_number=" + urllib.parse.quote(phone), base=SANDBOX)
    return re.search(r"\b([0-9]{6})\b", answer.json["items"][0]["text"]).group(1)


def login(phone=None, base=URL):
    """An L1 session's token."""
    phone = phone or new_phone()
    answer = call("/v1/login/codes", body={"phone_number": phone}, base=base)
    assert answer.status == 202, answer
    answer = call("/v1/sessions", body={"phone_number": phone, "code": sent_code(phone)}, base=base)
    assert answer.status == 201, answer
    return answer.json["token"]


def login_verified(name="张伟", id_number=None, base=URL):
    """An L2 session's token."""
    body = {"name": name, "id_number": id_number or new_id_number()}
    answer = call("/v1/me/identity", body=body, token=login(base=base), base=base)
    assert answer.status == 200, answer
    return answer.json["token"]


def open_face(token, base=URL):
    """A face verification that was opened for the session: id, sdk_token, expires_at."""
    answer = call("/v1/me/face-verifications", "POST", token=token, base=base)
    assert answer.status == 201, answer
    return answer.json


def complete_face(face, token, base=URL):
    return call(f"/v1/me/face-verifications/{face['id']}/completion", "POST", token=token, base=base)


def login_by_face(name="张伟", id_number=None, base=URL):
    """An L3 session's token."""
    token = login_verified(name, id_number, base)
    answer = complete_face(open_face(token, base), token, base)
    assert answer.status == 200, answer
    return answer.json["token"]


def totp(uri, step=0):
    """The code that an authenticator app shows for an otpauth URI (RFC 6238), `step` half minutes from now."""
    secret = urllib.parse.parse_qs(urllib.parse.urlparse(uri).query)["secret"][0]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, (int(time.time()) // 30 + step).to_bytes(8, "big"), "sha1")
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7fffffff) % 1_000_000:06d}"


STAFF_PASSWORD = "Panda-Tea-1984-house"
_names = itertools.count(1)


class Staff:
    """An account of staff: name, password, the otpauth URI of its second factor."""

    def __init__(self, name, password, uri):
        self.name, self.password, self.uri = name, password, uri

    def credentials(self, step=0):
        return {"name": self.name, "password": self.password, "code": totp(self.uri, step)}


def new_address():
    """An address of this machine that has failed at nothing yet."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{random.randrange(1, 255)}"


def new_staff(role, department=None, area=None):
    """A new account with this role, or with several as "manager,engineer"."""
    name = f"{role.split(',')[0]}.{os.getpid()}.{next(_names)}"
    place = ["--department", department] if department else ["--area", area] if area else []
    done = subprocess.run([os.environ["SHIMIN"], "admin", "create", name, "--role", role, *place], input=STAFF_PASSWORD + "\n",
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return Staff(name, STAFF_PASSWORD, re.search(r"otpauth://\S+", done.stdout)[0])


@functools.cache
def _manager(department):
    return staff_session("manager", department)


def new_client(department, scopes, name=None, method=None):
    """A client of a department, and the answer to its first credential (a secret unless `method` says more)."""
    manager = _manager(department)
    made = call("/department/v1/clients", body={"name": name or f"t{os.getpid()}-{next(_names)}", "scopes": list(scopes)}, token=manager)
    assert made.status == 201, made
    credential = call(f"/department/v1/clients/{made.json['id']}/credentials", body=method or {"method": "client_secret"}, token=manager)
    assert credential.status == 201, credential
    return made.json, credential.json


def oauth(path, token=None, **form):
    """A call with a form; the answer."""
    return call(path, raw=urllib.parse.urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}, token=token)


def client_token(department, scopes):
    """The token of a new client of the department with these scopes."""
    client, credential = new_client(department, scopes)
    answer = oauth("/oauth/token", grant_type="client_credentials", client_id=client["id"], client_secret=credential["client_secret"])
    assert answer.status == 200, answer
    return answer.json["access_token"]


def staff_session(role, department=None, area=None):
    """The token of a session of a new account with this role."""
    answer = call("/admin/v1/sessions", body=new_staff(role, department, area).credentials())
    assert answer.status == 201, answer
    return answer.json["token"]


def behave(department, mode=None, **more):
    """Makes the sandbox play a department in a mode; back to normal without one."""
    path = f"/sandbox/departments/{department}/behaviour"
    answer = call(path, "PUT", {"mode": mode, **more}, base=SANDBOX) if mode else call(path, "DELETE", base=SANDBOX)
    assert answer.status in (200, 204), answer


def shimin(*arguments):
    """Runs the program; its CompletedProcess."""
    return subprocess.run([os.environ["SHIMIN"], *arguments], capture_output=True, text=True, timeout=60)


def redis(*words):
    """A command to the stack's Redis; the lines of the answer."""
    at = urllib.parse.urlsplit(os.environ["SHIMIN_REDIS_URL"])
    done = subprocess.run(["redis-cli", "-e", "-h", at.hostname, "-p", str(at.port), "-n", at.path.strip("/") or "0", *words],
                          env={**os.environ, "REDISCLI_AUTH": at.password or ""}, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.splitlines()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(base, path):
    try:
        return call(path, base=base).status == 200
    except OSError:
        return False


class Gateway(str):
    """Its plain URL; also where it is asked for metrics, its process, and what it has logged."""

    operations = pid = log = None

    def logged(self):
        with open(self.log, encoding="utf-8") as lines:
            return lines.read()


@contextlib.contextmanager
def another_gateway(**changes):
    """A gateway of its own on the stack's Postgres and Redis, with other settings."""
    plain, operations = free_port(), free_port()
    ports = {"SHIMIN_LISTEN_TLS_PORT": str(free_port()), "SHIMIN_LISTEN_PLAIN_PORT": str(plain),
             "SHIMIN_LISTEN_OPERATIONS_PORT": str(operations), "SHIMIN_WORKERS": "1"}
    # What a gateway has leased of a limit is lost when it ends, until the window does: ten in a minute would use it up.
    limits = json.loads(os.environ["SHIMIN_LIMITS"])
    ports["SHIMIN_LIMITS"] = json.dumps({name: policy | {"window": 1} for name, policy in limits.items()})
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen([os.environ["SHIMIN"], "serve"], env={**os.environ, **ports, **changes}, stdout=log, stderr=log)
        try:
            gateway = Gateway(f"http://127.0.0.1:{plain}")
            gateway.operations, gateway.pid, gateway.log = f"http://127.0.0.1:{operations}", process.pid, log.name
            try:
                wait_until(lambda: answers(gateway, "/v1/categories"), what="the gateway")
            except AssertionError as fault:
                raise AssertionError(f"{fault}: {gateway.logged()}") from None
            yield gateway
        finally:
            process.terminate()
            process.wait(30)


def metric(name, base=OPERATIONS, **labels):
    """The sum of a metric's samples that have these labels."""
    total = 0.0
    for line in call("/metrics", base=base).bytes.decode().splitlines():
        if line.startswith(name) and all(f'{key}="{value}"' in line for key, value in labels.items()):
            if line[len(name)] in "{ ":
                total += float(line.rsplit(" ", 1)[1])
    return total


def sql(statement):
    """What the database says, asked as its owner: a list of rows, each a list of texts."""
    done = subprocess.run(["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", statement, os.environ["SHIMIN_POSTGRES_OWNER"]],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]
