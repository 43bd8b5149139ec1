"""A complete stack in one directory: Postgres, Redis, the sandbox and the gateway. ./deploy/run has one under var/, the tests and
the benchmark have their own; as a program it runs a command against one and takes it down."""
import argparse
import contextlib
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import urllib.request

import credentials
import settings
from process import Process
from stores import Postgres, Redis


def _answers(url):
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    return False


# All clients of a test have one address.
TEST_CHANGES = {
    "SHIMIN_STAFF_PASSWORD_MEMORY": "19MiB",  # the least that is allowed: tests make many accounts
    "SHIMIN_STAFF_PASSWORD_PASSES": "2",
    "SHIMIN_STAFF_PASSWORD_LANES": "1",
    "SHIMIN_HTTP_CONNECTIONS_PER_ADDRESS": "4000",
    "SHIMIN_LIMITS": json.dumps({name: {"by": by, "requests": 1000000, "window": 60} for name, by in
                                 {"citizen": "citizen", "address": "address", "login": "address", "identity": "citizen"}.items()}),
    # webhooks of one, and the systems of the other, are the tests' own
    "SHIMIN_DEPARTMENTS": json.dumps({slug: {"allowed_ranges": ["127.0.0.0/8"]} for slug in ("housing-fund", "metro")}),
}


class Stack:
    def __init__(self, directory, program, ports, durable=True, changes=None):
        self.changes = changes or {}
        self.directory, self.program, self.ports = pathlib.Path(directory).resolve(), pathlib.Path(program).resolve(), ports
        for folder in ("run", "log", "spool", "catalogue"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres(self.directory, ports["postgres"], durable)
        self.redis = Redis(self.directory, ports["redis"])
        self.sandbox = Process(self.directory, "sandbox")
        self.gateway = Process(self.directory, "gateway")
        self.processes = [self.postgres, self.redis, self.sandbox, self.gateway]

    def steps(self):
        """In the order of need: what is done, and how."""
        return [
            ("keys, certificates, credentials", self._make_credentials),
            ("Postgres", self.postgres.open),
            ("Redis", self.redis.open),
            ("migrations", lambda: self._command("migrate")),
            ("catalogue", lambda: self._command("catalogue", "apply", "--yes")),
            ("sandbox: the departments", self._open_sandbox),
            ("gateway", self._open_gateway),
        ]

    def open(self):
        for _, step in self.steps():
            step()

    def close(self):
        """Backwards, so that nothing loses what it needs. Names what ran."""
        return [process.name for process in reversed(self.processes) if process.stop()]

    def running(self):
        return [process.name for process in self.processes if process.pid()]

    def environment(self):
        return settings.environment(self.directory, self.ports, credentials.password(self.directory, "redis")) | {
            "SHIMIN": str(self.program)} | self.changes

    def whole_environment(self):
        return {name: value for name, value in os.environ.items() if not name.startswith(("SHIMIN_", "PG"))} | self.environment()

    def _make_credentials(self):
        credentials.make(self.directory, settings.CHECKOUT / "schema/contracts", self.program)
        file = self.directory / "run/environment"
        file.touch(0o600)
        file.write_text("# Made by ./deploy/run at every start, for ./deploy/shimin.\n"
                        + "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(self.environment().items())))

    def _command(self, *words):
        done = subprocess.run([self.program, *words], env=self.whole_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"shimin {' '.join(words)} failed:\n{done.stdout}{done.stderr}")

    def _open_sandbox(self):
        self.sandbox.start([self.program, "sandbox"], self.whole_environment())
        url = f"http://127.0.0.1:{self.ports['control']}/sandbox/departments"
        self.sandbox.wait_ready(lambda: _answers(url), 30)

    def _open_gateway(self):
        self.gateway.start([self.program, "serve"], self.whole_environment())
        url = f"http://127.0.0.1:{self.ports['operations']}/readyz"
        self.gateway.wait_ready(lambda: _answers(url), 60)


@contextlib.contextmanager
def private_stack(directory, program, changes=None):
    """A stack on free ports, taken down at the end whatever happens; `changes` of its environment."""
    stack = Stack(directory, program, settings.free_ports(), durable=False, changes=TEST_CHANGES | (changes or {}))
    try:
        stack.open()
        yield stack
    finally:
        stack.close()


def main():
    parser = argparse.ArgumentParser(prog="./deploy/stack", usage="%(prog)s DIRECTORY [--build DIRECTORY] -- COMMAND…",
                                     description="Run a command against a complete private stack on free ports.")
    parser.add_argument("directory")
    parser.add_argument("--build", default=settings.CHECKOUT / "build", type=pathlib.Path, help="where the program was built")
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    options, command = parser.parse_args(words[:at]), words[at + 1:]
    if not command:
        parser.error("say -- and which command")
    if not (options.build / "gateway/shimin").exists():
        raise SystemExit(f"there is no program in {options.build} yet: ./deploy/run builds it, or name another with --build")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with private_stack(options.directory, options.build / "gateway/shimin") as stack:
        sys.exit(subprocess.run(command, env=stack.whole_environment(), check=False).returncode)


if __name__ == "__main__":
    main()
