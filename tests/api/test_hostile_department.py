"""A department that means harm: what its citizens, its engineers and everybody else see of it."""
import concurrent.futures
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

import client
from client import another_gateway, call, free_port, login, login_verified, metric, shimin, staff_session, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
LINES = "/v1/departments/metro/api/lines"
FAILED, BREACH, LATE = (502, "department-failed"), (502, "department-contract-violation"), (504, "deadline-exceeded")
OTHER = "/v1/services/air-quality/feed"
GOOD = ("good", "good_chunked", "early_hints_first")

with open(os.environ["SHIMIN"], "rb") as program:
    code = program.read()
SANITIZED, WATCHES_THREADS = b"__asan_init" in code or b"__tsan_init" in code, b"__tsan_init" in code
del code
# Millions of pieces, over which ThreadSanitizer may be longer than the deadline: these are left to the other builds.
PIECEMEAL = ("chunks_of_one_byte", "chunk_extensions", "trailers")

# What each behaviour comes to: the citizen's problem, and the kind under which the department finds it.
EXPECTED = {
    FAILED: {
        "body_too_large": ["ten_gigabytes_announced", "ten_gigabytes_in_chunks", "ten_gigabytes_to_the_end", "chunk_of_16_exabytes",
                           "chunks_of_one_byte", "chunk_extensions", "trailers"],
        "head_too_large": ["headers_without_end", "header_of_a_megabyte", "thousand_headers", "interim_flood"],
        "head_folded": ["folded_header"],
        "framing": ["gzip_as_transfer_coding", "conflicting_lengths", "length_and_chunks", "two_codings", "chunks_in_http_1_0",
                    "list_of_lengths", "signed_length", "hexadecimal_length", "negative_length", "length_beyond_64_bits"],
        "chunk": ["odd_chunk", "chunk_of_17_digits"],
        "not_http": ["http_0_9", "http_2", "another_protocol", "nul_in_header", "space_before_colon"],
        "protocol_switch": ["switching_protocols"],
        "connection_cut": ["reset_at_once", "reset_in_head", "reset_in_body", "end_in_head", "end_in_body", "end_in_chunk"],
        "redirect": [f"redirect_{status}" for status in (300, 301, 302, 303, 304, 305, 307, 308)],
    },
    LATE: {
        "late_head": ["silence", "silence_after_interim", "trickled_head", "trickled_headers", "trickled_interim"],
        "late_body": ["silence_in_body", "byte_a_second", "trickled_chunks"],
    },
    BREACH: {
        "content_encoding": ["gzip_bomb", "gzip_in_gzip", "brotli"],
        "json": ["hundred_thousand_levels", "hundred_thousand_objects", "million_members", "million_items", "number_beyond_double",
                 "not_a_number", "lone_surrogate", "duplicate_members", "utf16", "byte_order_mark", "gbk_bytes", "overlong_utf8",
                 "half_a_document", "nothing", "two_documents"],
        "charset": ["gbk_declared"],
        "schema": ["wrong_type", "undeclared_member"],
        "content_type": ["web_page", "no_type"],
        "status": ["undescribed_status"],
    },
}
CERTIFICATES = {"tls_expired": "certificate has expired", "tls_self_signed": "self-signed certificate",
                "tls_other_name": "hostname mismatch"}


def openssl(*words, given=None):
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_certificates(folder):
    """One a behaviour: by the stack's authority for localhost, except where its name says otherwise."""
    ca = os.path.join(os.environ["SHIMIN_DIRECTORY"], "secrets")
    names = {"tls_good": "localhost", "tls_expired": "localhost", "tls_self_signed": "localhost", "tls_other_name": "other.example"}
    for name, host in names.items():
        key, certificate, extensions = (os.path.join(folder, name + end) for end in (".key", ".pem", ".ext"))
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName=DNS:{host}\n")
        request = openssl("req", "-new", "-key", key, "-subj", "/CN=" + host)
        signer = ["-signkey", key] if name == "tls_self_signed" else ["-CA", f"{ca}/ca.pem", "-CAkey", f"{ca}/ca.key"]
        days = "-1" if name == "tls_expired" else "2"
        openssl("x509", "-req", *signer, "-days", days, "-set_serial", "77", "-extfile", extensions, "-out", certificate, given=request)


