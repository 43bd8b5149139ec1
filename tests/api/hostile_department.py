"""A department that means harm: a program that test_hostile_department.py starts and tells what to do next.

    hostile_department.py PORT TLS_PORT CONTROL_PORT CERTIFICATES

CERTIFICATES is a folder of <name>.pem and <name>.key. Commands, one a connection to the control port: `behave NAME`, `received` (the
requests so far, as JSON), `connections` (how many were accepted since), `clear`, `drop` (ends all connections). Answers on PORT and TLS_PORT are what the behaviour
of that name says; a behaviour is the bytes of an answer, or a function of the connection.
"""
import contextlib
import gzip
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import warnings

GOOD = b'{"lines":[]}'
BLOCK = b" " * 65536


def head(*fields, status="200 OK", version="1.1"):
    return f"HTTP/{version} {status}\r\n".encode() + b"".join(field.encode() + b"\r\n" for field in fields) + b"\r\n"


def answer(body, *fields, status="200 OK", content_type="application/json"):
    return head(*([f"Content-Type: {content_type}"] if content_type else []), f"Content-Length: {len(body)}", *fields, status=status) + body


def chunked(body):
    return b"%x\r\n%s\r\n" % (len(body), body)


JSON = "Content-Type: application/json"


def flood(*first, block=BLOCK, times=10 * 2**30 // 65536):
    def say(peer):
        for part in first:
            peer.sendall(part)
        for _ in range(times):
            peer.sendall(block)
    return say


def trickle(first, byte, pause, times=100):
    def say(peer):
        peer.sendall(first)
        for _ in range(times):
            peer.sendall(byte)
            time.sleep(pause)
    return say


def hang(first):
    def say(peer):
        if first:
            peer.sendall(first)
        time.sleep(20)
    return say


def reset(first):
    def say(peer):
        if first:
            peer.sendall(first)
            time.sleep(0.02)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionResetError
    return say


def twice(pause):
    """The answer, and a little later another one that nobody asked for."""
    def say(peer):
        peer.sendall(answer(GOOD))
        time.sleep(pause)
        peer.sendall(answer(SMUGGLED))
    return say


SMUGGLED = b'{"lines":[],"smuggled":true}'
MANY = 1_000_000
BEHAVIOURS = {
    "good": answer(GOOD),
    "good_chunked": head(JSON, "Transfer-Encoding: chunked") + chunked(GOOD[:5]) + chunked(GOOD[5:]) + b"0\r\n\r\n",
    "early_hints_first": head(status="103 Early Hints") + answer(GOOD),
    # size
    "ten_gigabytes_announced": flood(head(JSON, f"Content-Length: {10 * 2**30}")),
    "ten_gigabytes_in_chunks": flood(head(JSON, "Transfer-Encoding: chunked"), block=chunked(BLOCK)),
    "ten_gigabytes_to_the_end": flood(head(JSON, "Connection: close")),
    "chunk_of_16_exabytes": flood(head(JSON, "Transfer-Encoding: chunked") + b"fffffffffffffff0\r\n"),
    "chunks_of_one_byte": flood(head(JSON, "Transfer-Encoding: chunked"), block=chunked(b" ") * 10000, times=3000),
    "chunk_extensions": flood(head(JSON, "Transfer-Encoding: chunked"), block=b"1;x=" + b"y" * 65000 + b"\r\n \r\n"),
    "trailers": flood(head(JSON, "Transfer-Encoding: chunked") + chunked(GOOD) + b"0\r\n", block=b"X-T: " + b"y" * 60000 + b"\r\n"),
    # packed though nobody asked
    "gzip_bomb": answer(gzip.compress(b" " * 2**26, 9) * 100, "Content-Encoding: gzip"),
    "gzip_in_gzip": answer(gzip.compress(gzip.compress(b" " * 2**24, 9), 9), "Content-Encoding: gzip, gzip"),
    "brotli": answer(b"\x0b\x02\x80{}\x03", "Content-Encoding: br"),
    "gzip_as_transfer_coding": head(JSON, "Transfer-Encoding: gzip, chunked") + chunked(gzip.compress(GOOD)) + b"0\r\n\r\n",
    # JSON
    "hundred_thousand_levels": answer(b"[" * 100_000 + b"]" * 100_000),
    "hundred_thousand_objects": answer(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "million_members": answer(b"{" + b",".join(b'"%x":1' % i for i in range(MANY // 2)) + b"}"),
    "million_items": answer(b'{"lines":[' + b"1," * (MANY - 1) + b"1]}"),
    "number_beyond_double": answer(b'{"lines":[1e999]}'),
    "not_a_number": answer(b'{"lines":[NaN]}'),
    "lone_surrogate": answer(b'{"lines":["\\ud800"]}'),
    "duplicate_members": answer(b'{"lines":[],"lines":[]}'),
    "utf16": answer(GOOD.decode().encode("utf-16")),
    "byte_order_mark": answer(b"\xef\xbb\xbf" + GOOD),
    "gbk_bytes": answer('{"lines":["地铁"]}'.encode("gbk")),
    "gbk_declared": answer(GOOD, content_type="application/json; charset=gbk"),
    "overlong_utf8": answer(b'{"lines":["\xc0\xaf"]}'),
    "half_a_document": answer(b'{"lines":['),
    "nothing": answer(b""),
    "two_documents": answer(GOOD + GOOD),
    # the contract
    "wrong_type": answer(b'{"lines":[{"line_id":7}]}'),
    "undeclared_member": answer(b'{"lines":[],"11010519491231002X":"private"}'),
    "web_page": answer(b"<script>alert(1)</script>", content_type="text/html"),
    "no_type": answer(GOOD, content_type=None),
    "undescribed_status": answer(GOOD, status="299 Odd"),
    # elsewhere
    **{f"redirect_{status}": answer(b"", "Location: http://169.254.169.254/latest/meta-data/", status=f"{status} Go")
       for status in (300, 301, 302, 303, 304, 305, 307, 308)},
    # not HTTP, or ambiguous
    "http_0_9": GOOD,
    "http_2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "another_protocol": b"220 mail.example ESMTP\r\n",
    "switching_protocols": head("Connection: upgrade", "Upgrade: websocket", status="101 Switching Protocols"),
    "conflicting_lengths": head(JSON, "Content-Length: 12", "Content-Length: 5") + GOOD,
    "length_and_chunks": head(JSON, "Content-Length: 12", "Transfer-Encoding: chunked") + chunked(GOOD) + b"0\r\n\r\n",
    "two_codings": head(JSON, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + chunked(GOOD) + b"0\r\n\r\n",
    "chunks_in_http_1_0": head(JSON, "Transfer-Encoding: chunked", version="1.0") + chunked(GOOD) + b"0\r\n\r\n",
    "list_of_lengths": head(JSON, "Content-Length: 12, 12") + GOOD,
    "signed_length": head(JSON, "Content-Length: +12") + GOOD,
    "hexadecimal_length": head(JSON, "Content-Length: 0xC") + GOOD,
    "negative_length": head(JSON, "Content-Length: -1") + GOOD,
    "length_beyond_64_bits": head(JSON, "Content-Length: 18446744073709551628") + GOOD,
    "odd_chunk": head(JSON, "Transfer-Encoding: chunked") + b"zz\r\n" + GOOD,
    "chunk_of_17_digits": head(JSON, "Transfer-Encoding: chunked") + b"0000000000000000c\r\n" + GOOD,
    "folded_header": head(JSON, "X-A: b\r\n  c", "Content-Length: 12") + GOOD,
    "nul_in_header": head(JSON, "X-A: b\0c", "Content-Length: 12") + GOOD,
    "space_before_colon": head("Content-Type : application/json", "Content-Length : 12") + GOOD,
    # the head
    "headers_without_end": flood(head(JSON)[:-2], block=b"X-Y: z\r\n" * 1000),
    "header_of_a_megabyte": head(JSON, "X-Long: " + "y" * 2**20, "Content-Length: 12") + GOOD,
    "thousand_headers": head(JSON, *(f"X-{i}: y" for i in range(1000)), "Content-Length: 12") + GOOD,
    "interim_flood": flood(block=head("X-Y: z", status="103 Early Hints") * 1000, times=3000),
    # time
    "silence": hang(b""),
    "silence_after_interim": hang(head(status="100 Continue")),
    "silence_in_body": hang(head(JSON, "Content-Length: 12") + GOOD[:4]),
    "trickled_head": trickle(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y", 0.3),
    "trickled_headers": trickle(b"HTTP/1.1 200 OK\r\n", b"X-Slow: y\r\n", 0.3),
    "byte_a_second": trickle(head(JSON, "Content-Length: 100"), b" ", 1.0),
    "trickled_chunks": trickle(head(JSON, "Transfer-Encoding: chunked"), chunked(b" "), 0.3),
    "trickled_interim": trickle(b"", head(status="103 Early Hints"), 0.4),
    # the connection
    "reset_at_once": reset(b""),
    "reset_in_head": reset(b"HTTP/1.1 200 OK\r\nContent-"),
    "reset_in_body": reset(head(JSON, "Content-Length: 12") + GOOD[:4]),
    "end_in_head": b"HTTP/1.1 200 OK\r\nContent-",
    "end_in_body": head(JSON, "Content-Length: 12") + GOOD[:4],
    "end_in_chunk": head(JSON, "Transfer-Encoding: chunked") + b"c\r\n" + GOOD[:4],
    # one more answer than was asked for
    "second_answer_at_once": twice(0.0),
    "second_answer_soon": twice(0.001),
    "second_answer_later": twice(0.003),
    "longer_than_announced": answer(GOOD) + SMUGGLED,
}
# Those that leave the connection open, as a department does that keeps it for the next request.
KEEPS = ("good", "good_chunked", "early_hints_first", "second_answer_at_once", "second_answer_soon", "second_answer_later",
         "longer_than_announced")


class Department:
    def __init__(self, certificates):
        self.certificates, self.lock = certificates, threading.Lock()
        self.behaviour, self.requests, self.connections, self.peers = "good", [], 0, set()

    def context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if name == "tls_old":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
            name = "tls_good"
        context.load_cert_chain(os.path.join(self.certificates, name + ".pem"), os.path.join(self.certificates, name + ".key"))
        return context

    def shake_hands(self, peer):
        name = self.behaviour
        if name == "tls_silence":
            time.sleep(20)
        if name == "tls_trickle":
            for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * 1000:
                peer.sendall(bytes([byte]))
                time.sleep(0.3)
        if name == "tls_reset":
            peer.recv(65536)
            reset(b"")(peer)
        if name == "tls_plain":
            peer.sendall(answer(GOOD))
            return peer
        return self.context(name if name.startswith("tls_") else "tls_good").wrap_socket(peer, server_side=True)

    def serve(self, peer, tls):
        with self.lock:
            self.connections += 1
        try:
            if tls:
                peer = self.shake_hands(peer)
            with self.lock:
                self.peers.add(peer)
            while self.one_request(peer):
                pass
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.peers.discard(peer)
            peer.close()

    def one_request(self, peer):
        text = b""
        while b"\r\n\r\n" not in text:
            more = peer.recv(65536)
            if not more:
                return False
            text += more
        start, _, body = text.partition(b"\r\n\r\n")
        fields = [line.split(b": ", 1) for line in start.split(b"\r\n")[1:]]
        length = next((int(value) for name, value in fields if name.lower() == b"content-length"), 0)
        while len(body) < length:
            body += peer.recv(65536)
        with self.lock:
            name = self.behaviour
            self.requests.append({"line": start.split(b"\r\n")[0].decode(), "body": body.decode("utf-8", "replace"),
                                  "headers": [[part.decode() for part in field] for field in fields]})
        behaviour = BEHAVIOURS["good" if name.startswith("tls_") else name]
        if callable(behaviour):
            behaviour(peer)
        else:
            peer.sendall(behaviour)
        return name in KEEPS or name == "tls_good"

    def obey(self, peer):
        word, _, argument = peer.recv(4096).decode().strip().partition(" ")
        with self.lock:
            if word == "behave":
                self.behaviour = argument
            elif word == "clear":
                self.requests, self.connections = [], 0
            elif word == "drop":
                for one in self.peers:
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)
            reply = {"received": self.requests, "connections": self.connections}.get(word)
        peer.sendall(json.dumps(reply).encode())
        peer.close()


def listen(port, accepted):
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=accepted, args=(peer,), daemon=True).start()


def main():
    warnings.simplefilter("ignore", DeprecationWarning)  # old versions of TLS are what is wanted
    plain, tls, control = map(int, sys.argv[1:4])
    department = Department(sys.argv[4])
    os.nice(5)  # what is measured is the gateway
    for port, accepted in ((plain, lambda peer: department.serve(peer, False)), (tls, lambda peer: department.serve(peer, True)),
                           (control, department.obey)):
        threading.Thread(target=listen, args=(port, accepted), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
