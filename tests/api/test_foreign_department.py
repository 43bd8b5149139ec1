"""A department that a program of somebody else plays: Prism, from the same contract, reached unmodified."""
import json
import os
import socket
import subprocess
import tempfile
import unittest

from client import call, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(base, path):
    try:
        return call(path, base=base).status == 200
    except OSError:
        return False


class Prism(unittest.TestCase):
    """A gateway of its own on the same Postgres and Redis, whose `metro` is at Prism's address."""

    @classmethod
    def setUpClass(cls):
        prism_port, plain, cls.started = free_port(), free_port(), []
        cls.url = f"http://127.0.0.1:{plain}"
        cls.log = tempfile.TemporaryFile()
        cls.start([os.environ["SHIMIN_PRISM"], "mock", "--host", "127.0.0.1", "--port", str(prism_port),
                   os.path.join(ROOT, "schema", "contracts", "metro.yaml")], os.environ)
        wait_until(lambda: answers(f"http://127.0.0.1:{prism_port}", "/lines"), 60, "Prism")
        cls.start([os.environ["SHIMIN"], "serve"], {
            **os.environ,
            "SHIMIN_LISTEN_TLS_PORT": str(free_port()),
            "SHIMIN_LISTEN_PLAIN_PORT": str(plain),
            "SHIMIN_LISTEN_OPERATIONS_PORT": str(free_port()),
            "SHIMIN_DEPARTMENTS": json.dumps({"metro": {"address": f"http://127.0.0.1:{prism_port}"}}),
            "SHIMIN_WORKERS": "1",
        })
        wait_until(lambda: answers(cls.url, "/v1/categories"), 20, "the gateway")

    @classmethod
    def start(cls, command, environment):
        cls.started.append(subprocess.Popen(command, env=environment, stdout=cls.log, stderr=cls.log))

    @classmethod
    def tearDownClass(cls):
        for process in reversed(cls.started):
            process.terminate()
            process.wait(30)

    def test_its_own_api_is_passed_on(self):
        answer = call("/v1/departments/metro/api/lines", base=self.url)
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.json)

    def test_its_feed_is_a_service_like_any_other(self):
        answer = call("/v1/services/metro-line-timetable/feed", base=self.url)
        self.assertEqual((answer.status, answer.json["source"], answer.json["stale"]), (200, "metro", False))
        self.assertTrue(answer.json["items"])


if __name__ == "__main__":
    unittest.main()
