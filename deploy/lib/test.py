"""./deploy/test, once the packages are there: two lanes of stages, a line each, and the count of every single test."""
import argparse
import contextlib
import datetime
import multiprocessing
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
    parser.add_argument("--fuzz-seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", "5")), help="for each fuzzer (5)")
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


def run_lane(names, nice, *bench):
    """(passed, failed) of stages one after the other."""
    os.nice(nice)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # takes the stack down on the way out
    with stages.Bench(*bench) as shared:
        return [sum(counts) for counts in zip((0, 0), *(run_stage(name, shared) for name in names))]


@contextlib.contextmanager
def beside(*lane):
    """Runs a lane in a process of its own, which ends when we do; what waits for its counts."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=lambda: theirs.send(run_lane(*lane)), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv
    finally:
        process.terminate()


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
    bench = folder, run, options.fuzz_seconds
    with beside([name for name in wanted if name in stages.BESIDE], 3, *bench) as others:
        counts = run_lane([name for name in wanted if name not in stages.BESIDE], 0, *bench)
        passed, failed = (sum(pair) for pair in zip(counts, others()))
    if failed:
        print(f"logs: {run}")
    else:
        shutil.rmtree(run)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
