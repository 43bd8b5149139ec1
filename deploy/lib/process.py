"""Processes that outlive the script: started apart, known by a pid file that also says when they began."""
import os
import pathlib
import signal
import subprocess
import time


def _began(pid):
    """When it began, in ticks since boot; None when there is no such process. A number that is used again has another time."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


class Process:
    def __init__(self, directory, name):
        self.name = name
        self.pid_file = directory / "run" / f"{name}.pid"
        self.log = directory / "log" / f"{name}.log"
        self.child = None

    def pid(self):
        """None unless the very process that was started still runs."""
        if self.child:
            self.child.poll()
        try:
            pid, began = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if _began(pid) == began else None

    def start(self, command, environment=None, **options):
        if self.pid():
            return
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT, env=environment, start_new_session=True, **options)
        self.pid_file.write_text(f"{self.child.pid} {_began(self.child.pid)}\n")

    def wait_ready(self, is_ready, seconds):
        """Polls until it is ready; ends with the last of its log when it ends first, or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.pid():
                break
            if is_ready():
                return
            time.sleep(0.05)
        state = "is not ready after %d s" % seconds if self.pid() else "ended"
        raise SystemExit(f"{self.name} {state}; the last lines of {self.log}:\n" + self.tail())

    def tail(self, lines=12):
        return "".join(self.log.read_text(errors="replace").splitlines(True)[-lines:]) if self.log.exists() else ""

    def stop(self, how=signal.SIGTERM, seconds=40):
        """True when it ran. Killed when it does not end in time."""
        pid = self.pid()
        if not pid:
            self.pid_file.unlink(missing_ok=True)
            return False
        os.kill(pid, how)
        deadline = time.monotonic() + seconds
        while self.pid():
            if time.monotonic() > deadline:
                print(f"{self.name} did not end in {seconds} s: killed", flush=True)
                os.kill(pid, signal.SIGKILL)
                deadline += 10
            time.sleep(0.05)
        if self.child:
            self.child.wait()
        self.pid_file.unlink(missing_ok=True)
        return True
