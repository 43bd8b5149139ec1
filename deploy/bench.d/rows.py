"""The measurements (a) to (g). Each yields rows: what was measured, the figure, its floor, and what stands behind it."""
import contextlib
import dataclasses
import re
import signal
import statistics
import subprocess
import time

import credentials
import switching
from citizens import fill_citizens, log_in
from load import HERE, LOAD_CORE, SERVER_CORE, Load, median, median_ratio, rounds_in_turn
from peers import CONNECTIONS, Peers
from stores import POSTGRES

PAGE = "/v1/services?limit=50"
QUERY = "/v1/services/fund-balance-query/records"
SATURATED = 0.9   # of a core: above it, requests per second are what the core gives
SICK = 20
NEEDED = ("public-security", "housing-fund")  # the sandbox's own, which verifies names; that of the query
IDLE, WAITING = 10000, 2000


@dataclasses.dataclass
class Row:
    part: str
    what: str
    figure: float
    floor: float
    at_most: bool = False  # the floor is a ceiling
    unit: str = "×"
    behind: str = ""

    @property
    def met(self):
        return self.figure <= self.floor if self.at_most else self.figure >= self.floor


class Bench:
    def __init__(self, directory, program, catalogues, rounds, seconds, quick):
        self.catalogues, self.rounds, self.seconds, self.quick = catalogues, rounds, seconds, quick
        self.departments = [line.split("\t") for line in (catalogues / "plain/services.tsv").read_text().splitlines()]
        self.sick = [entry for entry in self.departments if entry[0] not in NEEDED][:SICK]
        self.healthy = [entry for entry in self.departments if entry not in self.sick and entry[0] != "public-security"]
        self.stack = Peers(directory, program, catalogues / "plain", [slug for slug, _ in self.sick])

    # ---- what all parts need ----

    def write(self, name, lines):
        path = self.stack.directory / "run" / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def open(self):
        stack = self.stack
        stack.write_config([slug for slug, _ in self.departments])
        credentials.make(stack.directory, self.catalogues / "plain/contracts", stack.program)
        for name in ("department", "department_sick"):
            stack.start_nginx(name, "department.conf", core=LOAD_CORE)
        stack.open()
        fill_citizens(stack, "shimin", 1000)
        self.token_file = self.write("tokens", log_in(stack, "plain", 100 if self.quick else 300))
        self.tokens = self.token_file.read_text().split()
        self.query_path = self.write("path.query", [QUERY])
        self.page_path = self.write("path.page", [PAGE])
        self.me_path = self.write("path.me", ["/v1/me"])

    def close(self):
        self.stack.close()

    def load(self, server, path, tokens=None, **more):
        port = self.stack.ports["plain" if server == "gateway" else server]
        return Load(port, path, tokens, server=self.stack.pid(server), **more)

    def must_be_200(self, server, path, token=None):
        status, body, _ = self.stack.get(self.stack.ports[server], path, token)
        if status != 200:
            raise SystemExit(f"{server}, {path}: {status} {body[:400]!r}")
        return body

    def compare(self, part, what, floor, results, ours, theirs, note=""):
        """Requests a second of each; of a core's second where something else than the server was the limit."""
        a, b = results[ours], results[theirs]
        saturated = min(median(a, "busy"), median(b, "busy")) >= SATURATED
        rate, cost = median_ratio(a, b), median_ratio(b, a, "cost")
        sides = [f"{name} {median(r, 'rate'):,.0f}/s, {median(r, 'cost'):.1f} µs of its core each, core {median(r, 'busy'):.0%} busy, "
                 f"p99 {median(r, 'p99') / 1000:.1f} ms" for name, r in ((ours, a), (theirs, b))]
        how = "by requests a second" if saturated else f"by processor time a request (by requests a second: {rate:.2f})"
        return Row(part, what, rate if saturated else cost, floor, behind=f"{how}; " + "; ".join(sides) + note)

    # ---- (a) ----

    def part_a(self):
        stack = self.stack
        page = self.must_be_200("plain", PAGE)
        folder = stack.directory / "run/page/v1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "services").write_bytes(page)
        stack.start_nginx("file", "file.conf")
        if self.must_be_200("file", PAGE) != page:
            raise SystemExit("nginx does not serve the gateway's bytes")
        results = rounds_in_turn({"gateway": self.load("gateway", self.page_path), "file": self.load("file", self.page_path)},
                                 self.rounds, self.seconds)
        stack.stop("file")
        yield self.compare("a", f"catalogue page of 50 ({len(page):,} bytes) against nginx serving it as a file", 0.9, results,
                           "gateway", "file")

    # ---- (b) ----

    def part_b(self):
        stack = self.stack
        stack.start_nginx("bare", "upstream.conf", "bare.conf")
        for name in ("session", "limit"):
            stack.start_nginx(name, "upstream.conf", f"{name}.conf")
        names = ("gateway", "session", "limit", "bare")
        for name in names:
            self.must_be_200("plain" if name == "gateway" else name, QUERY, self.tokens[0])
            refused = stack.get(stack.ports["plain" if name == "gateway" else name], QUERY, "x" * 43)[0]
            if refused != (200 if name == "bare" else 401):
                raise SystemExit(f"{name} answers a false token with {refused}")
        records = {table: int(stack.sql("shimin", f"SELECT count(*) FROM shimin.{table}")) for table in ("audit", "footprint")}
        stores = [stack.pid("postgres"), stack.pid("redis")]
        contenders = {name: self.load(name, self.query_path, self.token_file, stores=stores) for name in names}
        results = rounds_in_turn(contenders, self.rounds, self.seconds)
        for name in names[1:]:
            stack.stop(name)
        sent = contenders["gateway"].sent
        time.sleep(3)
        kept = {table: int(stack.sql("shimin", f"SELECT count(*) FROM shimin.{table}")) - before for table, before in records.items()}
        note = (f"; of the gateway's {sent:,} queries {kept['audit']:,} audit records and {kept['footprint']:,} footprints reached "
                f"Postgres within 3 s; Postgres and Redis used {median(results['gateway'], 'stores_cost'):.1f} µs a query")
        yield self.compare("b", "federated query against nginx with Lua and session", 1.3, results, "gateway", "session", note)
        yield self.compare("b", "federated query against nginx with Lua, session, limit and log", 1.8, results, "gateway", "limit")
        yield self.compare("b", "federated query against bare nginx", 0.85, results, "gateway", "bare")

    # ---- (c) ----

    def part_c(self):
        stack = self.stack
        server = stack.server("postgres", "pgbench")
        if stack.create_database("pgbench"):
            subprocess.run([POSTGRES / "pgbench", "-i", "-q", "-s", "10", *server], check=True, capture_output=True, env=stack.whole_environment())
        self.must_be_200("plain", "/v1/me", self.tokens[0])
        pgbench = Pgbench(["taskset", "-c", SERVER_CORE, POSTGRES / "pgbench", "-S", "-M", "prepared", "-n", "-c", str(CONNECTIONS), "-j1", *server],
                          stack.whole_environment())
        results = rounds_in_turn({"gateway": self.load("gateway", self.me_path, self.token_file, stores=[stack.pid("postgres")]),
                                  "pgbench": pgbench}, self.rounds, self.seconds)
        ours = results["gateway"]
        yield Row("c", f"GET /v1/me against pgbench -S -M prepared -c {CONNECTIONS}", median_ratio(ours, results["pgbench"]), 0.6,
                  behind=f"gateway {median(ours, 'rate'):,.0f}/s, {median(ours, 'cost'):.1f} µs of its core each, core {median(ours, 'busy'):.0%} "
                         f"busy, {median(ours, 'stores_cost'):.1f} µs of Postgres each; pgbench {median(results['pgbench'], 'rate'):,.0f}/s; "
                         "Postgres on the other core, beside wrk")

    # ---- (d) ----

    def part_d(self):
        """Load on all departments below what the core can take; in every second round 20 of them hang."""
        healthy = self.write("paths.healthy", [f"/v1/services/{service}/records" for _, service in self.healthy])
        sick = self.write("paths.sick", [f"/v1/services/{service}/records" for _, service in self.sick])
        others = self.load("gateway", healthy, self.token_file, connections=32, think_ms=8)
        victims = self.load("gateway", sick, self.token_file, connections=320, think_ms=160, may_fail=True)
        undisturbed, disturbed, failed = [], [], 0

        def both(hanging):
            if hanging:
                self.signal_sick(signal.SIGSTOP)
            beside = victims.start(self.seconds + 1)
            time.sleep(0.5)
            result = others.run(self.seconds)
            result["sick"] = beside.finish()
            if hanging:
                self.signal_sick(signal.SIGCONT)
                self.wait_until_healed()
            return result

        with contextlib.ExitStack() as cleanup:
            cleanup.callback(self.signal_sick, signal.SIGCONT)
            both(False)
            for _ in range(self.rounds):
                undisturbed.append(both(False))
                disturbed.append(both(True))
                failed += disturbed[-1]["failed"]
        ratio = statistics.median(b["p99"] / a["p99"] for a, b in zip(undisturbed, disturbed))
        yield Row("d", f"p99 of {len(self.healthy)} departments while {SICK} hang, against undisturbed", ratio, 1.2, at_most=True,
                  behind=f"p99 {median(disturbed, 'p99') / 1000:.2f} ms against {median(undisturbed, 'p99') / 1000:.2f} ms at "
                         f"{median(disturbed, 'rate'):,.0f}/s; of the hanging ones {sum(r['sick']['requests'] for r in disturbed):,} "
                         "queries were answered, by problems")
        yield Row("d", "errors of the others meanwhile", failed, 0, at_most=True, unit="")

    def signal_sick(self, how):
        pid = self.stack.pid("department_sick")
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
        for one in [pid, *map(int, children)]:
            subprocess.run(["kill", f"-{how.value}", str(one)], check=True)

    def wait_until_healed(self):
        deadline = time.monotonic() + 30
        for _, service in self.sick:
            while self.stack.get(self.stack.ports["plain"], f"/v1/services/{service}/records", self.tokens[0])[0] != 200:
                if time.monotonic() > deadline:
                    raise SystemExit(f"{service} stays unavailable after its department returned")
                time.sleep(0.2)

    # ---- (e) ----

    def part_e(self):
        stack = self.stack
        stack.create_database("shimin_large")
        environment = stack.open_other("shimin_large", self.catalogues / "large")
        fill_citizens(stack, "shimin_large", 3000000)
        stack.start_gateway(stack.start_other("other"), "other", environment)
        tokens = self.write("tokens.large", log_in(stack, "other", 100 if self.quick else 300, first=1000000))
        services = stack.sql("shimin_large", "SELECT count(*) FROM shimin.service")
        for what, path, with_session, floor in (("catalogue page", self.page_path, False, 0.9),
                                                ("federated query", self.query_path, True, 0.9),
                                                ("GET /v1/me", self.me_path, True, 0.9)):
            results = rounds_in_turn({"small": self.load("gateway", path, with_session and self.token_file),
                                      "large": self.load("other", path, with_session and tokens)}, self.rounds, self.seconds)
            yield self.compare("e", f"{what}: {services} services and 3 million citizens against 187 and 1,000", floor, results,
                               "large", "small")
        stack.stop("other")

    # ---- (f) ----

    def part_f(self):
        self.stack.load_catalogue(self.catalogues / "patient")
        idle, waiting = (2000, 500) if self.quick else (IDLE, WAITING)
        page = self.write("head.idle", ["GET /v1/categories HTTP/1.1\r\nHost: 127.0.0.1\r\n\r"])
        yield self.held("idle plain connection", 16, "idle", idle, "plain", page)
        yield self.held("idle TLS connection", 16, "idle", idle, "tls", page, "tls")
        self.signal_sick(signal.SIGSTOP)
        queries = self.write("head.waiting", [
            f"GET /v1/services/{service}/records HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r"
            for token, (_, service) in zip(self.tokens, self.sick * 100)])
        try:
            yield self.held("request that waits for a hanging department", 48, "waiting", waiting, "plain", queries)
        finally:
            self.signal_sick(signal.SIGCONT)

    def held(self, what, floor, how, count, server, heads, *more):
        """The gateway is begun anew, so that nothing freed earlier hides what a connection takes."""
        stack = self.stack
        stack.restart_gateway()
        self.must_be_200("plain", "/v1/categories")
        for token in self.tokens[:len(self.healthy)]:
            self.must_be_200("plain", QUERY, token)
        time.sleep(1)
        before = self.gateway_memory()
        client = subprocess.Popen(["taskset", "-c", LOAD_CORE, "python3", HERE / "hold.py", how, str(count), str(stack.ports[server]), heads, *more],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            if not client.stdout.readline().startswith("held"):
                raise SystemExit(f"{what}: connections could not be held")
            time.sleep(3)
            waits = self.metric("http_requests_in_flight")
            if how == "waiting" and waits < count:
                raise SystemExit(f"only {waits:.0f} of {count} requests wait")
            after = self.gateway_memory()
        finally:
            client.stdin.close()
            client.wait()
        return Row("f", f"memory of an {what}" if what[0] in "aeiou" else f"memory of a {what}", (after - before) / count, floor,
                   at_most=True, unit=" KiB", behind=f"Pss {before / 1024:.1f} MiB, with {count:,} of them {after / 1024:.1f} MiB")

    # ---- (g) ----

    def part_g(self):
        yield from switching.measure(self, Row)

    def gateway_memory(self):
        """Pss in KiB."""
        rollup = open(f"/proc/{self.stack.pid('gateway')}/smaps_rollup").read()
        return int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))

    def metric(self, name):
        text = self.stack.get(self.stack.ports["operations"], "/metrics")[1].decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)", text, re.M))


class Pgbench:
    def __init__(self, command, environment):
        self.command, self.environment = command, environment

    def run(self, seconds):
        output = subprocess.run([*self.command, "-T", str(seconds)], env=self.environment, check=True, capture_output=True, text=True).stdout
        return {"rate": float(re.search(r"tps = ([\d.]+)", output).group(1))}
