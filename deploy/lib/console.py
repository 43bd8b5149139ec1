"""Building the console (web/console) into build/console/dist, with npm and what package-lock.json names. Skipped while nothing changed."""
import hashlib
import os
import shutil
import subprocess

import build
from settings import CHECKOUT

SOURCE = CHECKOUT / "web/console"
FOLDER = CHECKOUT / "build/console"
LEFT_OUT = ("node_modules", "dist", "schema.d.ts")


def _stamp():
    """What the build depends on."""
    digest = hashlib.sha256()
    for file in sorted(SOURCE.rglob("*")):
        if file.is_file() and not set(file.relative_to(SOURCE).parts) & set(LEFT_OUT):
            digest.update(f"{file.relative_to(SOURCE)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def call(*words, environment=None):
    """A command in the folder; what it said when it failed, else None."""
    done = subprocess.run(words, cwd=FOLDER, env=os.environ | (environment or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "\n".join((done.stdout + done.stderr).splitlines()[-20:]) if done.returncode else None


def make():
    """None, or why there is no new console. Sources are copied, so that nothing is written beside them."""
    with build.alone_in(FOLDER):
        mark, stamp = FOLDER / ".stamp", _stamp()
        if mark.exists() and mark.read_text() == stamp:
            return None
        kept = FOLDER / "package-lock.json"
        modules = (FOLDER / "node_modules").exists() and kept.exists() and kept.read_bytes() == (SOURCE / "package-lock.json").read_bytes()
        for left in ("src", "public", "tests"):
            shutil.rmtree(FOLDER / left, ignore_errors=True)
        shutil.copytree(SOURCE, FOLDER, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
        fault = None if modules else call("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        if fault:
            kept.unlink()
        fault = fault or call("npm", "run", "build")
        if not fault:
            mark.write_text(stamp)
        return fault