class Hostile:
    """The program, and what it is told."""

    def __init__(self):
        self.port, self.tls_port, self.control = free_port(), free_port(), free_port()

    @contextlib.contextmanager
    def running(self):
        with tempfile.TemporaryDirectory() as folder:
            make_certificates(folder)
            process = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "hostile_department.py"), str(self.port),
                                        str(self.tls_port), str(self.control), folder])
            try:
                wait_until(self.is_up, 30, "the hostile department")
                yield self
            finally:
                process.kill()
                process.wait()

    def is_up(self):
        with contextlib.suppress(OSError):
            return self.tell("clear") or True

    def tell(self, command):
        with socket.create_connection(("127.0.0.1", self.control), timeout=30) as peer:
            peer.sendall(command.encode() + b"\n")
            return json.loads(b"".join(iter(lambda: peer.recv(65536), b"")))


class HostileCase(unittest.TestCase):
    """A gateway of its own, whose `metro` is the hostile department, `bus` too but over TLS; the others are the sandbox's."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.hostile = cls.enterClassContext(Hostile().running())
        departments = {"metro": {"address": f"http://127.0.0.1:{cls.hostile.port}"},
                       "bus": {"address": f"https://localhost:{cls.hostile.tls_port}"},
                       "housing-fund": {"address": f"http://127.0.0.1:{cls.hostile.port}"}}
        cls.url = cls.enterClassContext(another_gateway(SHIMIN_DEPARTMENTS=json.dumps(departments), **cls.settings))

    def ask(self, path=LINES, **more):
        return call(path, base=self.url, **more)

    def be_good(self, path=LINES):
        """The breaker has closed again and the department answers."""
        self.hostile.tell("behave good")
        wait_until(lambda: self.ask(path).status == 200, what="the department's return")

    def faults(self, kind, department="metro", operation="listLines"):
        return metric("department_faults_total", base=self.url.operations, department=department, operation=operation, kind=kind)

    def misbehave(self, name, kind, expected):
        self.be_good()
        before = self.faults(kind)
        self.hostile.tell("behave " + name)
        began = time.monotonic()
        answer = self.ask(headers={"Accept-Language": "en"})
        took = time.monotonic() - began
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (expected[0], "application/problem+json"), answer)
        problem = answer.json
        self.assertEqual((problem["code"], problem["department"], problem["operation"]), (expected[1], "metro", "listLines"))
        self.assertTrue(problem["detail"].isascii() and problem["title"].isascii(), problem)
        self.assertLess(took, 15, "the deadline of the department is three seconds at most, its silence 20")
        self.assertGreater(self.faults(kind), before, f"{kind} is not counted")


class EveryFault(HostileCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.set_deadline, None)
        cls.set_deadline(3000)

    @staticmethod
    def set_deadline(milliseconds):
        """A second is little for a million pieces on a machine that is busy."""
        wish = {"scope": "department", "target": "metro", "name": "deadline_ms", "value": milliseconds, "reason": "test"}
        answer = call("/admin/v1/settings", body=wish, token=staff_session("system"))
        assert answer.status == 201, answer

    def test_each_becomes_a_clear_problem_and_a_report_of_its_kind(self):
        for expected, kinds in EXPECTED.items():
            for kind, names in kinds.items():
                for name in names:
                    if WATCHES_THREADS and name in PIECEMEAL:
                        continue
                    with self.subTest(name):
                        self.misbehave(name, kind, expected)

    def test_every_behaviour_of_the_program_is_tried(self):
        import hostile_department
        tried = {name for kinds in EXPECTED.values() for names in kinds.values() for name in names}
        others = {name for name in hostile_department.BEHAVIOURS if name in GOOD or name in hostile_department.KEEPS}
        self.assertEqual(tried | others, set(hostile_department.BEHAVIOURS))

    def test_what_is_unusual_but_right_passes(self):
        for name in GOOD:
            self.be_good()
            self.hostile.tell("behave " + name)
            self.assertEqual((self.ask().status, self.ask().json), (200, {"lines": []}), name)

    def test_the_problem_is_told_in_chinese_too(self):
        self.be_good()
        self.hostile.tell("behave hundred_thousand_levels")
        answer = self.ask(headers={"Accept-Language": "zh-CN"})
        self.assertIn("部门", answer.json["title"])
        self.assertIn("不符合约定", answer.json["detail"])

    def test_the_report_names_the_place_and_shows_nothing_of_the_answer(self):
        for name, words in {"wrong_type": "is required at #/lines/*/line_name", "undeclared_member": "is not allowed here at #/*"}.items():
            self.be_good()
            self.hostile.tell("behave " + name)
            # asked anew: no more than five lines a second are logged of a department
            wait_until(lambda words=words: self.ask() and "listLines: schema: " + words in self.url.logged(), what="the report in the log")
        for secret in ("11010519491231002X", "private"):
            self.assertFalse(secret in self.url.logged())

    def test_nothing_is_unpacked_or_followed_and_no_page_of_theirs_is_shown(self):
        for name in ("web_page", "redirect_302"):
            self.be_good()
            self.hostile.tell("behave " + name)
            answer = self.ask()
            self.assertEqual(answer.status, 502)
            self.assertNotIn(b"script", answer.bytes)
            self.assertNotIn(b"169.254", answer.bytes + str(answer.headers).encode())


class Certificates(HostileCase):
    path = "/v1/departments/bus/api/stops"

    def kinds_counted(self, kind):
        return metric("department_faults_total", base=self.url.operations, department="bus", kind=kind)

    def fails(self, name, kind):
        before = self.kinds_counted(kind)
        self.hostile.tell("clear")
        self.hostile.tell("behave " + name)
        answer = self.ask(self.path)
        self.assertIn((answer.status, answer.json["code"]), (FAILED, LATE, (503, "department-unavailable")), answer)
        self.assertGreater(self.kinds_counted(kind), before, (name, kind))
        self.assertEqual(self.hostile.tell("received"), [], "something was said to the wrong side")

    def test_only_the_departments_own_certificate_is_talked_to(self):
        self.hostile.tell("behave tls_good")
        answer = self.ask(self.path)
        self.assertEqual(len(self.hostile.tell("received")), 1, answer)
        for name, words in CERTIFICATES.items():
            with self.subTest(name):
                self.hostile.tell("drop")
                self.fails(name, "certificate")
                wait_until(lambda words=words: "certificate: " + words in self.url.logged(), what="the report of the certificate")

    def test_old_silent_and_broken_handshakes_end_in_time(self):
        for name, kind in {"tls_old": "tls", "tls_plain": "tls", "tls_reset": "tls", "tls_silence": "late_connection",
                           "tls_trickle": "late_connection"}.items():
            with self.subTest(name):
                self.hostile.tell("drop")
                began = time.monotonic()
                self.fails(name, kind)
                self.assertLess(time.monotonic() - began, 15)


class OtherPeoplesAnswers(HostileCase):
    def test_a_second_answer_never_reaches_the_next_citizen(self):
        for name in ("second_answer_at_once", "second_answer_soon", "second_answer_later", "longer_than_announced"):
            with self.subTest(name), another_gateway(
                    SHIMIN_DEPARTMENTS=json.dumps({"metro": {"address": f"http://127.0.0.1:{self.hostile.port}"}})) as url:
                self.hostile.tell("behave " + name)
                with concurrent.futures.ThreadPoolExecutor(8) as pool:
                    answers = list(pool.map(lambda _, url=url: call(LINES, base=url), range(400)))
                self.assertNotIn(b"smuggled", b"".join(answer.bytes for answer in answers))
                self.assertGreater(metric("department_faults_total", base=url.operations, department="metro", kind="extra_bytes"), 0)
                self.assertGreater(sum(answer.status == 200 for answer in answers), 300)

    def test_a_good_department_keeps_its_connections(self):
        self.be_good()
        time.sleep(0.01)
        self.hostile.tell("clear")
        for _ in range(20):
            self.assertEqual(self.ask().status, 200)
            time.sleep(0.01)  # a kept connection rests before it is used again
        self.assertLess(self.hostile.tell("connections"), 4)


class WhatADepartmentIsTold(HostileCase):
    LEAKS = {"Cookie": "session=cookie-secret", "X-Forwarded-For": "203.0.113.77", "Forwarded": "for=203.0.113.77",
             "X-Real-IP": "203.0.113.77", "X-API-Key": "key-secret", "X-CSRF-Token": "csrf-secret", "Referer": "https://referer-secret/",
             "Origin": "https://origin-secret", "User-Agent": "agent-secret", "Accept-Language": "tlh", "Proxy-Authorization": "Basic x",
             "Tracestate": "vendor=state-secret", "X-Anything": "anything-secret"}
    MAY = {"host", "accept", "user-agent", "traceparent", "content-type", "content-length", "idempotency-key"}

    def received(self):
        requests = self.hostile.tell("received")
        self.assertTrue(requests)
        return requests

    def check(self, token):
        for request in self.received():
            names = {name.lower() for name, _ in request["headers"]}
            self.assertLessEqual({name for name in names if not name.startswith("x-department-")}, self.MAY)
            text = json.dumps(request)
            for secret in (token, "secret", "203.0.113.77", "127.0.0.1:1", "tlh"):
                if not (secret.startswith("127") and secret in dict(request["headers"]).get("host", "")):
                    self.assertNotIn(secret, text)

    def test_credentials_addresses_and_headers_of_a_citizen_stay_here(self):
        token = login(base=client.URL)
        self.be_good()
        self.hostile.tell("clear")
        self.assertEqual(self.ask(token=token, headers=self.LEAKS).status, 200)
        self.check(token)

    def test_nor_do_they_go_with_a_personal_question(self):
        token = login_verified(base=client.URL)
        self.hostile.tell("behave good")
        self.hostile.tell("clear")
        self.ask("/v1/services/fund-balance-query/records", token=token, headers=self.LEAKS)
        self.check(token)
        self.assertTrue(any(name.lower() == "x-department-signature" for name, _ in self.received()[0]["headers"]))

    def test_a_write_carries_its_key_and_nothing_else(self):
        token = login(base=client.URL)
        self.hostile.tell("behave good")
        self.hostile.tell("clear")
        body = {"phone": "13800000001", "station": "天府广场", "item": "黑色双肩包", "lost_at": "2026-03-02T18:20:00+08:00"}
        self.ask("/v1/departments/metro/api/lost-property", body=body, token=token, headers=self.LEAKS | {"Idempotency-Key": "key-1"})
        for request in self.hostile.tell("received"):
            self.assertNotIn("secret", json.dumps(request))
            self.assertNotIn(token, json.dumps(request))


def memory(pid, what):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(what + ":"))


def ask_for(url, seconds):
    """In a process of its own, 64 at a time: the statuses."""
    os.nice(5)
    end = time.monotonic() + seconds

    def keep_asking(_):
        statuses = []
        while time.monotonic() < end:
            statuses.append(call(LINES, base=url).status)
        return statuses
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        return [status for one in pool.map(keep_asking, range(64)) for status in one]


class Neighbours(HostileCase):
    """What everybody else feels of 64 hostile answers at once."""

    def wave(self, processes, name):
        self.be_good()
        self.hostile.tell("behave " + name)
        asked, times = processes.submit(ask_for, str(self.url), 4), []
        while not asked.done():
            began = time.monotonic()
            self.assertEqual(self.ask(OTHER).status, 200)
            times.append(time.monotonic() - began)
            time.sleep(0.02)
        return times, asked.result()

    def test_memory_is_bounded_and_others_are_served(self):
        before = memory(self.url.pid, "VmRSS")
        with concurrent.futures.ProcessPoolExecutor(1) as processes:
            for name in ("ten_gigabytes_in_chunks", "ten_gigabytes_to_the_end", "million_items", "million_members", "interim_flood",
                         "headers_without_end", "hundred_thousand_levels", "byte_a_second", "gzip_bomb"):
                with self.subTest(name):
                    times, statuses = self.wave(processes, name)
                    grown = memory(self.url.pid, "VmHWM") - before
                    print(f"{name}: {len(statuses)} answers, peak +{grown} MiB, others: median {statistics.median(times) * 1000:.0f} "
                          f"ms, slowest {max(times) * 1000:.0f} ms", file=sys.stderr)
                    self.assertLessEqual(set(statuses), {502, 503, 504})
                    self.assertLess(grown, 1500 if SANITIZED else 400)
                    self.assertLess(statistics.median(times), 5)  # not the ten seconds of the gateway's deadline


class Configuration(unittest.TestCase):
    def start(self, **changes):
        return subprocess.run([os.environ["SHIMIN"], "serve"], env={**os.environ, **changes}, capture_output=True, text=True,
                              timeout=60, check=False)

    def test_a_range_that_opens_too_much_stops_the_start(self):
        done = self.start(SHIMIN_FEDERATION_ALLOWED_RANGES="10.20.0.0/16,0.0.0.0/0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("environment: SHIMIN_FEDERATION_ALLOWED_RANGES:0: federation.allowed_ranges: 0.0.0.0/0 is wider", done.stderr)

    def test_a_limit_beyond_its_hard_maximum_stops_the_start(self):
        for key in ("ANSWER_BYTES", "ANSWER_HEAD_BYTES", "ANSWER_DEPTH", "ANSWER_NODES", "CONCURRENCY_MOST"):
            done = self.start(**{"SHIMIN_FEDERATION_" + key: "100000000000"})
            self.assertEqual(done.returncode, 1)
            self.assertIn("SHIMIN_FEDERATION_" + key, done.stderr)

    def test_a_departments_settings_are_checked(self):
        done = self.start(SHIMIN_DEPARTMENTS=json.dumps({"metro": {"adress": "http://x"}, "bus": {"allowed_ranges": ["::/0"]}}))
        self.assertEqual(done.returncode, 1)
        self.assertIn("departments.metro.adress: unknown", done.stderr)
        self.assertIn("departments.bus.allowed_ranges: ::/0 is wider", done.stderr)


class Limits(HostileCase):
    settings = {"SHIMIN_FEDERATION_ANSWER_DEPTH": "2", "SHIMIN_FEDERATION_ANSWER_BYTES": "1024"}

    def test_limits_of_the_configuration_hold(self):
        self.be_good()
        self.misbehave("wrong_type", "json", BREACH)  # three levels
        self.misbehave("gzip_bomb", "body_too_large", FAILED)


class Addresses(unittest.TestCase):
    """Where the catalogue, which is not the operator's word, sends the gateway."""

    @classmethod
    def setUpClass(cls):
        cls.hostile = cls.enterClassContext(Hostile().running())
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        root = os.path.dirname(os.path.dirname(HERE))
        shutil.copytree(os.path.join(root, "schema", "catalogue"), cls.folder, dirs_exist_ok=True)
        cls.addClassCleanup(shimin, "catalogue", "apply", "--yes")

    def load(self, address, credentials="metro"):
        path = os.path.join(self.folder, "metro.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        start, _, rest = text.partition("    address: ")
        rest = rest.partition("    concurrency:")[2]
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{start}    address: \"{address}\"\n    credentials: {credentials}\n    concurrency:{rest}")
        return subprocess.run([os.environ["SHIMIN"], "catalogue", "apply", "--yes"], env={**os.environ, "SHIMIN_CATALOGUE_DIRECTORY": self.folder},
                              capture_output=True, text=True, timeout=60, check=False)

    def test_names_and_numbers_that_lead_inside_are_not_connected_to(self):
        port = self.hostile.port
        hosts = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "0177.0.0.1",
                 "169.254.169.254", "10.0.0.1", "192.168.0.1", "100.64.0.1", "[fe80::1]", "[64:ff9b::7f00:1]"]
        with another_gateway(SHIMIN_DEPARTMENTS="{}") as url:  # the stack opens loopback for some
            for host in hosts:
                with self.subTest(host):
                    loaded = metric("catalogue_reloads_total", base=url.operations)
                    done = self.load(f"http://{host}:{port}")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    wait_until(lambda loaded=loaded: metric("catalogue_reloads_total", base=url.operations) > loaded, what="the load")
                    before = self.forbidden(url)
                    answer = wait_until(lambda before=before: (a := call(LINES, base=url)) and self.forbidden(url) > before and a,
                                        what="the report of the address")
                    self.assertEqual((answer.status, answer.json["code"]), FAILED)
                    self.assertNotIn(str(port), answer.bytes.decode())
        self.assertEqual(self.hostile.tell("connections"), 0)

    def forbidden(self, url):
        return metric("department_faults_total", base=url.operations, department="metro", kind="address_forbidden")

    def test_the_administrator_opens_a_range_for_all_or_for_one(self):
        self.assertEqual(self.load(f"http://localhost:{self.hostile.port}").returncode, 0)
        self.hostile.tell("behave good")
        self.addCleanup(self.hostile.tell, "clear")
        both = "127.0.0.0/8,::1"
        one = {"metro": {"allowed_ranges": ["127.0.0.0/8", "::1"]}}
        other = {"bus": {"allowed_ranges": ["127.0.0.0/8", "::1"]}}
        for status, changes in ((200, {"SHIMIN_FEDERATION_ALLOWED_RANGES": both}), (200, {"SHIMIN_DEPARTMENTS": json.dumps(one)}),
                                (502, {"SHIMIN_DEPARTMENTS": json.dumps(other)})):
            with self.subTest(changes), another_gateway(**changes) as url:
                self.assertEqual(call(LINES, base=url).status, status)

    def test_a_department_cannot_name_the_credentials_of_another(self):
        done = self.load("sandbox", "housing-fund")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/backend/credentials", done.stdout + done.stderr)
        self.assertIn("housing-fund are not this department's", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
