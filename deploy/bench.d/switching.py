"""(g): what a change of switches or of the catalogue costs at 18,700 services and 10,000 switches in history, and how soon two gateways agree."""
import contextlib
import re
import statistics
import subprocess
import time

from citizens import fill_citizens, log_in
from load import median

DATABASE = "shimin_switched"
SWITCHES, PUBLICATIONS, HISTORY = 50, 10, 10000
TOGETHER = 50  # in a transaction: each sees the versions that those before it left of the one row
BOUNDS = '{"second_person_above": 20, "patience": 60}'
GATEWAYS = ("other", "twin")


def open_gateways(bench):
    """Two of them on one Postgres, with the long history."""
    stack = bench.stack
    stack.create_database(DATABASE)
    environment = stack.open_other(DATABASE, bench.catalogues / "large")
    fill_citizens(stack, DATABASE, 1000)
    stack.sql(DATABASE, f"""
        DO $$
        DECLARE
            slugs text[] := ARRAY(SELECT slug FROM shimin.service WHERE declared = 'open' ORDER BY slug LIMIT {HISTORY // 2});
        BEGIN
            FOR i IN 0..{HISTORY // 2 // TOGETHER - 1} LOOP
                INSERT INTO shimin.switch (scope, target, position, reason_zh, reason_en, set_by)
                SELECT 'service', slug, position, 'x', 'x', 'bench'
                FROM unnest(slugs[i * {TOGETHER} + 1 : (i + 1) * {TOGETHER}]) AS slug,
                     LATERAL (VALUES ('off'), ('open')) AS one (position);
                COMMIT;
            END LOOP;
        END $$""")
    for name in GATEWAYS:
        stack.start_gateway(stack.start_other(name), name, environment | {
            f"SHIMIN_LISTEN_{kind}_PORT": str(stack.ports[name + suffix])
            for kind, suffix in (("TLS", "_tls"), ("PLAIN", ""), ("OPERATIONS", "_operations"))})


def confirmed_ms(stack, change, column):
    """Milliseconds from a change's commit until the last gateway had it in all of its workers, by Postgres' clock. The change is a
    statement that gives the number it made of `column`, and the moment."""
    version, began = stack.sql(DATABASE, change).splitlines()[-1].split("|")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        known, last = stack.sql(DATABASE, f"""SELECT count(*) FILTER (WHERE {column} >= {version}), extract(epoch FROM max(confirmed_at))
                                              FROM shimin.gateway""").split("|")
        if int(known) == len(GATEWAYS):
            return (float(last) - float(began)) * 1000
        time.sleep(0.01)  # not more often than a gateway's core can bear
    raise SystemExit("a gateway did not confirm a change within 20 s")


def set_switch(stack, position):
    wish = f'{{"scope": "service", "target": "fund-balance-query", "position": "{position}", "reason": {{"zh": "x", "en": "x"}}}}'
    return confirmed_ms(stack, f"SELECT shimin.switch_set('{wish}', 'bench', '{BOUNDS}') ->> 'switches_version', "
                        "extract(epoch FROM clock_timestamp())", "switches_version")


def publish(stack, n):
    """As the gate's last step does: one more service in the catalogue."""
    return confirmed_ms(stack, f"""
        BEGIN;
        INSERT INTO shimin.service (slug, department, ordering, definition)
        SELECT slug, department, 1000000, jsonb_set(definition, '{{slug}}', to_jsonb(slug)) - 'aliases'
        FROM (SELECT 'published-{n}' AS slug, department, definition FROM shimin.service WHERE slug = 'metro-line-timetable') AS one;
        SELECT version, extract(epoch FROM clock_timestamp()) FROM shimin.catalogue_state;
        COMMIT""", "version")


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
    """Short rounds in turn, who begins in turn as well: what happens to the machine happens to both."""
    quiet, disturbed = [], []

    def run_quiet():
        quiet.append(load.run(bench.seconds))

    def run_disturbed():
        with meanwhile(bench.stack, *disturbance):
            time.sleep(0.3)
            disturbed.append(load.run(bench.seconds))

    load.run(2)
    for turn in range(2 * bench.rounds):
        for run in (run_quiet, run_disturbed)[::-1 if turn % 2 else 1]:
            run()
    return statistics.median(b["p99"] / a["p99"] for a, b in zip(quiet, disturbed)), quiet, disturbed


def measure(bench, row):
    stack = bench.stack
    open_gateways(bench)
    services, history = stack.sql(DATABASE, "SELECT (SELECT count(*) FROM shimin.service), (SELECT count(*) FROM shimin.switch)").split("|")
    base = f"{services} services, {history} switches in history"

    agreed = sorted(set_switch(stack, position) for position in ("read_only", "open") * (SWITCHES // 2))
    yield row("g", "two gateways on one Postgres agree on a switch, the slowest", agreed[-1], 50, at_most=True, unit=" ms",
              behind=f"{len(agreed)} switches, median {statistics.median(agreed):.1f} ms, the second slowest {agreed[-2]:.1f}; {base}")
    live = sorted(publish(stack, n) for n in range(PUBLICATIONS))
    yield row("g", "a service that is published is live in every gateway, the slowest", live[-1], 1000, at_most=True, unit=" ms",
              behind=f"{len(live)} of them, median {statistics.median(live):.0f} ms; both gateways share a core, and read the whole catalogue; {base}")
    for what, name, floor in (("switches", "a switch", 50), ("definitions", "a whole catalogue", 200)):
        (read, count), (built, _) = (reload_ms(bench, what, step) for step in ("read", "build"))
        yield row("g", f"snapshot of {name}: built and swapped", built / count, floor, at_most=True, unit=" ms",
                  behind=f"mean of {count:.0f}; read from Postgres before in {read / count:.0f} ms; {base}")
    stack.stop("twin")
    tokens = bench.write("tokens.switched", log_in(stack, "other", 100, first=2000000))
    load = bench.load("other", bench.query_path, tokens, connections=32, think_ms=8)
    for what, disturbance in DISTURBANCES.items():
        ratio, quiet, disturbed = p99_ratio(bench, load, disturbance)
        yield row("g", f"p99 of queries with {what}, against none", ratio, 1.2, at_most=True,
                  behind=f"p99 {median(disturbed, 'p99') / 1000:.2f} ms against {median(quiet, 'p99') / 1000:.2f} ms at {median(disturbed, 'rate'):,.0f}/s, "
                         f"{len(quiet)} rounds of each; {base}")
    stack.stop("other")
