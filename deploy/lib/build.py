"""Building the program, in a folder of its own for each purpose; whoever else wants the same folder waits."""
import contextlib
import fcntl
import os
import subprocess

from settings import CHECKOUT


@contextlib.contextmanager
def alone_in(folder):
    """Nobody else is in it meanwhile: two tests may be started at once, and ninja, meson and npm do not mind each other."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(folder, targets, *options, compiler=None):
    """Configures the folder, if that has not been done, and compiles the targets in it."""
    environment = os.environ | ({"CC": compiler} if compiler else {})
    with alone_in(folder):
        if not (folder / "build.ninja").exists():
            _run(["meson", "setup", folder, CHECKOUT, "--native-file", CHECKOUT / "deploy/lib/debian.ini", *options], environment)
        _run(["ninja", "-C", folder, *targets], os.environ)


def _run(command, environment):
    done = subprocess.run([str(word) for word in command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit("the build failed:\n" + "".join((done.stdout + done.stderr).splitlines(True)[-40:]))
