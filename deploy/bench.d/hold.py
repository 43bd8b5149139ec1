#!/usr/bin/env python3
"""Holds connections open: idle after one answered request, or with a request whose answer is awaited.

usage: hold.py idle|waiting COUNT PORT REQUESTS [tls]

REQUESTS is a file of whole request heads, used in turn. Prints "held N" when N connections are as wished, and ends when its
standard input does.
"""
import resource
import socket
import ssl
import sys


def read_answer(link):
    """One answer with Content-Length, to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = link.recv(65536)
        if not piece:
            raise SystemExit(f"the gateway closed a connection: {data[:200]!r}")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(f"not 200: {head[:200]!r}")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += link.recv(65536)


def main():
    how, count, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(sys.argv[4], "rb") as file:
        heads = [head + b"\r\n\r\n" for head in file.read().split(b"\r\n\r\n") if head.strip()]
    tls = len(sys.argv) > 5 and sys.argv[5] == "tls"
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 1000, max(count + 1000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    links = []
    for i in range(count):
        link = socket.create_connection(("127.0.0.1", port), timeout=30)
        if tls:
            link = context.wrap_socket(link)
        link.sendall(heads[i % len(heads)])
        if how == "idle":
            read_answer(link)
        links.append(link)
    print("held", len(links), flush=True)
    sys.stdin.read()


main()
