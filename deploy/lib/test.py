"""./deploy/test, once the packages are there: stages one after the other, a line each, and the count of every single test."""
import argparse
import datetime
import os
import pathlib
import shutil
import signal
import sys
import time

import stages
from settings import CHECKOUT


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./deploy/test", description="Set up and pass the tests.")
    parser.add_argument("stage", nargs="*", help="only these stages: " + ", ".join(stages.STAGES))
    parser.add_argument("--list", action="store_true", help="say what the stages are")
    parser.add_argument("--coverage", action="store_true", help="also measure what the unit and API tests reach (var/test/coverage)")
    parser.add_argument("--fuzz-seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", "10")), help="for each fuzzer (10)")
    options = parser.parse_args()
    unknown = [name for name in options.stage if name not in stages.STAGES]
    if unknown:
        parser.error(f"there is no stage {unknown[0]}; --list names them")
    return options


def run_stage(name, bench):
    """(passed, failed) of one stage; what goes wrong before a test could run counts as one that failed."""
    began = time.monotonic()
    try:
        outcome = stages.STAGES[name](bench)
    except SystemExit as fault:
        if isinstance(fault.code, int):
            raise
        outcome = stages.Outcome(0, [str(fault)])
    seconds = time.monotonic() - began
    print(f"{'ok  ' if not outcome.failures else 'FAIL'} {name:<11} {outcome.passed:>5} passed, {len(outcome.failures)} failed"
          f"   {seconds:4.0f} s   {stages.STAGES[name].__doc__.splitlines()[0]}", flush=True)
    for failure in outcome.failures[:20]:
        print("       " + failure.rstrip().replace("\n", "\n       "), flush=True)
    return outcome.passed, len(outcome.failures)


def main():
    options = parse_arguments()
    if options.list:
        for name, stage in stages.STAGES.items():
            print(f"{name:<11} {stage.__doc__.splitlines()[0]}")
        return 0
    wanted = options.stage or [name for name in stages.STAGES if name != "coverage"]
    if options.coverage and "coverage" not in wanted:
        wanted.append("coverage")
    folder = pathlib.Path(os.environ.get("SHIMIN_TEST_DIRECTORY", CHECKOUT / "var/test"))
    run = folder / f"run-{datetime.datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    run.mkdir(parents=True)
    passed = failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # takes the stack down on the way out
    with stages.Bench(folder, run, options.fuzz_seconds) as bench:
        for name in wanted:
            stage_passed, stage_failed = run_stage(name, bench)
            passed, failed = passed + stage_passed, failed + stage_failed
    if failed:
        print(f"logs: {run}")
    else:
        shutil.rmtree(run)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
