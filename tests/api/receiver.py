"""A department's endpoint for webhooks, over TLS on loopback: it answers what a test tells it, and remembers what it got."""
import collections
import http.server
import os
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time

SECRETS = pathlib.Path(os.environ["SHIMIN_DIRECTORY"]) / "secrets"
Delivery = collections.namedtuple("Delivery", "at headers body status")


class Receiver:
    """`answer(n)` gives (status, headers, body) for the n-th delivery (0 …); `consent` the headers of the answer to OPTIONS."""

    def __init__(self, answer=lambda n: (204, {}, b""), consent=None, port=0, own_certificate=False, drip=False):
        self.answer, self.consent, self.drip = answer, consent, drip
        self.deliveries, self.asked, self._lock = [], [], threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, headers, body):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_OPTIONS(self):
                receiver.asked.append(dict(self.headers.items()))
                self.reply(200 if receiver.consent is not None else 405, receiver.consent or {}, b"")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver._lock:
                    status, more, text = receiver.answer(len(receiver.deliveries))
                    receiver.deliveries.append(Delivery(time.time(), headers, body.decode(), status))
                if receiver.drip:
                    self.drop_by_drop()
                else:
                    self.reply(status, more, text)

            def drop_by_drop(self):
                try:
                    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
                        self.wfile.write(bytes([byte]))
                        time.sleep(1)
                except OSError:
                    self.close_connection = True

        self._folder = tempfile.TemporaryDirectory()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(self._self_signed() if own_certificate else (SECRETS / "sandbox.pem", SECRETS / "sandbox.key")))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}/hook?of=test"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _self_signed(self):
        folder = pathlib.Path(self._folder.name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=elsewhere", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        return folder / "cert.pem", folder / "key.pem"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self._folder.cleanup()
