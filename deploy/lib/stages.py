"""The stages of ./deploy/test. A new one is a function that returns an Outcome, and a line in the table at the end."""
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import re
import subprocess
import urllib.request

import build
import console as web
import settings
import stack
from settings import CHECKOUT

PYTHON = "/usr/bin/python3"
SANITIZE = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Doptimization=1"]
BUILDS = {
    "debug": (["--buildtype=debug"], None),
    "asan": (["--buildtype=debug", *SANITIZE], None),
    "tsan": (["--buildtype=debug", "-Db_sanitize=thread", "-Db_lundef=false", "-Doptimization=1"], None),
    "fuzz": (["--buildtype=debug", *SANITIZE, "-Dfuzzers=true", "-Dtests=false"], "clang-14"),
    "coverage": (["--buildtype=debug", "-Db_coverage=true"], None),
}
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=0:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
# A stack that stops does not free what lives as long as the process; the unit tests look for leaks.
STACK_OPTIONS = SANITIZER_OPTIONS | {"ASAN_OPTIONS": SANITIZER_OPTIONS["ASAN_OPTIONS"] + ":detect_leaks=0"}
# npm and PyPI packages: by name and version, kept in var/test/tools.
NPM = {"redocly": "@redocly/cli@1.34.5", "prism": "@stoplight/prism-cli@4.14.1",
       "oas-examples": "@readme/oas-examples@8.2.2",  # documents that nobody here wrote; no program
       "standardwebhooks": "standardwebhooks@1.1.1", "cloudevents": "cloudevents@9.0.0",  # no programs either
       "wechatpay-axios-plugin": "wechatpay-axios-plugin@0.9.6", "alipay-sdk": "alipay-sdk@4.14.0",
       "openid-client": "openid-client@5.7.1", "oidc-provider": "oidc-provider@8.8.1"}


# The API tests for ThreadSanitizer: of each thing that more than one thread touches, the file that touches it most. These are snapshots and
# switches, the mirrors of publications and their streams, invalidated sessions, limits and settings, breakers and copies of answers,
# batches of counts and footprints, deliveries of webhooks, offloaded hashes. What one worker does alone, the other builds test.
SHARED = ("test_http2", "test_identity", "test_publications", "test_records", "test_registry", "test_settings_live", "test_switch",
          "test_switches", "test_traffic", "test_webhooks")


@dataclasses.dataclass
class Outcome:
    passed: int
    failures: list


