"""Measures the gateway against its peers and prints a table of ratios.

Two cores of this machine are used: one by what is measured, the other by load, backends and stores. Contenders take turns in
short rounds, and a figure is the median of the rounds' ratios, so that what disturbs the machine disturbs both. All processes
are the benchmark's own, in a private directory and on free ports, and are ended by their ids.
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

import build  # noqa: E402
from load import LOAD_CORE  # noqa: E402
from report import table, write_document  # noqa: E402
from rows import Bench  # noqa: E402

CHECKOUT = HERE.parents[1]


def arguments():
    parser = argparse.ArgumentParser(prog="./deploy/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 2 s instead of 5 of 5 s, fewer citizens and connections")
    parser.add_argument("--only", default="a,b,c,d,e,f,g", help="parts to measure, such as a,b")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--build", type=pathlib.Path, default=CHECKOUT / "var/bench/build", help="the folder of its own release build (%(default)s)")
    parser.add_argument("--program", type=pathlib.Path, help="measure this program instead of building one")
    parser.add_argument("--directory", type=pathlib.Path, help="keep the stack's files there; a temporary directory otherwise")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/performance.md")
    parser.add_argument("--hold", action="store_true", help="leave the stack up until a line on standard input, for a profiler")
    return parser.parse_args()


def built(folder):
    build.build(folder, ["gateway/shimin"], "--buildtype=release", "-Dtests=false")
    return folder / "gateway/shimin"


# What part needs which: its name, times as many services, and the departments' time to answer where it is not the catalogue's.
CATALOGUES = {"plain": ("abcdefg", "1"), "large": ("eg", "100"), "patient": ("f", "1", "60000")}


def make_catalogues(directory, parts):
    for name, (needed, *arguments) in CATALOGUES.items():
        if set(needed) & set(parts) or name == "plain":
            subprocess.run([sys.executable, HERE / "make_catalogue.py", CHECKOUT, directory / "catalogues" / name, *arguments], check=True)
    return directory / "catalogues"


def measure(given, directory, program):
    rounds, seconds = given.rounds or (3 if given.quick else 5), given.seconds or (2 if given.quick else 5)
    parts = [part for part in given.only.split(",") if part]
    rows, began = [], time.monotonic()
    bench = Bench(directory, program, make_catalogues(directory, parts), rounds, seconds, given.quick)
    try:
        bench.open()
        for part in parts:
            for row in getattr(bench, f"part_{part}")():
                rows.append(row)
                print(f"({row.part}) {row.what}: {row.figure:.2f}{row.unit}, {'met' if row.met else 'missed'}; {row.behind}", flush=True)
        if given.hold:
            print("the stack is up; a line on standard input ends it", flush=True)
            sys.stdin.readline()
    finally:
        bench.close()
    return rows, f"{rounds} rounds of {seconds} s, {time.monotonic() - began:.0f} s in all"


def main():
    given = arguments()
    if os.cpu_count() < 2:
        raise SystemExit("two cores are needed: one for what is measured, one for the load")
    program = given.program or built(given.build)
    os.sched_setaffinity(0, {int(LOAD_CORE)})  # of all that is started from here, unless it says otherwise
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = given.directory or pathlib.Path(tempfile.mkdtemp(prefix="shimin-bench-"))
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    try:
        rows, how = measure(given, directory, program)
    finally:
        if not given.directory:
            shutil.rmtree(directory, ignore_errors=True)
    text = table(rows, how)
    print("\n" + text)
    if given.write:
        write_document(CHECKOUT / "docs/performance.md", text)
    sys.exit(0 if all(row.met for row in rows) else 1)


main()
