"""The private Postgres and Redis of a stack."""
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess

from credentials import password
from process import Process

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
SETTINGS = """
# Made by ./deploy/run at every start.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '.'
max_connections = 100
shared_buffers = 128MB
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
"""
# Nobody gets in without a password, whoever they are on this machine.
ADMISSION = "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"


def _may_enter(folder, user):
    return subprocess.run(["setpriv", "--reuid", user, "--regid", user, "--init-groups", "test", "-x", folder], check=False).returncode == 0


def _way_through():
    """dac_read_search, or what containers leave root when they take that away."""
    bounds = int(re.search(r"^CapBnd:\s*(\S+)", pathlib.Path("/proc/self/status").read_text(), re.M)[1], 16)
    return "dac_read_search" if bounds & 1 << 2 else "dac_override"


def _as_postgres(data):
    """What stands before a command so that it does not run as root, which Postgres refuses.

    In a checkout that the user postgres cannot enter (one under /root), it gets the one capability to pass through folders;
    the alternative, data outside the checkout, would change the machine."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise SystemExit("there is no user postgres, which postgresql-common makes: install postgresql-15 again") from None
    words = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    if not _may_enter(data.parent, "postgres"):
        capability = _way_through()
        words += [f"--inh-caps=-all,+{capability}", f"--ambient-caps=+{capability}"]
    return words


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


def _run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        raise SystemExit(f"{pathlib.Path(command[-1]).name}: Postgres could not be set up:\n{done.stdout}{done.stderr}")


class Postgres(Process):
    """Made with its logins, database and PostGIS before it ever listens: single-user mode sees no network."""

    def __init__(self, directory, port, fsync=True):
        super().__init__(directory, "postgres")
        self.directory, self.port, self.fsync = directory, port, fsync
        self.data = directory / "postgres"

    def _single(self, database, statements):
        _run([*self.prefix, POSTGRES / "postgres", "--single", "-D", self.data, database], input="".join(s + "\n" for s in statements))

    def _create(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
        _run([*self.prefix, POSTGRES / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
              *([] if self.fsync else ["--no-sync"])])
        logins = {name: _quoted(password(self.directory, name)) for name in ("postgres", "shimin_owner", "shimin_gateway")}
        self._single("postgres", [
            f"ALTER ROLE postgres PASSWORD {logins['postgres']}",
            f"CREATE ROLE shimin_owner LOGIN CREATEROLE PASSWORD {logins['shimin_owner']}",
            f"CREATE ROLE shimin_gateway LOGIN PASSWORD {logins['shimin_gateway']}",
            "CREATE DATABASE shimin OWNER shimin_owner",
        ])
        self._single("shimin", ["CREATE EXTENSION postgis WITH SCHEMA public"])
        (self.data / "ready").touch()

    def open(self):
        if self.pid():
            return
        self.prefix = _as_postgres(self.data)
        if not (self.data / "ready").exists():
            self._create()
        (self.data / "shimin.conf").write_text(SETTINGS.format(port=self.port) + ("" if self.fsync else "fsync = off\n"))
        (self.data / "shimin.conf").chmod(0o644)
        (self.data / "pg_hba.conf").write_text(ADMISSION)
        main = self.data / "postgresql.conf"
        if "include 'shimin.conf'" not in main.read_text():
            with open(main, "a", encoding="utf-8") as file:
                file.write("include 'shimin.conf'\n")
        self.start([*self.prefix, POSTGRES / "postgres", "-D", self.data])
        self.wait_ready(lambda: subprocess.run([POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0, 60)

    def stop(self, how=signal.SIGINT, seconds=60):
        """SIGINT is Postgres's fast shutdown: it waits for no client."""
        return super().stop(how, seconds)


class Redis(Process):
    def __init__(self, directory, port):
        super().__init__(directory, "redis")
        self.directory, self.port = directory, port

    def open(self):
        if self.pid():
            return
        data = self.directory / "redis"
        data.mkdir(mode=0o700, exist_ok=True)
        file = self.directory / "run/redis.conf"
        file.touch(0o600)
        file.write_text(f"bind 127.0.0.1\nport {self.port}\nprotected-mode yes\nrequirepass {password(self.directory, 'redis')}\n"
                        f"dir \"{data}\"\nsave 300 1\nmaxmemory 256mb\nmaxmemory-policy volatile-lru\n")
        self.start(["redis-server", file])
        self.wait_ready(self._answers, 20)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
                link.sendall(f"AUTH {password(self.directory, 'redis')}\r\nPING\r\n".encode())
                answer = link.makefile("rb")
                return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
        except OSError:
            return False
