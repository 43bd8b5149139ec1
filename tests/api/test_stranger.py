"""The public listener as a stranger tries it: requests that two servers read differently, odd targets, guessed tokens, TLS."""
import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import unittest
import urllib.parse

from client import URL, Answer, another_gateway, login

AT = urllib.parse.urlsplit(URL)
SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /v1/categories HTTP/1.1\r\nHost: localhost\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"


def connect():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context.wrap_socket(socket.create_connection((AT.hostname, AT.port), timeout=60))


def answers(request):
    """What comes until the server closes, or until a request that asks it to: the statuses, in order."""
    with connect() as peer:
        got = b""
        try:
            peer.sendall(request + b"GET /v1/end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while piece := peer.recv(65536):
                got += piece
        except (ConnectionError, ssl.SSLError):
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", got)]


class Framing(unittest.TestCase):
    """What one server takes for a body and another for a request: the first answer is the last."""

    def test_ambiguous_lengths_are_refused_and_nothing_behind_them_is_read(self):
        long = 2 + len(SMUGGLED)
        for fields in (b"Content-Length: 5\r\n" + CHUNKS, CHUNKS + b"Content-Length: 5\r\n", CHUNKS + CHUNKS, CHUNKS + b"Transfer-Encoding: x\r\n",
                       b"Content-Length: 2\r\nContent-Length: %d\r\n" % long, b"Content-Length: 2\r\nContent-Length: 2\r\n", b"Content-Length: 2, 2\r\n",
                       b"Content-Length: +2\r\n", b"Content-Length: 0x2\r\n", b"Content-Length: -1\r\n", b"Content-Length: \r\n", b"Content-Length : 2\r\n",
                       b"Content-Length: 18446744073709551618\r\n", b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: chunked, identity\r\n",
                       b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding : chunked\r\n",
                       b"Transfer-Encoding:\r\n chunked\r\n", b"Transfer-Encoding: \x0bchunked\r\n"):
            self.assertEqual(answers(POST + fields + b"\r\n" + b"2\r\n{}\r\n" + LAST + SMUGGLED), [400], fields)

    def test_no_request_is_read_behind_chunks_whatever_they_look_like(self):
        for chunks in (b"2\r\n{}\r\n", b"2 \r\n{}\r\n", b"0x2\r\n{}\r\n", b" 2\r\n{}\r\n", b"+2\r\n{}\r\n", b"2\n{}\n", b"2;\nxx\r\n{}\r\n", b"2;a=\"\r\n\"\r\n{}\r\n",
                       b"10000000000000002\r\n{}\r\n", b"2\r\n{}"):
            got = answers(POST + CHUNKS + b"\r\n" + chunks + LAST + SMUGGLED)
            self.assertEqual(len(got), 1, chunks)
            self.assertIn(got[0], (400, 422), chunks)

    def test_a_get_with_a_body_is_answered_once(self):
        self.assertEqual(answers(GET + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED), [200, 404])

    def test_a_head_that_says_two_things_is_refused(self):
        line = b"GET /v1/categories HTTP/1.1\r\n"
        for head in (GET + b"Host: other\r\n", GET + b"host: localhost\r\n", line + b"Host: a b\r\n", line + b"Host: u@localhost\r\n", line + b"Host: x/../y\r\n",
                     line + b"Host: \"x\"\r\n", line + b"Host: \xc3\xa9\r\n", GET + b"X-A: b\r\n c\r\n", GET + b"X-A: b\r\n\tc\r\n", line + b" Host: x\r\nHost: localhost\r\n",
                     GET + b"X-A: a\0b\r\n", GET + b"X-A: a\rb\r\n", GET + b"X A: b\r\n", GET + b"XA\r\n", GET + b": b\r\n", GET.replace(b" /", b"  /"),
                     GET.replace(b"GET /", b"GET\t/"), GET.replace(b"1.1\r", b"2.0\r"), b"GET /v1/categories\r\n"):
            self.assertEqual(answers(head + b"\r\n"), [400], head)
        # without a host there is nothing that could be understood twice
        self.assertEqual(answers(line + b"\r\n"), [400, 404])
        for host in (b"localhost:443", b"[::1]:8443", b"xn--fiqs8s.example", b"10.0.0.1"):
            self.assertEqual(answers(line + b"Host: " + host + b"\r\n\r\n"), [200, 404], host)


class Targets(unittest.TestCase):
    def test_a_path_has_one_spelling(self):
        for path in ("/v1/../v1/categories", "/v1/%2e%2e/v1/categories", "/v1%2fcategories", "//v1/categories", "/v1\\categories", "/v1/categories;a=b",
                     "/v1/categories/", "/V1/categories", "/%76%31/categories", "/v1/../admin/v1/audit", "/v1/%2e%2e/admin/v1/audit", "/./admin/v1/audit",
                     "/v1/services/%00", "/v1/services/%ff", "/v1/services/%zz", "/v1/categories%23a", "/v1/%c0%ae%c0%ae/x", "/console/../admin/v1/audit",
                     "/console/%2e%2e/%2e%2e/etc/passwd", "/console/..%2fadmin"):
            self.assertEqual(answers(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())[0], 404, path)

    def test_methods_and_upgrades_that_nobody_needs_change_nothing(self):
        for method in ("TRACE /", "CONNECT x:443", "PROPFIND /", "PURGE /v1/categories"):
            self.assertIn(answers(f"{method} HTTP/1.1\r\nHost: x\r\n\r\n".encode())[0], (400, 501), method)
        for protocol in (b"websocket", b"h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", b"TLS/1.0"):
            self.assertEqual(answers(GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n\r\n")[0], 200, protocol)
        for name in (b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override"):
            self.assertEqual(answers(GET + name + b": DELETE\r\n\r\n")[0], 200)
        for name in (b"X-Original-URL", b"X-Rewrite-URL", b"X-Forwarded-Prefix"):
            self.assertEqual(answers(GET + name + b": /admin/v1/audit\r\n\r\n")[0], 200)


class Tokens(unittest.TestCase):
    """To look a token up costs a question to Redis: an address may not guess without end."""

    def test_an_address_that_guesses_is_refused_before_anything_is_looked_up_and_others_are_not(self):
        limits = json.dumps(json.loads(os.environ["SHIMIN_LIMITS"]) | {"address": {"by": "address", "requests": 10, "window": 86400}, "citizen": {"by": "citizen", "requests": 100000, "window": 60}})
        with another_gateway(SHIMIN_LIMITS=limits) as gateway:
            def ask(token, address, path="/v1/me", **headers):
                link = http.client.HTTPConnection(urllib.parse.urlsplit(gateway).netloc, timeout=60, source_address=(address, 0))
                link.request("GET", path, headers={**({"Authorization": "Bearer " + token} if token else {}), **headers})
                with contextlib.closing(link):
                    return Answer(link.getresponse())

            address, stranger = "127.7.7.7", "127.7.7.8"
            citizen = login()
            self.assertEqual(ask(citizen, address).status, 200)
            paths = ["/v1/me", "/admin/v1/audit", "/department/v1/traffic"]
            statuses = [ask(f"{n:043d}", address, paths[n % 3]).status for n in range(40)]
            self.assertEqual(set(statuses), {401, 429})
            self.assertLessEqual(statuses.count(401), 11)
            self.assertEqual(statuses[-20:], [429] * 20)
            refused = ask("0" * 43, address)
            self.assertIn("unknown-tokens", refused.json["violated-policies"])
            self.assertGreater(int(refused.headers["Retry-After"]), 0)
            self.assertEqual(ask(None, address, "/admin/v1/session", Cookie="__Host-shimin-staff=" + "0" * 43).status, 429)
            # who has a session that the worker knows is not kept out by a neighbour, nor is who comes without a token, nor another address
            self.assertEqual(ask(citizen, address).status, 200)
            self.assertEqual(ask(None, address, "/v1/categories").status, 200)
            self.assertEqual(ask("0" * 43, stranger).status, 401)


class Transport(unittest.TestCase):
    def test_a_client_cannot_renegotiate(self):
        done = subprocess.run(["openssl", "s_client", "-tls1_2", "-connect", f"{AT.hostname}:{AT.port}", "-quiet", "-no_ign_eof"], input=b"R\n",
                              capture_output=True, timeout=60, check=False)
        before, asked, after = done.stderr.partition(b"RENEGOTIATING")
        self.assertIn(b"verify return", before, done.stderr)
        self.assertTrue(asked, done.stderr)
        self.assertNotIn(b"verify return", after, "a second handshake")
        self.assertNotEqual(done.returncode, 0)

    def test_old_versions_are_refused(self):
        for version in ("-tls1", "-tls1_1"):
            done = subprocess.run(["openssl", "s_client", version, "-cipher", "ALL:@SECLEVEL=0", "-connect", f"{AT.hostname}:{AT.port}"], input=b"",
                                  capture_output=True, timeout=60, check=False)
            self.assertNotEqual(done.returncode, 0, version)
            self.assertRegex(done.stderr, b"alert protocol version|unexpected eof", version)  # the server's answer, not the client's own refusal


if __name__ == "__main__":
    unittest.main()
