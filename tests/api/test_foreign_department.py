"""A department that a program of somebody else plays: Prism, from the same contract, reached unmodified."""
import json
import os
import subprocess
import tempfile
import unittest

from client import another_gateway, answers, call, free_port, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Prism(unittest.TestCase):
    """A gateway of its own, whose `metro` is at Prism's address."""

    @classmethod
    def setUpClass(cls):
        prism = f"http://127.0.0.1:{free_port()}"
        log = tempfile.TemporaryFile()
        cls.addClassCleanup(log.close)
        process = subprocess.Popen([os.environ["SHIMIN_PRISM"], "mock", "--host", "127.0.0.1", "--port", prism.rpartition(":")[2],
                                    os.path.join(ROOT, "schema", "contracts", "metro.yaml")], stdout=log, stderr=log)
        cls.addClassCleanup(process.wait, 30)
        cls.addClassCleanup(process.terminate)
        wait_until(lambda: answers(prism, "/lines"), 60, "Prism")
        cls.url = cls.enterClassContext(another_gateway(SHIMIN_DEPARTMENTS=json.dumps({"metro": {"address": prism}})))

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
