"""./deploy/run, once the packages are there: build, set up, start, say how to use it, and stay until it is told to stop."""
import argparse
import signal
import sys
import time

import build
import console
import settings
import tour
from stack import Stack

STEPS = 10
FIRST_STEPS = 3  # packages are installed before there is a Python; the build; the console


def say(number, what):
    print(f"[{number}/{STEPS}] {what}", flush=True)


def refuse_taken_ports(stack):
    taken = settings.taken(stack.ports) if not stack.running() else []
    if taken:
        raise SystemExit(f"these ports are in use: {', '.join(map(str, taken[:6]))}{' …' if taken[6:] else ''}\nStop who uses them, or choose others: in deploy/shimin.yaml, "
                         "or by SHIMIN_LISTEN_TLS_PORT and the like (SHIMIN_POSTGRES_PORT, SHIMIN_REDIS_PORT).")


def start(stack, detach):
    """Everything, or nothing is left running."""
    refuse_taken_ports(stack)
    say(2, "build (the first takes a minute or two)")
    build.build(settings.CHECKOUT / "build", ["gateway/shimin"], "--buildtype=release", "-Dtests=false")
    say(3, "console (the first takes a minute or two)")
    fault = console.make()
    if fault:
        print(f"the console was not built, and /console/ is what it was before, if anything:\n{fault}", flush=True)
    try:
        for i, (what, step) in enumerate(stack.steps()):
            say(FIRST_STEPS + 1 + i, what)
            step()
        tour.show(stack, "Shimin runs; ./deploy/stop ends it." if detach else "Shimin runs; Ctrl-C ends it.")
    except BaseException:
        stack.close()
        raise


def watch(stack):
    """Until a signal, or until a part ends by itself."""
    while True:
        time.sleep(0.5)
        for process in stack.processes:
            if not process.pid():
                print(f"{process.name} ended; the last lines of {process.log}:\n{process.tail()}", flush=True)
                return 1


def stay(stack):
    try:
        status = watch(stack)
    except KeyboardInterrupt:
        status = 0
    except BaseException:
        stack.close()
        raise
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C shall not leave half of it running
    print("\nstopping …", flush=True)
    stack.close()
    return status


def main():
    parser = argparse.ArgumentParser(prog="./deploy/run", description="Set up and run the gateway with everything it needs under var/.")
    parser.add_argument("--detach", action="store_true", help="return when it is ready; ./deploy/stop ends it")
    options = parser.parse_args()
    stack = Stack(settings.CHECKOUT / "var", settings.CHECKOUT / "build/gateway/shimin", settings.configured_ports())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with build.alone_in(stack.directory):  # one that is starting is waited for
        if len(stack.running()) == len(stack.processes):
            tour.show(stack, "Shimin runs already; ./deploy/stop ends it.")
            return 0
        start(stack, options.detach)
    return 0 if options.detach else stay(stack)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