class Bench:
    """What stages share: folders, builds, and one stack that the first to need it brings up."""

    def __init__(self, folder, run, fuzz_seconds):
        self.folder, self.run, self.fuzz_seconds = folder, run, fuzz_seconds
        self.exits, self._stack = contextlib.ExitStack(), None
        self.jobs = os.cpu_count() or 2

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        self.exits.close()

    def build(self, name, *targets):
        options, compiler = BUILDS[name]
        folder = self.folder / f"build-{name}"
        build.build(folder, targets, *options, compiler=compiler)
        return folder

    def stack(self):
        if not self._stack:
            folder = self.build("asan", "gateway/shimin")
            self._stack = self.exits.enter_context(stack.private_stack(self.run / "stack", folder / "gateway/shimin", STACK_OPTIONS))
        return self._stack

    def close_stack(self):
        self.exits.close()
        self._stack = None

    def log(self, name):
        path = self.run / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def call(self, name, command, environment=None, timeout=2400, **options):
        """Runs it with its output in a log; the exit status and the text."""
        log = self.log(name)
        try:
            done = subprocess.run([str(word) for word in command], env=os.environ | (environment or {}), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False, **options)
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as late:
            status, output = -1, (late.stdout or b"") + f"\nnot done in {timeout} s\n".encode()
        log.write_bytes(output)
        return status, output.decode(errors="replace")

    def each(self, work, items):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(work, items))

    def npm(self, tool):
        """The program of an npm package."""
        package, folder = NPM[tool], self.folder / "tools"
        mark = folder / f"{tool}-{package.rpartition('@')[2]}"
        with build.alone_in(folder):
            if not mark.exists():
                status, output = self.call(f"npm-{tool}", ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", package])
                if status:
                    raise SystemExit(f"npm could not install {package}:\n{output[-800:]}")
                mark.touch()
        return folder / "node_modules/.bin" / tool


def _last_lines(text, count=12):
    return "\n".join(text.rstrip().splitlines()[-count:])


def _check_results(test):
    """Check's own count of one test program; one test where it printed none: another kind of test, or a crash."""
    output = test.get("stdout", "") + test.get("stderr", "")
    sums = re.findall(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", output, re.M)
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    checks = sum(int(one[0]) for one in sums)
    failed = sum(int(one[1]) + int(one[2]) for one in sums)
    if not checks:
        checks, failed = 1, 0 if good else 1
    elif not good and not failed:
        failed = 1  # a sanitizer's report after the last test
    lines = re.findall(r"^\S+:\d+:[EF]:.*", output, re.M) or [_last_lines(output)]
    failures = [f"{test['name']}: {lines[i] if i < len(lines) else 'failed'}" for i in range(failed)]
    return Outcome(max(checks - failed, 0), failures)


def _providers_packages(bench):
    """The folder that holds what merchants of WeChat Pay and Alipay use."""
    return [bench.npm(package) for package in ("wechatpay-axios-plugin", "alipay-sdk")][0].parents[1]


def _unit(bench, name):
    folder = bench.build(name)
    prefix = ["setarch", "-R"] if name == "tsan" else []  # TSan knows only the usual layout of memory
    bench.call(f"unit-{name}", [*prefix, "meson", "test", "-C", folder, "--no-rebuild", "--num-processes", bench.jobs,
                                "--timeout-multiplier", 5],
               SANITIZER_OPTIONS | {"CK_TIMEOUT_MULTIPLIER": "4", "SHIMIN_NODE_MODULES": str(_providers_packages(bench))})
    tests = [json.loads(line) for line in (folder / "meson-logs/testlog.json").read_text().splitlines()]
    outcomes = [_check_results(test) for test in tests]
    return Outcome(sum(o.passed for o in outcomes), [failure for o in outcomes for failure in o.failures])


def unit(bench):
    """unit tests, debug build"""
    return _unit(bench, "debug")


def unit_asan(bench):
    """unit tests with AddressSanitizer and UndefinedBehaviorSanitizer"""
    return _unit(bench, "asan")


def unit_tsan(bench):
    """unit tests with ThreadSanitizer"""
    return _unit(bench, "tsan")


def suite(bench):
    """the official JSON-Schema-Test-Suite, draft 2020-12"""
    folder = bench.build("debug", "tests/unit/contract/schema-suite")
    kept = bench.folder / "tools/schema-suite"
    with build.alone_in(kept):
        status, output = bench.call("suite", ["sh", CHECKOUT / "tests/unit/contract/schema-suite.sh",
                                              folder / "tests/unit/contract/schema-suite", kept], {"PATH": "/usr/bin:/bin"})
    count = re.search(r"(\d+) of (\d+)", output)
    if not count:
        return Outcome(0, [_last_lines(output)])
    passed, total = int(count[1]), int(count[2])
    return Outcome(passed, ["a case of the suite: see suite.log"] * (total - passed) or ([_last_lines(output)] if status else []))


def fuzz(bench):
    """every fuzzer for a bounded time, from its corpus"""
    folder = bench.build("fuzz")
    _, output = bench.call("fuzz", [CHECKOUT / "tests/fuzz/run", folder, bench.fuzz_seconds], timeout=3600)
    lines = output.splitlines()
    failures = ["\n".join(lines[i:i + 3]) for i, line in enumerate(lines) if line.startswith("FAIL ")]
    passed = sum(line.startswith("ok ") for line in lines)
    return Outcome(passed, failures if passed or failures else [_last_lines(output)])


def _npm_environment(bench):
    """What the API tests take from npm, as they are told of it."""
    for package in ("oas-examples", "standardwebhooks", "cloudevents", "openid-client", "oidc-provider"):
        bench.npm(package)
    modules = bench.folder / "tools/node_modules"
    return {"SHIMIN_PRISM": str(bench.npm("prism")), "SHIMIN_OAS_EXAMPLES": str(modules / "@readme/oas-examples"),
            "SHIMIN_NODE_MODULES": str(modules)}


def _unittest(bench, name, folder, environment, prefix=(), only=()):
    """Python's unittest over a folder of tests, or some files of it; each of its tests counts."""
    words = ["-v", *only] if only else ["discover", "-v"]
    _, output = bench.call(name, [*prefix, PYTHON, "-B", "-m", "unittest", *words], environment, cwd=folder)
    count = re.search(r"^Ran (\d+) tests?", output, re.M)
    failures = [f"{kind}: {what}" for kind, what in re.findall(r"^(FAIL|ERROR): (.*)", output, re.M)]
    if not count:
        return Outcome(0, [_last_lines(output)])
    return Outcome(max(int(count[1]) - len(failures), 0), failures)


def api(bench):
    """the API over TLS against a whole stack, built with the sanitizers"""
    running = bench.stack()
    environment = running.environment() | _npm_environment(bench)
    return _unittest(bench, "api", CHECKOUT / "tests/api", environment)


def api_tsan(bench):
    """what threads share, through the API, built with ThreadSanitizer"""
    folder = bench.build("tsan", "gateway/shimin")
    prefix = ["setarch", "-R", CHECKOUT / "deploy/stack", "--build", folder, bench.run / "stack-tsan", "--"]
    environment = SANITIZER_OPTIONS | _npm_environment(bench)
    outcome = _unittest(bench, "api-tsan", CHECKOUT / "tests/api", environment, prefix, SHARED)
    for name in ("gateway", "sandbox"):
        if "WARNING: ThreadSanitizer" in (bench.run / f"stack-tsan/log/{name}.log").read_text(errors="replace"):
            outcome.failures.append(f"{name}: ThreadSanitizer reports, see {bench.run}/stack-tsan/log/{name}.log")
    return outcome


def faults(bench):
    """Postgres, Redis, departments and the gateway killed under load, and brought back"""
    program = bench.build("debug", "gateway/shimin") / "gateway/shimin"
    return _unittest(bench, "faults", CHECKOUT / "tests/faults", {"SHIMIN": str(program), "SHIMIN_TEST_DIRECTORY": str(bench.run)})


def attacks(bench):
    """rapid reset, and a stop under load"""
    running = bench.stack()
    scripts = {
        "rapid-reset": [PYTHON, "-B", CHECKOUT / "tests/api/rapid_reset.py", "localhost", running.ports["tls"], "/v1/categories"],
        "rapid-reset-unfinished": [PYTHON, "-B", CHECKOUT / "tests/api/rapid_reset.py", "localhost", running.ports["tls"], "/v1/categories", "--unfinished"],
        "drain": ["sh", CHECKOUT / "tests/api/http_drain.sh", bench.build("debug", "tests/unit/http/http-fixture") / "tests/unit/http/http-fixture",
                  settings.free_ports()["tls"]],
    }
    results = {name: bench.call(name, command, running.environment(), 180) for name, command in scripts.items()}
    failures = [f"{name}: {_last_lines(output)}" for name, (status, output) in results.items() if status]
    return Outcome(len(results) - len(failures), failures)


def contract(bench):
    """/openapi.json as Redocly judges it"""
    document = bench.run / "openapi.json"
    with urllib.request.urlopen(bench.stack().environment()["SHIMIN_PLAIN_URL"] + "/openapi.json", timeout=30) as answer:
        document.write_bytes(answer.read())
    status, output = bench.call("redocly", [bench.npm("redocly"), "lint", "--config", CHECKOUT / "deploy/lib/redocly.yaml", document],
                                {"REDOCLY_TELEMETRY": "off", "CI": "true"})
    return Outcome(0, [_last_lines(output, 40)]) if status else Outcome(1, [])


def console(bench):
    """the console: types and rules over its sources, then Chromium over its screens against a whole stack"""
    fault = web.make()
    if fault:
        return Outcome(0, [fault])
    program = bench.build("debug", "gateway/shimin") / "gateway/shimin"
    with stack.private_stack(bench.run / "stack-console", program) as running:
        environment = running.whole_environment() | _npm_environment(bench)
        bench.log("console").write_text(web.call("npm", "run", "types", environment=environment) or "")
        failures = [fault for fault in [web.call("npm", "run", "check")] if fault]
        _, output = bench.call("console", ["node", "--test", "--test-concurrency=1", "--test-reporter=tap", *sorted((web.FOLDER / "tests").glob("*.test.js"))], environment, 1500)
    failures += re.findall(r"^ *not ok \d+ - (.*(?:\n(?! *(?:not )?ok ).*){0,12})", output, re.M)
    count = re.search(r"^# pass (\d+)", output, re.M)
    return Outcome(int(count[1]) + (not failures) if count else 0, failures if count else [_last_lines(output)])


def metrics(bench):
    """/metrics as promtool judges them"""
    with urllib.request.urlopen(bench.stack().environment()["SHIMIN_OPERATIONS"] + "/metrics", timeout=30) as answer:
        text = answer.read().decode()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    bench.log("promtool").write_text(done.stdout + done.stderr)
    return Outcome(0, [_last_lines(done.stdout + done.stderr)]) if done.returncode else Outcome(1, [])


def statements(bench):
    """every SQL statement of the program, prepared by a migrated database"""
    running = bench.stack()
    status, output = bench.call("statements", [running.program, "migrate", "--check-statements"], running.environment())
    count = re.search(r"(\d+) statements are fine", output)
    if status or not count:
        return Outcome(0, [line for line in output.splitlines() if line] or ["no answer"])
    return Outcome(int(count[1]), [])


def stopping(bench):
    """gateway and sandbox end cleanly, with no report of a sanitizer"""
    running = bench.stack()
    failures = []
    bench.close_stack()
    for process in (running.gateway, running.sandbox):
        log = process.log.read_text(errors="replace")
        if process.child.returncode:
            failures.append(f"{process.name} ended with {process.child.returncode}: {process.tail()}")
        elif re.search(r"ERROR: AddressSanitizer|runtime error:", log):
            failures.append(f"{process.name}: a sanitizer reports, see {process.log}")
    return Outcome(2 - len(failures), failures)


def _sources(*suffixes):
    listed = subprocess.run(["git", "-C", CHECKOUT, "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode:
        return sorted(p for top in ("gateway", "services", "sandbox", "tests") for p in (CHECKOUT / top).rglob("*") if p.suffix in suffixes)
    return [p for line in listed.stdout.splitlines() if (p := CHECKOUT / line).suffix in suffixes and p.exists()]


def _wrong_floors(files):
    """Includes from a floor that is not below the file's own, in the order of meson.build; modules include <shimin/…> only."""
    floors = re.findall(r"^subdir\('gateway/(\w+)'\)", (CHECKOUT / "meson.build").read_text(), re.M)
    below = {f"gateway/{floor}": floors[:i + 1] for i, floor in enumerate(floors)}
    below |= {"services": [], "sandbox": floors[:floors.index("contract") + 1]}
    spared = {("sandbox/verify.h", "federation/secrets.h")}  # both sides read one file of credentials
    wrong = []
    for file in files:
        name = str(file.relative_to(CHECKOUT))
        floor = next((folder for folder in below if name.startswith(folder + "/")), None)
        for included in re.findall(r'^#include "((?:%s)/[^"]+)"' % "|".join(floors), file.read_text(), re.M) if floor else ():
            if included.partition("/")[0] not in below[floor] and (name, included) not in spared:
                wrong.append(f"{name} includes {included}, which is not below it")
    return wrong


def layout(bench):
    """every C file as clang-format lays it out, and including only from the floors below its own"""
    files = [f for f in _sources(".c", ".h") if f.name not in ("picohttpparser.h", "khash.h")]
    done = bench.each(lambda file: subprocess.run(["clang-format-14", "--dry-run", "-Werror", file], capture_output=True, check=False).returncode, files)
    failures = [f"clang-format -i {file.relative_to(CHECKOUT)}" for file, status in zip(files, done) if status]
    return Outcome(len(files) - len(failures), failures + _wrong_floors(files))


def _compiled(folder):
    commands = json.loads((folder / "compile_commands.json").read_text())
    inside = {os.path.realpath(os.path.join(c["directory"], c["file"])) for c in commands}
    return [f for f in _sources(".c") if str(f) in inside and "tests" not in f.relative_to(CHECKOUT).parts]


def tidy(bench):
    """every C file of the program under clang-tidy, with the checks of .clang-tidy"""
    folder = bench.build("debug", "gateway/shimin")
    files = _compiled(folder)

    def one(file):
        status, output = bench.call(f"tidy/{file.stem}", ["clang-tidy-14", "--quiet", "-p", folder, file, "--extra-arg=-Wno-unknown-warning-option"])
        found = [line for line in output.splitlines() if re.search(r"(warning|error): ", line)]
        return "\n".join(found[:5]) or _last_lines(output) if status or found else None

    failures = [failure for failure in bench.each(one, files) if failure]
    return Outcome(len(files) - len(failures), failures)


def cppcheck(bench):
    """the program under cppcheck"""
    folder = bench.build("debug", "gateway/shimin")
    names = {str(file) for file in _compiled(folder)}
    project = bench.run / "cppcheck.json"
    commands = json.loads((folder / "compile_commands.json").read_text())
    project.write_text(json.dumps([c for c in commands if os.path.realpath(os.path.join(c["directory"], c["file"])) in names]))
    cache = bench.folder / "cppcheck"
    cache.mkdir(exist_ok=True)
    status, output = bench.call("cppcheck", [
        "cppcheck", f"--project={project}", f"--cppcheck-build-dir={cache}", "-j", bench.jobs, "--quiet", "--enable=warning,portability",
        "--inline-suppr", f"--suppressions-list={CHECKOUT / 'deploy/lib/cppcheck.txt'}", "--error-exitcode=1", "--template={file}:{line}: {id}: {message}"])
    found = [line for line in output.splitlines() if re.match(r"\S+:\d+: ", line)]
    return Outcome(0, found or [_last_lines(output)]) if status else Outcome(len(names), [])


def coverage(bench):
    """what unit and API tests reach: var/test/coverage/index.html"""
    outcome = _unit(bench, "coverage")
    folder = bench.build("coverage")
    with stack.private_stack(bench.run / "coverage-stack", folder / "gateway/shimin") as running:
        reached = _unittest(bench, "coverage-api", CHECKOUT / "tests/api", running.environment() | _npm_environment(bench))
    outcome = Outcome(outcome.passed + reached.passed, outcome.failures + reached.failures)
    report = bench.folder / "coverage"
    report.mkdir(exist_ok=True)
    _, output = bench.call("gcovr", ["gcovr", "-r", CHECKOUT, "--filter", "gateway/", "--filter", "services/", "--filter", "sandbox/",
                                     "--html-details", report / "index.html", "--print-summary", folder], cwd=CHECKOUT)
    sums = [line for line in output.splitlines() if re.match(r"(lines|functions|branches):", line)]
    print("       " + "\n       ".join(sums or [_last_lines(output)]))
    return outcome if sums else Outcome(outcome.passed, [*outcome.failures, "gcovr gives no sums, see gcovr.log"])


# Two lanes, each in this order. Stages that share the stack stand together; `stopping` takes it down. Beside them, with less right to the
# processors, run those that need none: they compile and compute while the others mostly wait.
BESIDE = ("unit", "suite", "unit-asan", "unit-tsan", "fuzz", "layout", "tidy", "cppcheck")
STAGES = {
    "unit": unit,
    "suite": suite,
    "unit-asan": unit_asan,
    "statements": statements,
    "api": api,
    "attacks": attacks,
    "contract": contract,
    "console": console,
    "metrics": metrics,
    "stopping": stopping,
    "faults": faults,
    "unit-tsan": unit_tsan,
    "api-tsan": api_tsan,
    "fuzz": fuzz,
    "layout": layout,
    "tidy": tidy,
    "cppcheck": cppcheck,
    "coverage": coverage,
}
