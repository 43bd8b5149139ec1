"""A department's backend that a test plays itself: on loopback, with an API key or mutual TLS, and answers that the test chooses."""
import http.server
import json
import os
import pathlib
import ssl
import threading
import time
import urllib.parse

SECRETS = pathlib.Path(os.environ["SHIMIN_DIRECTORY"]) / "secrets"
NEEDED = {"/arrivals": "station", "/trips": "id_number"}


class Backend:
    """Serves `answers`: path → JSON value, (status, value), or a function that gives one of these: of the path with query, or for a
    write of (method, headers, body). `checks`: it asks for the key. `strict`: it refuses calls without the parameters that it needs.
    `takes`: seconds that it waits first. `clients`: TLS, whose clients must (CERT_REQUIRED) or need not (CERT_OPTIONAL) show a
    certificate of our authority."""

    def __init__(self, answers, key_header="x-api-key", key="right", checks=True, strict=True, takes=0, clients=None):
        self.answers, self.key_header, self.key, self.checks, self.strict = answers, key_header, key, checks, strict
        self.takes, self.heard, self.type = takes, [], "application/json"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.heard.append((self.path, dict(self.headers)))
                time.sleep(outer.takes)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, value = outer.answer(self.command, self.path, self.headers, body)
                body = json.dumps(value, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", outer.type if status == 200 else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_GET

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments):
                """Clients that TLS turns away are no news."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"{'http' if clients is None else 'https'}://127.0.0.1:{self.server.server_port}"
        if clients is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(SECRETS / "sandbox.pem", SECRETS / "sandbox.key")
            context.verify_mode = clients
            context.load_verify_locations(SECRETS / "ca.pem")
            # in the handler's thread, so that who never finishes the handshake holds up himself only
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, method, target, headers, body):
        path, _, query = target.partition("?")
        if self.checks and headers.get(self.key_header) != self.key:
            return 401, {"message": "who are you?"}
        if self.strict and path in NEEDED and NEEDED[path] not in urllib.parse.parse_qs(query):
            return 400, {"message": f"{NEEDED[path]} is missing"}
        found = self.answers.get(path)
        if callable(found):
            found = found(target) if method == "GET" else found(
                method, headers, json.loads(body) if "json" in headers.get("Content-Type", "") else body)
        if found is None:
            return 404, {"message": "no such thing"}
        return found if isinstance(found, tuple) else (200, found)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
