"""A department's backend that a test plays itself: HTTP on loopback, an API key, answers that the test chooses."""
import http.server
import json
import threading


class Backend:
    """Serves `answers`: path → JSON value, (status, value), or a function of the path with query that gives one of these."""

    def __init__(self, answers, key_header="x-api-key", key="right", checks=True):
        self.answers, self.key_header, self.key, self.checks = answers, key_header, key, checks
        self.heard = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.heard.append((self.path, dict(self.headers)))
                status, value = outer.answer(self.path, self.headers)
                body = json.dumps(value, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, target, headers):
        if self.checks and headers.get(self.key_header) != self.key:
            return 401, {"message": "who are you?"}
        found = self.answers.get(target.partition("?")[0])
        if callable(found):
            found = found(target)
        if found is None:
            return 404, {"message": "no such thing"}
        return found if isinstance(found, tuple) else (200, found)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
