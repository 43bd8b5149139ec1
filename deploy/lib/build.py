"""Building the program, in a folder of its own for each purpose."""
import os
import subprocess

from settings import CHECKOUT


def configure(folder, *options, compiler=None):
    if (folder / "build.ninja").exists():
        return
    environment = os.environ | ({"CC": compiler} if compiler else {})
    _run(["meson", "setup", folder, CHECKOUT, "--native-file", CHECKOUT / "deploy/lib/debian.ini", *options], environment)


def compile(folder, *targets):
    _run(["ninja", "-C", folder, *targets], os.environ)


def _run(command, environment):
    done = subprocess.run([str(word) for word in command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit("the build failed:\n" + "".join((done.stdout + done.stderr).splitlines(True)[-40:]))
