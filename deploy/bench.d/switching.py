"""(g): what a change of switches or of the catalogue costs at 18,700 services and 10,000 switches in history, and how soon two gateways agree."""
import contextlib
import re
import statistics
import subprocess
import time

from citizens import fill_citizens, log_in
from load import median

DATABASE = "shimin_switched"
SWITCHES, RELOADS, HISTORY = 50, 5, 10000
BOUNDS = '{"second_person_above": 20, "patience": 60}'
GATEWAYS = ("other", "twin")


def open_gateways(bench):
    """Two of them on one Postgres, with the long history."""
    stack = bench.stack
    stack.create_database(DATABASE)
    environment = stack.open_other(DATABASE, bench.catalogues / "large")
    fill_citizens(stack, DATABASE, 1000)
    stack.sql(DATABASE, f"""
        INSERT INTO shimin.switch (scope, target, position, reason_zh, reason_en, set_by)
        SELECT 'service', slug, position, 'x', 'x', 'bench'
        FROM (SELECT slug, row_number() OVER (ORDER BY slug) AS n FROM shimin.service WHERE declared = 'open') AS numbered,
             LATERAL (VALUES ('off'), ('open')) AS one (position)
        WHERE n <= {HISTORY // 2}""")
    for name in GATEWAYS:
        stack.start_gateway(stack.start_other(name), name, environment | {
            f"SHIMIN_LISTEN_{kind}_PORT": str(stack.ports[name + suffix])
            for kind, suffix in (("TLS", "_tls"), ("PLAIN", ""), ("OPERATIONS", "_operations"))})


def set_switch(stack, position):
    """Milliseconds from its commit until the last gateway had it in all of its workers, by Postgres' clock."""
    wish = f'{{"scope": "service", "target": "fund-balance-query", "position": "{position}", "reason": {{"zh": "x", "en": "x"}}}}'
    answer = stack.sql(DATABASE, f"SELECT shimin.switch_set('{wish}', 'bench', '{BOUNDS}') ->> 'switches_version', extract(epoch FROM clock_timestamp())")
    version, began = answer.split("|")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        known, last = stack.sql(DATABASE, f"""SELECT count(*) FILTER (WHERE switches_version >= {version}), extract(epoch FROM max(confirmed_at))
                                              FROM shimin.gateway""").split("|")
        if int(known) == len(GATEWAYS):
            return (float(last) - float(began)) * 1000
    raise SystemExit("a gateway did not confirm a switch within 10 s")


def reload_ms(bench, what, step):
    """The mean of what the first gateway measured so far, and how often it did."""
    text = bench.stack.get(bench.stack.ports["other_operations"], "/metrics")[1].decode()
    total, count = (float(re.search(rf'^catalogue_reload_duration_seconds_{part}{{what="{what}",step="{step}"}} (\S+)', text, re.M)[1])
                    for part in ("sum", "count"))
    return total * 1000, count


@contextlib.contextmanager
def meanwhile(stack, statement, pause):
    """Repeats a statement, each time in a transaction of its own."""
    script = f"DO $$ BEGIN FOR i IN 1..100000 LOOP {statement}; COMMIT; PERFORM pg_sleep({pause}); END LOOP; END $$"
    process = subprocess.Popen(["psql", "-XqAt", *stack.server("postgres", DATABASE), "-c", script], env=stack.whole_environment(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
        stack.sql(DATABASE, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %' AND pid <> pg_backend_pid()")


DISTURBANCES = {
    "a switch every 100 ms": (
        "PERFORM shimin.switch_set(jsonb_build_object('scope', 'service', 'target', 'metro-line-timetable', 'position', "
        f"CASE i % 2 WHEN 0 THEN 'open' ELSE 'no_new' END, 'reason', '{{\"zh\": \"x\", \"en\": \"x\"}}'::jsonb), 'bench', '{BOUNDS}')", 0.1),
    "a whole new catalogue every second": ("UPDATE shimin.category SET name_en = name_en", 1),
}


def p99_ratio(bench, load, disturbance):
    quiet, disturbed = [], []
    load.run(2)
    for _ in range(bench.rounds):
        quiet.append(load.run(bench.seconds))
        with meanwhile(bench.stack, *disturbance):
            time.sleep(0.3)
            disturbed.append(load.run(bench.seconds))
    return statistics.median(b["p99"] / a["p99"] for a, b in zip(quiet, disturbed)), quiet, disturbed


def measure(bench, row):
    stack = bench.stack
    open_gateways(bench)
    services, history = stack.sql(DATABASE, "SELECT (SELECT count(*) FROM shimin.service), (SELECT count(*) FROM shimin.switch)").split("|")
    base = f"{services} services, {history} switches in history"

    agreed = [set_switch(stack, position) for position in ("read_only", "open") * (SWITCHES // 2)]
    yield row("g", "two gateways on one Postgres agree on a switch, the slowest", max(agreed), 50, at_most=True, unit=" ms",
              behind=f"{len(agreed)} switches, median {statistics.median(agreed):.1f} ms; {base}")
    for _ in range(RELOADS):
        before = reload_ms(bench, "definitions", "build")[1]
        stack.sql(DATABASE, "UPDATE shimin.category SET name_en = name_en")
        deadline = time.monotonic() + 20
        while reload_ms(bench, "definitions", "build")[1] == before and time.monotonic() < deadline:
            time.sleep(0.05)
    for what, name, floor in (("switches", "a switch", 50), ("definitions", "a whole catalogue", 200)):
        (read, count), (built, _) = (reload_ms(bench, what, step) for step in ("read", "build"))
        yield row("g", f"snapshot of {name}: built and swapped", built / count, floor, at_most=True, unit=" ms",
                  behind=f"mean of {count:.0f}; read from Postgres before in {read / count:.0f} ms; {base}")
    tokens = bench.write("tokens.switched", log_in(stack, "other", 100, first=2000000))
    load = bench.load("other", bench.query_path, tokens, connections=32, think_ms=8)
    for what, disturbance in DISTURBANCES.items():
        ratio, quiet, disturbed = p99_ratio(bench, load, disturbance)
        yield row("g", f"p99 of queries with {what}, against none", ratio, 1.2, at_most=True,
                  behind=f"p99 {median(disturbed, 'p99') / 1000:.2f} ms against {median(quiet, 'p99') / 1000:.2f} ms at {median(disturbed, 'rate'):,.0f}/s; {base}")
    for name in GATEWAYS:
        stack.stop(name)
