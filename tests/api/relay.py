"""A TCP relay before one of the stack's servers, which can be cut as a network is: what was open stays open, and nothing gets through."""
import os
import re
import select
import socket
import threading


def postgres_address():
    """Where the stack's Postgres listens."""
    words = dict(re.findall(r"(\w+)=(\S+)", os.environ["SHIMIN_POSTGRES_APPLICATION"]))
    return words["host"], int(words["port"])


class Relay:
    def __init__(self, host, port):
        self.target, self.ended, self.flows = (host, port), threading.Event(), threading.Event()
        self.flows.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept)]

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.flows.set()
        for thread in self.threads:
            thread.join()
        self.listener.close()

    def environment(self):
        """Of a gateway that reaches Postgres through here only."""
        connection = os.environ["SHIMIN_POSTGRES_APPLICATION"]
        return {"SHIMIN_POSTGRES_APPLICATION": re.sub(r"host=\S+", "host=127.0.0.1", re.sub(r"port=\d+", f"port={self.port}", connection))}

    def cut(self):
        self.flows.clear()

    def mend(self):
        self.flows.set()

    def _accept(self):
        while not self.ended.is_set():
            if select.select([self.listener], [], [], 0.2)[0]:
                thread = threading.Thread(target=self._serve, args=(self.listener.accept()[0],))
                self.threads.append(thread)
                thread.start()

    def _serve(self, client):
        with client:
            self.flows.wait()
            try:
                with socket.create_connection(self.target, timeout=20) as server:
                    self._pass_on({client: server, server: client})
            except OSError:
                pass  # either side has gone: so does the other

    def _pass_on(self, other):
        while not self.ended.is_set():
            for side in select.select(list(other), [], [], 0.2)[0]:
                if not (data := side.recv(65536)):
                    return
                self.flows.wait()
                other[side].sendall(data)
