"""A private stack in one directory: Postgres, Redis, nginx, the sandbox and gateways; each is ended by its own process id."""
import base64
import contextlib
import glob
import json
import os
import pathlib
import pwd
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from load import LOAD_CORE, SERVER_CORE

HERE = pathlib.Path(__file__).parent
CHECKOUT = HERE.parent.parent
FIRST_PORT = 21000
PORTS = {name: FIRST_PORT + i for i, name in enumerate(
    ("postgres", "redis", "department", "department_sick", "file", "bare", "session", "limit", "sandbox", "operations",
     "gateway", "gateway_tls", "other_operations", "other", "other_tls"))} | {"sandbox_first": FIRST_PORT + 100}
HUGE_LIMIT = {"requests": 1000000000, "window": 60}
CITIZEN_LIMIT = {"requests": 1000000, "window": 60}


class Stack:
    def __init__(self, run, binary):
        self.run, self.binary = pathlib.Path(run), binary
        self.run.mkdir(parents=True, exist_ok=True)
        os.chmod(self.run, 0o755)
        self.processes = {}

    # ---- processes ----

    def start(self, name, command, core=LOAD_CORE, user=None, output=None):
        with open(output or self.run / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(["taskset", "-c", core, *map(str, command)], stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=subprocess.STDOUT, user=user, start_new_session=True)
        return self.processes[name]

    def pid(self, name):
        return self.processes[name].pid

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if not process:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self):
        for name in reversed(list(self.processes)):
            self.stop(name, signal.SIGINT if name == "postgres" else signal.SIGTERM)

    def wait_port(self, name, port, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            if self.processes[name].poll() is not None:
                break
            time.sleep(0.05)
        log = (self.run / f"{name}.log").read_text(errors="replace")[-3000:]
        raise SystemExit(f"{name} does not listen on {port}:\n{log}")

    # ---- stores ----

    def start_postgres(self):
        binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.pg_binaries = pathlib.Path(binaries)
        data = self.run / "postgres"
        user = "postgres" if os.geteuid() == 0 else None
        if not data.exists():
            data.mkdir(mode=0o700)
            if user:
                os.chown(data, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
            subprocess.run([self.pg_binaries / "initdb", "-D", data, "-U", "owner", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8"],
                           check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")
        settings = {"port": PORTS["postgres"], "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
                    "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "max_connections": 200,
                    "track_activities": "on"}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self.start("postgres", [self.pg_binaries / "postgres", "-D", data, *options], user=user)
        self.wait_port("postgres", PORTS["postgres"])
        deadline = time.monotonic() + 30
        while subprocess.run(self.psql_command("postgres", "SELECT 1"), capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise SystemExit("Postgres does not answer")
            time.sleep(0.1)

    def psql_command(self, database, sql):
        return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(PORTS["postgres"]), "-U", "owner",
                "-d", database, "-c", sql]

    def sql(self, database, sql):
        return subprocess.run(self.psql_command(database, sql), check=True, capture_output=True, text=True).stdout.strip()

    def start_redis(self):
        self.start("redis", ["redis-server", "--port", PORTS["redis"], "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                             "--dir", self.run, "--daemonize", "no"])
        self.wait_port("redis", PORTS["redis"])

    # ---- nginx ----

    def start_nginx(self, name, files, core, lua=False):
        modules = glob.glob("/usr/lib/nginx/modules") and ["ndk_http_module.so", "ngx_http_lua_module.so"] if lua else []
        values = {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "MODULES": "\n".join(f"load_module /usr/lib/nginx/modules/{module};" for module in modules),
            "RUN": self.run, "NAME": name, "HERE": HERE, "PORT": PORTS[name],
            "DEPARTMENT": PORTS["department"], "REDIS": PORTS["redis"],
        }
        text = (HERE / "common.conf").read_text().replace("@HTTP@", "".join((HERE / file).read_text() for file in files))
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        config = self.run / f"{name}.conf"
        config.write_text(text)
        self.start(name, ["nginx", "-c", config, "-e", self.run / f"{name}.error.log"], core)
        self.wait_port(name, PORTS[name])

    def start_departments(self):
        """The departments, and in a process of its own those that will hang."""
        for name in ("department", "department_sick"):
            self.start_nginx(name, ["department.conf"], LOAD_CORE)

    def start_peers(self):
        self.start_nginx("file", ["file.conf"], SERVER_CORE)
        self.start_nginx("bare", ["upstream.conf", "bare.conf"], SERVER_CORE)
        self.start_nginx("session", ["upstream.conf", "session.conf"], SERVER_CORE, lua=True)
        self.start_nginx("limit", ["upstream.conf", "limit.conf"], SERVER_CORE, lua=True)

    # ---- the gateway ----

    def prepare_secrets(self):
        key = lambda: base64.b64encode(secrets.token_bytes(32)).decode()
        keys = self.run / "keys.yaml"
        if not keys.exists():
            keys.touch(mode=0o600)
            keys.write_text(f'active: k1\nkeys:\n  - {{id: k1, suite: intl, key: "{key()}"}}\n'
                            f'blind_index: {{id: b1, suite: intl, key: "{key()}"}}\n')
        if not (self.run / "tls.pem").exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                            "-subj", "/CN=localhost", "-keyout", self.run / "tls.key", "-out", self.run / "tls.pem"],
                           check=True, capture_output=True)

    def configure(self, name, database, catalogue, sick=(), redis_database=0, **more):
        """Writes the configuration of a gateway with the given ports' name ("gateway", "other"); its path."""
        entries = [line.split("\t") for line in (catalogue / "services.tsv").read_text().splitlines()]
        operations = {"gateway": "operations"}.get(name, f"{name}_operations")
        dsn = f"host=127.0.0.1 port={PORTS['postgres']} dbname={database}"
        home = self.run / name
        for folder in ("snapshot", "spool"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        config = {
            "workers": 1, "log.level": "info",
            "listen.tls.address": "127.0.0.1", "listen.tls.port": PORTS[f"{name}_tls"], "listen.plain.port": PORTS[name],
            "listen.operations.port": PORTS[operations],
            "tls.certificate": str(self.run / "tls.pem"), "tls.private_key": str(self.run / "tls.key"),
            "http.connections": 100000, "http.connections_per_address": 100000, "http.idle_time": "600s", "http.deadline": "60s",
            "postgres.application": f"{dsn} user=gateway", "postgres.owner": f"{dsn} user=owner",
            "redis.url": f"redis://127.0.0.1:{PORTS['redis']}/{redis_database}",
            "keys.file": str(self.run / "keys.yaml"),
            "limits": {"citizen": CITIZEN_LIMIT | {"by": "citizen"}}
            | {limit: HUGE_LIMIT | {"by": "address"} for limit in ("address", "login", "identity")},
            "catalogue.directory": str(catalogue / "catalogue"), "catalogue.contracts": str(catalogue / "contracts"),
            "catalogue.areas": str(CHECKOUT / "schema/areas/chengdu.csv"), "catalogue.snapshot": str(home / "snapshot"),
            "migrations.directory": str(CHECKOUT / "schema/migrations"),
            "federation.cache": False, "federation.spool": str(home / "spool"),
            "sandbox.control_port": PORTS["sandbox"], "sandbox.first_port": PORTS["sandbox_first"],
            "departments": {
                department: {"address": f"http://127.0.0.1:{PORTS['department_sick' if department in sick else 'department']}"}
                for department, _ in entries if department != "public-security"},
        } | more
        path = self.run / f"{name}.yaml"
        path.write_text(json.dumps(config, indent=1))
        return path

    def command(self, config, *words):
        done = subprocess.run([self.binary, *words, "--config", config], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"shimin {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def start_sandbox(self, config):
        self.start("sandbox", [self.binary, "sandbox", "--config", config])
        self.wait_port("sandbox", PORTS["sandbox"])

    def start_gateway(self, name, config, core=SERVER_CORE):
        self.start(name, [self.binary, "serve", "--config", config], core, output=self.run / f"{name}.log")
        self.wait_port(name, PORTS[name])
        operations = PORTS[{"gateway": "operations"}.get(name, f"{name}_operations")]
        deadline = time.monotonic() + 60
        while self.get(operations, "/readyz")[0] != 200:
            if time.monotonic() > deadline or self.processes[name].poll() is not None:
                raise SystemExit(f"{name} does not become ready: {self.get(operations, '/readyz')}")
            time.sleep(0.1)

    # ---- plain requests ----

    def get(self, port, path, token=None, body=None):
        """(status, body bytes, headers); (0, b"", {}) when nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}",
                                         data=json.dumps(body).encode() if body is not None else None)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=70) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers
        except OSError:
            return 0, b"", {}
