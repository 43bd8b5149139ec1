"""HTTP/2 by frames made by hand: how many streams a connection may have at a time."""
import types
import unittest
import urllib.parse

import rapid_reset as frames
from client import URL, call, wait_until

EVENTS = "/v1/services/metro-crowding/feed/events"  # answers at once, and does not end
STREAMS = 100
REFUSED_STREAM = 7


class Streams(unittest.TestCase):
    def setUp(self):
        wait_until(lambda: call("/v1/services/metro-crowding/feed").status == 200, what="a feed")
        at = urllib.parse.urlsplit(URL)
        self.host = at.hostname
        self.connection = frames.connect(types.SimpleNamespace(host=at.hostname, port=at.port, plain=False))
        self.addCleanup(self.connection.close)
        self.connection.settimeout(10)
        self.connection.sendall(frames.PREFACE + frames.frame(frames.SETTINGS, 0, 0))
        self.answered, self.refused, self.received = set(), {}, b""

    def ask(self, numbers):
        head = frames.head(self.host, EVENTS)
        flags = frames.END_HEADERS | frames.END_STREAM
        self.connection.sendall(b"".join(frames.frame(frames.HEADERS, flags, 2 * n + 1, head) for n in numbers))

    def hear_of(self, count):
        """Reads until so many streams were answered or refused."""
        while len(self.answered) + len(self.refused) < count:
            more = self.connection.recv(65536)
            self.assertTrue(more, "the connection ended")
            self.received += more
            while len(self.received) >= 9:
                size = int.from_bytes(self.received[:3], "big")
                if len(self.received) < 9 + size:
                    break
                kind, stream = self.received[3], int.from_bytes(self.received[5:9], "big")
                if kind == frames.HEADERS:
                    self.answered.add(stream // 2)
                elif kind == frames.RST_STREAM:
                    self.refused[stream // 2] = int.from_bytes(self.received[9:13], "big")
                self.received = self.received[9 + size:]

    def test_streams_beyond_the_announced_number_are_refused_and_the_others_go_on(self):
        self.ask(range(STREAMS + 20))
        self.hear_of(STREAMS + 20)
        self.assertEqual(self.answered, set(range(STREAMS)))
        self.assertEqual(self.refused, {n: REFUSED_STREAM for n in range(STREAMS, STREAMS + 20)})
        self.assertEqual(call("/v1/categories").status, 200)


if __name__ == "__main__":
    unittest.main()
