"""Load from wrk, processor time of what is measured, and rounds in turn."""
import json
import os
import pathlib
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).parent
SERVER_CORE, LOAD_CORE = "0", "1"
STRAY_SHARE = 0.0005  # of requests that may fail in an undisturbed round before it counts as broken


def children_of(pid):
    found = [pid]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += children_of(int(child))
    return found


def processor_seconds(pids):
    """User and system time of processes, their threads and their children until now, to the nanosecond (utime is in ticks)."""
    total = 0
    for pid in pids:
        for one in children_of(pid):
            for thread in pathlib.Path(f"/proc/{one}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


class Load:
    """wrk against one address: one thread on the load's core."""

    def __init__(self, port, paths, tokens=None, connections=64, think_ms=0, *, server, stores=(), may_fail=False):
        self.port, self.server, self.stores, self.may_fail, self.sent = port, server, stores, may_fail, 0
        self.command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", "--timeout", "30s"]
        self.environment = os.environ | {
            "BENCH_PATHS": str(paths), "BENCH_TOKENS": str(tokens or ""), "BENCH_THINK_MS": str(think_ms)}

    def start(self, seconds):
        self.before = [processor_seconds([pid]) for pid in (self.server, *self.stores)]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            self.command + [f"-d{seconds}s", "-s", str(HERE / "requests.lua"), f"http://127.0.0.1:{self.port}/"],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return self

    def finish(self):
        output, _ = self.process.communicate()
        elapsed = time.monotonic() - self.began
        lines = [line for line in output.splitlines() if line.startswith("{")]
        if self.process.returncode or not lines:
            raise SystemExit(f"wrk failed:\n{output}")
        result = json.loads(lines[-1])
        failed = result["bad"] + result["broken"] + result["timeouts"]
        if not self.may_fail and failed > STRAY_SHARE * result["requests"]:
            raise SystemExit(f"port {self.port}: requests failed, so no figure can be had: {result}")
        result["failed"] = failed
        result["rate"] = result["requests"] / (result["microseconds"] / 1e6)
        result["length"] = result["bytes"] / max(result["requests"], 1)
        used, *by_stores = [processor_seconds([pid]) - before for pid, before in zip((self.server, *self.stores), self.before)]
        result["busy"] = used / elapsed
        result["cost"] = used * 1e6 / max(result["requests"], 1)
        result["stores_cost"] = sum(by_stores) * 1e6 / max(result["requests"], 1)
        self.sent += result["requests"]
        return result

    def run(self, seconds):
        return self.start(seconds).finish()


def rounds_in_turn(contenders, rounds, seconds, warm=2):
    """Runs each contender once a round: {name: [result of each round]}. Contenders have run(seconds)."""
    for contender in contenders.values():
        contender.run(warm)
    results = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            results[name].append(contender.run(seconds))
    return results


def median(results, member):
    return statistics.median(result[member] for result in results)


def median_ratio(ours, theirs, member="rate"):
    """The median of the rounds' ratios: what happens to the machine in a round happens to both."""
    return statistics.median(a[member] / b[member] for a, b in zip(ours, theirs))
