"""A configuration with faults is refused whole, before anything is opened, with file, line and reason of each."""
import os
import pathlib
import subprocess
import tempfile
import unittest

# What is put in place of what, and what is then said of the line where it stands.
FAULTS = [
    ("level: info", "level: loud", "log.level: must be one of debug,info,warning,error"),
    ("address: 0.0.0.0", "address: everywhere", "listen.tls.address: must be a numeric address"),
    ("problem_base: https://localhost:8443/problems/", "problem_base: problems", "http.problem_base: must be a URL that ends in /"),
    ("deadline: 10s", "deadline: 10", "http.deadline: must be a duration with its unit"),
    ("connections: 8000", "conections: 8000", 'http.conections: unknown key; did you mean "http.connections"?'),
    ("application: host=", "application: hst=", 'postgres.application: invalid connection option "hst"'),
    ("url: redis://", "url: rediss://", "redis.url: must be redis://"),
    ("by: citizen, requests: 600", "by: planet, requests: 600", "limits.citizen: needs `by: "),
]


def refused(text, **changes):
    """What `shimin serve` says of the configuration that `text` is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIMIN_")}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([os.environ["SHIMIN"], "serve", "--config", file.name], env=kept | changes, capture_output=True, text=True,
                              timeout=30, check=False)
    return done.returncode, done.stderr.replace(file.name, "FILE").splitlines()


class Configuration(unittest.TestCase):
    def setUp(self):
        self.text = pathlib.Path(os.environ["SHIMIN_CONFIG"]).read_text(encoding="utf-8")

    def test_every_fault_is_named_with_its_line_in_one_run(self):
        text = self.text
        for good, bad, _ in FAULTS:
            self.assertIn(good, text)
            text = text.replace(good, bad, 1)
        status, said = refused(text)
        self.assertEqual(status, 1)
        for _, bad, reason in FAULTS:
            line = text[:text.index(bad)].count("\n") + 1
            self.assertTrue(any(one.startswith(f"FILE:{line}: {reason}") for one in said), (line, reason, said))
        self.assertEqual(len(said), len(FAULTS), said)

    def test_an_origin_that_no_browser_sends_is_refused(self):
        for origin in ("https://app.example/path", "https://App.example", "null", "*", "app.example"):
            status, said = refused(self.text, SHIMIN_HTTP_ORIGINS="https://app.example," + origin)
            self.assertEqual((status, said[0][:40]), (1, "environment: SHIMIN_HTTP_ORIGINS: must b"), origin)

    def test_a_file_that_cannot_be_read_has_one_fault(self):
        self.assertEqual(refused("log: {level: info\n")[1][0][:7], "FILE:2:")
        self.assertEqual(len(refused("log: {level: info\n")[1]), 1)
        self.assertEqual(refused("only a text\n")[1], ["FILE:1: keys were expected"])


if __name__ == "__main__":
    unittest.main()
