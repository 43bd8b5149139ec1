"""The stack that is measured and its peers: deploy/lib's private stack, with cores, limits and departments of the benchmark."""
import contextlib
import glob
import json
import os
import socket
import subprocess
import urllib.error
import urllib.request

import credentials
import settings
from load import HERE, SERVER_CORE
from process import Process
from stack import Stack

FIRST_PORT = 20000
CONNECTIONS = 2  # to Postgres, on which a worker sends the statements of requests; its fallback
OWN_PORTS = ("department", "department_sick", "file", "bare", "session", "limit", "other", "other_tls", "other_operations",
             "twin", "twin_tls", "twin_operations")
LUA_MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
# High enough that nobody is refused; counted nevertheless.
LIMITS = {"citizen": {"by": "citizen", "requests": 1000000, "window": 60}} | {
    name: {"by": "address", "requests": 1000000000, "window": 60} for name in ("address", "login", "identity")}


def free_ports(names):
    for base in range(FIRST_PORT, FIRST_PORT + 2000, len(names)):
        if all(settings._is_free(base + i) for i in range(len(names))):
            return {name: base + i for i, name in enumerate(names)}
    raise SystemExit(f"no free ports from {FIRST_PORT} on")


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Peers(Stack):
    def __init__(self, directory, program, catalogue, sick):
        ports = settings.free_ports() | free_ports(OWN_PORTS)
        super().__init__(directory, program, ports)
        self.catalogue, self.sick, self.others = catalogue, set(sick), {}

    def environment(self):
        return super().environment() | {
            "SHIMIN_CONFIG": str(self.directory / "run/bench.yaml"),
            "SHIMIN_CATALOGUE_DIRECTORY": str(self.catalogue / "catalogue"),
            "SHIMIN_CATALOGUE_CONTRACTS": str(self.catalogue / "contracts"),
        }

    def other_environment(self, database, catalogue):
        """Of a second gateway beside the first: its own database, catalogue and part of Redis."""
        environment = self.whole_environment()
        for key in ("SHIMIN_POSTGRES_APPLICATION", "SHIMIN_POSTGRES_OWNER"):
            environment[key] = environment[key].replace("dbname=shimin", f"dbname={database}")
        environment["SHIMIN_REDIS_URL"] = environment["SHIMIN_REDIS_URL"].removesuffix("/0") + "/1"
        for folder in ("spool", "catalogue"):
            (self.directory / "other" / folder).mkdir(parents=True, exist_ok=True)
        return environment | {
            "SHIMIN_LISTEN_TLS_PORT": str(self.ports["other_tls"]), "SHIMIN_LISTEN_PLAIN_PORT": str(self.ports["other"]),
            "SHIMIN_LISTEN_OPERATIONS_PORT": str(self.ports["other_operations"]),
            "SHIMIN_CATALOGUE_DIRECTORY": str(catalogue / "catalogue"), "SHIMIN_CATALOGUE_CONTRACTS": str(catalogue / "contracts"),
            "SHIMIN_CATALOGUE_SNAPSHOT": str(self.directory / "other/catalogue"),
            "SHIMIN_FEDERATION_SPOOL": str(self.directory / "other/spool"),
        }

    def write_config(self, departments):
        """What no variable of the environment says. public-security stays the sandbox's: it verifies the citizens' names."""
        config = {
            "workers": 1, "log.level": "info", "postgres.connections": CONNECTIONS,
            "http.connections": 100000, "http.connections_per_address": 100000, "http.idle_time": "600s", "http.deadline": "60s",
            "federation.cache": False, "limits": LIMITS,
            "departments": {slug: {"address": f"http://127.0.0.1:{self.ports['department_sick' if slug in self.sick else 'department']}"}
                            for slug in departments if slug != "public-security"},
            "catalogue.areas": str(settings.CHECKOUT / "schema/areas/chengdu.csv"),
            "migrations.directory": str(settings.CHECKOUT / "schema/migrations"),
        }
        (self.directory / "run/bench.yaml").write_text(json.dumps(config, indent=1, ensure_ascii=False))

    # ---- the stack ----

    def _open_gateway(self):
        self.start_gateway(self.gateway, "plain", self.whole_environment())

    def restart_gateway(self):
        self.gateway.stop()
        self._open_gateway()

    def start_gateway(self, process, port, environment):
        process.start(["taskset", "-c", SERVER_CORE, self.program, "serve"], environment)
        operations = environment["SHIMIN_LISTEN_OPERATIONS_PORT"]
        process.wait_ready(lambda: self.get(int(operations), "/readyz")[0] == 200 and is_open(self.ports[port]), 60)

    def open_other(self, database, catalogue):
        environment = self.other_environment(database, catalogue)
        self.run_command(environment, "migrate")
        self.run_command(environment, "catalogue", "apply", "--yes")
        return environment

    def load_catalogue(self, catalogue):
        self.catalogue = catalogue
        self.run_command(self.whole_environment(), "catalogue", "apply", "--yes")

    def run_command(self, environment, *words):
        done = subprocess.run([self.program, *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"shimin {' '.join(words)} failed:\n{done.stdout}{done.stderr}")

    def close(self):
        for name in reversed(list(self.others)):
            self.stop(name)
        return super().close()

    def sql(self, database, statement):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *self.server("postgres", database), "-c", statement],
                              env=self.whole_environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"Postgres refused:\n{done.stderr}")
        return done.stdout.strip()

    def server(self, user, database):
        return ["-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-U", user, "-d", database]

    def create_database(self, name):
        """False when it is there already."""
        if self.sql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            return False
        self.sql("postgres", f"CREATE DATABASE {name} OWNER shimin_owner")
        self.sql(name, "CREATE EXTENSION postgis WITH SCHEMA public")
        return True

    # ---- further processes ----

    def start_other(self, name):
        return self.others.setdefault(name, Process(self.directory, name))

    def stop(self, name):
        self.others.pop(name).stop()

    def pid(self, name):
        return {"gateway": self.gateway, "postgres": self.postgres, "redis": self.redis}.get(name, self.others.get(name)).pid()

    def start_nginx(self, name, *files, core=SERVER_CORE):
        values = {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "MODULES": "\n".join(f"load_module {module};" for wanted in LUA_MODULES for module in glob.glob(f"/usr/lib/nginx/modules/{wanted}")),
            "RUN": self.directory / "run", "NAME": name, "HERE": HERE, "PORT": self.ports[name],
            "DEPARTMENT": self.ports["department"], "REDIS": self.ports["redis"],
            "REDIS_PASSWORD": credentials.password(self.directory, "redis"),
        }
        text = (HERE / "common.conf").read_text().replace("@HTTP@", "".join((HERE / file).read_text() for file in files))
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        config = self.directory / f"run/{name}.conf"
        config.write_text(text)
        process = self.start_other(name)
        process.start(["taskset", "-c", core, "nginx", "-c", config, "-e", self.directory / f"log/{name}.error.log"])
        process.wait_ready(lambda: is_open(self.ports[name]), 20)

    # ---- plain requests ----

    def get(self, port, path, token=None, body=None):
        """(status, body, headers); (0, b"", {}) when nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=json.dumps(body).encode() if body is not None else None)
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
